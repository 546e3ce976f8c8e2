"""What a key may do and how we know: the table shown on connecting, in /keys and in /test."""

from datetime import datetime

from chatbot.domain.credentials import Account
from chatbot.domain.messages import Button, Line, Message, Table, bold, line, message
from chatbot.domain.permissions import Decision, Finding, Permission, PermissionReport, Source, Switch
from chatbot.ports.exchanges import Exchange
from chatbot.text import Translator

SHOWN = (
    Permission.BALANCES, Permission.FILLS, Permission.ACCOUNT,
    Permission.TRADE, Permission.TRANSFER, Permission.WITHDRAW,
)  # fmt: skip


def table(report: PermissionReport, t: Translator) -> Table:
    """Return one row per permission: its name, its state, and how we know."""
    heading = (t.say("Permission"), t.say("State"), t.say("How we know"))
    rows = [(t.permission(p), _switch(report.get(p), t), _source(report.get(p), t)) for p in SHOWN]
    return Table((heading, *rows))


def _switch(finding: Finding, t: Translator) -> str:
    if finding.switch is Switch.ON:
        return t.say("on")
    return t.say("off") if finding.switch is Switch.OFF else t.say("not known")


def _source(finding: Finding, t: Translator) -> str:
    if finding.source is Source.REPORTED:
        return t.say("reported by the exchange")
    if finding.source is Source.SEEN:
        return t.say("seen by reading")
    if finding.source is Source.SAID and finding.at is not None:
        return t.say("you said so on {day}", day=t.day(finding.at))
    return t.say("not reported")


def by_eye(exchange: Exchange, t: Translator, *, trade: bool) -> Line:
    """Say what to look at where the exchange reports nothing about a key."""
    wanted = exchange.tick + (exchange.tick_to_trade if trade else ())
    ticks = ", ".join(f"“{exchange.labels[p]}”" for p in wanted if p in exchange.labels)
    return line(
        t.say(
            "{exchange} does not report what a key may do. Open the key there and see that only these "
            "are ticked: {ticks}.",
            exchange=exchange.title, ticks=ticks,
        )
    )  # fmt: skip


def card(account: Account, exchange: Exchange, t: Translator, now: datetime, *, trade: bool) -> Message:
    """Show the health of one key, with *I checked* where only the person can know."""
    age = t.span(int((now - account.created_at).total_seconds()))
    parts: list[Line | Table] = [
        line(bold(account.titled(exchange.title))),
        table(account.report, t),
        line(t.say("Connected on {day}, {age} ago", day=t.day(account.created_at), age=age)),
        line(t.say("Expiry: {expiry}", expiry=_expiry(account, t))),
    ]
    if account.polled_at is not None:
        parts.append(line(t.say("Last read {time}", time=t.moment(account.polled_at))))
    buttons: tuple[tuple[Button, ...], ...] = ()
    if exchange.unreported:
        parts.append(by_eye(exchange, t, trade=trade))
        buttons = (
            (Button(t.say("Open {exchange}", exchange=exchange.title), url=exchange.key_page),),
            (Button(t.say("I checked: only these are ticked"), "keys.attest", (account.id,)),),
        )
    return message(*parts, buttons=buttons)


def _expiry(account: Account, t: Translator) -> str:
    if account.report.expires_at is None:
        return t.say("none reported")
    return t.day(account.report.expires_at)


def confirm(
    account: Account, code_shown: str, decision: Decision, exchange: Exchange, t: Translator, *, trade: bool
) -> Message:
    """Show what the key may do and ask whether the code is the one on the page."""
    lines: list[Line | Table] = [
        line(bold(t.say("{exchange} key …{last4} works", exchange=exchange.title, last4=account.last4))),
        table(account.report, t),
        *(line(text) for text in _remarks(decision, exchange, t)),
    ]
    if exchange.unreported:
        lines.append(by_eye(exchange, t, trade=trade))
    lines.append(line(t.say("Is this the code on the page?"), " ", bold(code_shown)))
    buttons = (
        (
            Button(t.say("Confirm"), "connect.confirm", (account.id,)),
            Button(t.say("Not me"), "connect.refuse", (account.id,)),
        ),
    )
    return message(*lines, buttons=buttons)


def _remarks(decision: Decision, exchange: Exchange, t: Translator) -> list[str]:
    found: list[str] = []
    for permission in decision.untick:
        label = exchange.labels.get(permission) or t.permission(permission)
        found.append(
            t.say(
                "This key may do more than I need. At {exchange}, untick “{tick}”.",
                exchange=exchange.title,
                tick=label,
            )
        )
    if Permission.FILLS in decision.tick:
        ticks = ", ".join(f"“{exchange.labels[p]}”" for p in exchange.tick if p in exchange.labels)
        found.append(
            t.say(
                "Fills are off: the key may not read them. Check {ticks} at {exchange}; I try again "
                "every day.",
                ticks=ticks,
                exchange=exchange.title,
            )
        )
    return found


def proven(account: Account, exchange: Exchange, t: Translator) -> Message:
    """Show the result of a test that succeeded."""
    return message(bold(t.say("{account}: the key works", account=account.name)), table(account.report, t))


def failed(account: Account, sentence: str | Line, t: Translator) -> Message:
    """Show the result of a test that failed."""
    return message(bold(t.say("{account}: the test failed", account=account.name)), sentence)
