"""Binance's trades by id, both ways, and the walk through its symbols: each fill comes once, none is lost."""

import json
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.binance import paging, wire
from chatbot.exchanges.binance.paging import Walk
from chatbot.exchanges.binance.symbols import Symbols, Table
from chatbot.exchanges.binance.wire import Market
from chatbot.ports.exchanges import OVERLAP, Page
from tests.support.binance import FakeHttp, InProcess, Rig, SetClock, answer, client, rows

T = 1_767_000_000_000


def trades(*ids, **changed):
    return wire.parse_trades(json.dumps(rows(*ids, **changed)).encode())


def numbers(found):
    return [row.id for row in found]


async def read_back(rig, cursor):
    pages: list[Page] = []
    while not pages or pages[-1].more:
        pages.append(await rig.client.fills_before(cursor))
        assert len(pages) < 500
        cursor = pages[-1].cursor
    return pages


def test_what_was_told_comes_again_only_from_the_end():
    """Late trades are looked for behind the last id, and no more of the rest is told again than allowed."""
    known = trades(*range(100, 160), 161, 162)

    old, new, last = paging.later(known, 159, 0, OVERLAP)
    late = trades(*range(100, 140), 141, *range(150, 160))

    assert numbers(old) == list(range(135, 160))
    assert (numbers(new), last) == ([161, 162], 162)
    assert numbers(paging.later(late, 159, 0, 5)[0]) == [155, 156, 157, 158, 159]
    assert numbers(paging.later(late, 159, 0, 0)[0]) == []


def test_nothing_from_before_the_first_contact_is_new():
    """A page of a symbol never read holds old trades as well; a quiet one moves nothing."""
    page = trades(1, 2, 3)

    old, new, last = paging.later(page, None, page[1].time, OVERLAP)

    assert (old, numbers(new), last) == ([], [3], 3)
    assert paging.later(page, None, page[2].time, OVERLAP) == ([], [], None)
    assert paging.later([], 7, 0, OVERLAP) == ([], [], 7)


def test_a_full_page_of_old_trades_is_passed():
    """Nothing in it is new, and the next page begins behind it."""
    page = trades(*range(1, paging.PAGE + 1))

    assert paging.later(page, -1, page[-1].time, OVERLAP) == ([], [], paging.PAGE - 1)


def test_a_full_page_leaves_its_last_id_to_the_next():
    """A trade with oneself has two rows of one id; neither is lost at the end of a page."""
    page = trades(*range(1, paging.PAGE + 1))

    _, new, last = paging.later(page, -1, 0, OVERLAP)

    assert (len(new), last) == (paging.PAGE - 1, paging.PAGE - 1)


@pytest.mark.parametrize("known", [2000, 1000])
def test_a_full_page_without_progress_is_no_answer(known):
    """An exchange that ignores `fromId` is an outage, not a reason to ask for ever."""
    with pytest.raises(ExchangeError) as raised:
        paging.later(trades(*range(1, paging.PAGE + 1)), known, 0, OVERLAP)

    assert raised.value.trouble is Trouble.UNREACHABLE


def test_a_way_back_that_leads_nowhere_is_no_answer():
    """A thousand rows of one id, or of one step of ids, are not Binance's."""
    one = trades(*range(1, paging.PAGE + 1))
    for row in one:
        row.id = 5
    for walk in (Walk(T, [], 0, "X"), Walk(T, [], 0, "X", low=9, step=1)):
        with pytest.raises(ExchangeError):
            paging.earlier(one, walk)


HELD = st.sets(st.integers(1, 60_000), max_size=2600)


@given(HELD, st.integers(0, 9), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_way_back_is_complete_whatever_the_ids(ids, scale, selfish):
    """Dense or thin, with trades with oneself or without: every trade comes once, the newest first."""
    every = sorted(number * 10**scale for number in ids)
    stored = trades(*every, at=0)
    if selfish:
        stored += trades(*every[::7], at=0, isBuyer=False)
        stored.sort(key=lambda row: (row.id, row.is_buyer))
    walk: Walk | None = Walk(wire.LAST_MS, [], 0, "BNBBTC")
    found: list[int] = []
    asked = 0
    while walk:
        asked += 1
        query = dict(part.split("=") for part in paging.back(walk).split("&"))
        low = int(query.get("fromId", -1))
        page = [row for row in stored if row.id >= low][: paging.PAGE] if low >= 0 else stored[-paging.PAGE :]
        kept, walk = paging.earlier(page, walk)
        found += numbers(kept)

    assert found == [row.id for row in reversed(stored)]
    assert asked <= 60


async def test_history_ends_where_the_poll_begins():
    """What was traded before the proof is history, what came after is news; nothing is both or neither."""
    rig = Rig()
    before = [rig.trade("buy", "sol_usdt", "1") for _ in range(3)]
    head = await rig.begin()
    after = [rig.trade("buy", "sol_usdt", "1") for _ in range(3)]

    pages = await read_back(rig, head.before)
    await rig.poll()

    assert [fill.id for page in pages for fill in page.fills] == before[::-1]
    assert rig.told == after
    assert (await rig.client.fills_before(pages[-1].cursor)).fills == ()


async def test_history_has_old_symbols_of_what_is_held_and_asks_for_no_others():
    """A pair that stopped years ago belongs to it where its coin is held; thousands of others are left out."""
    rig = Rig(coins=20)
    rig.practice.stopped |= {"C001USDT", "BTCBUSD"}
    rig.practice.balances["busd"] = 10**6 + rig.practice.balances["busd"]
    old = rig.trade("buy", "btc_busd", "0.01", fee="btc")
    rig.practice.balances["busd"] *= 0
    sold = [rig.trade(side, "c002_usdt", "5") for side in ("buy", "sell")]
    head = await rig.begin()
    rig.fresh()

    pages = await read_back(rig, head.before)

    assert {fill.id for page in pages for fill in page.fills} == {old, *sold}
    assert "C001USDT" not in rig.http.symbols()
    assert len(rig.http.symbols()) == len(set(rig.http.symbols())) == len(pages)
    first = rig.http.symbols()[:5]
    assert {"BTCUSDT", "BNBBTC", "ETHBTC"} & set(first)


async def test_a_symbol_that_is_gone_does_not_end_history():
    """It is passed over, and the walk goes on."""
    rig = Rig()
    kept = rig.trade("buy", "sol_usdt", "1")
    head = await rig.begin()
    await rig.symbols.table(former=True)
    rig.practice.gone.add("BNBBTC")

    pages = await read_back(rig, head.before)

    assert [fill.id for page in pages for fill in page.fills] == [kept]


async def test_long_histories_come_newest_first_in_each_symbol():
    """More than a page in one symbol, thin at first, dense later, and thin again."""
    rig = Rig()
    for _ in range(40):
        rig.trade("buy", "doge_usdt", "1")
        rig.practice.next_id += 10_000_000
    for _ in range(2500):
        rig.trade("buy", "doge_usdt", "1")
    for _ in range(1000):
        rig.trade("buy", "doge_usdt", "1")
        rig.practice.next_id += 50
    head = await rig.begin()

    pages = await read_back(rig, head.before)

    assert [fill.id for page in pages for fill in page.fills] == rig.practice.fill_ids()[::-1]


async def test_an_empty_cursor_means_everything():
    """Without a place to begin both ways give all fills."""
    rig = Rig()
    for side in ("buy", "sell", "buy"):
        rig.trade(side, "eth_usdt", "0.1")

    newer = await rig.poll()
    pages = await read_back(rig, "")

    assert newer == rig.practice.fill_ids()
    assert [fill.id for page in pages for fill in page.fills] == newer[::-1]


async def test_fills_of_a_page_come_by_time_whatever_their_symbol():
    """Two symbols traded in turns are told in turns."""
    rig = Rig()
    await rig.begin()
    wanted = [rig.trade("buy", book, "0.1") for book in ("sol_usdt", "xrp_usdt", "sol_usdt", "xrp_usdt")]

    assert await rig.poll() == wanted


async def test_a_trade_of_a_symbol_nobody_can_cut_is_an_outage_and_not_a_guess():
    """A name without a known quote is not told as anything."""
    reader, http = client(answer(json.dumps(rows(1, symbol="XYZNEW")).encode()))
    cast("Any", reader)._symbols.table = lambda **_: _table()
    cursor = msgspec.json.encode(Walk(wire.LAST_MS, ["XYZ"], 1, "XYZNEW")).decode()

    with pytest.raises(ExchangeError) as raised:
        await reader.fills_before(cursor)

    assert raised.value.trouble is Trouble.UNREACHABLE
    assert len(http.asked) == 1


async def _table():
    return Table({"BNBBTC": Market("BNB", "BTC")})


async def test_the_table_of_symbols_is_kept_for_hours():
    """One list for all accounts; what stopped is only asked for when a symbol is missing."""
    http, clock = FakeHttp(), SetClock()
    symbols = Symbols(cast("Any", http), clock)
    for _ in range(3):
        await symbols.table(names=["BNBBTC"], assets=["BNB"])
    clock.turn(5 * 3600)
    await symbols.table()
    assert http.tables == ["permissions=SPOT&showPermissionSets=false&symbolStatus=TRADING"]
    clock.turn(2 * 3600)
    await symbols.table()
    assert len(http.tables) == 2
    assert (await symbols.table(names=["OLDBTC"])).find("OLDBTC") == Market("OLD", "BTC")
    assert [query[-5:] for query in http.tables[2:]] == ["BREAK", "=HALT"]
    await symbols.table(names=["OLDBTC"], assets=["NEWCOIN"])
    assert len(http.tables) == 4
    clock.turn(700)
    await symbols.table(names=["OLDBTC"], assets=["NEWCOIN"])
    assert len(http.tables) == 7


async def test_an_old_table_is_better_than_no_poll():
    """When the list can't be read the one we have goes on; the first time it is an outage."""
    rig, fresh = Rig(), Rig()
    known = await rig.symbols.table()

    async def broken(*_, **__):
        raise ExchangeError(Trouble.UNREACHABLE, "connection")

    for each in (rig, fresh):
        setattr(each.http, "request", broken)  # noqa: B010  mypy takes no other way to break a method
    rig.clock.turn(7 * 3600)

    assert await rig.symbols.table() == known
    with pytest.raises(ExchangeError):
        await fresh.symbols.table()


async def test_a_list_of_nothing_is_no_list():
    """An empty table would stop every account from being read."""
    http = InProcess(Rig().practice)
    http.practice.prices.clear()

    with pytest.raises(ExchangeError) as raised:
        await Symbols(cast("Any", http), SetClock()).table()

    assert raised.value.trouble is Trouble.UNREACHABLE
