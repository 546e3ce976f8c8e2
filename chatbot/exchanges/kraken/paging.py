"""How Kraken's trades history is walked, both ways; pure, fed with pages that are already read.

Kraken gives rows newest first only, tells how many fit, and skips as many of the newest as asked (`ofs`).
A place is therefore a time and a number of rows, never the id of a row: many fills of one order share a
moment. Forwards the oldest unread page is the one with `told` rows since `start` below it; `ofs` shifts when
fills arrive meanwhile, so a page that doesn't join what was read is asked again. `start` and `end` are sent a
second too wide: it does not matter whether they include the moment they name, or how Kraken rounds them.

A fill may become visible after one that is newer, so every reading forwards begins `OVERLAP` fills behind the
newest, the first of an hour also where such a reading began the hour before. Nothing up to the moment of the
first cursor is ever read forwards: that is history. Storing drops what comes twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from chatbot.exchanges import _parse
from chatbot.exchanges.kraken.wire import Sheet, Trade
from chatbot.ports.exchanges import OVERLAP

HOUR_SECONDS = 3600
# After so long a moment gets no more fills; before, all of it is read again, however many they are.
SETTLED_SECONDS = 60
# So many fills may arrive between two requests before a page no longer joins the one before it.
SLACK = 10
MARK = ":"


@dataclass(frozen=True, slots=True)
class Step:
    """What a page brought, oldest or newest first, the cursor to go on from, and whether there is more."""

    trades: tuple[Trade, ...]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading forwards goes on: after the moment `near`, or `far` when another hour has begun.

    Of the rows since the second `start` (0: of all) the `told` oldest are done. In the middle of a walk the
    next page is at `offset`, and `near` is where the walk began.
    """

    near: Decimal
    far: Decimal
    hour: int
    start: int
    told: int = 0
    offset: int = 0

    @classmethod
    def read(cls, cursor: str, now: datetime) -> "Place":
        """Read a cursor as `str` writes it; a plain moment (or nothing) is that of a first contact."""
        this_hour = int(now.timestamp()) // HOUR_SECONDS
        near, *rest = cursor.split(MARK)
        begin = Decimal(near or 0)
        if not rest:
            return cls(begin, begin, this_hour, _second_before(begin))
        far, hour, start, told, offset = Decimal(rest[0]), *(int(part) for part in rest[1:])
        if hour == this_hour or offset:
            return cls(begin, far, hour, start, told, offset)
        return cls(far, begin, this_hour, _second_before(far))

    def __str__(self) -> str:
        parts = (self.near, self.far, self.hour, self.start, self.told, self.offset)
        return MARK.join(f"{part}" for part in parts)

    @property
    def query(self) -> str:
        """The parameters that bound what is asked for."""
        return f"&start={self.start}" if self.start else ""


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a walk into the past has come: nothing after `bound` belongs to it (None: no bound).

    The newest `told` rows up to the second `end` (None: up to now) are done.
    """

    bound: Decimal | None = None
    end: int | None = None
    told: int = 0

    @classmethod
    def read(cls, cursor: str) -> "Walk":
        """Read a cursor as `str` writes it; a plain moment is the bound, nothing means no bound."""
        bound, *rest = cursor.split(MARK)
        limit = Decimal(bound) if bound else None
        if not rest:
            return cls(limit, None if limit is None else int(limit) + 1)
        return cls(limit, int(rest[0]) if rest[0] else None, int(rest[1]))

    def __str__(self) -> str:
        parts = ("" if part is None else part for part in (self.bound, self.end, self.told))
        return MARK.join(f"{part}" for part in parts)

    @property
    def query(self) -> str:
        """The parameters that bound what is asked for."""
        return "" if self.end is None else f"&end={self.end}"


def moment(trades: Sequence[Trade]) -> str:
    """Return the cursor of a first contact: the moment of the newest of these, nothing when there is none."""
    return str(max(trade.time for trade in trades)) if trades else ""


def joining(sheet: Sheet, place: Place) -> int | None:
    """Return the offset that has to be asked for instead, None when the page joins what was read before."""
    if sheet.older <= place.told:
        return None
    if not sheet.trades:
        raise _parse.unreadable("a page that leads nowhere")
    return max(0, sheet.count - place.told - len(sheet.trades) + SLACK)


def newer(sheet: Sheet, place: Place, now: datetime) -> Step:
    """Return a page in rising order, from the overlap on, and the place to go on from."""
    # Turned around first: rows of one moment stay in the order Kraken has them in.
    found = list(sheet.trades[::-1])
    found.sort(key=lambda trade: trade.time)
    kept = tuple(trade for trade in found if trade.time > place.near)
    if sheet.offset:
        onward = max(0, sheet.offset - max(1, len(sheet.trades) - SLACK))
        after = replace(place, told=sheet.count - sheet.offset, offset=onward)
        return Step(kept, str(after), more=True)
    near = _overlapping(kept, place.near, now)
    after = replace(place, near=near, far=min(place.far, near), offset=0)
    start = _second_before(near)
    if sheet.older and found[0].time > start:
        # The page does not reach down to where the next reading could begin: counting goes on from before.
        later = sum(1 for trade in kept if trade.time > near)
        return Step(kept, str(replace(after, told=sheet.count - later)), more=False)
    told = sum(1 for trade in found if start < trade.time <= near)
    return Step(kept, str(replace(after, start=start, told=told)), more=False)


def older(sheet: Sheet, walk: Walk) -> Step:
    """Return a page in falling order, and the place to go on from."""
    found = sorted(sheet.trades, key=lambda trade: trade.time, reverse=True)
    kept = tuple(trade for trade in found if walk.bound is None or trade.time <= walk.bound)
    if not found:
        if sheet.older:
            raise _parse.unreadable("a page that leads nowhere")
        return Step((), str(walk), more=False)
    return Step(kept, str(_onward(found, walk)), more=bool(sheet.older))


def _second_before(moment: Decimal) -> int:
    return max(0, int(moment) - 1)


def _onward(found: Sequence[Trade], walk: Walk) -> Walk:
    """Move the end down to the last row, where that is progress, so that offsets stay small."""
    end = int(found[-1].time) + 1
    below = sum(1 for trade in found if trade.time < end)
    if below < len(found) and (walk.end is None or end < walk.end):
        return replace(walk, end=end, told=below)
    return replace(walk, told=walk.told + len(found))


def _overlapping(kept: Sequence[Trade], near: Decimal, now: datetime) -> Decimal:
    """Return the moment after which the next reading begins; never one that may still get fills."""
    if len(kept) <= OVERLAP:
        return near
    edge, newest = kept[-OVERLAP - 1].time, kept[-1].time
    if edge < newest or newest < int(now.timestamp()) - SETTLED_SECONDS:
        return edge
    return max((trade.time for trade in kept if trade.time < newest), default=near)
