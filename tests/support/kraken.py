"""Recorded answers of Kraken, and a client that is fed with answers instead of a network."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.exchanges._http import Answer
from chatbot.exchanges.kraken.client import KrakenClient
from chatbot.exchanges.kraken.tables import ASSETS, PAIRS, Tables

DATA = Path(__file__).parents[1] / "data" / "kraken"
NOW = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="


class SetClock:
    """A clock that moves only when told to, or when somebody sleeps by it."""

    def __init__(self):
        self.moment, self.seconds, self.slept = NOW, 1000.0, []

    def now(self):
        return self.moment

    def monotonic(self):
        return self.seconds

    async def sleep(self, seconds):
        self.slept.append(seconds)


class FakeHttp:
    """Answers from a list and remembers what was asked; Kraken's lists are always at hand."""

    def __init__(self, *answers):
        self.answers, self.asked, self.listed = list(answers), [], []

    async def request(self, method, path, query="", headers=None, body=b""):
        if path in {ASSETS, PAIRS}:
            self.listed.append(path)
            return answer(recorded("Assets" if path == ASSETS else "AssetPairs", "get"))
        self.asked.append((method, path, query, headers, body))
        return self.answers.pop(0)

    @property
    def forms(self):
        """What was posted: the fields of each form, the nonce among them."""
        return [
            {name: values[0] for name, values in parse_qs(body.decode()).items()} for *_, body in self.asked
        ]


class History:
    """A trades history as Kraken keeps it; rows are (id, time), and may be added between two requests."""

    def __init__(self, rows=(), page=100):
        self.rows, self.page, self.asked, self.before_each = list(rows), page, [], []

    async def request(self, method, path, query="", headers=None, body=b""):
        if path in {ASSETS, PAIRS}:
            return answer(recorded("Assets" if path == ASSETS else "AssetPairs", "get"))
        if self.before_each:
            self.before_each.pop(0)()
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.asked.append(form)
        # Stable: rows of one moment keep the order in which they came, newest first.
        rows = sorted(self.rows, key=lambda row: row[1])[::-1]
        rows = [
            row
            for row in rows
            if row[1] > int(form.get("start", -1)) and row[1] <= int(form.get("end", 10**12))
        ]
        offset = int(form["ofs"])
        shown = rows[offset : offset + min(self.page, int(form["limit"]))]
        return answer(history(shown, len(rows)))


def history(rows, count=None):
    """An answer with one row of history for each (id, time), in the order given."""
    row = json.loads(recorded("TradesHistory"))["result"]["trades"]["TCWJEG-FL4SZ-3FKGH6"]
    shown = ",".join(
        f'"{name}": {json.dumps({**row, "time": 0})[:-1]}, "time": {time}}}'.replace('"time": 0, ', "", 1)
        for name, time in rows
    )
    total = len(rows) if count is None else count
    return f'{{"error": [], "result": {{"trades": {{{shown}}}, "count": {total}}}}}'.encode()


def recorded(name, method="post"):
    return (DATA / f"http_{method}_{name}.json").read_bytes()


def answer(body, status=200):
    return Answer(status, "application/json", body)


def refused(*messages, status=200):
    return answer(json.dumps({"error": list(messages)}).encode(), status)


def client(*answers, nonce=0, key="krakenKEYabc", secret=SECRET, http=None):
    http, clock = http or FakeHttp(*answers), SetClock()
    tables = Tables(cast("Any", http), clock)
    credentials = Credentials(Secret(key), Secret(secret))
    return KrakenClient(cast("Any", http), clock, tables, credentials, nonce), http


def at(seconds):
    """Return a moment as a row of history has it, so many seconds after the first one here."""
    return Decimal(1_767_000_000) + Decimal(str(seconds))


def rows(*seconds, first=0):
    """Rows of history at these moments (in tenths of a second), named by when they came."""
    return [(f"T{first + number}", at(tenths / 10)) for number, tenths in enumerate(seconds)]


async def walk(page_of, cursor):
    """Ask for page after page to the end; return the ids as they came, and the last cursor."""
    told, pages = [], 0
    while True:
        page = await page_of(cursor)
        told += [fill.id for fill in page.fills]
        cursor, pages = page.cursor, pages + 1
        assert pages < 200
        if not page.more:
            return told, cursor


def reading(kept, page=100, now=NOW):
    """A client over a history of its own, with pages of that size, at that time."""
    http = History(kept, page)
    reader, _ = client(http=http)
    reader._clock.moment = now
    return reader, http
