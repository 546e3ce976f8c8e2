"""Calls to the practice Binance as any program would make them, signed without any code of ours."""

import hashlib
import hmac
import time
from contextlib import asynccontextmanager

import httpx

from chatbot.practice.binance import PracticeBinance
from tests.support.practice import practice

ACCOUNT, TRADES = "/api/v3/account", "/api/v3/myTrades"


def signed(state, query="", *, secret="", ahead=0, window=5000):
    stamp = int(time.time() * 1000) + ahead
    text = "&".join(filter(None, [query, f"recvWindow={window}", f"timestamp={stamp}"]))
    signature = hmac.new((secret or state.secret).encode(), text.encode(), hashlib.sha256).hexdigest()
    return f"{text}&signature={signature}"


class Caller:
    """Calls the practice server as any program would."""

    def __init__(self, running, http):
        self.origin, self.state, self.http = running.origin, running.state, http
        assert isinstance(self.state, PracticeBinance)

    async def get(self, path, query="", *, method="GET", key=None, raw="", **how):
        headers = {"X-MBX-APIKEY": self.state.key if key is None else key}
        text = raw or signed(self.state, query, **how)
        return await self.http.request(method, f"{self.origin}{path}?{text}", headers=headers)

    async def control(self, verb, **given):
        return await self.http.post(f"{self.origin}/practice/binance/{verb}", json=given)

    async def code(self, path, query="", **how):
        answer = await self.get(path, query, **how)
        return answer.status_code, answer.json().get("code")


@asynccontextmanager
async def calling():
    async with practice("binance") as running, httpx.AsyncClient() as http:
        yield Caller(running, http)
