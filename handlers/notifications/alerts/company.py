"""The settings as a group sees them: what comes here and from whom, without amounts; to be made quieter."""

from collections.abc import Sequence
from datetime import datetime

from chatbot.domain.messages import Button, Line, Message, bold, line, message
from chatbot.domain.notices import NEVER_OFF, TITLES, Kind, Loudness
from chatbot.text import Translator
from handlers.notifications.alerts.words import CHOICES, Target, back, state

# From the loudest to the quietest: a group may only go on in it.
ORDER = (Loudness.LOUD, Loudness.SILENT, Loudness.OFF)


def overview(found: Sequence[Target], now: datetime, t: Translator) -> Message:
    """Show all that comes to a group."""
    parts: list[Line] = [line(bold(t.say("What comes here")))]
    for target in found:
        parts += [line(), _head(target, t), *_states(target, now, t)]
    if not found:
        parts.append(line(t.say("Nothing yet. To add an account of yours, send /here.")))
    rows = [(Button(target.account.name, "alerts.from", target.args[:1], anyone=True),) for target in found]
    quiet = (
        Button(t.say("Quiet hours"), "run", ("quiet",), anyone=True),
        Button(t.say("Mute"), "run", ("mute",), anyone=True),
    )
    return message(*parts, buttons=(*rows, quiet))


def one_account(target: Target, now: datetime, t: Translator) -> Message:
    """Show what comes of one account, and what of it can be made quieter."""
    rows: list[tuple[Button, ...]] = []
    for kind, sub in target.subs.items():
        levels = [level for level in ORDER[ORDER.index(sub.loudness) + 1 :] if _may(kind, level)]
        rows += [tuple(_lower(target, kind, level, t) for level in levels)] if levels else []
    rule = line(
        t.say("Here it can only be made quieter; its owner changes the rest in private with /alerts.")
    )
    parts = (_head(target, t), *_states(target, now, t), rule)
    return message(*parts, buttons=(*rows, (_home(t),)))


def _may(kind: Kind, level: Loudness) -> bool:
    return level is not Loudness.OFF or kind not in NEVER_OFF


def _lower(target: Target, kind: Kind, level: Loudness, t: Translator) -> Button:
    text = f"{t.say(TITLES[kind])}: {t.say(CHOICES[level])}"
    return Button(text, "alerts.lower", (target.account.id, kind, level), anyone=True)


def _home(t: Translator) -> Button:
    shown = back("alerts.group", (), t)
    return Button(shown.text, shown.action, anyone=True)


def _head(target: Target, t: Translator) -> Line:
    owner = next(iter(target.subs.values())).reader.name
    return line(bold(t.say("{account} of {owner}", account=target.account.name, owner=owner)))


def _states(target: Target, now: datetime, t: Translator) -> list[Line]:
    return [line(f"{t.say(TITLES[kind])}: {state(target, kind, now, t)}") for kind in target.subs]
