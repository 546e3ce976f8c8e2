"""What the settings of notifications are made of: accounts in places, and their states in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from chatbot.domain.credentials import Account
from chatbot.domain.messages import Button, Line, line
from chatbot.domain.notices import OWN, SCHEDULED, SHARED, Kind, Loudness
from chatbot.domain.people import Conversation
from chatbot.domain.schedule import DAILY, Cadence, Rule, parse_rule
from chatbot.errors import mark
from chatbot.ports.records import Listed, Subscription
from chatbot.text import Translator

CARD = "alerts"
# What a place of others may hear of an account; what protects it stays in the owner's own chat.
IN_COMPANY = (*SHARED, Kind.EXPIRY, Kind.KEYS, Kind.EXCHANGE)
RULES = ("daily 09:00", "weekdays 09:00", "weekly mon 09:00", "monthly 1 09:00", "every 4h")
HOURS = (2, 8, 24)
LOUDNESS: Mapping[Loudness, str] = {
    Loudness.LOUD: mark("loud"), Loudness.SILENT: mark("silent"), Loudness.OFF: mark("switched off"),
}  # fmt: skip
CHOICES: Mapping[Loudness, str] = {
    Loudness.LOUD: mark("Loud"), Loudness.SILENT: mark("Silent"), Loudness.OFF: mark("Off"),
}  # fmt: skip
MUTES: Mapping[int, str] = {2: mark("Mute 2 h"), 8: mark("Mute 8 h"), 24: mark("Mute 24 h")}


@dataclass(frozen=True, slots=True)
class Target:
    """One account in one place, with what it tells there by kind."""

    account: Account
    place: Conversation
    subs: Mapping[Kind, Subscription]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What may be told there, in the order of `Kind`."""
        usual = OWN if self.place.place.private else IN_COMPANY
        return (*usual, *(kind for kind in self.subs if kind not in usual))

    @property
    def args(self) -> tuple[str, str]:
        """What names it in a button."""
        return self.account.id, self.place.id

    def loudness(self, kind: Kind) -> Loudness:
        """Return how loud a kind is there."""
        return self.subs[kind].loudness if kind in self.subs else Loudness.OFF


def gathered(listed: Sequence[Listed]) -> list[Target]:
    """Gather subscriptions into accounts in places, in the order in which they are listed."""
    found: dict[tuple[str, str], Target] = {}
    for one in listed:
        key = one.account.id, one.conversation.id
        before = found.get(key, Target(one.account, one.conversation, {}))
        kinds = {**before.subs, one.subscription.kind: one.subscription}
        found[key] = Target(one.account, one.conversation, kinds)
    return list(found.values())


def state(target: Target, kind: Kind, now: datetime, t: Translator) -> str:
    """Say how a kind is told: how loud, when, and until when it is muted."""
    level, sub = target.loudness(kind), target.subs.get(kind)
    said = [t.say(LOUDNESS[level])]
    if sub is None or level is Loudness.OFF:
        return said[0]
    if kind in SCHEDULED:
        said.append(rule_text(parse_rule(sub.rule) if sub.rule else DAILY, t))
    if is_muted(sub, now):
        said.append(t.say("muted until {time}", time=t.brief(sub.muted_until or now)))
    return " · ".join(said)


def is_muted(sub: Subscription, now: datetime) -> bool:
    """Tell whether a subscription is muted now."""
    return sub.muted_until is not None and sub.muted_until > now


def rule_text(rule: Rule, t: Translator) -> str:
    """Return a schedule rule in words."""
    at = f"{rule.at:%H:%M}"
    match rule.cadence:
        case Cadence.DAILY:
            return t.say("every day at {time}", time=at)
        case Cadence.WEEKDAYS:
            return t.say("Monday to Friday at {time}", time=at)
        case Cadence.WEEKLY:
            return t.say("every {day} at {time}", day=t.weekday(rule.number), time=at)
        case Cadence.MONTHLY:
            return t.say("on day {number} of the month at {time}", number=rule.number, time=at)
        case Cadence.EVERY:
            return t.say("every {count} h", count=rule.number)


def summary(target: Target, now: datetime, t: Translator) -> Line:
    """Say in one line how many kinds of an account are how loud in a place."""
    levels = [target.loudness(kind) for kind in target.kinds]
    counts = [f"{levels.count(level)} {t.say(LOUDNESS[level])}" for level in Loudness if level in levels]
    if any(is_muted(sub, now) for sub in target.subs.values()):
        counts.append(t.say("some muted"))
    return line(f"{cap(t.place(target.place.place))}: {', '.join(counts)}")


def back(act: str, args: tuple[str, ...], t: Translator) -> Button:
    """Return the button to the view before."""
    return Button(t.say("Back"), act, args)


def cap(text: str) -> str:
    """Return a sentence's part as its beginning."""
    return text[:1].upper() + text[1:]
