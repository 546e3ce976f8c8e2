"""HitBTC's trades by id, both ways: each comes once, none is lost, whatever the pages look like."""

from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.hitbtc import paging, wire
from chatbot.exchanges.hitbtc.symbols import Symbols
from tests.support.hitbtc import NOW, FakeHttp, SetClock, client, recorded, trades

MARKETS = wire.parse_markets(recorded("public_symbol"))
SECONDS_AGO = [(NOW - timedelta(seconds=s)).isoformat() for s in range(120)]


def ids(page):
    return [fill.id for fill in page.fills]


def fills(*answers):
    return [fill for answer in answers for fill in wire.parse_fills(answer.body, MARKETS)]


async def test_queries_go_by_id_and_name_the_end_that_moves():
    """Forwards `from` moves, backwards `till`; the row named is asked for again and dropped."""
    reader, http = client(trades(5, 6), trades(9, 8, 7), trades())

    newer, older = await reader.fills_after("5"), await reader.fills_before("8")
    await reader.fills_before("")

    assert [query for _, _, query, _ in http.asked] == [
        "sort=ASC&by=id&from=5&limit=1000",
        "sort=DESC&by=id&till=9&limit=1000",
        "sort=DESC&by=id&limit=1000",
    ]
    assert (ids(newer), newer.cursor, newer.more) == (["6"], "6", False)
    assert (ids(older), older.cursor, older.more) == (["8", "7"], "6", False)


async def test_rows_survive_repeats_and_disorder():
    """Rows come out once and in order, however they come in."""
    reader, _ = client(trades(5, 3, 3, 4, 10), trades(7, 9, 8, 8))

    newer, older = await reader.fills_after("3"), await reader.fills_before("8")

    assert (ids(newer), newer.cursor) == (["4", "5", "10"], "10")
    assert (ids(older), older.cursor) == (["8", "7"], "6")


async def test_a_late_trade_with_a_lower_id_is_still_told():
    """HitBTC may show a trade half a minute late: the cursor waits for it and tells nothing twice."""
    reader, _ = client(
        trades(10, 12, at=SECONDS_AGO[5]),
        trades(10, 11, 12, at=SECONDS_AGO[5]),
        trades(10, 11, 12, at=SECONDS_AGO[90]),
        trades(12),
    )
    cursor, told = "9", []
    for _ in range(4):
        page = await reader.fills_after(cursor)
        told.append(ids(page))
        cursor = page.cursor

    assert told == [["10", "12"], ["11"], [], []]
    assert cursor == "12"


def test_the_cursor_keeps_what_is_not_settled():
    """The floor rises over settled trades only; an answer without rows moves nothing."""
    old, new = fills(trades(3, 4, at=SECONDS_AGO[80])), fills(trades(5, at=SECONDS_AGO[10]))

    assert paging.newer([*old, *new], "", NOW, full=False).cursor == "4~5"
    assert paging.newer(new, "4~5", NOW, full=False).fills == ()
    assert paging.newer([], "4~5", NOW, full=False).cursor == "4~5"
    assert paging.newer([], "", NOW, full=False).cursor == ""
    assert paging.older([], "0", full=False).cursor == "0"


def test_a_trade_with_oneself_is_not_cut_in_two():
    """Its two rows have one id: neither is lost at the end of a full page."""
    both = [*fills(trades(8, side="buy")), *fills(trades(8, side="sell"))]
    seven, nine = fills(trades(7)), fills(trades(9))

    up = paging.newer([*seven, both[0]], "6", NOW, full=True)
    down = paging.older([*nine, both[0]], "9", full=True)

    assert (ids(up), up.cursor, up.more) == (["7"], "7", True)
    assert ids(paging.newer([*seven, *both, *nine], up.cursor, NOW, full=False)) == ["8", "8", "9"]
    assert (ids(down), down.cursor) == (["9"], "8")
    assert ids(paging.older([*both, *seven], down.cursor, full=False)) == ["8", "8", "7"]


def test_a_full_page_without_progress_is_no_answer():
    """An exchange that ignores our bounds is an outage: neither the end of history nor a reason to ask for ever."""
    same = fills(trades(*range(1, 20)))

    for walk in (
        lambda: paging.newer(same, "100", NOW, full=True),
        lambda: paging.older(same, "0", full=True),
        lambda: paging.newer(same[:1], "", NOW, full=True),
    ):
        with pytest.raises(ExchangeError) as raised:
            walk()
        assert raised.value.trouble is Trouble.UNREACHABLE


@given(st.sets(st.integers(1, 400), max_size=60), st.integers(3, 9), st.booleans(), st.integers(0, 400))
def test_walks_are_complete_whatever_the_bounds_mean(numbers, size, inclusive, head):
    """With `from` and `till` inclusive or not, both walks give every trade once, in order, up to the head."""
    everything = sorted(numbers)
    made = {n: fills(trades(n))[0] for n in everything}

    def page(lowest, highest, *, upwards):
        edge = 0 if inclusive else 1
        kept = [n for n in everything if lowest + edge <= n <= highest - edge]
        return [made[n] for n in (kept if upwards else kept[::-1])[:size]]

    told: list[str] = []
    cursor, more = "", True
    while more:
        rows = page(paging.floor_of(cursor), 10**9, upwards=True)
        step = paging.newer(rows, cursor, NOW, full=len(rows) >= size)
        told, cursor, more = [*told, *ids(step)], step.cursor, step.more
    stored: list[str] = []
    cursor, more = str(head), True
    while more:
        rows = page(-1, int(cursor) + 1, upwards=False)
        step = paging.older(rows, cursor, full=len(rows) >= size)
        stored, cursor, more = [*stored, *ids(step)], step.cursor, step.more

    assert told == [str(n) for n in everything]
    assert stored == [str(n) for n in everything if n <= head][::-1]


async def test_symbols_are_not_asked_for_with_every_poll():
    """The table is read at the first fill, kept for later ones, and a quiet poll does without it."""
    reader, http = client(trades(), trades(5), trades(1, 2), trades(2, 3))

    assert (await reader.fills_after("5")).fills == ()
    assert (await reader.fills_after("5")).fills == ()
    assert http.symbols == 0
    await reader.fills_after("0")
    await reader.fills_after("2")

    assert http.symbols == 1


async def test_a_new_symbol_makes_the_table_be_read_again():
    """A symbol listed since then is looked up once a minute at most; prices take a table of an hour."""
    http, clock = FakeHttp(), SetClock()
    symbols = Symbols(cast("Any", http), clock)
    await symbols.listed()
    await symbols.knowing({"BTCUSDT"})
    await symbols.knowing({"NEWUSDT"})
    assert http.symbols == 1
    clock.seconds += 61
    await symbols.knowing({"NEWUSDT"})
    assert http.symbols == 2
    await symbols.listed()
    assert http.symbols == 2
    clock.seconds += 3601
    await symbols.listed()
    assert http.symbols == 3


async def test_an_old_table_is_better_than_no_prices():
    """When HitBTC can't be asked, prices go on with the table we have; the first time it is an outage."""
    http, clock = FakeHttp(), SetClock()

    async def broken(*_):
        raise ExchangeError(Trouble.UNREACHABLE, "connection")

    symbols, fresh = (Symbols(cast("Any", http), clock) for _ in range(2))
    known = await symbols.listed()
    setattr(http, "request", broken)  # noqa: B010  mypy takes no other way to break a method
    clock.seconds += 4000

    assert await symbols.listed() == known
    for ask in (fresh.listed(), fresh.knowing({"BTCUSDT"}), symbols.knowing({"NEWUSDT"})):
        with pytest.raises(ExchangeError):
            await ask
