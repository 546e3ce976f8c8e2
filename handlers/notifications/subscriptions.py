"""Which kinds a new account starts with, and when its scheduled posts are due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chatbot.domain.credentials import Account
from chatbot.domain.notices import OWN, SHARED, Kind
from chatbot.domain.people import ConversationId, Person
from chatbot.domain.schedule import DAILY, Cadence, Rule, Slot, next_slot, parse_rule
from chatbot.ports.records import Subscription
from chatbot.ports.stores import UnitOfWork


@dataclass(frozen=True, slots=True)
class Start:
    """A subscription that begins: its kind, and for a scheduled one the rule and its first slot."""

    kind: Kind
    due: datetime | None = None
    slot: str | None = None
    rule: str = ""


def own(person: Person, now: datetime) -> tuple[Start, ...]:
    """Return what the owner's own chat hears of a new account: balances at once, then daily."""
    yesterday = now.astimezone(ZoneInfo(person.timezone)) - timedelta(days=1)
    return _starts(OWN, Slot(DAILY.name(yesterday), now))


def shared(person: Person, now: datetime) -> tuple[Start, ...]:
    """Return what a place hears that its owner shares an account with."""
    return _starts(SHARED, next_slot(DAILY, ZoneInfo(person.timezone), now))


async def share(
    store: UnitOfWork, person: Person, accounts: Sequence[Account], place: ConversationId, now: datetime
) -> None:
    """Let a place hear of some accounts of a person; what it hears already stays as it is."""
    for account in accounts:
        for new in shared(person, now):
            await store.subscriptions.ensure(account.id, new.kind, place, new.due, new.slot, new.rule)


def _starts(kinds: tuple[Kind, ...], slot: Slot) -> tuple[Start, ...]:
    posts = Start(Kind.BALANCES, slot.due, slot.name, str(DAILY))
    return tuple(posts if kind is Kind.BALANCES else Start(kind) for kind in kinds)


def rule_of(sub: Subscription) -> Rule:
    """Return the rule of a scheduled subscription."""
    return parse_rule(sub.rule) if sub.rule else DAILY


def moved(sub: Subscription, old: Person, new: Person, now: datetime) -> Slot | None:
    """Return the slot of a scheduled post after its reader changed zones; None when it stays as it is.

    No local date of the new zone gets a second post, and one that was only for connecting does not count.
    """
    if sub.zone or (sub.due_at is not None and sub.due_at <= now):
        return None
    rule, zone = rule_of(sub), ZoneInfo(new.timezone)
    if sub.last_at is None or sub.slot is None or rule.cadence is Cadence.EVERY:
        return next_slot(rule, zone, now)
    posted = sub.last_at.astimezone(ZoneInfo(old.timezone)).date()
    before = date.fromisoformat(sub.slot) - timedelta(days=1)
    if before < posted or rule.cadence in {Cadence.WEEKLY, Cadence.MONTHLY}:
        return next_slot(rule, zone, now, before.isoformat())
    return next_slot(rule, zone, now, rule.name(sub.last_at.astimezone(zone)))


def carried(sub: Subscription, old: Person, new: Person, now: datetime) -> Slot | None:
    """Return the slot of a daily post whose account goes to another owner; None when it is due already.

    A day whose nine o'clock is over for the new owner, and not yet come for the old, gets its post now.
    """
    slot, rule = moved(sub, old, new, now), rule_of(sub)
    if slot is None or sub.last_at is None or rule.cadence is not Cadence.DAILY:
        return slot
    last, today = (rule.name(at.astimezone(ZoneInfo(new.timezone))) for at in (sub.last_at, now))
    return Slot(today, now) if last < today < slot.name else slot


def missed(sub: Subscription) -> bool:
    """Tell whether a slot between the last post and the one that is due went without one."""
    if sub.last_at is None or sub.slot is None:
        return False
    rule, zone = rule_of(sub), ZoneInfo(sub.clock)
    posted = rule.name(sub.last_at.astimezone(zone))
    return next_slot(rule, zone, sub.last_at, posted).name < sub.slot
