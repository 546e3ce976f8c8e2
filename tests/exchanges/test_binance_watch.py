"""Which symbols of Binance are read, and when: no fill is missed for long, and a quiet account costs little."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.balances import Balance
from chatbot.exchanges.binance import watch
from chatbot.exchanges.binance.symbols import Table
from chatbot.exchanges.binance.wire import Market
from chatbot.ports.exchanges import OVERLAP
from chatbot.practice._ledger import Impossible
from tests.support.binance import Rig

HOUR = 3600
COINS = 300


async def test_a_quiet_account_costs_its_balances_and_a_look_a_minute():
    """An hour without a change: balances each time, and one symbol a minute, whatever there is to trade."""
    rig = Rig(COINS)
    await rig.begin()

    for _ in range(HOUR // 30):
        assert await rig.poll() == []

    assert rig.http.weight == 120 * 20 + 60 * 20
    assert len(rig.http.symbols()) == 60


async def test_a_trade_is_found_by_the_next_poll_with_one_request():
    """What was bought and what was paid with name the symbol: it alone is read."""
    rig = Rig(COINS)
    await rig.begin()
    bought = rig.trade("buy", "sol_usdt", "2")

    assert await rig.poll(5) == [bought]
    assert rig.http.symbols() == ["SOLUSDT"]
    assert await rig.poll(5) == []
    assert rig.http.symbols() == ["SOLUSDT"]


@pytest.mark.parametrize("fee", ["usdt", "bnb", "sol"])
async def test_fees_of_any_kind_are_part_of_the_explanation(fee):
    """A fee in BNB, in the coin or in what was paid leaves nothing to look for."""
    rig = Rig(COINS)
    await rig.begin()
    wanted = [rig.trade("buy", "sol_usdt", "2", fee=fee), rig.trade("sell", "sol_usdt", "1", fee=fee)]

    assert await rig.poll(5) == wanted
    rig.fresh()
    assert await rig.poll(5) == []
    assert rig.http.symbols() == []


async def test_a_coin_sold_to_the_last_bit_is_found_at_once():
    """It is gone from the balances, and that is the trace."""
    rig = Rig(COINS)
    await rig.begin()
    sold = rig.trade("sell", "xrp_usdt", "1500")

    assert await rig.poll() == [sold]
    assert rig.http.symbols() == ["XRPUSDT"]


async def test_a_trade_between_two_coins_is_found():
    """The symbol that both belong to is read, not each with every money."""
    rig = Rig(COINS)
    await rig.begin()
    traded = rig.trade("buy", "eth_btc", "0.5", fee="bnb")

    assert await rig.poll() == [traded]
    # BNB paid the fee only: its symbols may come too, but what explains all comes among the first.
    assert len(rig.http.symbols()) <= 4


async def test_a_round_trip_in_a_coin_traded_before_is_found_at_once():
    """The symbols that an account has traded are read before any other that might explain a change."""
    rig = Rig(COINS)
    await rig.begin()
    rig.trade("buy", "c123_usdt", "100")
    await rig.poll(5)
    rig.trade("sell", "c123_usdt", "100")
    await rig.poll(5)
    rig.fresh()
    wanted = [rig.trade("buy", "c123_usdt", "100"), rig.trade("sell", "c123_usdt", "100", price="0.98")]

    assert await rig.poll(5) == wanted
    assert rig.http.symbols() == ["BTCUSDT", "C123USDT"]  # the first for its open order


async def test_a_round_trip_of_an_open_order_is_found_at_once():
    """An order that waits names its symbol; once it has filled and was sold again, that is where to look."""
    rig = Rig(COINS)
    await rig.begin()
    rig.practice.reserve("usdt", "500")
    await rig.poll()
    rig.practice.reserve("usdt", "")
    rig.fresh()
    wanted = [
        rig.trade("buy", "pepe_usdt", "1000000"),
        rig.trade("sell", "pepe_usdt", "1000000", price="0.000011"),
    ]

    assert await rig.poll(5) == wanted
    assert "PEPEUSDT" in rig.http.symbols()
    assert len(rig.http.symbols()) <= 10


async def test_a_trade_is_waited_for_when_it_shows_later_than_the_balances():
    """Balances come from one source, trades from another: the symbol is read again with the next polls."""
    rig = Rig(COINS)
    await rig.begin()
    late = rig.trade("buy", "sol_usdt", "1")
    row = rig.practice.trades.pop()

    assert await rig.poll() == []
    rig.practice.trades.append(row)
    assert await rig.poll() == [late]
    rig.fresh()
    assert await rig.poll() == []
    assert rig.http.symbols() == []


async def test_a_trade_with_a_lower_id_that_shows_late_is_told():
    """It lies behind the last one told: what is read again reaches back to it."""
    rig = Rig(COINS)
    await rig.begin()
    late, seen = rig.trade("buy", "sol_usdt", "1"), rig.trade("buy", "sol_usdt", "2")
    row = rig.practice.trades.pop(-2)

    assert await rig.poll() == [seen]
    rig.practice.trades.insert(-1, row)
    assert await rig.poll() == [late]


async def test_what_comes_again_is_bounded_for_all_symbols_of_a_page_together():
    """Several symbols at once, each with many trades told before: twenty-five of them come again at most."""
    rig = Rig()
    await rig.begin()
    books = ("sol_usdt", "xrp_usdt", "eth_usdt")
    for book in books * 20:
        rig.trade("buy", book, "0.1")
    await rig.poll()
    wanted = [rig.trade("buy", book, "0.1") for book in books]

    page = await rig.client.fills_after(rig.cursor)

    assert [fill.id for fill in page.fills][-3:] == wanted
    assert len(page.fills) == OVERLAP + 3


async def test_a_trade_after_the_balances_were_read_is_told_once_and_leaves_nothing_open():
    """What a page holds beyond the reading is explained by the next reading."""
    rig = Rig(COINS)
    await rig.begin()
    first = rig.trade("buy", "sol_usdt", "1")
    before = {asset: rig.practice.balances[asset] for asset in ("sol", "usdt")}
    second = rig.trade("buy", "sol_usdt", "2")
    after = {asset: rig.practice.balances[asset] for asset in ("sol", "usdt")}
    rig.practice.balances.update(before)

    assert await rig.poll() == [first, second]
    rig.practice.balances.update(after)
    assert await rig.poll() == []
    rig.fresh()
    assert await rig.poll() == []
    assert rig.http.symbols() == []
    assert watch.read(rig.cursor).gaps == {}


async def test_open_orders_are_only_asked_for_when_what_they_hold_back_changes():
    """The heaviest request is made once for each change, and never while nothing waits."""
    rig = Rig()
    await rig.begin()
    for amount in ("100", "100", "", ""):
        rig.practice.reserve("usdt", amount)
        await rig.poll()

    asked = [path for path, _ in rig.http.asked if path == "/api/v3/openOrders"]
    assert len(asked) == 2
    assert watch.read(rig.cursor).orders == ["BTCUSDT"]
    rig.practice.reserve("btc", "")
    await rig.poll()
    assert watch.read(rig.cursor).orders == []
    assert len([path for path, _ in rig.http.asked if path == "/api/v3/openOrders"]) == 2


@pytest.mark.parametrize("gone", [False, True])
async def test_a_symbol_that_stops_to_trade_loses_no_fill_that_can_be_read(gone):
    """Its last trades are told with the right coins; one that Binance has dropped stops nobody else's."""
    rig = Rig(COINS)
    await rig.begin()
    rig.trade("buy", "eth_btc", "0.1", fee="bnb")
    await rig.poll()
    last = rig.trade("sell", "eth_btc", "0.2", fee="btc")
    (rig.practice.gone if gone else rig.practice.stopped).add("ETHBTC")
    rig.clock.turn(7 * HOUR)
    other = rig.trade("buy", "sol_usdt", "1")

    told = await rig.poll()

    assert (last in told, other in told) == (not gone, True)
    for _ in range(40):
        await rig.poll()
    assert ("ETHBTC" in watch.read(rig.cursor).ids) is not gone


async def test_thousands_of_fills_between_two_polls_all_come():
    """In a symbol never read and in one read before, whatever number a page holds; older ones are passed."""
    rig = Rig()
    for _ in range(1500):
        rig.trade("buy", "doge_usdt", "1")
    await rig.begin()
    for _ in range(2):
        wanted = [rig.trade("buy", "doge_usdt", "1") for _ in range(2600)]

        assert await rig.poll() == wanted


async def test_what_was_traded_before_the_first_contact_is_not_told_as_new():
    """A symbol read for the first time brings what is new, and leaves the rest to history."""
    rig = Rig()
    old = [rig.trade("buy", "doge_usdt", "1") for _ in range(1200)]
    await rig.begin()
    new = rig.trade("sell", "doge_usdt", "5")

    assert await rig.poll() == [new]
    assert not set(old) & set(rig.told)


async def test_a_new_listing_is_read_without_waiting_for_the_next_table():
    """An asset that the table lacks makes it be read again, and what was paid for it is found."""
    rig = Rig()
    await rig.begin()
    rig.practice.balances["new"] = Decimal(0)
    rig.practice.prices["new_usdt"] = Decimal(2)
    rig.clock.turn(700)
    bought = rig.trade("buy", "new_usdt", "10")

    assert await rig.poll() == [bought]


TABLE = Table({f"C{n:03}USDT": Market(f"C{n:03}", "USDT") for n in range(900)})


def test_the_cursor_stays_short():
    """Hundreds of coins and of traded symbols fit into some ten thousand characters; more are forgotten."""
    balances = [Balance(f"C{n:03}", Decimal("1234.56789"), Decimal("1234.56789")) for n in range(600)]
    held = watch.Watch(watch.read(watch.first(1_795_000_000_000, balances)), TABLE)
    for number in range(900):
        symbol = f"C{number:03}USDT"
        held.state.slow = [symbol]
        held.take(symbol, (), 3_000_000_000 + number, again=False)

    assert list(held.state.ids)[:1] == ["C500USDT"]
    assert len(watch.written(held.state)) < 30_000
    assert watch.read(watch.written(held.state)) == held.state


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["buy", "sell", "poll", "poll", "deposit", "withdrawal"]),
        st.sampled_from(
            ["btc_usdt", "eth_usdt", "eth_btc", "bnb_usdt", "doge_usdt", "pepe_usdt", "btc_fdusd"]
        ),
    ),
    max_size=25,
)


@given(STEPS)
@settings(max_examples=60, deadline=None)
async def test_whatever_happens_every_fill_is_told_in_the_end_and_the_account_grows_quiet(steps):
    """Trades, deposits and withdrawals in any order between polls: all fills come, then nothing more is sought."""
    rig = Rig()
    await rig.begin()
    for act, book in steps:
        rig.clock.turn(1)
        try:
            if act == "poll":
                await rig.poll()
            elif act in {"buy", "sell"}:
                rig.practice.trade(act, book)
            else:
                rig.practice.transfer(act, book.split("_")[0], "0.01")
        except Impossible:
            continue
    for _ in range(30):
        await rig.poll()
    state = watch.read(rig.cursor)

    assert sorted(rig.told) == sorted(rig.practice.fill_ids())
    assert (state.gaps, state.searches, state.todo, state.slow) == ({}, {}, [], [])
