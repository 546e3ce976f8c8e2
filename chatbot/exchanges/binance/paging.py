"""How the trades of one symbol are walked by id, both ways, so that every fill comes once; no I/O in here.

Binance gives rows by rising id, from an id on (`fromId`), or the newest. Ids count all trades of the symbol,
whoever made them: the way back goes in steps of ids, wider where a step brought few trades or none.
"""

from collections.abc import Sequence
from urllib.parse import quote

import msgspec

from chatbot.exchanges import _parse
from chatbot.exchanges.binance.symbols import Table
from chatbot.exchanges.binance.wire import Trade

PAGE = 1000
# So many ids behind the last one told are asked for again; fewer than half a page even if all were ours.
BEHIND = 250
FEW, MANY, WIDER = 300, 700, 8


class Walk(msgspec.Struct, array_like=True):
    """How far a walk into the past has come: nothing later than `until` (ms) belongs to it.

    `held` are the assets whose symbols are walked, in the order of `path`; of `symbol`, at `rank` of that
    order, the ids below `low` are wanted still (0: all), in steps of `step`.
    """

    until: int
    held: list[str]
    rank: int = 0
    symbol: str = ""
    low: int = 0
    step: int = 1


def newest(symbol: str) -> str:
    """Return the query for the newest trades of a symbol."""
    return f"symbol={quote(symbol, safe='')}&limit={PAGE}"


def onwards(symbol: str, low: int, limit: int = PAGE) -> str:
    """Return the query for the trades of a symbol from an id on."""
    return f"symbol={quote(symbol, safe='')}&fromId={max(low, 0)}&limit={limit}"


def later(
    rows: Sequence[Trade], known: int | None, since: int, room: int
) -> tuple[list[Trade], list[Trade], int | None]:
    """Return of a page what was told before (the last `room`), what is new, and the id to go on from.

    A page asked for without an id (`known` is None) holds the newest trades: what it lacks is older.
    """
    full = known is not None and len(rows) >= PAGE
    # A trade with oneself has two rows of one id; the last one's other row may be on the next page.
    kept = [row for row in rows if not full or row.id != rows[-1].id]
    if full and (not kept or (known is not None and kept[-1].id <= known)):
        raise _parse.unreadable("a page that leads nowhere")
    due = [row for row in kept if row.time > since]
    new = [row for row in due if known is None or row.id > known]
    old = [row for row in due if known is not None and row.id <= known]
    last = kept[-1].id if new or full else known
    return old[len(old) - min(room, len(old)) :], new, last


def path(held: Sequence[str], table: Table) -> list[tuple[int, str]]:
    """Return the symbols of what is held: both sides held, then one; symbols of old only for what is held."""
    assets, found = frozenset(held), []
    for name, market in {**table.former, **table.trading}.items():
        bought, paid = market.base in assets, market.quote in assets
        if bought or (paid and name in table.trading):
            found.append((0 if bought and paid else 1 if bought else 2, name))
    return sorted(found)


def following(walk: Walk, ways: Sequence[tuple[int, str]]) -> Walk | None:
    """Return the walk at the beginning of its next symbol, None when there is no more."""
    after = next((way for way in ways if way > (walk.rank, walk.symbol)), None)
    return Walk(walk.until, walk.held, *after) if after else None


def back(walk: Walk) -> str:
    """Return the query for the next page of a walk."""
    return onwards(walk.symbol, walk.low - walk.step) if walk.low else newest(walk.symbol)


def earlier(rows: Sequence[Trade], walk: Walk) -> tuple[list[Trade], Walk | None]:
    """Return what a page adds, newest first, and the walk to go on with in this symbol, None at its end."""
    full = len(rows) >= PAGE
    if not walk.low:
        if not full:
            return _within(rows, walk), None
        low = rows[0].id
        span = rows[-1].id - low
        if not span:
            raise _parse.unreadable("a page that leads nowhere")
        # The lowest id may have its other row on the next page.
        left = msgspec.structs.replace(walk, low=low + 1, step=max(1, span * 3 // 4))
        return _within([row for row in rows if row.id > low], walk), left
    inside = [row for row in rows if row.id < walk.low]
    if full and len(inside) == len(rows):
        if walk.step == 1:
            raise _parse.unreadable("a page that leads nowhere")
        return [], msgspec.structs.replace(walk, step=max(1, min(walk.step, walk.low) // 4))
    low = walk.low - walk.step
    if low <= 0:
        return _within(inside, walk), None
    step = walk.step * WIDER if not inside else walk.step * 2 if len(inside) < FEW else walk.step
    return _within(inside, walk), msgspec.structs.replace(
        walk, low=low, step=max(1, step // 2 if len(inside) > MANY else step)
    )


def _within(rows: Sequence[Trade], walk: Walk) -> list[Trade]:
    return [row for row in reversed(rows) if row.time <= walk.until]
