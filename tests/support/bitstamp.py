"""Recorded answers of Bitstamp, a client fed with signed answers, and someone who asks its practice twin."""

import asyncio
import hmac
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.exchanges._http import Answer
from chatbot.exchanges.bitstamp import wire
from chatbot.exchanges.bitstamp.client import BitstampClient
from chatbot.practice.bitstamp import PracticeBitstamp, create_app

DATA = Path(__file__).parents[1] / "data" / "bitstamp"
NOW = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
EVERYTHING = {"balances", "fills", "orders", "list_withdrawals"}
KEY, SECRET = "TESTKEY0123456789abcdef", "TESTSECRETfedcba9876543210"


class FrozenClock:
    """A clock that stands still."""

    def now(self):
        return NOW

    def monotonic(self):
        return 0.0

    async def sleep(self, seconds):
        raise AssertionError


class FakeHttp:
    """Answers from a list, each signed for the request it answers, and remembers what was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    async def request(self, method, path, query="", headers=None, body=b""):
        self.asked.append((method, path, query, headers, body))
        given = self.answers.pop(0)
        if given.headers:
            return given
        kind = f"{given.content_type}; charset=utf-8"
        text = f"{headers['X-Auth-Nonce']}{headers['X-Auth-Timestamp']}{kind}".encode() + given.body
        signature = hmac.new(SECRET.encode(), text, "sha256").hexdigest()
        signed = {"Content-Type": kind, "X-Server-Auth-Signature": signature}
        return Answer(given.status, given.content_type, given.body, given.wait, signed)


def recorded(name):
    (path,) = DATA.glob(f"http_*_{name}.json")
    return path.read_bytes()


def answer(body, status=200):
    return Answer(status, "application/json", body)


def refused(code, status=403):
    return answer(json.dumps({"status": "error", "reason": "x", "code": code}).encode(), status)


def client(*answers, nonce=0, key=KEY):
    http = FakeHttp(*answers)
    keys = Credentials(Secret(key), Secret(SECRET))
    return BitstampClient(cast("Any", http), FrozenClock(), keys, nonce), http


def row(number, kind="2", **fields):
    """A transaction as documented, with some fields changed."""
    traded = {"order_id": 7, "fee": "0.10", "btc": "0.5", "eur": "-100.00", "btc_eur": "200.00"}
    base = {"id": number, "datetime": "2026-10-03 08:15:42.118204", "type": kind}
    return base | (traded if kind in {"2", "36"} else {"fee": "0", "eur": "5"}) | fields


def rows(*given):
    return answer(json.dumps(list(given)).encode())


class Asker:
    """A practice exchange, and plain or signed calls to ask it."""

    def __init__(self):
        self.state = PracticeBitstamp()
        self.app = create_app(self.state)

    def request(self, method, path, **options):
        async def send():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def signed(self, path, body="", stamp=None, key="", secret="", method="POST"):
        stamp = stamp or wire.Stamp(str(uuid.uuid4()), int(self.state.clock().timestamp() * 1000))
        keys = Secret(key or self.state.key), Secret(secret or self.state.secret)
        return wire.sign(method, path, body.encode(), *keys, stamp)

    def ask(self, path, body="", changed=None, **options):
        headers = self.signed(path, body, **options) | (changed or {})
        kept = {name: value for name, value in headers.items() if value is not None}
        return self.request("POST", path, content=body.encode() or None, headers=kept)

    def control(self, verb, **given):
        return self.request("POST", f"/practice/bitstamp/{verb}", json=given).json()


def code(response):
    return response.json().get("code") if isinstance(response.json(), dict) else ""
