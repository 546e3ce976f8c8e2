"""People's times: when the next daily post is due in a person's own zone.

One slot per local date. A time that the clock skips goes to the first valid instant after the gap,
a time that comes twice to its first occurrence.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LATE_BY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Slot:
    """One due post: the local date it belongs to and the instant it is due, in UTC."""

    day: date
    due: datetime


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a local time on a date, after a gap and first in a fold."""
    wanted = datetime.combine(day, at)
    due = wanted.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if due.astimezone(zone).replace(tzinfo=None) == wanted:
        return due
    return _end_of_gap(due, zone)


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


def next_slot(at: time, zone: ZoneInfo, after: datetime, last: date | None = None) -> Slot:
    """Return the first slot later than `after` whose local date is later than `last`."""
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        if last is None or day > last:
            due = instant(day, at, zone)
            if due > after:
                return Slot(day, due)
        day += timedelta(days=1)
