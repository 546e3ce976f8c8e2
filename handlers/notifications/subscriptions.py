"""Which kinds a new account starts with, and when its scheduled posts are due."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from chatbot.domain.people import Person
from chatbot.domain.schedule import Slot, next_slot
from chatbot.ports.records import Subscription

FILLS = "fills"
BALANCES = "balances"
KEYS = "keys"
DAILY_AT = time(9, 0)


def first(person: Person, now: datetime) -> tuple[tuple[str, datetime | None, date | None], ...]:
    """Return (kind, due, slot) of a new account: balances at once, then daily; the rest as it happens."""
    yesterday = now.astimezone(ZoneInfo(person.timezone)).date() - timedelta(days=1)
    return ((BALANCES, now, yesterday), (FILLS, None, None), (KEYS, None, None))


def moved(sub: Subscription, old: Person, new: Person, now: datetime) -> Slot | None:
    """Return the slot of a daily post after its reader changed zones; None when it is due already.

    No local date of the new zone gets a second post, and one that was only for connecting does not count.
    """
    if sub.due_at is not None and sub.due_at <= now:
        return None
    if sub.last_at is None:
        return following(new, now, None)
    posted = sub.last_at.astimezone(ZoneInfo(old.timezone)).date()
    if sub.slot is not None and sub.slot <= posted:
        return following(new, now, sub.slot - timedelta(days=1))
    return following(new, now, sub.last_at.astimezone(ZoneInfo(new.timezone)).date())


def carried(sub: Subscription, old: Person, new: Person, now: datetime) -> Slot | None:
    """Return the slot of a daily post whose account goes to another owner; None when it is due already.

    A day whose nine o'clock is over for the new owner, and not yet come for the old, gets its post now.
    """
    slot = moved(sub, old, new, now)
    if slot is None or sub.last_at is None:
        return slot
    zone = ZoneInfo(new.timezone)
    today = now.astimezone(zone).date()
    return Slot(today, now) if sub.last_at.astimezone(zone).date() < today < slot.day else slot


def missed(sub: Subscription) -> bool:
    """Tell whether a local date between the last post and the slot that is due went without one."""
    if sub.last_at is None or sub.slot is None:
        return False
    posted = sub.last_at.astimezone(ZoneInfo(sub.reader.timezone)).date()
    return sub.slot - posted > timedelta(days=1)


def following(person: Person, now: datetime, last: date | None) -> Slot:
    """Return the next daily slot in the person's zone."""
    return next_slot(DAILY_AT, ZoneInfo(person.timezone), now, last)
