"""Words that all messages about fills share."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from chatbot.domain.fills import Liquidity, Side
from chatbot.domain.messages import Line, bold, line
from chatbot.text import Translator


def side(of: Side, t: Translator) -> str:
    """Return which side it was, for a table."""
    return t.say("buy") if of is Side.BUY else t.say("sell")


def liquidity(of: Liquidity, t: Translator) -> str:
    """Return whether it waited in the book or took from it; nothing when that is unknown."""
    if of is Liquidity.UNKNOWN:
        return ""
    return t.say("maker") if of is Liquidity.MAKER else t.say("taker")


def fee(fees: Sequence[tuple[str, Decimal]], t: Translator) -> str:
    """Return fees with their assets."""
    return " + ".join(t.amount(amount, asset) for asset, amount in fees)


def counted(account: str, count: int, t: Translator) -> Line:
    """Return the heading of a table with so many fills of an account."""
    if count == 1:
        return line(bold(t.say("{account}: 1 fill", account=account)))
    return line(bold(t.say("{account}: {count} fills", account=account, count=count)))


def span(first: datetime, last: datetime, t: Translator) -> Line:
    """Return from when to when, or just when."""
    since, until = t.moment(first), t.moment(last)
    return line(since if since == until else t.say("From {first} to {last}", first=since, last=until))


def smaller(count: int, t: Translator) -> Iterator[Line]:
    """Count what was not worth a message of its own."""
    if count:
        yield line(t.say("Smaller fills not told by themselves: {count}", count=count))
