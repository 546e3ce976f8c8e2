"""Many fills in one message: a table of a burst, and what came together after a gap."""

from collections.abc import Iterator, Sequence

from chatbot.domain.credentials import AccountId
from chatbot.domain.fills import Fill
from chatbot.domain.messages import Button, Line, Message, Table, bold, line, message
from chatbot.domain.orders import average, fees, in_time, sums, total
from chatbot.text import Translator
from handlers.notifications.fills.words import counted, fee, side, smaller, span

ROWS = 40


def burst(
    account: AccountId, name: str, bundle: str, fills: Sequence[Fill], small: int, t: Translator
) -> Message:
    """Show the fills of a burst, one row each; more than fit are shown by what they came to."""
    head = counted(name, len(fills), t)
    body = (table(in_time(fills), t),) if len(fills) <= ROWS else tuple(_summed(fills, t))
    return message(head, *body, *smaller(small, t), buttons=_all(account, bundle, t))


def summary(
    account: AccountId, name: str, bundle: str, fills: Sequence[Fill], small: int, t: Translator
) -> Message:
    """Say what many fills came to that are told late."""
    head = line(bold(t.say("{account}: {count} fills after a gap", account=name, count=len(fills))))
    return message(head, *_summed(fills, t), *smaller(small, t), buttons=_all(account, bundle, t))


def table(fills: Sequence[Fill], t: Translator) -> Table:
    """Return fills as a table, one row each."""
    heading = (t.say("Time"), t.say("Side"), t.say("Quantity"), t.say("Price"))
    rows = [
        (
            t.brief(fill.at),
            side(fill.side, t),
            t.amount(fill.quantity, fill.base),
            t.price(fill.price, fill.quote),
        )
        for fill in fills
    ]
    return Table((heading, *rows))


def _all(account: AccountId, bundle: str, t: Translator) -> tuple[tuple[Button, ...], ...]:
    return ((Button(t.say("Show all"), "fills.all", (account, bundle), anyone=True),),)


def _summed(fills: Sequence[Fill], t: Translator) -> Iterator[Line | Table]:
    yield _sums(fills, t)
    yield line(t.say("Fees: {fees}", fees=fee(fees(fills), t)))
    yield span(min(fill.at for fill in fills), max(fill.at for fill in fills), t)


def _sums(fills: Sequence[Fill], t: Translator) -> Table:
    heading = (t.say("Market"), t.say("Side"), t.say("Fills"), t.say("Quantity"), t.say("Average price"))
    rows = [
        (
            f"{part[0].base}/{part[0].quote}",
            side(part[0].side, t),
            str(len(part)),
            t.amount(total(fill.quantity for fill in part), part[0].base),
            t.price(average(part), part[0].quote),
        )
        for part in sums(fills)
    ]
    return Table((heading, *rows))
