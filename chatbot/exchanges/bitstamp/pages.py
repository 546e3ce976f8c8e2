"""Walking through Bitstamp's transactions in both directions; pure, fed with pages that are already read.

Forwards the cursor is the last id seen. Backwards there is no such parameter: pages are counted off from
the newest (`offset`, 200,000 at most), so rows that arrive meanwhile push old ones along and are met twice.
What lies beyond the deepest offset is read from the oldest on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from chatbot.domain.fills import Fill
from chatbot.exchanges._parse import LARGEST_ID
from chatbot.exchanges.bitstamp.rows import Entry
from chatbot.ports.exchanges import Page

ROWS = 1000
DEEPEST_OFFSET = 200_000


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a walk into the past has come.

    Nothing newer than `bound` belongs to it, everything from `below` on has been told (0: nothing yet);
    the next page skips `offset` rows, or, when `since` is set, is the oldest from that id on.
    """

    bound: int = LARGEST_ID
    below: int = 0
    offset: int = 0
    since: int = 0

    @classmethod
    def read(cls, cursor: str) -> "Walk":
        """Read a cursor as `str` writes it; an empty one begins at the newest."""
        return cls(*(int(part) for part in cursor.split("@"))) if cursor else cls()

    def __str__(self) -> str:
        return f"{self.bound}@{self.below}@{self.offset}@{self.since}"

    @property
    def query(self) -> str:
        """The parameters that ask for the next page."""
        if self.since:
            return upwards(self.since)
        return f"limit={ROWS}&sort=desc&offset={self.offset}"


def upwards(since: int) -> str:
    """Return the parameters that ask for the oldest transactions from an id on."""
    return f"limit={ROWS}&sort=asc&since_id={since}&offset=0"


def newer(entries: Sequence[Entry], after: str) -> Page:
    """Return a page in rising order; what the cursor has passed, or came twice, is dropped."""
    floor = int(after or 0)
    fresh = sorted((e for e in entries if e.id > floor), key=lambda e: e.id)
    full = len(entries) >= ROWS
    kept = _whole(fresh) if full else fresh
    return Page(_fills(kept), str(kept[-1].id) if kept else after, full and bool(kept))


def older(entries: Sequence[Entry], walk: Walk) -> Page:
    """Return a page in falling order; beyond the deepest offset the pages themselves come oldest first."""
    return _from_the_bottom(entries, walk) if walk.since else _from_the_top(entries, walk)


def _from_the_top(entries: Sequence[Entry], walk: Walk) -> Page:
    fresh = sorted(_untold(entries, walk), key=lambda e: e.id, reverse=True)
    full = len(entries) >= ROWS
    kept = _whole(fresh) if full else fresh
    offset = walk.offset + len(entries) - (len(fresh) - len(kept))
    # No progress in ids is fine here: a thousand new rows since the last page make one of repeats only.
    after = replace(
        walk,
        below=kept[-1].id if kept else walk.below,
        offset=offset,
        since=1 if offset > DEEPEST_OFFSET else 0,
    )
    return Page(_within(kept, walk), str(after), full)


def _from_the_bottom(entries: Sequence[Entry], walk: Walk) -> Page:
    fresh = sorted((e for e in _untold(entries, walk) if e.id >= walk.since), key=lambda e: e.id)
    met = len(entries) < ROWS or len(fresh) < len(entries)
    kept = fresh if met else _whole(fresh)
    after = replace(walk, since=kept[-1].id + 1) if kept else walk
    return Page(_within(kept[::-1], walk), str(after), not met)


def _untold(entries: Sequence[Entry], walk: Walk) -> Iterator[Entry]:
    return (entry for entry in entries if not walk.below or entry.id < walk.below)


def _whole(entries: list[Entry]) -> list[Entry]:
    """Leave the last id of a full page to the next one: both sides of a self-trade share an id."""
    cut = [entry for entry in entries if entry.id != entries[-1].id]
    return cut or entries


def _within(entries: Iterable[Entry], walk: Walk) -> tuple[Fill, ...]:
    return _fills(entry for entry in entries if entry.id <= walk.bound)


def _fills(entries: Iterable[Entry]) -> tuple[Fill, ...]:
    found = (entry.fill for entry in entries if entry.fill is not None)
    return tuple({(fill.id, fill.market, fill.side): fill for fill in found}.values())
