"""The same trouble of the same account is one message: when it is told again, and when only edited.

A spell is one trouble of one account from its first failure until the account is well again. It is told
anew one, three, twelve and twenty-four hours after it was told first, then every twenty-four hours; in
between its message is edited, which makes no sound.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

AGAIN = tuple(timedelta(hours=hours) for hours in (1, 3, 12, 24))
EVERY = timedelta(hours=24)
EDITED = timedelta(minutes=10)


class Telling(StrEnum):
    """What one more failure does to the message of its trouble."""

    NOTHING = "nothing"
    RING = "ring"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class Spell:
    """One trouble of an account: since when, tried how often, and when it was told.

    `told_at` is the first telling, `rung_at` the last that made a sound, `shown_at` the last change of its
    message; all None while nobody was told.
    """

    trouble: str
    since: datetime
    last_at: datetime
    tries: int = 1
    told_at: datetime | None = None
    rung_at: datetime | None = None
    shown_at: datetime | None = None


def seen(spells: Sequence[Spell], trouble: str, now: datetime, *, passing: bool) -> Spell:
    """Return the spell that a failure belongs to, with it counted.

    A passing trouble (an exchange that is away, then in maintenance) goes on with whatever was told last
    unless it was told itself: it is the same outage to a person.
    """
    own = next((spell for spell in spells if spell.trouble == trouble), None)
    told = [spell for spell in spells if spell.told_at is not None]
    if passing and told and (own is None or own.told_at is None):
        own = max(told, key=lambda spell: spell.last_at)
    if own is None:
        return Spell(trouble, now, now)
    return replace(own, tries=own.tries + 1, last_at=now)


def ring_due(told_at: datetime, rung_at: datetime) -> datetime:
    """Return when a trouble that was told first and last at these times is told anew."""
    passed = rung_at - told_at
    mark = next((after for after in AGAIN if after > passed), None)
    return told_at + (mark or (passed // EVERY + 1) * EVERY)


def step(spell: Spell, now: datetime, *, news: bool) -> tuple[Telling, Spell]:
    """Say what a counted failure tells, and return the spell after it; `news` lets it be told at all."""
    if spell.told_at is None or spell.rung_at is None:
        return (Telling.RING, rung(spell, now)) if news else (Telling.NOTHING, spell)
    if now < spell.rung_at:
        # The clock was set back: counted from now on, or it would stay silent until it has caught up.
        return Telling.EDIT, replace(spell, told_at=now, rung_at=now, shown_at=now)
    if now >= ring_due(spell.told_at, spell.rung_at):
        return Telling.RING, rung(spell, now)
    if spell.shown_at is None or now - spell.shown_at >= EDITED:
        return Telling.EDIT, replace(spell, shown_at=now)
    return Telling.NOTHING, spell


def rung(spell: Spell, now: datetime) -> Spell:
    """Return a spell that is told aloud now."""
    return replace(spell, told_at=spell.told_at or now, rung_at=now, shown_at=now)
