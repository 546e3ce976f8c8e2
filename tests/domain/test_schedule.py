"""The daily slot against a clock that is read minute by minute."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.schedule import Slot, next_slot

MINUTE = timedelta(minutes=1)
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
# Where the clock changes at odd hours, by odd amounts, or at midnight.
EDGES = [
    "America/Havana",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Europe/Madrid",
    "Africa/Casablanca",
    "America/Nuuk",
    "Atlantic/Azores",
    "Asia/Gaza",
]
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
MINUTES = 2 * 365 * 24 * 60
zones = st.sampled_from(EDGES) | st.sampled_from(ZONES)
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
instants = st.integers(0, MINUTES).map(lambda minutes: FIRST + minutes * MINUTE)


def changes(zone: ZoneInfo) -> list[datetime]:
    """Return the hours of two years before which the zone's clock changed."""
    hours = [FIRST + timedelta(hours=hour) for hour in range(MINUTES // 60)]
    offsets = [at.astimezone(zone).utcoffset() for at in hours]
    return [at for at, before, after in zip(hours[1:], offsets, offsets[1:], strict=False) if before != after]


def walk(at: time, zone: ZoneInfo, after: datetime, last: date | None) -> Slot:
    """Find the slot as a person with a watch would: the first minute at which that date's time has come."""
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        due = next(_minutes_at_or_past(datetime.combine(day, at), zone))
        if due > after and (last is None or day > last):
            return Slot(day, due)
        day += timedelta(days=1)


def _minutes_at_or_past(wanted: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    minute = wanted.replace(tzinfo=UTC) - timedelta(hours=26)
    while True:
        if minute.astimezone(zone).replace(tzinfo=None) >= wanted:
            yield minute
        minute += MINUTE


@settings(max_examples=60, deadline=None)
@given(zones, times, instants)
def test_the_slot_is_the_one_a_watch_would_show(name: str, at: time, after: datetime) -> None:
    """In any zone, at any time of any day of two years."""
    assert next_slot(at, ZoneInfo(name), after) == walk(at, ZoneInfo(name), after, None)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(EDGES), times, st.data())
def test_the_slot_is_right_around_every_change_of_the_clock(name: str, at: time, data: st.DataObject) -> None:
    """Gaps go to the first instant after them, what comes twice to its first occurrence."""
    zone = ZoneInfo(name)
    change = data.draw(st.sampled_from(changes(zone) or [FIRST]))
    after = change + data.draw(st.integers(-1500, 1500)) * MINUTE
    assert next_slot(at, zone, after) == walk(at, zone, after, None)


@settings(max_examples=60, deadline=None)
@given(zones, times, instants)
def test_every_local_date_has_one_slot(name: str, at: time, after: datetime) -> None:
    """Ten slots in a row are ten dates in a row, each later than the one before."""
    zone, last, found = ZoneInfo(name), None, []
    for _ in range(10):
        slot = next_slot(at, zone, after, last)
        found.append(slot)
        after, last = slot.due, slot.day
    assert all(later.day - earlier.day == timedelta(days=1) for earlier, later in pairwise(found))
    assert [slot.due for slot in found] == sorted({slot.due for slot in found})


@given(zones, times, instants, st.integers(0, 5))
def test_a_date_that_had_its_slot_gets_no_other(name: str, at: time, after: datetime, days: int) -> None:
    """Whatever the clock says, the next slot belongs to a later date than the last."""
    last = after.astimezone(ZoneInfo(name)).date() + timedelta(days=days - 2)
    slot = next_slot(at, ZoneInfo(name), after, last)
    assert slot.day > last
    assert slot.due > after


@pytest.mark.parametrize(
    ("name", "at", "after", "due"),
    [
        (
            "Europe/Madrid",
            time(2, 30),
            datetime(2026, 3, 28, 12, tzinfo=UTC),
            datetime(2026, 3, 29, 1, tzinfo=UTC),
        ),
        (
            "Europe/Madrid",
            time(2, 30),
            datetime(2026, 10, 24, 12, tzinfo=UTC),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        ),
        (
            "America/Havana",
            time(0, 0),
            datetime(2026, 3, 7, 12, tzinfo=UTC),
            datetime(2026, 3, 8, 5, tzinfo=UTC),
        ),
        ("UTC", time(9), datetime(2026, 1, 1, 9, tzinfo=UTC), datetime(2026, 1, 2, 9, tzinfo=UTC)),
    ],
)
def test_known_days(name: str, at: time, after: datetime, due: datetime) -> None:
    """A gap, a fold, a midnight that does not exist, and the very instant of a slot."""
    assert next_slot(at, ZoneInfo(name), after).due == due
