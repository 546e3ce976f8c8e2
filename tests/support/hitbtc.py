"""Recorded answers of HitBTC, and a client that is fed with answers instead of a network."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.exchanges._http import Answer
from chatbot.exchanges.hitbtc.client import HitBTCClient
from chatbot.exchanges.hitbtc.symbols import Symbols

DATA = Path(__file__).parents[1] / "data" / "hitbtc"
NOW = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
SYMBOLS = "/api/3/public/symbol"


class SetClock:
    """A clock that moves only when told to."""

    def __init__(self):
        self.moment, self.seconds = NOW, 1000.0

    def now(self):
        return self.moment

    def monotonic(self):
        return self.seconds

    async def sleep(self, seconds):
        raise AssertionError


class FakeHttp:
    """Answers from a list and remembers what was asked; the table of symbols is always at hand."""

    def __init__(self, *answers):
        self.answers, self.asked, self.symbols = list(answers), [], 0

    async def request(self, method, path, query="", headers=None):
        if path == SYMBOLS:
            self.symbols += 1
            return answer(recorded("public_symbol"))
        self.asked.append((method, path, query, headers))
        return self.answers.pop(0)


def recorded(name):
    return (DATA / f"http_get_{name}.json").read_bytes()


def answer(body, status=200):
    return Answer(status, "application/json", body)


def refused(code, status=400, message="x", description=""):
    told = {"code": code, "message": message, "description": description}
    return answer(json.dumps({"error": told}).encode(), status)


def trades(*ids, at="2025-12-31T12:00:00.000Z", **changed):
    """An answer with one row of history for each id."""
    row = json.loads(recorded("spot_history_trade"))[0] | {"timestamp": at} | changed
    return answer(json.dumps([{**row, "id": number} for number in ids]).encode())


def client(*answers, nonce=0, key="hitbtcKEYabc"):
    http, clock = FakeHttp(*answers), SetClock()
    symbols = Symbols(cast("Any", http), clock)
    credentials = Credentials(Secret(key), Secret("hitbtcSECRETxyz"))
    return HitBTCClient(cast("Any", http), clock, symbols, credentials, nonce), http
