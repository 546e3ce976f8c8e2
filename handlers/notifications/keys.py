"""What a key may do and how we know: a table and lines below it, on connecting, in /keys and in /test."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from chatbot.domain.credentials import Account
from chatbot.domain.expiry import Expiry, ExpirySource, expiry
from chatbot.domain.messages import Button, Line, Message, Table, bold, line, message
from chatbot.domain.permissions import (
    POWERS,
    Finding,
    Permission,
    PermissionReport,
    Source,
    Switch,
    decide,
)  # fmt: skip
from chatbot.errors import mark
from chatbot.ports.context import Options
from chatbot.ports.exchanges import Exchange
from chatbot.text import Translator

# One word each: with the two other columns it must fit a phone.
NAMES: Mapping[Permission, str] = {
    Permission.BALANCES: mark("balances"),
    Permission.FILLS: mark("fills"),
    Permission.ACCOUNT: mark("account"),
    Permission.TRADE: mark("trade"),
    Permission.TRANSFER: mark("transfer"),
    Permission.WITHDRAW: mark("withdraw"),
}
ALWAYS = POWERS | {Permission.BALANCES, Permission.FILLS}
SOURCES: Mapping[Source, str] = {
    Source.REPORTED: mark("reported"),
    Source.SEEN: mark("seen"),
    Source.SAID: mark("you said so"),
    Source.NOT_REPORTED: mark("not reported"),
}
MOST_ADDRESSES = 5


def table(report: PermissionReport, t: Translator) -> Table:
    """Return one row per permission: its name, its state, and how we know."""
    shown = [p for p in NAMES if p in ALWAYS or report.is_on(p) or report.get(p).source is Source.SEEN]
    rows = [(t.say(NAMES[p]), _switch(report.get(p), t), t.say(SOURCES[report.get(p).source])) for p in shown]
    return Table(((t.say("Permission"), t.say("State"), t.say("How we know")), *rows))


def _switch(finding: Finding, t: Translator) -> str:
    if finding.switch is Switch.ON:
        return t.say("on")
    return t.say("off") if finding.switch is Switch.OFF else "?"


def facts(account: Account, exchange: Exchange, options: Options, t: Translator, now: datetime) -> list[str]:
    """Return what else is known of a key, a short line each, what should be changed first."""
    report = account.report
    lines = _remarks(report, exchange, options, t)
    lines.append(ends(account, exchange, options, t))
    lines += _addresses(report, exchange, options, t)
    if report.created_at is not None:
        day, age = t.day(report.created_at), _age(report.created_at, now, t)
        lines.append(
            t.say("Made at {exchange} on {day}, {age} ago", exchange=exchange.title, day=day, age=age)
        )
    if report.labels:
        lines.append(
            t.say(
                "Also ticked: {ticks}. Not needed, harmless: you may untick that.",
                ticks=_quoted(report.labels),
            )
        )
    return lines + _past(report, exchange, t) + _unread(exchange, t)


def _remarks(report: PermissionReport, exchange: Exchange, options: Options, t: Translator) -> list[str]:
    decision = decide(report, options.policy)
    found = [
        t.say(
            "This key may do more than I need. At {exchange}, untick “{tick}”.",
            exchange=exchange.title,
            tick=tick,
        )
        for tick in _labels(decision.untick, exchange, t)
    ]
    missing = [permission for permission in decision.tick if permission is not Permission.FILLS]
    found += [
        t.say(
            "This key may not do what I need. At {exchange}, tick “{tick}” for it.",
            exchange=exchange.title,
            tick=tick,
        )
        for tick in _labels(missing, exchange, t)
    ]
    if len(decision.strange) == 1:
        tick = _quoted(decision.strange)
        found.append(t.say("I don't know the tick {tick}; untick it to be safe.", tick=tick))
    elif decision.strange:
        ticks = _quoted(decision.strange)
        found.append(t.say("I don't know the ticks {ticks}; untick them to be safe.", ticks=ticks))
    if report.get(Permission.FILLS) == Finding():
        found.append(
            t.say(
                "{exchange} lets no program read fills: I tell you balances and how they change.",
                exchange=exchange.title,
            )
        )
    elif not report.is_on(Permission.FILLS):
        found.append(
            t.say(
                "Fills are off: the key may not read them. Check {ticks} at {exchange}; I try again "
                "every day.",
                ticks=_quoted(_labels(exchange.tick, exchange, t)),
                exchange=exchange.title,
            )
        )
    return found


def _labels(permissions: Collection[Permission], exchange: Exchange, t: Translator) -> tuple[str, ...]:
    # One box at the exchange may stand for several permissions.
    return tuple(dict.fromkeys(exchange.labels.get(p) or t.permission(p) for p in permissions))


def _quoted(ticks: Collection[str]) -> str:
    return ", ".join(f"“{tick}”" for tick in ticks)


def _addresses(report: PermissionReport, exchange: Exchange, options: Options, t: Translator) -> list[str]:
    if report.ip_bound is Switch.UNKNOWN:
        return [t.say("Addresses it works from: not reported")]
    if report.ip_bound is Switch.ON:
        shown = ", ".join(report.addresses[:MOST_ADDRESSES])
        more = ", …" if len(report.addresses) > MOST_ADDRESSES else ""
        if not shown:
            return [t.say("Works only from the addresses on its list.")]
        return [t.say("Works only from: {addresses}", addresses=shown + more)]
    lines = [t.say("Works from any address.")]
    rule = exchange.expiry
    if not (rule.unbound and rule.hits(report)):
        return lines
    ours = ", ".join(options.egress[: exchange.max_addresses or None])  # 0: the exchange names no limit
    if ours:
        advice = t.say(
            "Bind it to {addresses} and the {days}-day limit goes away.", addresses=ours, days=rule.days
        )
    else:
        advice = t.say(
            "Keys bound to an address have no {days}-day limit: ask your admin whether this bot has a "
            "fixed one.",
            days=rule.days,
        )
    return [*lines, advice]


def ends(account: Account, exchange: Exchange, options: Options, t: Translator) -> str:
    """Say when a key ends, and how we know."""
    rule = exchange.expiry
    end = expiry(account.report, rule, account.created_at, account.polled_at, options.key_max_age_days)
    if end.at is None:
        return t.say("Expiry: none known")
    title, day = exchange.title, t.day(end.at)
    if end.source is ExpirySource.REPORTED:
        return t.say("Expiry: {day}, reported by {exchange}", day=day, exchange=title)
    if end.source is ExpirySource.POLICY:
        return t.say("Expiry: none known; this bot's policy asks for a new key by {day}", day=day)
    return _derived(account.report, exchange, end, t)


def _derived(report: PermissionReport, exchange: Exchange, end: Expiry, t: Translator) -> str:
    title, days = exchange.title, exchange.expiry.days
    if exchange.expiry.idle:
        return t.say(
            "Expiry: after {days} days without use, by {exchange}'s rule; my reading keeps it alive",
            days=days,
            exchange=title,
        )
    day = t.day(end.at) if end.at else ""
    if report.created_at is None:
        # Counted from our first sight: it may have been made long before.
        return t.say(
            "Expiry: {day} at the latest, by {exchange}'s {days}-day rule",
            day=day,
            exchange=title,
            days=days,
        )
    return t.say("Expiry: {day}, by {exchange}'s {days}-day rule", day=day, exchange=title, days=days)


def _age(since: datetime, now: datetime, t: Translator) -> str:
    return t.span((now - since) // timedelta(seconds=1))


def _past(report: PermissionReport, exchange: Exchange, t: Translator) -> list[str]:
    lines = []
    if report.history_from is not None:
        day = t.day(report.history_from)
        lines.append(t.say("Fills before {day} stay hidden: the key was made that way.", day=day))
    if report.history_to is not None:
        lines.append(
            t.say(
                "Fills after {day} stay hidden: take that end date off the key at {exchange}, or I miss "
                "them.",
                day=t.day(report.history_to),
                exchange=exchange.title,
            )
        )
    return lines


def _unread(exchange: Exchange, t: Translator) -> list[str]:
    if not (exchange.reads_withdrawals or exchange.reads_transfers):
        return [t.say("Withdrawals and transfers are noticed by the balances, not read.")]
    if not exchange.reads_withdrawals:
        return [t.say("Withdrawals are noticed by the balances, not read.")]
    if not exchange.reads_transfers:
        return [t.say("Transfers between your own accounts are noticed by the balances, not read.")]
    return []


def _told(account: Account, exchange: Exchange, options: Options, t: Translator, now: datetime) -> list[Line]:
    """Return the lines below the table; what only eyes can see comes last."""
    lines = [line(text) for text in facts(account, exchange, options, t, now)]
    if account.report.untold:
        lines.append(_by_eye(exchange, options, t))
    said = [f.at for f in account.report.findings.values() if f.source is Source.SAID and f.at is not None]
    if said:
        lines.append(line(t.say("You checked on {day}.", day=t.day(max(said)))))
    return lines


def _by_eye(exchange: Exchange, options: Options, t: Translator) -> Line:
    wanted = exchange.tick + (exchange.tick_to_trade if options.policy.trade else ())
    return line(
        t.say(
            "{exchange} does not tell me all that this key may do. Open it there and see that only these "
            "are ticked: {ticks}.",
            exchange=exchange.title, ticks=_quoted(_labels(wanted, exchange, t)),
        )
    )  # fmt: skip


def card(account: Account, exchange: Exchange, options: Options, t: Translator, now: datetime) -> Message:
    """Show the health of one key, with *I checked* where only the person can know."""
    parts: list[Line | Table] = [
        line(bold(account.titled(exchange.title))),
        table(account.report, t),
        *_told(account, exchange, options, t, now),
        line(
            t.say(
                "Connected on {day}, {age} ago",
                day=t.day(account.created_at),
                age=_age(account.created_at, now, t),
            )
        ),
    ]
    if account.polled_at is not None:
        parts.append(line(t.say("Last read {time}", time=t.moment(account.polled_at))))
    buttons: tuple[tuple[Button, ...], ...] = ()
    if account.report.untold:
        buttons = (
            (Button(t.say("Open {exchange}", exchange=exchange.title), url=exchange.key_page),),
            (Button(t.say("I checked: only these are ticked"), "keys.attest", (account.id,)),),
        )
    return message(*parts, buttons=buttons)


def confirm(
    account: Account, code_shown: str, exchange: Exchange, options: Options, t: Translator, now: datetime
) -> Message:
    """Show what the key may do and ask whether the code is the one on the page."""
    works = t.say("{exchange} key …{last4} works", exchange=exchange.title, last4=account.last4)
    buttons = (
        (
            Button(t.say("Confirm"), "connect.confirm", (account.id,)),
            Button(t.say("Not me"), "connect.refuse", (account.id,)),
        ),
    )
    return message(
        bold(works),
        table(account.report, t),
        *_told(account, exchange, options, t, now),
        line(),
        line(t.say("Is this the code on the page?"), " ", bold(code_shown)),
        buttons=buttons,
    )


def proven(account: Account, exchange: Exchange, options: Options, t: Translator, now: datetime) -> Message:
    """Show the result of a test that succeeded."""
    works = bold(t.say("{account}: the key works", account=account.name))
    return message(works, table(account.report, t), *_told(account, exchange, options, t, now))


def failed(account: Account, sentence: str | Line, t: Translator) -> Message:
    """Show the result of a test that failed."""
    return message(bold(t.say("{account}: the test failed", account=account.name)), sentence)
