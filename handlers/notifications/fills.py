"""A fill, or a few of them, as a message."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from chatbot.domain.fills import Fill, Side
from chatbot.domain.messages import Line, Message, Table, bold, line, message
from chatbot.text import Translator

TOGETHER = 5
A_MESSAGE = 40
MESSAGES = 5


def folded(fills: Sequence[Fill]) -> Iterator[Sequence[Fill]]:
    """Cut some fills into messages; what would be more than a few messages is told as one."""
    size = A_MESSAGE if len(fills) <= A_MESSAGE * MESSAGES else len(fills)
    for start in range(0, len(fills), size):
        yield fills[start : start + size]


def told(account: str, fills: Sequence[Fill], t: Translator) -> Message:
    """Say what was filled; more than a few become a table, and a flood a table of what it came to."""
    if len(fills) > TOGETHER:
        head = t.say("{account}: {count} fills", account=account, count=len(fills))
        if len(fills) <= A_MESSAGE:
            return message(bold(head), table(fills, t))
        first, last = (t.moment(end(fill.at for fill in fills)) for end in (min, max))
        span = t.say("From {first} to {last}. /fills shows the latest.", first=first, last=last)
        return message(bold(head), _sums(fills, t), span)
    lines: list[Line] = []
    for fill in fills:
        lines += _lines(fill, t)
    return message(*lines, line(account))


def _sums(fills: Sequence[Fill], t: Translator) -> Table:
    parts: dict[tuple[str, str, Side], list[Fill]] = {}
    for fill in fills:
        parts.setdefault((fill.base, fill.quote, fill.side), []).append(fill)
    heading = (t.say("Market"), t.say("Side"), t.say("Fills"), t.say("Quantity"))
    rows = [
        (
            f"{base}/{quote}",
            t.say("buy") if side is Side.BUY else t.say("sell"),
            str(len(part)),
            t.amount(sum((fill.quantity for fill in part), Decimal(0)), base),
        )
        for (base, quote, side), part in sorted(parts.items())
    ]
    return Table((heading, *rows))


def _lines(fill: Fill, t: Translator) -> list[Line]:
    quantity, price = t.amount(fill.quantity, fill.base), t.price(fill.price, fill.quote)
    said = (
        t.say("Bought {quantity} at {price}", quantity=quantity, price=price)
        if fill.side is Side.BUY
        else t.say("Sold {quantity} at {price}", quantity=quantity, price=price)
    )
    value, fee = t.amount(fill.cost, fill.quote), t.amount(fill.fee, fill.fee_asset)
    detail = t.say("Value {value} · fee {fee} · {time}", value=value, fee=fee, time=t.brief(fill.at))
    return [line(bold(said)), line(detail)]


def table(fills: Sequence[Fill], t: Translator) -> Table:
    """Return fills as a table, one row each."""
    heading = (t.say("Time"), t.say("Side"), t.say("Quantity"), t.say("Price"))
    rows = [
        (
            t.brief(fill.at),
            t.say("buy") if fill.side is Side.BUY else t.say("sell"),
            t.amount(fill.quantity, fill.base),
            t.price(fill.price, fill.quote),
        )
        for fill in fills
    ]
    return Table((heading, *rows))
