"""How OKX's transaction details are walked by their bill ids, in both directions; pure, no I/O in here.

OKX lists newest first, a hundred at a time, and `after` asks for what is older than an id. Whether `before`
answers with the next newer ones or with the newest of all is nowhere said, so it is never sent: forwards,
too, the walk comes down from the newest to where the last reading ended. Details of the last three days come
in one list; older ones, a list for each kind, as far back as OKX keeps them.

The cursor forwards is `floor@time`: every bill up to the floor is settled, the readings were complete at that
time. The floor stays `OVERLAP` fills behind, since a bill may show up after one with a higher id. Backwards
it is `id~KIND,KIND`: bills below that id are wanted still, of these kinds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from chatbot.exchanges import _parse
from chatbot.exchanges.okx.fills import KINDS, Row
from chatbot.ports.exchanges import OVERLAP

PAGE = 100
DAY = 24 * 3600 * 1000
# OKX says three days; the third is left for clocks that differ and for the time a walk takes.
RECENT = 2 * DAY
# So many pages are walked down at once; what lies deeper is cut in two by time.
MOST_PAGES = 20
NO_END = 10**9
NOTHING_OLDER = "0"
MARK = "~"


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading forwards goes on; `at` is in milliseconds, 0 for the very beginning."""

    floor: int = 0
    at: int = 0

    @classmethod
    def read(cls, cursor: str) -> "Place":
        """Read a cursor as `str` writes it; an empty one begins with the oldest."""
        floor, _, at = cursor.partition("@")
        return cls(int(floor or 0), int(at or 0))

    def __str__(self) -> str:
        return f"{self.floor}@{self.at}"

    def is_recent(self, now: int) -> bool:
        """Tell whether the list of the last days reaches back to here."""
        return now - self.at <= RECENT

    def onward(self, kept: Sequence[Row], at: int) -> "Place":
        """Return the place after these rows, as many behind the last one as may come late."""
        floor = kept[-OVERLAP - 1].number if len(kept) > OVERLAP else self.floor
        return Place(floor, at)


def newer(rows: Iterable[Row], floor: int) -> list[Row]:
    """Return what lies above the floor, each once, in rising order."""
    kept = {row.number: row for row in rows if row.number > floor}
    return [kept[number] for number in sorted(kept)]


def halfway(low: int, rows: Iterable[Row], floor: int) -> int:
    """Return a time between this one and that of the oldest row wanted; 0 when nothing lies between."""
    high = min(_parse.number(row.ts) for row in rows if row.number > floor)
    return low + (high - low) // 2 if high - low > 1 else 0


def lowest(page: Sequence[Row], above: int) -> int:
    """Return the id below which the next page begins; raises `ExchangeError` when the walk gets nowhere."""
    number = min(row.number for row in page)
    if above and number >= above:
        raise _parse.unreadable("a page that leads nowhere")
    return number


@dataclass(frozen=True, slots=True)
class Past:
    """How far a walk into the past has come: bills below `above` (0: all) are wanted, of these kinds."""

    above: int = 0
    kinds: tuple[str, ...] = KINDS

    @classmethod
    def read(cls, cursor: str) -> "Past":
        """Read a cursor as `str` writes it; a plain id, or nothing, is that of a first contact."""
        above, _, kinds = cursor.partition(MARK)
        return cls(int(above or 0), tuple(kinds.split(",")) if kinds else KINDS)

    def __str__(self) -> str:
        return f"{self.above}{MARK}{','.join(self.kinds)}"


def older(pages: Mapping[str, Sequence[Row]], past: Past) -> tuple[list[Row], Past]:
    """Return what is sure to be the newest of all kinds, in falling order, and where to go on.

    A kind with a full page may have more just below it, so nothing of another kind beyond that is taken yet.
    """
    wanted = {
        kind: [row for row in page if not past.above or row.number < past.above]
        for kind, page in pages.items()
    }
    ends = [lowest(page, past.above) for page in pages.values() if len(page) >= PAGE]
    floor = max(ends, default=0)
    kept = {row.number: row for rows in wanted.values() for row in rows if row.number >= floor}
    left = tuple(
        kind
        for kind, page in pages.items()
        if len(page) >= PAGE or any(row.number < floor for row in wanted[kind])
    )
    return [kept[number] for number in sorted(kept, reverse=True)], Past(floor, left)
