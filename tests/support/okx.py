"""Recorded answers of OKX, and a client that is fed with answers instead of a network."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.exchanges._http import Answer
from chatbot.exchanges.okx.client import OKXClient
from chatbot.exchanges.okx.contracts import PATH, Families
from chatbot.exchanges.okx.hosts import Hosts
from tests.support.clock import VirtualClock

DATA = Path(__file__).parents[1] / "data" / "okx"
NOW = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
KEY, SECRET, PASSPHRASE = "00000000-1111-2222-3333-abcdefabcdef", "0123456789ABCDEF" * 2, "Practice-1 !"


class FakeHttp:
    """Answers from a list and remembers what was asked; what contracts are is always at hand."""

    def __init__(self, *answers):
        self.answers, self.asked, self.families = list(answers), [], []

    async def request(self, method, path, query="", headers=None):
        if path == PATH:
            self.families.append(query)
            return answer(recorded("public_instruments"))
        self.asked.append((method, path, query, headers))
        return self.answers.pop(0)


def recorded(name):
    return (DATA / f"http_get_{name}.json").read_bytes()


def answer(body, status=200, wait=0):
    return Answer(status, "application/json", body, wait)


def good(*rows):
    return answer(json.dumps({"code": "0", "data": list(rows), "msg": ""}).encode())


def refused(code, status=200):
    return answer(json.dumps({"code": code, "data": [], "msg": "x"}).encode(), status)


def row(bill, **changed):
    """A row of the transaction details, as documented but for its bill and what is changed."""
    first = json.loads(recorded("trade_fills"))["data"][-1]
    return first | {"billId": str(bill)} | changed


def credentials(key=KEY, passphrase: str | None = PASSPHRASE):
    return Credentials(Secret(key), Secret(SECRET), None if passphrase is None else Secret(passphrase))


def client(*answers, key=KEY, passphrase: str | None = PASSPHRASE, others=()):
    """A client with one address, or with one for each list of `others` besides."""
    https = [FakeHttp(*answers), *(FakeHttp(*more) for more in others)]
    clock, hosts = VirtualClock(NOW), Hosts(frozenset())
    hosts.all = cast("Any", tuple(https))
    families = Families(cast("Any", https[0]), clock)
    reader = OKXClient(hosts, clock, families, credentials(key, passphrase), 0)
    return (reader, *https)
