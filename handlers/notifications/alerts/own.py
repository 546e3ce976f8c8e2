"""The settings as an account's owner sees them in private: everything can be changed."""

from collections.abc import Sequence
from datetime import datetime

from chatbot.domain.messages import Button, Line, Message, bold, line, message
from chatbot.domain.notices import NEVER_OFF, SCHEDULED, TITLES, Kind, Loudness
from chatbot.domain.schedule import parse_rule
from chatbot.ports.consents import Consent
from chatbot.ports.records import Subscription
from chatbot.text import Translator
from handlers.notifications.alerts.words import (
    CHOICES,
    HOURS,
    MUTES,
    RULES,
    Target,
    back,
    cap,
    is_muted,
    rule_text,
    state,
    summary,
)

Rows = tuple[tuple[Button, ...], ...]


def overview(found: Sequence[Target], waiting: Sequence[Consent], now: datetime, t: Translator) -> Message:
    """Show every account with the places it goes to."""
    accounts = {target.account.id: target.account for target in found}
    parts: list[Line] = [line(bold(t.say("Alerts")))]
    for account in accounts.values():
        parts += [line(), line(bold(account.name))]
        parts += [summary(target, now, t) for target in found if target.account.id == account.id]
    rows = [(Button(account.name, "alerts.account", (account.id,)),) for account in accounts.values()]
    rows += [
        (Button(t.say("Answer: {place}?", place=t.place(one.conversation.place)), "alerts.ask",
                (one.conversation.id,)),) for one in waiting
    ]  # fmt: skip
    return message(*parts, buttons=(*rows, *_around(found, t)))


def one_account(found: Sequence[Target], now: datetime, t: Translator) -> Message:
    """Show the places of one account."""
    rows = [(Button(cap(t.place(target.place.place)), "alerts.place", target.args),) for target in found]
    shown = [summary(target, now, t) for target in found]
    more = t.say("To send it to another place, send /here there.")
    title = line(bold(found[0].account.name))
    return message(title, *shown, more, buttons=(*rows, (back("alerts.home", (), t),)))


def one_place(target: Target, now: datetime, t: Translator) -> Message:
    """Show what an account tells in a place, kind by kind."""
    shown = [line(f"{t.say(TITLES[kind])}: {state(target, kind, now, t)}") for kind in target.kinds]
    buttons = [Button(t.say(TITLES[kind]), "alerts.kind", (*target.args, kind)) for kind in target.kinds]
    rows = [tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2)]
    if not target.place.place.private:
        rows.append((Button(t.say("Stop"), "alerts.stop", (target.place.id,)),))
    return message(_head(target, t), *shown, buttons=(*rows, (back("alerts.account", target.args[:1], t),)))


def one_kind(target: Target, kind: Kind, now: datetime, t: Translator) -> Message:
    """Show one kind with all that can be chosen for it."""
    args = (*target.args, kind)
    shown = line(f"{t.say(TITLES[kind])}: {state(target, kind, now, t)}")
    parts = [_head(target, t), shown]
    rows: list[tuple[Button, ...]] = [
        tuple(_choice(level, target.loudness(kind), args, t) for level in Loudness
              if level is not Loudness.OFF or kind not in NEVER_OFF)
    ]  # fmt: skip
    if kind in NEVER_OFF:
        parts.append(line(t.say("It can't be switched off, as it protects your account; mute it for hours.")))
    if kind in target.subs:
        rows.append(_mutes(target.subs[kind], kind, args, now, t))
    if kind in SCHEDULED:
        rows += [
            (Button(cap(rule_text(parse_rule(rule), t)), "alerts.rule", (*args, rule)),) for rule in RULES
        ]
        if target.place.place.private:
            parts.append(line(t.say("Other times you write like this: /alerts balances daily 18:30")))
        else:
            parts.append(line(t.say("For other times write there: /alerts balances daily 18:30")))
    return message(*parts, buttons=(*rows, (back("alerts.place", target.args, t),)))


def places_of(found: Sequence[Target], t: Translator) -> Message:
    """Show every place of others, each with its *Stop*."""
    theirs = [target for target in found if not target.place.place.private]
    parts: list[Line] = [line(bold(t.say("Places your accounts go to")))]
    stops: dict[str, Button] = {}
    for target in theirs:
        where = t.place(target.place.place)
        gone = "" if target.place.live else f" · {t.say('I am not there any more')}"
        parts.append(line(f"{cap(where)}: {target.account.name}{gone}"))
        stops[target.place.id] = Button(
            t.say("Stop: {place}", place=where), "alerts.stop", (target.place.id,)
        )
    if not theirs:
        parts.append(line(t.say("None but your own chat. To add one, send /here in a group.")))
    rows = [(button,) for button in stops.values()]
    return message(*parts, buttons=(*rows, (back("alerts.home", (), t),)))


def _around(found: Sequence[Target], t: Translator) -> Rows:
    quiet = (Button(t.say("Quiet hours"), "run", ("quiet",)), Button(t.say("Mute"), "run", ("mute",)))
    return ((Button(t.say("Places"), "alerts.targets"),), quiet) if found else (quiet,)


def _choice(level: Loudness, now: Loudness, args: tuple[str, ...], t: Translator) -> Button:
    tick = "✓ " if level is now else ""
    return Button(tick + t.say(CHOICES[level]), "alerts.loud", (*args, level))


def _mutes(
    sub: Subscription, kind: Kind, args: tuple[str, ...], now: datetime, t: Translator
) -> tuple[Button, ...]:
    if is_muted(sub, now):
        return (Button(t.say("Unmute"), "alerts.mute", (*args, "0")),)
    hours = HOURS if kind in NEVER_OFF else HOURS[:1]
    return tuple(Button(t.say(MUTES[count]), "alerts.mute", (*args, str(count))) for count in hours)


def _head(target: Target, t: Translator) -> Line:
    return line(bold(target.account.name), f" → {t.place(target.place.place)}")
