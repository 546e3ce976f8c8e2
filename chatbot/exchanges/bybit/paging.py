"""How the executions are walked by time, both ways, so that every fill comes once; no I/O in here.

Bybit answers at most seven days at once, newest first, in no sure order within a millisecond. So time is cut
into spans that are read whole, in all categories, and sorted here. Forwards the cursor is
`floor.open.hour~told~told`: all up to the floor is settled, the marks behind it are those of the fills told
since, so that one that shows up late is still found. Backwards it is the newest time still wanted.
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from chatbot.domain.fills import Fill
from chatbot.exchanges.bybit.trades import CATEGORIES
from chatbot.exchanges.bybit.wire import MILLISECOND, since_epoch
from chatbot.ports.exchanges import Page

ROWS = 100
# A little less than seven days: a query reaches a millisecond beyond a span, whichever ends are included.
WEEK_MS = timedelta(days=7) // MILLISECOND
SPAN_MS = WEEK_MS - 10
HISTORY_DAYS = 730
HISTORY_MS = timedelta(days=HISTORY_DAYS) // MILLISECOND - 60_000
HOUR_MS = 3_600_000
# Later than this after its time no fill is expected to show up.
SETTLED_MS = 600_000
# A cursor stays small: of more fills within that time the oldest count as settled.
MOST_TOLD = 1000
MARK_BYTES = 6


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, both ends included, in milliseconds; the last one has no end yet."""

    start: int
    end: int
    last: bool = False

    def query(self, category: str, cursor: str) -> str:
        """Return what asks for a page of it; `cursor` is as Bybit gave it, escapes and all."""
        end = "" if self.last else f"&endTime={self.end + 1}"
        onward = f"&cursor={cursor}" if cursor else ""
        return f"category={category}&startTime={self.start - 1}{end}&limit={ROWS}{onward}"

    def holds(self, at: datetime) -> bool:
        """Tell whether a time lies in it."""
        return self.start <= since_epoch(at) <= self.end

    @property
    def short(self) -> bool:
        """Tell whether it is so short that its halves would end among what is not settled yet."""
        return self.end - self.start <= 2 * SETTLED_MS

    @property
    def halves(self) -> tuple["Span", "Span"]:
        """The older and the newer half."""
        middle = (self.start + self.end) // 2
        return Span(self.start, middle), Span(middle + 1, self.end, self.last)


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading forwards goes on; `open` are the categories that answered, all tried in hour `hour`."""

    floor: int
    open: tuple[str, ...] = ()
    hour: int = 0
    told: frozenset[str] = frozenset()

    @classmethod
    def read(cls, cursor: str, now: datetime) -> "Place":
        """Read a cursor as `str` writes it; an empty one begins as far back as Bybit keeps fills."""
        if not cursor:
            return cls(oldest(now))
        head, *told = cursor.split("~")
        floor, letters, hour = head.split(".")
        named = tuple(category for category in CATEGORIES if category[0] in letters)
        return cls(max(int(floor), oldest(now)), named, int(hour), frozenset(told))

    def __str__(self) -> str:
        letters = "".join(category[0] for category in self.open)
        return "~".join((f"{self.floor}.{letters}.{self.hour}", *sorted(self.told)))

    def asked(self, now: datetime) -> tuple[str, ...]:
        """Return the categories to ask: all in another hour, for an area may have been ticked meanwhile."""
        return self.open if self.hour == since_epoch(now) // HOUR_MS else CATEGORIES

    def has_told(self, fill: Fill) -> bool:
        """Tell whether a fill was on an earlier page."""
        return mark(fill) in self.told

    @property
    def span(self) -> Span:
        """What is to be read next."""
        return Span(self.floor + 1, self.floor + SPAN_MS, last=True)


def newer(fills: Iterable[Fill], place: Place, span: Span, now: datetime) -> Page:
    """Return what has not been told yet, in rising order, and the place to go on from.

    `now` is the exchange's time when it was asked.
    """
    found = _once(fill for fill in fills if since_epoch(fill.at) > place.floor)
    more = span.end < since_epoch(now)
    floor = max(place.floor, min(span.end, since_epoch(now) - SETTLED_MS))
    if more and floor == place.floor:
        # So much happened in the last minutes that it has to be told in parts.
        floor = span.end
    waiting = [fill for fill in found if since_epoch(fill.at) > floor]
    if len(waiting) > MOST_TOLD:
        floor = since_epoch(waiting[-MOST_TOLD - 1].at)
        waiting = [fill for fill in waiting if since_epoch(fill.at) > floor]
    # What lies beyond the span may have been told already.
    told = frozenset(mark(fill) for fill in waiting) | (place.told if more else frozenset())
    onward = Place(floor, place.open, since_epoch(now) // HOUR_MS, told)
    fresh = tuple(fill for fill in found if not place.has_told(fill))
    return Page(fresh, str(onward), more)


def before(cursor: str, now: datetime) -> Span:
    """Return what is to be read next on the way back; an empty cursor begins at the newest."""
    end = int(cursor) if cursor else since_epoch(now)
    return Span(max(end - SPAN_MS + 1, oldest(now)), end)


def older(fills: Iterable[Fill], span: Span, now: datetime) -> Page:
    """Return what is wanted still, in falling order, and the newest time still wanted."""
    return Page(tuple(_once(fills)[::-1]), str(span.start - 1), more=span.start > oldest(now))


def _once(fills: Iterable[Fill]) -> list[Fill]:
    # Those of one millisecond by their ids, as Bybit advises.
    rows = {(fill.product, fill.market, fill.id, fill.side): fill for fill in fills}
    return sorted(rows.values(), key=lambda fill: (fill.at, fill.id, fill.product, fill.market))


def mark(fill: Fill) -> str:
    """Return eight characters that stand for a fill."""
    name = f"{fill.product} {fill.market} {fill.id} {fill.side}".encode()
    return base64.urlsafe_b64encode(hashlib.blake2b(name, digest_size=MARK_BYTES).digest()).decode()


def oldest(now: datetime) -> int:
    """Return the earliest time that Bybit still answers for."""
    return since_epoch(now) - HISTORY_MS
