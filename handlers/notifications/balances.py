"""What accounts hold: per asset and in the reader's currency, and what came or left unexplained."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from chatbot.domain.balances import Holding, Move, Valuation, merged
from chatbot.domain.messages import Line, Message, Table, bold, line, message
from chatbot.domain.rates import Lent, Valued
from chatbot.text import Translator

LISTED = 12
NAMED = 20
JUST_NOW = timedelta(seconds=10)
OLD_PRICES = timedelta(hours=12)

Last = tuple[Decimal, str] | None


def posted(seen: Valued, last: Last, t: Translator, *, now: datetime | None = None) -> Message:
    """Show an account: total and change since the last post, its assets, and what is not in the list.

    With `now` it also says how old that is.
    """
    worth = seen.worth
    parts = [line(bold(seen.name)), _total(worth, last, t), *_held(worth, t), line(_times(seen, now, t))]
    return message(*parts, *_lent(seen, t))


def together(seen: Sequence[Valued], last: Last, t: Translator, *, now: datetime | None = None) -> Message:
    """Show several accounts, valued in one currency, as one: what each is worth, then all they hold."""
    whole = merged([one.worth for one in seen])
    heading = (t.say("Account"), t.say("Value"), t.say("Share"))
    rows = [(one.name, _sum(one.worth, t), _part(whole, one.worth.total, t)) for one in seen]
    oldest = min(seen, key=lambda one: one.snapshot.at)
    return message(
        line(bold(t.say("All together · {count} accounts", count=len(seen)))),
        _total(whole, last, t),
        Table((heading, *rows)),
        # Or a chat would join the two tables into one.
        line(),
        *_held(whole, t),
        line(_times(oldest, now, t)),
    )


def _total(worth: Valuation, last: Last, t: Translator) -> Line:
    return line(t.say("Total"), " ", bold(_sum(worth, t)), _change(worth, last, t))


def _sum(worth: Valuation, t: Translator) -> str:
    return t.money(worth.total, worth.currency) if worth.priced else t.say("no price")


def _change(worth: Valuation, last: Last, t: Translator) -> str:
    if last is None or last[1] != worth.currency or not worth.priced:
        return ""
    change = worth.total - last[0]
    # A part of nothing, or of a debt, says nothing.
    ratio = f" ({t.percent(change / last[0])})" if last[0] > 0 else ""
    return "  " + t.say("{change} since the last post", change=t.signed(change, worth.currency) + ratio)


def _held(worth: Valuation, t: Translator) -> Iterator[Line | Table]:
    listed, rest = worth.listed(LISTED)
    if listed or worth.unpriced:
        yield _table(worth, (*listed, *worth.unpriced), t)
    if rest:
        together = t.money(sum((h.value for h in rest if h.value), Decimal(0)), worth.currency)
        yield line(
            t.say(
                "{count} more ({assets}): {value} together",
                count=len(rest),
                assets=_names(rest),
                value=together,
            )
        )
    if worth.dust:
        small = t.money(worth.dust_value, worth.currency)
        yield line(
            t.say("Small amounts ({assets}): {value} together", assets=_names(worth.dust), value=small)
        )
    owed = [h.balance for h in (*worth.shown, *worth.dust, *worth.unpriced) if h.balance.total < 0]
    if owed:
        amounts = ", ".join(t.amount(balance.total, balance.asset) for balance in owed)
        yield line(t.say("Below zero, so owed: {amounts}", amounts=amounts))
    if worth.unpriced:
        yield line(t.say("No price for {assets}: not in the total", assets=_names(worth.unpriced)))
    if not (worth.shown or worth.dust or worth.unpriced):
        yield line(t.say("This account is empty."))


def _names(holdings: Sequence[Holding]) -> str:
    names = [h.balance.asset for h in holdings[:NAMED]]
    return ", ".join([*names, "…"] if len(holdings) > NAMED else names)


def _table(worth: Valuation, listed: Sequence[Holding], t: Translator) -> Table:
    locked = any(h.balance.locked for h in listed)
    heading = [t.say("Asset"), t.say("Free"), t.say("Locked"), t.say("Value"), t.say("Share")]
    rows = [heading, *(_row(h, worth, t) for h in listed)]
    # Mostly nothing is in open orders, and a phone is narrow.
    return Table(tuple(tuple(row if locked else [*row[:2], *row[3:]]) for row in rows))


def _row(holding: Holding, worth: Valuation, t: Translator) -> list[str]:
    balance, value = holding.balance, holding.value
    free, locked = (t.rounded(number, balance.asset) for number in (balance.free, balance.locked))
    if value is None:
        return [balance.asset, free, locked, t.say("no price"), ""]
    return [balance.asset, free, locked, t.money(value, worth.currency), _part(worth, value, t)]


def _part(worth: Valuation, value: Decimal, t: Translator) -> str:
    share = worth.share(value)
    return "" if share is None else t.share(share)


def _times(seen: Valued, now: datetime | None, t: Translator) -> str:
    at, own = seen.snapshot.at, seen.rates.own
    read = t.moment(at)
    if now is not None:
        ago = now - at
        read += f" ({_ago(ago, t)})"
    if not own.last:
        return t.say("As of {time}", time=read)
    priced = t.moment(own.at) if abs(at - own.at) > OLD_PRICES else t.time(own.at)
    return t.say("As of {time}, prices of {priced}", time=read, priced=priced)


def _ago(ago: timedelta, t: Translator) -> str:
    if ago < JUST_NOW:
        return t.say("just now")
    return t.say("{age} ago", age=t.span(int(ago.total_seconds())))


def _lent(seen: Valued, t: Translator) -> list[Line]:
    valued = [h.balance.asset for h in (*seen.worth.shown, *seen.worth.dust)]
    return [line(_leg(leg, t)) for leg in seen.rates.lent(valued, seen.worth.currency)]


def _leg(leg: Lent, t: Translator) -> str:
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
