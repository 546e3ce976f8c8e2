"""How Kraken's trades history is walked: complete both ways, whatever shares a moment or arrives late."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.ports.exchanges import OVERLAP
from tests.support.kraken import NOW, answer, at, client, reading, recorded, rows, walk

SPREAD = st.lists(st.integers(0, 400), max_size=330)


def oldest_first(kept):
    return [name for name, _ in sorted(kept, key=lambda row: row[1])]


@pytest.mark.parametrize("page", [50, 100])
@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 99, 100, 101, 333])
async def test_every_fill_comes_both_ways(page, count):
    """A page may hold fifty or a hundred rows: nothing is lost at the borders, and order is kept."""
    kept = rows(*(30 * number for number in range(count)))
    reader, _ = reading(kept, page)

    upwards, _ = await walk(reader.fills_after, "")
    downwards, _ = await walk(reader.fills_before, "")

    assert list(dict.fromkeys(upwards)) == oldest_first(kept)
    assert downwards == oldest_first(kept)[::-1]


@pytest.mark.parametrize("page", [50, 100])
@pytest.mark.parametrize("together", [60, 100, 101, 420])
async def test_a_burst_in_one_moment_is_told_whole(page, together):
    """An order that takes hundreds of others at once makes as many fills of the same time: all are told."""
    kept = rows(*[0] * 30, *[100] * together, *[200] * 3)
    reader, _ = reading(kept, page)

    upwards, cursor = await walk(reader.fills_after, "")
    downwards, _ = await walk(reader.fills_before, "")
    again = await reader.fills_after(cursor)

    assert sorted(set(upwards)) == sorted(name for name, _ in kept)
    assert Counter(downwards) == Counter(name for name, _ in kept)
    assert len(again.fills) <= OVERLAP


@settings(max_examples=60, deadline=None)
@given(SPREAD, SPREAD, st.sampled_from([50, 100]))
async def test_nothing_is_lost_or_told_before_the_first_contact(before, later, page):
    """However fills crowd together: what came before the proof is history, what came after it is told."""
    kept = rows(*sorted(before))
    reader, http = reading(kept, page)
    head = (await reader._try_fills())[1]
    assert head is not None
    newest = max((moment for _, moment in kept), default=at(0))
    http.rows += [(f"N{number}", newest + 1 + tenths) for number, tenths in enumerate(sorted(later))]

    told, cursor = await walk(reader.fills_after, head.after)
    stored, _ = await walk(reader.fills_before, head.before)
    once_more, _ = await walk(reader.fills_after, cursor)

    assert set(told) == {name for name, _ in http.rows if name[0] == "N"}
    assert set(stored) == {name for name, _ in kept}
    assert set(once_more) <= set(told)


@settings(max_examples=60, deadline=None)
@given(st.data())
async def test_what_arrives_late_is_told_within_the_hour(data):
    """A fill that shows after newer ones is told by the next poll when near, and by the next hour's in any case."""
    reader, http = reading(rows(*range(0, 300, 10)))
    head = (await reader._try_fills())[1]
    assert head is not None
    told, cursor = [], head.after
    late: list[tuple[str, Decimal]] = []
    for number in range(data.draw(st.integers(1, 12))):
        moment = at(40 + 10 * number)
        for copy in range(data.draw(st.integers(0, 40))):
            row = (f"N{number}_{copy}".replace("_", "-"), moment + copy)
            (late if data.draw(st.integers(0, 9)) == 0 else http.rows).append(row)
        found, cursor = await walk(reader.fills_after, cursor)
        told += found
        http.rows += late
        late.clear()
    found, cursor = await walk(reader.fills_after, cursor)
    reader._clock.moment += timedelta(hours=1)
    more, cursor = await walk(reader.fills_after, cursor)

    assert {*told, *found, *more} == {name for name, _ in http.rows if name[0] == "N"}
    assert not {name for name, _ in http.rows if name[0] == "T"} & {*told, *found, *more}


async def test_a_fill_close_behind_comes_with_the_next_poll():
    """Late by less than the overlap costs one poll, not an hour."""
    reader, http = reading(rows(*range(0, 1000, 10)))
    _, cursor = await walk(reader.fills_after, "")
    http.rows.append(("LATE", at(95.05)))

    page = await reader.fills_after(cursor)

    assert "LATE" in [fill.id for fill in page.fills]
    assert len(page.fills) <= OVERLAP + 1


async def test_a_moment_that_may_still_grow_is_read_again():
    """While a burst is a minute young all of it comes again; later only what is newer."""
    young = NOW.timestamp() - 1_767_000_000 - 5
    reader, http = reading([(f"T{number}", at(young)) for number in range(40)])
    _, cursor = await walk(reader.fills_after, "")
    http.rows += [(f"U{number}", at(young)) for number in range(40)]

    grown = await reader.fills_after(cursor)
    reader._clock.moment += timedelta(minutes=2)
    settled = await reader.fills_after((await reader.fills_after(grown.cursor)).cursor)

    assert {fill.id for fill in grown.fills} == {name for name, _ in http.rows}
    assert settled.fills == ()


async def test_history_ends_at_the_proof_even_within_a_second():
    """What was traded a tenth after the proof is news, and no part of history."""
    reader, http = reading(rows(0, 2))
    head = (await reader._try_fills())[1]
    assert head is not None
    http.rows += rows(5, 7, first=2)

    assert [fill.id for fill in (await reader.fills_after(head.after)).fills] == ["T2", "T3"]
    assert [fill.id for fill in (await reader.fills_before(head.before)).fills] == ["T1", "T0"]


async def test_no_history_where_there_was_none():
    """An account without fills has an empty history for ever; its first fill is news."""
    reader, http = reading([])
    head = (await reader._try_fills())[1]
    assert head is not None
    http.rows = rows(10, 20)

    assert (await reader.fills_before(head.before)).fills == ()
    assert [fill.id for fill in (await reader.fills_after(head.after)).fills] == ["T0", "T1"]


async def test_the_documented_answer_in_both_directions():
    """The recorded page, whole: rising and falling, each fill once."""
    body = answer(recorded("TradesHistory"))
    reader, _ = client(body, body)

    newer, older = await reader.fills_after(""), await reader.fills_before("")

    assert [fill.id[:4] for fill in newer.fills] == ["TBGB", "TCWJ", "THVR"]
    assert [fill.id[:4] for fill in older.fills] == ["THVR", "TCWJ", "TBGB"]
    assert (newer.more, older.more) == (False, False)
