"""What an account holds: per asset and in the reader's currency, and what came or left unexplained."""

from collections.abc import Sequence
from decimal import Decimal

from chatbot.domain.balances import Holding, Move, Prices, Snapshot, Valuation
from chatbot.domain.messages import Line, Message, Table, bold, line, message
from chatbot.domain.rates import Lent, Rates
from chatbot.text import Translator


def posted(
    account: str,
    snapshot: Snapshot,
    worth: Valuation,
    rates: Rates,
    last: tuple[Decimal, str] | None,
    t: Translator,
) -> Message:
    """Show a snapshot: total and change since the last post, then each asset; dust and unpriced named.

    `rates` are those it was valued with; what another exchange lent is named with its time.
    """
    total = t.money(worth.total, worth.currency) if worth.priced else t.say("no price")
    parts: list[Line | Table] = [
        line(bold(account)),
        line(t.say("Total"), " ", bold(total), _change(worth, last, t)),
    ]
    if worth.shown or worth.unpriced:
        parts.append(_table(worth, t))
    if worth.dust:
        names = ", ".join(h.balance.asset for h in worth.dust)
        parts.append(
            line(
                t.say(
                    "Small amounts ({assets}): {value} together",
                    assets=names,
                    value=t.money(worth.dust_value, worth.currency),
                )
            )
        )
    if worth.unpriced:
        names = ", ".join(h.balance.asset for h in worth.unpriced)
        parts.append(line(t.say("No price for {assets}: not in the total", assets=names)))
    if not (worth.shown or worth.dust or worth.unpriced):
        parts.append(line(t.say("This account is empty.")))
    parts.append(line(_times(snapshot, rates.own, t)))
    valued = [h.balance.asset for h in (*worth.shown, *worth.dust)]
    parts += [line(_lent(leg, t)) for leg in rates.lent(valued, worth.currency)]
    return message(*parts)


def _change(worth: Valuation, last: tuple[Decimal, str] | None, t: Translator) -> str:
    if last is None or last[1] != worth.currency or not worth.priced:
        return ""
    change = worth.total - last[0]
    ratio = f" ({t.percent(change / last[0])})" if last[0] else ""
    return "  " + t.say("{change} since the last post", change=t.signed(change, worth.currency) + ratio)


def _table(worth: Valuation, t: Translator) -> Table:
    heading = (t.say("Asset"), t.say("Free"), t.say("Total"), t.say("Value"))
    return Table((heading, *(_row(h, worth.currency, t) for h in (*worth.shown, *worth.unpriced))))


def _row(holding: Holding, currency: str, t: Translator) -> tuple[str, ...]:
    balance = holding.balance
    value = t.say("no price") if holding.value is None else t.money(holding.value, currency)
    free, total = (t.quantity(number, balance.asset) for number in (balance.free, balance.total))
    return (balance.asset, free, total, value)


def _times(snapshot: Snapshot, own: Prices, t: Translator) -> str:
    if not own.last:
        return t.say("As of {time}", time=t.moment(snapshot.at))
    return t.say("As of {time}, prices of {priced}", time=t.moment(snapshot.at), priced=t.time(own.at))


def _lent(leg: Lent, t: Translator) -> str:
    return t.say(
        "{money} to {currency} by {exchange}, {time}",
        money=leg.money,
        currency=leg.currency,
        exchange=leg.title,
        time=t.time(leg.at),
    )


def moved(account: str, changes: Sequence[Move], t: Translator, *, fills: bool) -> Message:
    """Say what came or left without a fill that explains it; without `fills` it may be one."""
    lines = [line(bold(_move(change, t))) for change in changes]
    if fills:
        why = t.say(
            "No fill explains this: it may be a deposit or a withdrawal. If it was not you, look at "
            "your account now."
        )
    else:
        why = t.say(
            "I can't read fills here, so it may be a trade, a deposit or a withdrawal. If it was not "
            "you, look at your account now."
        )
    return message(*lines, line(account), line(why))


def _move(change: Move, t: Translator) -> str:
    amount, now = t.amount(abs(change.change), change.asset), t.amount(change.now, change.asset)
    if change.change > 0:
        return t.say("{amount} came in, now {now}", amount=amount, now=now)
    return t.say("{amount} left the account, now {now}", amount=amount, now=now)
