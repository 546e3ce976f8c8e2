"""The slots of every rule against a clock that is read minute by minute."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.schedule import (
    DAILY,
    WEEKDAYS,
    Cadence,
    Rule,
    Slot,
    instant,
    latest_due,
    next_slot,
    parse_rule,
)
from chatbot.errors import BadArgument

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
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
# Four years, so that a leap day is among them.
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
MINUTES = 4 * 365 * 24 * 60
zones = st.sampled_from(EDGES) | st.sampled_from(ZONES)
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
instants = st.integers(0, MINUTES).map(lambda minutes: FIRST + minutes * MINUTE)
dated = st.one_of(
    times.map(lambda at: Rule(Cadence.DAILY, at)),
    times.map(lambda at: Rule(Cadence.WEEKDAYS, at)),
    st.builds(lambda at, day: Rule(Cadence.WEEKLY, at, day), times, st.integers(0, 6)),
    st.builds(lambda at, day: Rule(Cadence.MONTHLY, at, day), times, st.integers(1, 31)),
)
hourly = st.sampled_from((1, 2, 3, 4, 6, 8, 12)).map(lambda hours: Rule(Cadence.EVERY, time(0), hours))
rules = dated | hourly


@lru_cache(maxsize=400)
def changes(name: str) -> tuple[datetime, ...]:
    """Return the hours of four years before which the zone's clock changed."""
    zone = ZoneInfo(name)
    hours = [FIRST + timedelta(hours=hour) for hour in range(MINUTES // 60)]
    offsets = [at.astimezone(zone).utcoffset() for at in hours]
    return tuple(
        at for at, before, after in zip(hours[1:], offsets, offsets[1:], strict=False) if before != after
    )


def asked_for(rule: Rule, day: date) -> Sequence[time]:
    """Return the times a person would write into a calendar for a date."""
    if rule.cadence is Cadence.EVERY:
        return [time(hour) for hour in range(24) if hour % rule.number == 0]
    last_of_month = (day + DAY).day == 1
    wanted = {
        Cadence.DAILY: True,
        Cadence.WEEKDAYS: day.isoweekday() <= 5,
        Cadence.WEEKLY: day.isoweekday() == rule.number + 1,
        Cadence.MONTHLY: day.day == rule.number or (last_of_month and day.day < rule.number),
    }
    return [rule.at] if wanted[rule.cadence] else []


def walk(rule: Rule, zone: ZoneInfo, after: datetime, last: str | None = None) -> Slot:
    """Find the slot as a person with a watch would: the first minute at which a time in the calendar came."""
    day = after.astimezone(zone).date() - DAY
    while True:
        for at in asked_for(rule, day):
            wanted = datetime.combine(day, at)
            due = first_minute(wanted, zone)
            name = wanted.isoformat(timespec="minutes") if rule.cadence is Cadence.EVERY else day.isoformat()
            if due > after and (last is None or name > last):
                return Slot(name, due)
        day += DAY


def first_minute(wanted: datetime, zone: ZoneInfo) -> datetime:
    """Return the first minute at which the clock of a zone shows a local time or a later one."""
    minute = wanted.replace(tzinfo=UTC) - timedelta(hours=26)
    while minute.astimezone(zone).replace(tzinfo=None) < wanted:
        minute += MINUTE
    return minute


@settings(max_examples=80, deadline=None)
@given(zones, dated, instants)
def test_the_slot_is_the_one_a_watch_would_show(name: str, rule: Rule, after: datetime) -> None:
    """By any rule, in any zone, at any time of any day of four years."""
    assert next_slot(rule, ZoneInfo(name), after) == walk(rule, ZoneInfo(name), after)


@settings(max_examples=60, deadline=None)
@given(zones, hourly, instants)
def test_hours_are_those_of_the_local_clock(name: str, rule: Rule, after: datetime) -> None:
    """Every four hours is at 0, 4, 8 and so on by the clock on the wall."""
    assert next_slot(rule, ZoneInfo(name), after) == walk(rule, ZoneInfo(name), after)


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(EDGES), rules, st.data())
def test_the_slot_is_right_around_every_change_of_the_clock(
    name: str, rule: Rule, data: st.DataObject
) -> None:
    """Gaps go to the first instant after them, what comes twice to its first occurrence."""
    zone = ZoneInfo(name)
    change = data.draw(st.sampled_from(changes(name) or (FIRST,)))
    after = change + data.draw(st.integers(-1500, 1500)) * MINUTE
    assert next_slot(rule, zone, after) == walk(rule, zone, after)


@settings(max_examples=80, deadline=None)
@given(zones, dated, instants)
def test_every_date_of_the_calendar_has_one_slot(name: str, rule: Rule, after: datetime) -> None:
    """Ten slots in a row are ten dates in a row of those the rule names, each at a later instant."""
    zone, last, found = ZoneInfo(name), None, []
    for _ in range(10):
        slot = next_slot(rule, zone, after, last)
        found.append(slot)
        after, last = slot.due, slot.name
    days = [date.fromisoformat(slot.name) for slot in found]
    span = range((days[-1] - days[0]).days + 1)
    assert days == [day for day in (days[0] + step * DAY for step in span) if asked_for(rule, day)]
    assert all(later.due > earlier.due for earlier, later in pairwise(found))


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(EDGES), hourly, st.data())
def test_no_instant_has_two_posts(name: str, rule: Rule, data: st.DataObject) -> None:
    """Two hours that a gap moves together are one post; no hour that the clock shows is left out."""
    zone = ZoneInfo(name)
    start = data.draw(st.sampled_from(changes(name) or (FIRST,))) - 2 * DAY
    after, last, found = start, None, []
    while after < start + 4 * DAY:
        slot = next_slot(rule, zone, after, last)
        found.append(slot.due)
        after, last = slot.due, slot.name
    shown = [start + step * MINUTE for step in range(1, 4 * 24 * 60)]
    on_the_hour = [m for m in shown if _on_the_hour(m.astimezone(zone), rule) and not m.astimezone(zone).fold]
    assert found == sorted(set(found))
    assert set(on_the_hour) <= set(found)


def _on_the_hour(local: datetime, rule: Rule) -> bool:
    return local.minute == 0 and local.hour % rule.number == 0


@given(zones, rules, instants, st.integers(0, 5))
def test_a_date_that_had_its_slot_gets_no_other(name: str, rule: Rule, after: datetime, days: int) -> None:
    """Whatever the clock says, the next slot belongs to a later date or hour than the last."""
    last = rule.name(after.astimezone(ZoneInfo(name)) + (days - 2) * DAY)
    slot = next_slot(rule, ZoneInfo(name), after, last)
    assert slot.name > last
    assert slot.due > after


@settings(deadline=None)
@given(zones, rules, instants, st.integers(0, 60 * 24 * 80))
def test_after_a_long_sleep_only_the_newest_slot_counts(
    name: str, rule: Rule, before: datetime, minutes: int
) -> None:
    """It is due, and nothing after it is; one that is hours too late may stand for all."""
    zone = ZoneInfo(name)
    slot = next_slot(rule, zone, before)
    now = slot.due + minutes * MINUTE
    newest = latest_due(rule, zone, slot, now)
    assert slot.due <= newest.due <= now
    assert next_slot(rule, zone, newest.due, newest.name).due > now


CALENDAR = [
    ("Europe/Madrid", "daily 02:30", "2026-03-28T12:00", "2026-03-29T01:00"),
    ("Europe/Madrid", "daily 02:30", "2026-10-24T12:00", "2026-10-25T00:30"),
    ("America/Havana", "daily 00:00", "2026-03-07T12:00", "2026-03-08T05:00"),
    ("UTC", "daily 09:00", "2026-01-01T09:00", "2026-01-02T09:00"),
    ("UTC", "weekdays 09:00", "2026-01-02T10:00", "2026-01-05T09:00"),
    ("UTC", "weekly mon 09:00", "2026-01-05T09:00", "2026-01-12T09:00"),
    ("UTC", "monthly 31 09:00", "2028-02-01T00:00", "2028-02-29T09:00"),
    ("UTC", "monthly 29 09:00", "2027-02-01T00:00", "2027-02-28T09:00"),
    ("UTC", "monthly 1 09:00", "2026-12-02T00:00", "2027-01-01T09:00"),
    ("Europe/Madrid", "every 1h", "2026-03-29T00:30", "2026-03-29T01:00"),
    ("Europe/Madrid", "every 1h", "2026-03-29T01:00", "2026-03-29T02:00"),
    ("Europe/Madrid", "every 1h", "2026-10-25T00:00", "2026-10-25T02:00"),
    ("Asia/Kolkata", "every 4h", "2026-01-01T00:00", "2026-01-01T02:30"),
]


@pytest.mark.parametrize(("name", "rule", "after", "due"), CALENDAR)
def test_known_days(name: str, rule: str, after: str, due: str) -> None:
    """Gaps, folds, a midnight that does not exist, leap days, ends of months, half-hour zones."""
    slot = next_slot(parse_rule(rule), ZoneInfo(name), datetime.fromisoformat(f"{after}+00:00"))
    assert slot.due == datetime.fromisoformat(f"{due}+00:00")


@settings(deadline=None)
@given(st.sampled_from(EDGES), times, st.data())
def test_the_second_time_of_a_fold_is_the_last_minute_before_the_next(
    name: str, at: time, data: st.DataObject
) -> None:
    """What lasts until a local time that comes twice lasts until it comes the second time."""
    zone = ZoneInfo(name)
    change = data.draw(st.sampled_from(changes(name) or (FIRST,)))
    day = (change + data.draw(st.integers(-30, 30)) * timedelta(hours=1)).astimezone(zone).date()
    wanted = datetime.combine(day, at)
    minutes = [wanted.replace(tzinfo=UTC) + step * MINUTE for step in range(-26 * 60, 26 * 60)]
    earlier = [m for m in minutes if m.astimezone(zone).replace(tzinfo=None) < wanted]
    assert instant(day, at, zone, again=True) == earlier[-1] + MINUTE
    assert minutes[bisect_left(minutes, instant(day, at, zone))] == first_minute(wanted, zone)


@given(rules)
def test_a_rule_is_read_as_it_is_written(rule: Rule) -> None:
    """What the bot shows of a rule can be typed back."""
    assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("Daily 9", DAILY),
        ("daily", DAILY),
        ("weekdays", Rule(Cadence.WEEKDAYS)),
        ("weekly Mon", Rule(Cadence.WEEKLY, number=0)),
        ("weekly sunday 18:30", Rule(Cadence.WEEKLY, time(18, 30), WEEKDAYS.index("sun"))),
        ("monthly 1st", Rule(Cadence.MONTHLY, number=1)),
        ("monthly 31 7:05", Rule(Cadence.MONTHLY, time(7, 5), 31)),
        ("every 4 h", Rule(Cadence.EVERY, time(0), 4)),
    ],
)
def test_rules_as_people_write_them(words: str, rule: Rule) -> None:
    """Nine o'clock where no time is said."""
    assert parse_rule(words) == rule


@pytest.mark.parametrize(
    "words",
    [
        "", "daily 25:00", "daily 9:60", "daily mon 9:00", "weekly", "weekly 09:00", "weekly m 09:00", "monthly",
        "monthly 0", "monthly 32 09:00", "every 5h", "every 0h", "every 24h", "every h", "hourly", "daily 9 9",
        "monthly \u0661", "0 9 * * *",
    ],
)  # fmt: skip
def test_a_rule_that_cant_be_read_is_refused_with_examples(words: str) -> None:
    """Nothing is guessed, and what works stands in the sentence."""
    with pytest.raises(BadArgument) as refused:
        parse_rule(words)
    for example in refused.value.msgid.split(": ")[1].split(", "):
        assert str(parse_rule(example)) == example
