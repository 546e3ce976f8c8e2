"""People's times: when the next scheduled post is due, by a rule and the clock of a zone.

One slot per local date, or per local hour that the rule names. A time that the clock skips goes to the first
valid instant after the gap, a time that comes twice to its first occurrence.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from chatbot.errors import BadArgument, mark

LATE_BY = timedelta(hours=6)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MORNING = time(9, 0)
_WORKING = 5
_DAY = timedelta(days=1)
_HOURS = (1, 2, 3, 4, 6, 8, 12)


class Cadence(StrEnum):
    """How often a rule asks for a post."""

    DAILY = "daily"
    WEEKDAYS = "weekdays"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    EVERY = "every"


@dataclass(frozen=True, slots=True)
class Rule:
    """When posts are due: `number` is the weekday (Monday 0), the day of the month, or the hours between.

    A month that lacks the day has its post on its last one.
    """

    cadence: Cadence
    at: time = MORNING
    number: int = 0

    def __str__(self) -> str:
        """Return the text that `parse_rule` reads."""
        if self.cadence is Cadence.EVERY:
            return f"every {self.number}h"
        number = {Cadence.WEEKLY: f" {WEEKDAYS[self.number % 7]}", Cadence.MONTHLY: f" {self.number}"}
        return f"{self.cadence}{number.get(self.cadence, '')} {self.at:%H:%M}"

    def on(self, day: date) -> bool:
        """Tell whether a local date has a post."""
        match self.cadence:
            case Cadence.WEEKDAYS:
                return day.weekday() < _WORKING
            case Cadence.WEEKLY:
                return day.weekday() == self.number
            case Cadence.MONTHLY:
                return day.day == min(self.number, monthrange(day.year, day.month)[1])
            case _:
                return True

    def times(self) -> Iterator[time]:
        """Return the local times of a date that has posts."""
        if self.cadence is Cadence.EVERY:
            yield from (time(hour) for hour in range(0, 24, self.number))
        else:
            yield self.at

    def name(self, local: datetime) -> str:
        """Return the name of the slot of a local time: its date, for hours its minute."""
        if self.cadence is Cadence.EVERY:
            return local.replace(tzinfo=None).isoformat(timespec="minutes")
        return local.date().isoformat()


DAILY = Rule(Cadence.DAILY)


@dataclass(frozen=True, slots=True)
class Slot:
    """One due post: the name of the local date or minute it belongs to, and the instant, in UTC.

    Names of one rule sort like their times.
    """

    name: str
    due: datetime


def next_slot(rule: Rule, zone: ZoneInfo, after: datetime, last: str | None = None) -> Slot:
    """Return the first slot later than `after` whose name is later than `last`."""
    day = after.astimezone(zone).date() - 2 * _DAY
    while True:
        for at in rule.times() if rule.on(day) else ():
            wanted = datetime.combine(day, at)
            name = rule.name(wanted)
            if last is None or name > last:
                due = instant(day, at, zone)
                if due > after:
                    return Slot(name, due)
        day += _DAY


def latest_due(rule: Rule, zone: ZoneInfo, slot: Slot, now: datetime) -> Slot:
    """Return the newest slot that is due, from one that is: a post tells of now, however many were missed."""
    if slot.due < now - 2 * LATE_BY:
        near = next_slot(rule, zone, now - 2 * LATE_BY, slot.name)
        slot = near if near.due <= now else slot
    while (later := next_slot(rule, zone, slot.due, slot.name)).due <= now:
        slot = later
    return slot


def instant(day: date, at: time, zone: ZoneInfo, *, again: bool = False) -> datetime:
    """Return the UTC instant of a local time on a date, after a gap and first in a fold, or last in it."""
    wanted = datetime.combine(day, at)
    due = wanted.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if due.astimezone(zone).replace(tzinfo=None) != wanted:
        return _end_of_gap(due, zone)
    second = wanted.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return second if again else due


def _end_of_gap(inside: datetime, zone: ZoneInfo) -> datetime:
    low, high = inside - timedelta(hours=26), inside + timedelta(hours=26)
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


_TIME = re.compile(r"(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?", re.ASCII)
_DAY_OF_MONTH = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?", re.ASCII)
_EVERY = re.compile(r"every\s+(?P<hours>\d{1,2})\s*h(?:ours?)?", re.ASCII)


def parse_time(words: str) -> time | None:
    """Read a time of day, as `09:00`, `9:00` or `9`; None when it is none."""
    found = _TIME.fullmatch(words)
    if found is None or int(found["hour"]) > 23 or int(found["minute"] or 0) > 59:
        return None
    return time(int(found["hour"]), int(found["minute"] or 0))


def parse_rule(words: str) -> Rule:
    """Read a rule: `daily 09:00`, `weekdays 09:00`, `weekly mon 09:00`, `monthly 1 09:00`, `every 4h`.

    Raises:
        BadArgument: with examples that work.
    """
    text = words.strip().lower()
    rule = _every(text) or _dated(text)
    if rule is None:
        raise BadArgument(
            mark(
                "I can't read “{words}” as times for a post. Write one of these: daily 09:00, weekdays "
                "09:00, weekly mon 09:00, monthly 1 09:00, every 4h"
            ),
            words=words[:32],
        )
    return rule


def _every(text: str) -> Rule | None:
    found = _EVERY.fullmatch(text)
    if found is None or int(found["hours"]) not in _HOURS:
        return None
    return Rule(Cadence.EVERY, time(0), int(found["hours"]))


def _dated(text: str) -> Rule | None:
    first, *rest = text.split() or [""]
    if first not in set(Cadence) - {Cadence.EVERY}:
        return None
    cadence, number = Cadence(first), 0
    if cadence in {Cadence.WEEKLY, Cadence.MONTHLY}:
        day = _number(cadence, rest[0] if rest else "")
        if day is None:
            return None
        number, rest = day, rest[1:]
    at = parse_time(rest[0]) if rest else MORNING
    return Rule(cadence, at, number) if at is not None and len(rest) <= 1 else None


def _number(cadence: Cadence, day: str) -> int | None:
    if cadence is Cadence.WEEKLY:
        return WEEKDAYS.index(day[:3]) if day[:3] in WEEKDAYS else None
    found = _DAY_OF_MONTH.fullmatch(day)
    number = int(found[1]) if found else 0
    return number if 1 <= number <= 31 else None
