"""Quiet hours by the clock on the wall, mutes, and what becomes of each kind of notification meanwhile."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.notices import (
    LONGEST_MUTE,
    NEVER_OFF,
    NEVER_QUIET,
    TITLES,
    URGENT,
    Hush,
    Kind,
    Loudness,
    Quiet,
    Way,
    check_loudness,
    decide,
    mute_end,
    parse_quiet,
    parse_span,
)
from chatbot.errors import BadArgument

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NIGHT = Quiet(time(22), time(7))
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
# The nights of the changes of 2026, on both halves of the earth, and one plain week.
NIGHTS = {
    "Europe/Madrid": (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)),
    "America/Santiago": (datetime(2026, 4, 4, tzinfo=UTC), datetime(2026, 9, 5, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 4, 4, tzinfo=UTC), datetime(2026, 10, 3, tzinfo=UTC)),
    "UTC": (datetime(2026, 1, 1, tzinfo=UTC),),
}
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
days = st.frozensets(st.integers(0, 6), min_size=1)


def spans(quiet: Quiet, zone: ZoneInfo, around: datetime) -> list[tuple[datetime, datetime]]:
    """Find the quiet hours of a week as a person with a watch would, minute by minute."""
    minutes = [around + step * MINUTE for step in range(-4 * 24 * 60, 5 * 24 * 60)]
    local = [m.astimezone(zone).replace(tzinfo=None) for m in minutes]
    found = []
    for step in range(-3, 4):
        day = local[len(local) // 2].date() + step * DAY
        start = datetime.combine(day, quiet.start)
        end = datetime.combine(day if quiet.start < quiet.end else day + DAY, quiet.end)
        begins = next(m for m, shown in zip(minutes, local, strict=True) if shown >= start)
        ends = [m for m, shown in zip(minutes, local, strict=True) if shown < end][-1] + MINUTE
        if day.weekday() in quiet.days:
            found.append((begins, ends))
    return found


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(NIGHTS)), times, times, days, st.data())
def test_quiet_hours_are_what_a_watch_would_show(
    name: str, start: time, end: time, on: frozenset[int], data: st.DataObject
) -> None:
    """In every minute around a change of the clock: quiet or not, and until when."""
    if start == end:
        return
    quiet, zone = Quiet(start, end, on), ZoneInfo(name)
    night = data.draw(st.sampled_from(NIGHTS[name]))
    known = spans(quiet, zone, night + 12 * HOUR)
    for minutes in data.draw(st.lists(st.integers(-24 * 60, 48 * 60), min_size=1, max_size=40)):
        at = night + minutes * MINUTE
        over = [ends for begins, ends in known if begins <= at < ends]
        assert quiet.until(at, zone) == max(over, default=None), at


def test_a_night_with_a_change_of_the_clock_ends_at_seven() -> None:
    """An hour shorter or longer, but never twice over."""
    zone = ZoneInfo("Europe/Madrid")
    for day in (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 23, tzinfo=UTC)):
        over = NIGHT.until(day, zone)
        assert over is not None
        assert over.astimezone(zone).time() == time(7)
        assert NIGHT.until(over - MINUTE, zone) == over
        assert NIGHT.until(over, zone) is None


def test_weekdays_are_those_on_which_the_night_begins() -> None:
    """Monday to Friday leaves the small hours of Saturday quiet and Sunday night free."""
    quiet = parse_quiet("22:00-07:00 mon-fri")
    saturday = datetime(2026, 5, 9, 3, tzinfo=UTC)
    assert quiet.until(saturday, ZoneInfo("UTC")) == saturday + 4 * HOUR
    assert quiet.until(saturday + DAY, ZoneInfo("UTC")) is None


@given(times, times, days)
def test_quiet_hours_are_read_as_they_are_written(start: time, end: time, on: frozenset[int]) -> None:
    """What the bot shows can be typed back."""
    if start != end:
        assert parse_quiet(str(Quiet(start, end, on))) == Quiet(start, end, on)


@pytest.mark.parametrize(
    ("words", "quiet"),
    [
        ("22-7", NIGHT),
        ("22:00 – 07:00", NIGHT),
        ("22:00-07:00 Mon-Sun", NIGHT),
        ("13:00-14:30 sat,sun", Quiet(time(13), time(14, 30), frozenset({5, 6}))),
        ("22:00-07:00 fri-mon", Quiet(time(22), time(7), frozenset({4, 5, 6, 0}))),
        ("22:00-07:00 monday, wednesday", Quiet(time(22), time(7), frozenset({0, 2}))),
    ],
)
def test_quiet_hours_as_people_write_them(words: str, quiet: Quiet) -> None:
    """With or without minutes, in short or long names of days."""
    assert parse_quiet(words) == quiet


@pytest.mark.parametrize(
    "words", ["", "25:00", "25:00-07:00", "22:00", "22:00-22:00", "22-7 noday", "22-7-8"]
)
def test_quiet_hours_that_cant_be_read_are_refused_with_an_example(words: str) -> None:
    """Nothing is guessed, and what works stands in the sentence."""
    with pytest.raises(BadArgument) as refused:
        parse_quiet(words)
    example = refused.value.msgid.partition("/quiet ")[2]
    assert str(parse_quiet(example)) == example


@pytest.mark.parametrize(
    ("words", "span"), [("30m", 30 * MINUTE), ("2h", 2 * HOUR), ("2 H", 2 * HOUR), ("7d", 7 * DAY)]
)
def test_spans_as_people_write_them(words: str, span: timedelta) -> None:
    """Minutes, hours, days."""
    assert parse_span(words) == span


@pytest.mark.parametrize("words", ["", "-3", "0h", "8d", "2", "2 weeks", "999999h", "\u0662h"])
def test_a_span_that_cant_be_is_refused_with_an_example(words: str) -> None:
    """Not backwards, not for ever."""
    with pytest.raises(BadArgument) as refused:
        parse_span(words)
    assert parse_span(refused.value.msgid.partition("/mute ")[2])


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_name_and_keeps_its_word(kind: Kind) -> None:
    """Loud is loud, silent is silent, and off is off unless it protects the account."""
    ways = {loudness: _way(kind, loudness) for loudness in Loudness}
    assert TITLES[kind]
    assert (ways[Loudness.LOUD], ways[Loudness.SILENT]) == (Way.LOUD, Way.SILENT)
    assert ways[Loudness.OFF] is (Way.SILENT if kind in NEVER_OFF else Way.OFF)


def test_what_protects_the_account_cant_be_switched_off() -> None:
    """The refusal says what to do instead; silent is allowed."""
    for kind in (Kind.SECURITY, Kind.OUTFLOW, Kind.PERMISSIONS):
        with pytest.raises(BadArgument, match="/mute 2h"):
            check_loudness(kind, Loudness.OFF)
        check_loudness(kind, Loudness.SILENT)
    check_loudness(Kind.FILLS, Loudness.OFF)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("hush", [Hush("10:00-14:00"), Hush(muted_until=NOON + 2 * HOUR)])
def test_what_is_urgent_breaks_through_the_quiet_of_a_place(kind: Kind, hush: Hush) -> None:
    """Everything else is held until it is over."""
    found = decide(kind, Loudness.LOUD, None, hush, "UTC", NOON, urgent=kind in URGENT)
    if kind in URGENT:
        assert found.way is Way.LOUD
    else:
        assert (found.way, found.until) == (Way.HELD, NOON + 2 * HOUR)


def test_a_mute_of_its_own_holds_even_what_is_urgent_for_a_day_at_most() -> None:
    """Whoever mutes security for a week has it back tomorrow."""
    end = mute_end(Kind.SECURITY, NOON + 7 * DAY, NOON)
    assert end == NOON + DAY
    assert mute_end(Kind.FILLS, NOON + 7 * DAY, NOON) == NOON + 7 * DAY
    muted = decide(Kind.SECURITY, Loudness.LOUD, end, NEVER_QUIET, "UTC", NOON, urgent=True)
    assert (muted.way, muted.until) == (Way.HELD, end)
    assert decide(Kind.SECURITY, Loudness.LOUD, end, NEVER_QUIET, "UTC", end, urgent=True).way is Way.LOUD


def test_a_mute_from_before_the_clock_was_set_back_does_not_last_for_ever() -> None:
    """One that ends later than any may last is not believed."""
    far = Hush(muted_until=NOON + LONGEST_MUTE + MINUTE)
    assert decide(Kind.FILLS, Loudness.LOUD, None, far, "UTC", NOON, urgent=False).way is Way.LOUD
    assert decide(
        Kind.FILLS, Loudness.LOUD, NOON + 400 * DAY, NEVER_QUIET, "UTC", NOON, urgent=False
    ).way is (Way.LOUD)


def test_a_mute_that_ends_in_the_quiet_hours_lasts_until_they_end() -> None:
    """Nothing is told at three in the morning because a mute was over then."""
    night = datetime(2026, 5, 4, 23, tzinfo=UTC)
    both = Hush("22:00-07:00", muted_until=night + 4 * HOUR)
    assert both.until(night, "UTC") == night + 8 * HOUR
    assert both.until(night, "Asia/Tokyo") == night + 4 * HOUR
    assert Hush("22:00-07:00", "UTC").until(night, "Asia/Tokyo") == night + 8 * HOUR


def _way(kind: Kind, loudness: Loudness) -> Way:
    return decide(kind, loudness, None, NEVER_QUIET, "UTC", NOON, urgent=kind in URGENT).way
