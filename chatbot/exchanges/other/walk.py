"""How fills are walked by time, forwards and back, in one market or in all at once; no I/O in here.

A cursor is a text of ours: for each market the moment up to which everything has been told, and the ids of
those told after it. What an exchange lists late is still found, because that moment stays `LATE` behind.
Where an exchange answers for a window only, the walk goes window by window, and an empty one does not end
it; a window that is cut off at a full page is asked again in halves.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chatbot.domain.fills import Fill
from chatbot.exchanges.other.rows import milliseconds

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
LATE = 2 * MINUTE
WIDEST, NARROWEST = 30 * DAY, MINUTE
LONGEST_HISTORY = 365
# A market that comes to the list has been traded in since the last look at most, with much to spare.
NEWCOMER = DAY
TOLD = 50
MOST_MARKETS = 40
AT_ONCE = 10
ALL = ""
QUOTES = ("USDT", "USDC", "USD", "EUR", "BTC", "ETH", "GBP", "BRL", "MXN", "TRY", "JPY", "KRW", "AUD")


@dataclass(frozen=True, slots=True)
class Rules:
    """What one exchange allows a walk; milliseconds, 0 for no limit of that kind.

    `window` is the longest time that one request may span, `page` the most rows it may return.
    """

    window: int = 0
    page: int = 0
    days: int = LONGEST_HISTORY

    @property
    def width(self) -> int:
        """The window to begin with."""
        return min(self.window or WIDEST, WIDEST)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far one market has been read: everything up to `at`, after it the fills in `told`."""

    at: int
    told: tuple[str, ...] = ()
    width: int = 0


@dataclass(frozen=True, slots=True)
class Ahead:
    """The way forwards: where the account began, a mark for each market, and when holdings were last seen."""

    start: int
    marks: Mapping[str, Mark] = field(default_factory=dict)
    looked: int = 0

    def __str__(self) -> str:
        rows = {symbol: [mark.at, list(mark.told), mark.width] for symbol, mark in self.marks.items()}
        return json.dumps({"start": self.start, "marks": rows, "looked": self.looked}, separators=(",", ":"))

    def watching(self, symbols: Iterable[str], now: int) -> "Ahead":
        """Return the way with more markets on it; when there are too many, those with recent fills stay."""
        wanted = tuple(symbols)
        # All at once or one by one, as the exchange turned out to want it.
        marks = {
            one: mark for one, mark in self.marks.items() if not wanted or (one == ALL) is (ALL in wanted)
        }
        for symbol in wanted:
            # Since the last look, which may be weeks ago, not since today.
            looked = min(now, self.looked or self.start)
            marks.setdefault(symbol, Mark(max(self.start, looked - NEWCOMER)))
        kept = sorted(marks, key=lambda symbol: not marks[symbol].told)[:MOST_MARKETS]
        return replace(self, marks={symbol: marks[symbol] for symbol in kept})

    def next(self) -> tuple[str, ...]:
        """Return the markets to read now: those not read for longest."""
        return tuple(sorted(self.marks, key=lambda symbol: self.marks[symbol].at))[:AT_ONCE]


@dataclass(frozen=True, slots=True)
class Behind:
    """The way back: everything after `at` has been told, down to `end`; `width` is the next window's.

    Of many symbols some are read at a time: of this window, or of the whole way from `begin` on where there
    are no windows, the first `done` are.
    """

    at: int
    end: int
    width: int
    symbols: tuple[str, ...]
    done: int = 0
    begin: int = 0

    def __str__(self) -> str:
        parts = [self.at, self.end, self.width, list(self.symbols), self.done, self.begin]
        return json.dumps(parts, separators=(",", ":"))

    def next(self) -> tuple[str, ...]:
        """Return the markets to read now: more would outlast the time that one poll has."""
        return self.symbols[self.done : self.done + AT_ONCE]


@dataclass(frozen=True, slots=True)
class Window:
    """What to ask for: from `since` on, and no further than `until` where the exchange has windows."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Rows:
    """The fills of one answer, and how many rows it had before any were sorted out.

    `others` are rows of other products that ccxt left in, `last` the latest time of all.
    """

    fills: tuple[Fill, ...]
    seen: int
    others: int = 0
    last: int = 0

    @property
    def newest(self) -> int:
        """The latest time in milliseconds, 0 when there are no rows."""
        return max(self.last, milliseconds(self.fills[-1].at) if self.fills else 0)

    def cut(self, rules: Rules) -> bool:
        """Tell whether the answer may have been cut off at a full page; a round number is suspicious."""
        kept = len(self.fills) + self.others
        if kept >= rules.page > 0:
            # Even of more rows ccxt keeps no more than a page, the oldest.
            return True
        # Rows that ccxt sorted out are older than what was asked for: the answer reaches back that far.
        if not self.seen or kept < self.seen:
            return False
        return self.seen >= rules.page > 0 or self.seen % 10 == 0 or self.seen == 25


def begin(now: int, rules: Rules, symbols: Sequence[str]) -> tuple[str, str]:
    """Return the two cursors of an account that is seen for the first time."""
    ahead = Ahead(now).watching(symbols, now)
    end = now - min(rules.days or LONGEST_HISTORY, LONGEST_HISTORY) * DAY
    return str(ahead), str(Behind(now, end, rules.width, tuple(symbols), 0, end))


def read_ahead(cursor: str, now: int) -> Ahead:
    """Read a cursor; an empty one begins as long ago as we look at all."""
    if not cursor:
        return Ahead(now - LONGEST_HISTORY * DAY)
    found: dict[str, Any] = json.loads(cursor)
    marks = {symbol: Mark(at, tuple(told), width) for symbol, (at, told, width) in found["marks"].items()}
    return Ahead(found["start"], marks, found.get("looked", 0))


def read_behind(cursor: str, now: int, rules: Rules, symbols: Sequence[str]) -> Behind:
    """Read a cursor; an empty one begins now."""
    at, end, width, markets, done, beginning = json.loads(cursor or begin(now, rules, symbols)[1])
    return Behind(at, end, width, tuple(markets), done, beginning)


def window_after(mark: Mark, rules: Rules, now: int) -> Window:
    """Return what to ask of a market next."""
    return Window(mark.at, min(now, mark.at + (mark.width or rules.width)) if rules.window else now)


def step(
    mark: Mark, asked: Window, rows: Rows, rules: Rules, now: int
) -> tuple[tuple[Fill, ...], Mark, bool]:
    """Return the new fills of one answer, the mark after it, and whether more is to be asked for at once."""
    fresh = tuple(fill for fill in rows.fills if fill.id not in mark.told)
    width = asked.until - asked.since
    if rows.cut(rules) and rules.window and width > NARROWEST:
        return (), replace(mark, width=max(NARROWEST, width // 2)), True
    if rows.cut(rules):
        return fresh, _after(mark, rows.fills, max(rows.newest, mark.at + 1), mark.width), True
    # On the way to the present each window has to lead on; only the last stays behind it.
    settled = min(asked.until, now - LATE)
    if settled <= mark.at:
        settled = asked.until if asked.until < now else mark.at
    return fresh, _after(mark, rows.fills, settled, min(mark.width * 2, rules.width)), asked.until < now


def _after(mark: Mark, fills: Sequence[Fill], at: int, width: int = 0) -> Mark:
    known = dict.fromkeys((*mark.told, *(fill.id for fill in fills if milliseconds(fill.at) >= at)))
    return Mark(at, tuple(known)[-TOLD:], width)


def window_before(way: Behind, rules: Rules) -> Window:
    """Return what to ask next on the way back; without windows the way is walked once, from its end."""
    return Window(max(way.end, way.at - way.width) if rules.window else way.end, way.at)


def step_back(
    way: Behind, asked: Window, rows: Sequence[Rows], rules: Rules
) -> tuple[tuple[Fill, ...], Behind, bool]:
    """Return the fills of one window, newest first, the way on, and whether it goes on."""
    width = asked.until - asked.since
    cut = [part for part in rows if part.cut(rules)]
    if cut and rules.window and width > NARROWEST:
        return (), replace(way, width=max(NARROWEST, width // 2)), True
    found = {
        (fill.market, fill.id, fill.side): fill
        for part in rows
        for fill in part.fills
        if asked.since <= milliseconds(fill.at) <= asked.until
    }
    fills = tuple(sorted(found.values(), key=lambda fill: fill.at, reverse=True))
    done = way.done + AT_ONCE
    # From the oldest on: where the last one of a full page is, the next page begins.
    newest = min((part.newest for part in cut), default=way.at)
    if not rules.window and cut and newest < way.at:
        return fills, replace(way, end=max(newest, way.end + 1)), True
    if done < len(way.symbols):
        return fills, replace(way, done=done, end=way.end if rules.window else way.begin), True
    if not rules.window:
        return fills, replace(way, end=way.at), False
    wider = replace(way, at=asked.since, width=min(rules.width, width * 2), done=0)
    return fills, wider, bool(way.symbols) and asked.since > way.end


def probe(listed: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a market to try the right on when the account holds nothing: any will do."""
    spot = [symbol for symbol in listed if "/" in symbol and ":" not in symbol]
    return next((symbol for symbol in ("BTC/USDT", "BTC/USD", "BTC/EUR") if symbol in listed), "") or min(
        spot, default=ALL
    )


def markets_of(held: Iterable[str], listed: Mapping[str, Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the spot markets in which an account that holds these assets has most likely traded."""
    wanted = list(held)
    pairs = [f"{base}/{quote}" for quote in QUOTES for base in wanted]
    found = [symbol for symbol in pairs if symbol in listed and listed[symbol].get("active") is not False]
    return tuple(found[:MOST_MARKETS])
