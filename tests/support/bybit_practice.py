"""The practice Bybit without a network, and calls signed as the documents say, not by our client."""

import asyncio
import hmac

import httpx

from chatbot.practice.bybit import PracticeBybit, create_app
from chatbot.practice.bybit.account import milliseconds


class Asker:
    """A practice exchange, and plain calls to ask it."""

    def __init__(self):
        self.state = PracticeBybit()
        self.app = create_app(self.state)

    def request(self, method, path, **options):
        async def send():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def post(self, path, **options):
        return self.request("POST", path, **options)

    def ask(self, path, query="", *, late=0, window="5000", method="GET", key="", **changed):
        """Ask as the documents say: time, key, window and query signed; `changed` spoils a header."""
        key = key or self.state.key
        stamp = str(milliseconds(self.state.clock()) - late)
        secret = self.state.keys[key].secret if key in self.state.keys else "x"
        signature = hmac.new(secret.encode(), f"{stamp}{key}{window}{query}".encode(), "sha256").hexdigest()
        headers = {
            "X-BAPI-API-KEY": key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": window,
            "X-BAPI-SIGN": signature,
        } | changed
        url = f"{path}?{query}" if query else path
        return self.request(method, url, headers={name: text for name, text in headers.items() if text})


def code(response):
    return response.json()["retCode"]


def rows(response):
    return response.json()["result"]["list"]
