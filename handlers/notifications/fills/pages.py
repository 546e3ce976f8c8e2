"""What *Details* and *Show all* answer in private: every fill by itself, page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chatbot.domain.fills import Fill
from chatbot.domain.messages import Button, Line, Message, Piece, Table, bold, code, line, message
from chatbot.domain.orders import Order
from chatbot.text import Translator
from handlers.notifications.fills.words import counted, fee, liquidity, side


@dataclass(frozen=True, slots=True)
class Page:
    """Some of many fills: how many were skipped, how many there are, and the buttons to the others.

    `args` are those of `action` for a page; the number to skip is put behind them.
    """

    fills: Sequence[Fill]
    skipped: int
    count: int
    size: int
    action: str
    args: tuple[str, ...]


def details(name: str, order: Order, page: Page, t: Translator) -> Message:
    """Show an order with its id, and its single fills with all that is known of each."""
    head: list[Line] = [line(bold(t.say("Details · {account}", account=name)))]
    if order.id.order:
        head.append(line(t.say("Order"), " ", code(order.id.order)))
    quantity, price = t.amount(order.quantity, order.base), t.price(order.price, order.quote)
    market = f"{order.base}/{order.quote}"
    head.append(line(f"{market} · {side(order.id.side, t)} · {quantity} · {price}"))
    head.append(line(t.say("Fees: {fees}", fees=fee(order.fees, t))))
    lines = [one for fill in page.fills for one in _fill(fill, t)]
    return message(*head, *lines, *_where(page, t), buttons=_turns(page, t))


def every(name: str, page: Page, t: Translator) -> Message:
    """Show the fills of a bundle as a table, one row each."""
    head = counted(name, page.count, t)
    heading = (t.say("Time"), t.say("Side"), t.say("Quantity"), t.say("Price"), t.say("Fee"))
    rows = [
        (
            t.brief(fill.at),
            side(fill.side, t),
            t.amount(fill.quantity, fill.base),
            t.price(fill.price, fill.quote),
            t.amount(fill.fee, fill.fee_asset),
        )
        for fill in page.fills
    ]
    return message(head, Table((heading, *rows)), *_where(page, t), buttons=_turns(page, t))


def _fill(fill: Fill, t: Translator) -> Iterator[Line]:
    quantity, price = t.amount(fill.quantity, fill.base), t.price(fill.price, fill.quote)
    yield line(bold(t.moment(fill.at)), f" · {quantity} · {price}")
    kind = liquidity(fill.liquidity, t)
    pieces: list[Piece | str] = [t.say("Fill"), " ", code(fill.id)]
    pieces.append(" · " + t.say("fee {fee}", fee=t.amount(fill.fee, fill.fee_asset)))
    pieces.append(f" · {kind}" if kind else "")
    yield line(*pieces)


def _where(page: Page, t: Translator) -> Iterator[Line]:
    if page.count > page.size:
        first, last = page.skipped + 1, page.skipped + len(page.fills)
        yield line(t.say("{first} to {last} of {count}", first=first, last=last, count=page.count))


def _turns(page: Page, t: Translator) -> tuple[tuple[Button, ...], ...]:
    row: list[Button] = []
    if page.skipped:
        before = max(0, page.skipped - page.size)
        row.append(Button(t.say("Back"), page.action, (*page.args, str(before))))
    if page.skipped + len(page.fills) < page.count:
        row.append(Button(t.say("Next"), page.action, (*page.args, str(page.skipped + page.size))))
    return (tuple(row),) if row else ()
