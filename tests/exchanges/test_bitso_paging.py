"""How Bitso's fills are walked: overlaps forwards, repeats backwards, and every walk ends."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.exchanges.bitso import paging
from chatbot.ports.exchanges import OVERLAP
from tests.support.bitso import answer, client, recorded

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
PAGE = 100


def trades(*tids):
    row = json.loads(recorded("user_trades"))["payload"][0]
    return answer(
        json.dumps({"success": True, "payload": [{**row, "tid": str(tid)} for tid in tids]}).encode()
    )


def fill(tid, side=Side.BUY):
    one = Decimal(1)
    return Fill(
        str(tid), "o", "spot", "btc_mxn", "BTC", "MXN", side, one, one, one, one, "BTC", Liquidity.MAKER, NOW
    )


def upwards(rows, cursor, now=NOW):
    """Read forwards to the end as the client does; return the keys seen and the cursor."""
    seen = []
    for _ in range(100):
        place = paging.Place.read(cursor, now)
        found = [f for f in rows if int(f.id) > int(place.near or 0)][:PAGE]
        page = paging.newer(found, place, full=len(found) >= PAGE)
        seen += [(f.id, f.side) for f in page.fills]
        cursor = page.cursor
        if not page.more:
            return seen, cursor
    raise AssertionError("the walk does not end")


def downwards(rows, cursor):
    """Read backwards to the end; return the keys seen."""
    seen = []
    for _ in range(100):
        marker = cursor.rpartition("@")[2]
        found = [f for f in reversed(rows) if not marker or int(f.id) < int(marker)][:PAGE]
        page = paging.older(found, cursor, full=len(found) >= PAGE)
        seen += [(f.id, f.side) for f in page.fills]
        cursor = page.cursor
        if not page.more:
            return seen
    raise AssertionError("the walk does not end")


async def test_pages_survive_repeats_disorder_and_the_marker_row():
    """Rows come out once and in order, whether or not the marker's own row comes along."""
    reader, _ = client(trades(5, 3, 3, 4, 10), trades(7, 9, 8, 8))

    newer, older = await reader.fills_after("3"), await reader.fills_before("8@9")

    assert ([f.id for f in newer.fills], newer.more) == (["4", "5", "10"], False)
    assert ([f.id for f in older.fills], older.cursor) == (["8", "7"], "8@7")


async def test_a_page_without_progress_ends_the_walk():
    """An exchange that sends the same full page for ever does not keep us asking."""
    same = trades(*range(1, 101))
    reader, _ = client(same, same)

    newer, older = await reader.fills_after("100"), await reader.fills_before("@1")

    assert (newer.fills, newer.more) == ((), False)
    assert (older.fills, older.cursor, older.more) == ((), "@1", False)


async def test_history_leaves_what_came_later_to_the_poll():
    """A fill that happens between the proof and the first page of history is not stored silently."""
    reader, _ = client(trades(50, 49, 48))

    page = await reader.fills_before("49@")

    assert [f.id for f in page.fills] == ["49", "48"]


@pytest.mark.parametrize("count", [0, 1, OVERLAP, OVERLAP + 1, PAGE - 1, PAGE, PAGE + 1, 1234])
def test_every_fill_comes_and_only_the_overlap_comes_again(count):
    """A reading from the beginning is complete; the next one brings the last fills and nothing else."""
    rows = [fill(3 * n) for n in range(1, count + 1)]

    seen, cursor = upwards(rows, "")
    again, onward = upwards(rows, cursor)

    assert [tid for tid, _ in dict.fromkeys(seen)] == [f.id for f in rows]
    assert [tid for tid, _ in again] == [f.id for f in rows[max(0, count - OVERLAP) :]]
    assert onward == cursor


def test_a_late_fill_of_a_lower_id_is_found_by_the_next_reading():
    """What becomes visible behind the newest fill is read, as long as it is in the overlap."""
    rows = [fill(10 * n) for n in range(1, 200)]
    _, cursor = upwards(rows, "")

    seen, _ = upwards(sorted([*rows, fill(1985)], key=lambda f: int(f.id)), cursor)

    assert ("1985", Side.BUY) in seen


def test_a_fill_that_is_very_late_is_found_within_the_hours():
    """The first reading of an hour begins where that of the hour before ended."""
    rows = [fill(10 * n) for n in range(1, 200)]
    _, cursor = upwards(rows[:100], "")
    _, cursor = upwards(rows[:100], cursor, NOW + HOUR)
    _, cursor = upwards(rows, cursor, NOW + HOUR)
    rows = sorted([*rows, fill(1005)], key=lambda f: int(f.id))

    at_once, cursor = upwards(rows, cursor, NOW + HOUR)
    in_time, cursor = upwards(rows, cursor, NOW + 2 * HOUR)
    after, _ = upwards(rows, cursor, NOW + 2 * HOUR)

    assert ("1005", Side.BUY) not in at_once
    assert ("1005", Side.BUY) in in_time
    assert len(after) == OVERLAP


def test_nothing_before_the_first_contact_is_ever_read_forwards():
    """However often the hour changes, what was there at the proof stays history."""
    rows = [fill(n) for n in range(1, 500)]
    cursor = "400"
    for hours in range(4):
        seen, cursor = upwards(rows, cursor, NOW + hours * HOUR)
        assert min(int(tid) for tid, _ in seen) > 400


@pytest.mark.parametrize("at", [PAGE - 1, PAGE, PAGE - OVERLAP, PAGE - OVERLAP - 1, 150])
def test_both_sides_of_a_trade_with_oneself_are_read(at):
    """Two rows of one id are both found, in both directions, wherever a page ends."""
    rows = [fill(n) for n in range(1, 301)]
    rows.insert(at, fill(at, Side.SELL))
    back = [fill(n) for n in range(1, 301)]
    back.insert(300 - at, fill(300 - at, Side.SELL))

    seen, _ = upwards(rows, "")

    assert set(seen) == {(f.id, f.side) for f in rows}
    assert set(downwards(back, "300@")) == {(f.id, f.side) for f in back}
