"""In what shape new fills are told: a message for each order, one table for a burst, one summary after a gap.

Pure: the poll says what is new, what was told just before, and when it looked last.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chatbot.domain.fills import Fill
from chatbot.domain.orders import OrderId, by_order, in_time, key_of, order_of

MINUTE = timedelta(minutes=1)
MANY = 10
FEW_ORDERS = 5
GAP = timedelta(minutes=10)
QUIET = timedelta(minutes=10)
LONGEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make of new fills: a message for an order, one table, one summary, or nothing yet."""

    orders: tuple[OrderId, ...] = ()
    burst: tuple[Fill, ...] = ()
    summary: tuple[Fill, ...] = ()
    small: tuple[Fill, ...] = ()


def plan(
    new: Sequence[Fill],
    near: Sequence[Fill],
    *,
    now: datetime,
    looked: datetime | None,
    is_small: Callable[[OrderId], bool],
    summing: bool = False,
) -> Plan:
    """Say how new fills are told; `near` were told shortly before, `looked` is when the poll before was.

    With `summing` a summary is being told already, and what is late goes on in it. Small is what is not worth
    a message by itself: a table or a summary counts it all the same.
    """
    gap = looked is not None and now - looked > GAP
    late = [fill for fill in in_time(new) if gap or now - fill.at > GAP]
    if not summing and len(by_order(late)) <= FEW_ORDERS:
        late = []
    waiting = set(map(key_of, late))
    rest = [fill for fill in in_time(new) if key_of(fill) not in waiting]
    if is_burst(rest, near):
        return Plan(burst=tuple(rest), summary=tuple(late))
    orders = by_order(rest)
    small = {order for order in orders if is_small(order)}
    return Plan(
        orders=tuple(order for order in orders if order not in small), summary=tuple(late),
        small=tuple(fill for fill in rest if order_of(fill) in small),
    )  # fmt: skip


def is_burst(new: Sequence[Fill], near: Iterable[Fill]) -> bool:
    """Tell whether there are too many for a message each: over ten within a minute, or of as many orders.

    However many fills one order alone has, they are one message anyway.
    """
    if len(by_order(new)) > MANY:
        return True
    mine = set(map(key_of, new))
    both = in_time((*near, *new))
    window: deque[Fill] = deque()
    orders: Counter[OrderId] = Counter()
    ours = 0
    for fill in both:
        window.append(fill)
        orders[order_of(fill)] += 1
        ours += key_of(fill) in mine
        while fill.at - window[0].at >= MINUTE:
            gone = window.popleft()
            orders -= Counter((order_of(gone),))
            ours -= key_of(gone) in mine
        if len(window) > MANY and len(orders) > 1 and ours:
            return True
    return False


def starts_anew(told: Iterable[datetime], now: datetime) -> bool:
    """Tell whether a message that was brought up to date at these times is too far up to be edited again.

    An edit is not announced: after ten quiet minutes, and once an hour while it goes on, it is told below.
    """
    times = sorted(told)
    if not times:
        return False
    begun = before = times[0]
    for at in times:
        if at - before > QUIET or at - begun > LONGEST:
            begun = at
        before = at
    return now - before > QUIET or now - begun > LONGEST
