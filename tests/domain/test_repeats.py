"""When the same trouble is told again, and when its message is only edited."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.repeats import AGAIN, EDITED, EVERY, Spell, Telling, ring_due, rung, seen, step

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def told(after: timedelta, rung_after: timedelta) -> datetime:
    return ring_due(START + after, START + after + rung_after)


def test_it_is_told_again_after_one_three_twelve_and_twenty_four_hours_and_daily():
    """The pauses grow, and from the second day on it is once a day."""
    rings, last = [], timedelta()
    for _ in range(7):
        last = ring_due(START, START + last) - START
        rings.append(last / HOUR)

    assert rings == [1, 3, 12, 24, 48, 72, 96]


def test_what_was_missed_is_told_once():
    """A machine that slept over two of the times makes up for one message, not two."""
    spell = rung(Spell("unreachable", START, START), START)

    what, after = step(spell, START + 5 * HOUR, news=False)

    assert what is Telling.RING
    assert ring_due(START, after.rung_at or START) == START + 12 * HOUR


def test_nothing_is_told_before_it_is_news():
    """A failure or two are nobody's business."""
    spell = Spell("unreachable", START, START)

    assert step(spell, START, news=False) == (Telling.NOTHING, spell)
    assert step(spell, START, news=True) == (Telling.RING, rung(spell, START))


def test_a_clock_that_was_set_back_does_not_silence_it():
    """An hour after the clock was set back by a week it is told again."""
    spell = rung(Spell("unreachable", START, START), START)
    back = START - 7 * EVERY

    what, spell = step(spell, back, news=False)

    assert what is Telling.EDIT
    assert step(spell, back + HOUR, news=False)[0] is Telling.RING


@given(st.lists(st.integers(1, 7200), min_size=1, max_size=300))
def test_whenever_it_is_looked_at_it_rings_once_for_each_time_that_passed(pauses: list[int]):
    """However unevenly an account is polled: never two sounds for one time, never a time left out."""
    now, spell, rings = START, rung(Spell("unreachable", START, START), START), [START]
    shown = START
    for pause in pauses:
        before, now = now, now + timedelta(seconds=pause)
        what, spell = step(spell, now, news=True)
        marks = [*AGAIN, *(EVERY * day for day in range(2, 30))]
        assert (what is Telling.RING) == any(before < START + mark <= now for mark in marks)
        if what is Telling.NOTHING:
            assert now - shown < EDITED
        else:
            shown = now
        if what is Telling.RING:
            rings.append(now)

    assert all(later > earlier for earlier, later in pairwise(rings))


def test_the_same_trouble_is_counted():
    """Each failure adds one, and remembers when it was."""
    first = seen([], "expired", START, passing=False)
    second = seen([first], "expired", START + HOUR, passing=False)

    assert (second.tries, second.since, second.last_at) == (2, START, START + HOUR)


def test_a_passing_trouble_goes_on_with_the_one_that_was_told():
    """Out of reach, then in maintenance: to a person that is one outage."""
    away = rung(Spell("unreachable", START, START), START)
    untold = Spell("maintenance", START, START)

    assert seen([away], "maintenance", START, passing=True).trouble == "unreachable"
    assert seen([away, untold], "maintenance", START, passing=True).trouble == "unreachable"
    assert seen([away], "ip_blocked", START, passing=False).trouble == "ip_blocked"


def test_a_trouble_that_was_told_itself_keeps_its_own_message():
    """Two troubles by turns are two messages, not a new one at each change."""
    away = rung(Spell("unreachable", START, START), START)
    blocked = rung(Spell("ip_blocked", START, START + HOUR), START)

    assert seen([away, blocked], "unreachable", START, passing=True).trouble == "unreachable"
    assert seen([away, blocked], "maintenance", START, passing=True) == replace(
        blocked, tries=2, last_at=START
    )
