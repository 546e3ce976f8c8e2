"""Recorded answers of Bybit, a client that is fed with answers, and an exchange kept in a list."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, quote

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.exchanges._http import Answer
from chatbot.exchanges.bybit.client import BybitClient
from chatbot.exchanges.bybit.history import EXECUTIONS, LOG
from chatbot.exchanges.bybit.symbols import PATH as SYMBOLS
from chatbot.exchanges.bybit.symbols import Symbols

DATA = Path(__file__).parents[1] / "data" / "bybit"
NOW = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
NOW_MS = 1767225600123
KEY, SECRET = "opjSlSOzqIeXROT5rq", "BYBITSECRETfedcba9876543210ABCDEFGHIJ"
WEEK_MS = 7 * 86_400_000


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
    """Answers from a list and remembers what was asked; the table of pairs is always at hand."""

    def __init__(self, *answers):
        self.answers, self.asked, self.symbols = list(answers), [], 0

    async def request(self, method, path, query="", headers=None):
        if path == SYMBOLS:
            self.symbols += 1
            return answer(recorded("instruments_info"))
        self.asked.append((method, path, query, headers))
        return self.answers.pop(0)


class Books:
    """Executions as Bybit keeps them, one list for each category; rows may be added between two requests.

    `codes` are the refusals of categories; `now` is Bybit's own time.
    """

    def __init__(self, now=NOW_MS):
        self.rows: dict[str, list[Any]] = {"spot": [], "linear": [], "inverse": [], "option": []}
        self.results, self.codes, self.now = {}, {}, now
        self.asked, self.before_each = [], []
        self.log, self.log_code = 0, 0

    def add(self, at, name, category="spot", **changed):
        symbol = {"spot": "BTCUSDT", "linear": "ETHUSDT", "inverse": "BTCUSD"}.get(
            category, "BTC-13FEB25-89000-P"
        )
        row = row_of(category) | {"symbol": symbol, "execId": name, "execTime": str(at)} | changed
        self.rows[category].append(row)

    async def request(self, method, path, query="", headers=None):
        if path == SYMBOLS:
            return answer(recorded("instruments_info"))
        if self.before_each:
            self.before_each.pop(0)()
        form = {name: values[0] for name, values in parse_qs(query).items()}
        if path == LOG:
            self.log += 1
            if self.log_code:
                return refused(self.log_code)
            rows = [{"tradeId": name, "cashFlow": flow} for name, flow in self.results.items()]
            return envelope({"list": rows if "cursor" not in form else [], "nextPageCursor": "x"}, self.now)
        assert path == EXECUTIONS
        self.asked.append(form)
        if form["category"] in self.codes:
            return refused(self.codes[form["category"]])
        return self._page(form)

    def _page(self, form):
        start = int(form.get("startTime", self.now - WEEK_MS))
        end = int(form.get("endTime", start + WEEK_MS))
        assert 0 <= end - start <= WEEK_MS
        # One end is left out, so that nobody relies on its being included.
        kept = [row for row in self.rows[form["category"]] if start < int(row["execTime"]) < end]
        kept.sort(key=lambda row: (-int(row["execTime"]), hash(row["execId"])))
        begin = int(form["cursor"].split(":")[1]) if "cursor" in form else 0
        shown = kept[begin : begin + int(form["limit"])]
        onward = quote(f"a=1&b:{begin + len(shown)}", safe="") if shown else ""
        return envelope({"list": shown, "nextPageCursor": onward, "category": form["category"]}, self.now)


def row_of(category):
    return json.loads(recorded(f"execution_list_{category}"))["result"]["list"][0]


def recorded(name):
    return (DATA / f"http_get_{name}.json").read_bytes()


def answer(body, status=200):
    return Answer(status, "application/json", body)


def envelope(result, now=NOW_MS):
    told = {"retCode": 0, "retMsg": "OK", "result": result, "retExtInfo": {}, "time": now}
    return answer(json.dumps(told).encode())


def refused(code, status=200, text="x"):
    return answer(
        json.dumps({"retCode": code, "retMsg": text, "result": {}, "time": NOW_MS}).encode(), status
    )


def client(*answers, nonce=0, key=KEY, http=None):
    http, clock = http or FakeHttp(*answers), SetClock()
    symbols = Symbols(cast("Any", http), clock)
    credentials = Credentials(Secret(key), Secret(SECRET))
    return BybitClient(cast("Any", http), clock, symbols, credentials, nonce), http


def ago(**parts):
    """Return a time before now, in milliseconds."""
    return NOW_MS - timedelta(**parts) // timedelta(milliseconds=1)


def reader_of(books):
    reader, _ = client(http=books)
    return reader


async def forwards(reader, cursor):
    """Read on until nothing more is there; return the ids in the order told, and the cursor."""
    told = []
    for _ in range(200):
        page = await reader.fills_after(cursor)
        told += [fill.id for fill in page.fills]
        cursor = page.cursor
        if not page.more:
            return told, cursor
    raise AssertionError("no end")
