"""Recorded answers of Binance, a client fed with answers, and one that asks the practice account in process."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.exchanges._http import Answer
from chatbot.exchanges.binance.client import BinanceClient
from chatbot.exchanges.binance.symbols import PATH as SYMBOLS
from chatbot.exchanges.binance.symbols import Symbols
from chatbot.practice.binance import PracticeBinance, wire
from chatbot.practice.binance.payloads import PRIVATE, PUBLIC, WEIGHTS, BadQuery

DATA = Path(__file__).parents[1] / "data" / "binance"
NOW = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)
# The documents' own pair ("SIGNED Endpoint examples").
KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
SECRET = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"


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

    def turn(self, seconds):
        self.moment, self.seconds = self.moment + timedelta(seconds=seconds), self.seconds + seconds


class FakeHttp:
    """Answers from a list and remembers what was asked; the table of symbols is always at hand."""

    def __init__(self, *answers):
        self.answers, self.asked, self.tables = list(answers), [], []

    async def request(self, method, path, query="", headers=None, weight=1):
        if path == SYMBOLS:
            self.tables.append(query)
            return answer(recorded("exchange_info"))
        self.asked.append((method, path, query, headers))
        return self.answers.pop(0)


class InProcess:
    """Asks the practice account without a socket or a signature, and adds up what that weighs."""

    def __init__(self, practice):
        self.practice, self.asked, self.weight = practice, [], 0

    async def request(self, method, path, query="", headers=None, weight=1):
        assert weight == WEIGHTS[path]
        self.asked.append((path, dict(parse_qsl(query))))
        self.weight += weight
        key = self.practice.keys[self.practice.key]
        try:
            body = (PUBLIC.get(path) or PRIVATE[path])(self.practice, key, dict(parse_qsl(query)))
        except BadQuery as bad:
            status, text = wire.ERRORS[str(bad)]
            return answer(json.dumps({"code": int(str(bad)), "msg": text}).encode(), status)
        return answer(json.dumps(body).encode())

    def symbols(self):
        """The symbols whose trades were asked for, in order."""
        return [query["symbol"] for path, query in self.asked if path == "/api/v3/myTrades"]


class Rig:
    """A practice account, a client that reads it, and one clock for both: polls are made by hand."""

    def __init__(self, coins=0):
        self.clock = SetClock()
        self.practice = PracticeBinance(clock=self.clock.now)
        for number in range(coins):
            self.practice.balances[f"c{number:03}"] = Decimal(0)
            self.practice.prices[f"c{number:03}_usdt"] = Decimal("1.00")
        self.http = InProcess(self.practice)
        self.symbols = Symbols(cast("Any", self.http), self.clock)
        self.cursor = ""
        self.told: list[str] = []

    @property
    def client(self):
        credentials = Credentials(Secret(KEY), Secret(SECRET))
        return BinanceClient(cast("Any", self.http), self.clock, self.symbols, credentials, 0)

    async def begin(self):
        head = (await self.client.prove()).head
        assert head is not None
        self.cursor = head.after
        self.clock.turn(1)
        # The table is read once, and each of the two kinds of turns has been taken.
        await self.poll()
        await self.poll(61)
        self.fresh()
        return head

    def fresh(self):
        self.http.asked, self.http.weight = [], 0

    async def poll(self, seconds=30):
        """Read what is new as a poll does, page by page; return the ids that had not come before."""
        self.clock.turn(seconds)
        found: list[str] = []
        for _ in range(200):
            page = await self.client.fills_after(self.cursor)
            found += [fill.id for fill in page.fills]
            self.cursor = page.cursor
            if not page.more:
                break
        else:
            raise AssertionError("the poll did not end")
        new = [number for number in dict.fromkeys(found) if number not in self.told]
        self.told += new
        return new

    def trade(self, side, book, amount, *, fee="usdt", price=None):
        """Fill an order just now at a price of our choice, with the fee in the asset of our choice."""
        self.clock.turn(0.05)
        state = self.practice
        base, quote = book.split("_")
        size, rate = Decimal(amount), Decimal(price) if price else state.prices[book]
        cost = size * rate
        taken = (
            cost * Decimal("0.001") / (Decimal(571) if fee == "bnb" else Decimal(1)) if fee else Decimal(0)
        )
        sign = 1 if side == "buy" else -1
        moved = {base: sign * size, quote: -sign * cost}
        paid = fee or quote
        moved[paid] = moved.get(paid, Decimal(0)) - taken
        state.move(moved)
        state.next_id += 1
        row = {
            "symbol": (base + quote).upper(), "id": state.next_id, "orderId": 7, "orderListId": -1,
            "price": f"{rate:.8f}", "qty": f"{size:.8f}", "quoteQty": f"{cost:.8f}",
            "commission": str(taken), "commissionAsset": paid.upper(),
            "time": int(state.clock().timestamp() * 1000),
            "isBuyer": side == "buy", "isMaker": False, "isBestMatch": True,
        }  # fmt: skip
        state.trades.append(row)
        return str(row["id"])


def recorded(name):
    return (DATA / f"http_get_{name}.json").read_bytes()


def answer(body, status=200, wait=0, content="application/json"):
    return Answer(status, content, body, wait)


def refused(code, status=400, msg="x"):
    return answer(json.dumps({"code": code, "msg": msg}).encode(), status)


def rows(*ids, at=1_767_000_000_000, symbol="BNBBTC", **changed):
    """An answer with one trade for each id, each a second later than the one before."""
    row = json.loads(recorded("my_trades"))[0] | {"symbol": symbol} | changed
    return [{**row, "id": number, "time": at + 1000 * place} for place, number in enumerate(ids)]


def client(*answers, nonce=0, key=KEY):
    http, clock = FakeHttp(*answers), SetClock()
    symbols = Symbols(cast("Any", http), clock)
    return BinanceClient(
        cast("Any", http), clock, symbols, Credentials(Secret(key), Secret(SECRET)), nonce
    ), http
