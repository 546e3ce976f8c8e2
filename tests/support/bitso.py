"""Recorded answers of Bitso, and a client that is fed with answers instead of a network."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.exchanges._http import Answer
from chatbot.exchanges.bitso.client import BitsoClient

DATA = Path(__file__).parents[1] / "data" / "bitso"


NOW = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)


class FrozenClock:
    """A clock that stands still."""

    def now(self):
        return NOW

    def monotonic(self):
        return 0.0

    async def sleep(self, seconds):
        raise AssertionError


class FakeHttp:
    """Answers from a list and remembers what was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    async def request(self, method, path, query="", headers=None):
        self.asked.append((method, path, query, headers))
        return self.answers.pop(0)


def recorded(name):
    return (DATA / f"http_get_{name}.json").read_bytes()


def answer(body, status=200):
    return Answer(status, "application/json", body)


def refused(code, status=400):
    return answer(json.dumps({"success": False, "error": {"code": code, "message": "x"}}).encode(), status)


def client(*answers, nonce=0, key="bitsoKEYabc"):
    http = FakeHttp(*answers)
    return BitsoClient(cast("Any", http), FrozenClock(), Credentials(Secret(key), Secret("s")), nonce), http
