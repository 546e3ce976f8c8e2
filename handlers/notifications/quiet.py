"""How the quiet of a place looks: its quiet hours and its mute, with what can be chosen instead."""

from datetime import datetime, timedelta

from chatbot.domain.messages import Button, Line, Message, bold, line, message
from chatbot.domain.notices import TITLES, URGENT, Hush, Kind, parse_quiet
from chatbot.errors import mark
from chatbot.text import Translator

HOURS = ("22:00-07:00", "23:00-08:00", "22:00-07:00 mon-fri")
SPANS = (("30m", 30), ("2h", 120), ("8h", 480), ("1d", 1440))
_SPAN_NAMES = {
    "30m": mark("Mute 30 min"), "2h": mark("Mute 2 h"), "8h": mark("Mute 8 h"), "1d": mark("Mute 1 day"),
}  # fmt: skip


def hours(quiet: str, t: Translator) -> str:
    """Return quiet hours in words, as `22:00–07:00, every day`."""
    found = parse_quiet(quiet)
    every = len(found.days) == 7
    days = t.say("every day") if every else ", ".join(t.weekday(day) for day in sorted(found.days))
    return f"{found.start:%H:%M}–{found.end:%H:%M}, {days}"


def when(until: datetime, t: Translator) -> str:
    """Return when a mute is over, with the zone by which that is read."""
    return f"{t.brief(until)} ({t.zone.key})"


def muted(hush: Hush, now: datetime) -> datetime | None:
    """Return until when a place is muted, None when it is not."""
    return Hush(muted_until=hush.muted_until).until(now, "UTC")


def quiet_hours(hush: Hush, home: str, t: Translator) -> Message:
    """Show the quiet hours of a place, and some to choose."""
    if hush.quiet:
        now = t.say(
            "Quiet hours here: {hours}, by the clock of {zone}.",
            hours=hours(hush.quiet, t),
            zone=hush.zone or home,
        )
    else:
        now = t.say("There are no quiet hours here.")
    rows = [(Button(hours(choice, t), "quiet.set", (choice,), anyone=True),) for choice in HOURS]
    if hush.quiet:
        rows.append((Button(t.say("No quiet hours"), "quiet.set", ("",), anyone=True),))
    other = t.say("Other hours you write like this: /quiet 22:00-07:00 mon-fri")
    return message(bold(now), *_held(t), other, buttons=tuple(rows))


def mute_of_place(hush: Hush, now: datetime, t: Translator) -> Message:
    """Show whether a place is muted, and for how long it can be."""
    until = muted(hush, now)
    said = t.say("Muted here until {time}.", time=when(until, t)) if until else t.say("It isn't muted here.")
    spans = tuple(Button(t.say(_SPAN_NAMES[span]), "mute.place", (span,), anyone=True) for span, _ in SPANS)
    rows = [spans[:2], spans[2:]]
    if until:
        rows = [(Button(t.say("Unmute"), "mute.place", ("off",), anyone=True),)]
    other = t.say("Other times you write like this: /mute 45m, /mute 3h, /mute 2d")
    return message(bold(said), *_held(t), other, buttons=tuple(rows))


def mute_of_kind(account: str, kind: Kind, until: datetime, t: Translator) -> Message:
    """Say that one kind of one account is muted in a place, with the way back."""
    return message(
        t.say(
            "{kind} of {account}: muted here until {time}. What comes meanwhile is told together then.",
            kind=t.say(TITLES[kind]),
            account=account,
            time=when(until, t),
        )
    )


def lifted(account: str, kind: Kind, t: Translator) -> Message:
    """Say that a mute is over before its time."""
    return message(
        t.say(
            "{kind} of {account}: not muted any more. What came meanwhile follows.",
            kind=t.say(TITLES[kind]),
            account=account,
        )
    )


def _held(t: Translator) -> tuple[Line, ...]:
    urgent = ", ".join(t.say(TITLES[kind]) for kind in Kind if kind in URGENT)
    return (
        line(t.say("What comes in quiet is told together afterwards.")),
        line(t.say("Urgent things come at once: {kinds}.", kinds=urgent)),
    )


def least(span: timedelta) -> timedelta:
    """Return how much of a mute must be left for a second press to be the same one."""
    return span - timedelta(minutes=1)
