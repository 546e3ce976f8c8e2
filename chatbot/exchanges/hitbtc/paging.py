"""How the trade history is walked by id, both ways, so that every fill comes once; no I/O in here.

HitBTC says that a trade may show up to 30 seconds late, so one with a lower id may follow one with a higher
id. The cursor forwards is therefore `floor~id~id`: all up to the floor is settled, the ids above it are those
already told. Backwards it is the highest id still wanted. `from` and `till` are sent so that it does not
matter whether they include the row they name; what comes twice is dropped here.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from chatbot.domain.fills import Fill
from chatbot.exchanges import _parse
from chatbot.ports.exchanges import Page

PAGE = 1000
# APIv2.md, "Trading history": delayed by up to 30 seconds; twice that, for the difference of the clocks.
SETTLED = timedelta(seconds=60)
MARK = "~"


def floor_of(cursor: str) -> int:
    """Return the id up to which everything has been told; 0 for an empty cursor."""
    return int(cursor.partition(MARK)[0] or 0)


def after(cursor: str) -> str:
    """Return the query for what is newer than the cursor, oldest first."""
    return f"sort=ASC&by=id&from={floor_of(cursor)}&limit={PAGE}"


def before(cursor: str) -> str:
    """Return the query for what is wanted still, newest first; an empty cursor wants all."""
    till = f"&till={int(cursor) + 1}" if cursor else ""
    return f"sort=DESC&by=id{till}&limit={PAGE}"


def newer(fills: Iterable[Fill], cursor: str, now: datetime, *, full: bool) -> Page:
    """Return what has not been told yet, in rising order, and the cursor to go on from."""
    floor = floor_of(cursor)
    told = cursor.split(MARK)[1:]
    found = _once(fill for fill in fills if int(fill.id) > floor)
    if full:
        # A trade with oneself has two rows of one id; the last id's other row may be on the next page.
        found = _without(found, found[-1:])
        return Page(_fresh(found, told), found[-1].id, more=True)
    for fill in found:
        if fill.at > now - SETTLED:
            break
        floor = int(fill.id)
    waiting = sorted({int(number) for number in (*told, *(f.id for f in found)) if int(number) > floor})
    onward = MARK.join(str(number) for number in (floor, *waiting)) if floor or waiting else cursor
    return Page(_fresh(found, told), onward, more=False)


def older(fills: Iterable[Fill], cursor: str, *, full: bool) -> Page:
    """Return what is wanted still, in falling order, and the highest id to go on from."""
    found = _once(fill for fill in fills if not cursor or int(fill.id) <= int(cursor))[::-1]
    if full:
        lowest = found[-1:]
        found = _without(found, lowest)
        return Page(tuple(found), lowest[0].id, more=True)
    return Page(tuple(found), str(int(found[-1].id) - 1) if found else cursor, more=False)


def _once(fills: Iterable[Fill]) -> list[Fill]:
    rows = {(fill.id, fill.market, fill.side): fill for fill in fills}
    return sorted(rows.values(), key=lambda fill: int(fill.id))


def _without(found: list[Fill], last: list[Fill]) -> list[Fill]:
    kept = [fill for fill in found if fill.id != last[0].id]
    if not kept:
        raise _parse.unreadable("a page that leads nowhere")
    return kept


def _fresh(found: Iterable[Fill], told: list[str]) -> tuple[Fill, ...]:
    return tuple(fill for fill in found if fill.id not in told)
