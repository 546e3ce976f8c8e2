"""How Bitso's fills are walked by their ids, in both directions; pure, fed with pages that are already read.

A fill may become visible after one with a higher id, and both sides of a trade with oneself share an id. So
every reading forwards begins `OVERLAP` fills behind the newest one, the first of an hour also at where such
a reading began the hour before, and a full page backwards repeats its last id. Storing drops the repeats.
Nothing below the first cursor is ever read forwards: that is history.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from chatbot.domain.fills import Fill, Side
from chatbot.ports.exchanges import OVERLAP, Page

HOUR_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading forwards goes on: after `near`, or after `far` when another hour has begun."""

    near: str
    far: str
    hour: int

    @classmethod
    def read(cls, cursor: str, now: datetime) -> "Place":
        """Read a cursor as `str` writes it; a plain id (or nothing) is that of a first contact."""
        this_hour = int(now.timestamp()) // HOUR_SECONDS
        near, _, rest = cursor.partition(":")
        far, _, hour = rest.partition(":")
        if not hour:
            return cls(near, near, this_hour)
        return cls(near, far, this_hour) if int(hour) == this_hour else cls(far, near, this_hour)

    def __str__(self) -> str:
        return f"{self.near}:{self.far}:{self.hour}"


def newer(fills: Iterable[Fill], place: Place, *, full: bool) -> Page:
    """Return a page in rising order, from the overlap on, and the place to go on from."""
    kept = sorted((f for f in _once(fills) if _above(f, place.near)), key=lambda f: int(f.id))
    near = kept[-OVERLAP - 1].id if len(kept) > OVERLAP else place.near
    far = min(place.far, near, key=lambda tid: int(tid or 0))
    return Page(tuple(kept), str(Place(near, far, place.hour)), full and near != place.near)


def older(fills: Iterable[Fill], cursor: str, *, full: bool) -> Page:
    """Return a page in falling order; the cursor `bound@marker` means up to the bound, before the marker."""
    bound, _, marker = cursor.rpartition("@")
    fresh = [f for f in _once(fills) if not marker or int(f.id) < int(marker)]
    fresh.sort(key=lambda f: int(f.id), reverse=True)
    if not fresh:
        return Page((), cursor, more=False)
    ids = list(dict.fromkeys(f.id for f in fresh))
    # The other side of the last one may be on the next page.
    onward = ids[-2] if full and len(ids) > 1 else ids[-1]
    kept = tuple(f for f in fresh if not bound or int(f.id) <= int(bound))
    return Page(kept, f"{bound}@{onward}", full)


def _above(fill: Fill, floor: str) -> bool:
    return not floor or int(fill.id) > int(floor)


def _once(fills: Iterable[Fill]) -> Iterable[Fill]:
    return {(f.id, f.market, f.side is Side.BUY): f for f in fills}.values()
