"""What balances alone don't show: round trips, deposits, and trades without a trace, found in time at Binance."""

from chatbot.exchanges.binance import watch
from tests.support.binance import Rig

HOUR = 3600
COINS = 300


async def until_told(rig, wanted, most):
    """Poll until some fills are told, no longer than a number of polls; return how many it took."""
    for count in range(1, most + 1):
        await rig.poll()
        if set(wanted) <= set(rig.told):
            return count
    raise AssertionError(f"not told in {most} polls: {set(wanted) - set(rig.told)}")


async def test_a_coin_never_held_bought_and_sold_between_two_polls_is_found_in_time():
    """Only the money that was lost shows; its symbols are searched, a few with each poll, till it is explained."""
    rig = Rig(COINS)
    await rig.begin()
    wanted = [rig.trade("buy", "c123_usdt", "100"), rig.trade("sell", "c123_usdt", "100", price="0.99")]

    polls = await until_told(rig, wanted, most=COINS // 2 + 20)
    rig.fresh()
    quiet = [await rig.poll() for _ in range(10)]

    assert polls > 1
    assert quiet == [[]] * 10
    assert len(rig.http.symbols()) <= 6


async def test_a_round_trip_that_only_cost_bnb_is_found_in_time():
    """Bought and sold at one price: the fee in BNB is all that shows, and may be of any symbol."""
    rig = Rig(COINS)
    await rig.begin()
    wanted = [rig.trade(side, "c123_usdt", "100", fee="bnb") for side in ("buy", "sell")]

    await until_told(rig, wanted, most=COINS // 2 + 30)


async def test_a_round_trip_without_any_trace_is_found_within_a_day():
    """No fee and one price: nothing changed, but every symbol of what is held has its turn."""
    rig = Rig(COINS)
    await rig.begin()
    wanted = [rig.trade(side, "c123_usdt", "100", fee="") for side in ("buy", "sell")]

    assert await until_told(rig, wanted, most=24 * HOUR // 30) * 30 <= 24 * HOUR


async def test_a_round_trip_without_a_trace_between_held_coins_is_found_within_the_hour():
    """The symbols of which both sides are held have their turn far more often."""
    rig = Rig(COINS)
    await rig.begin()
    wanted = [rig.trade(side, "eth_btc", "0.1", fee="") for side in ("buy", "sell")]

    assert await until_told(rig, wanted, most=HOUR // 30) * 30 <= HOUR


async def test_a_deposit_is_searched_once_and_then_taken_for_what_it_is():
    """All symbols of the asset are read once, slowly; after that the account is as quiet as before."""
    rig = Rig(COINS)
    await rig.begin()
    rig.practice.transfer("deposit", "usdt", "1000")
    most = 0
    for _ in range(COINS):
        rig.fresh()
        assert await rig.poll() == []
        most = max(most, rig.http.weight)
    rig.fresh()
    for _ in range(20):
        await rig.poll()

    assert most <= 20 * 10
    assert rig.http.weight == 20 * 20 + 10 * 20
    assert watch.read(rig.cursor).searches == {}


async def test_trades_go_on_to_be_found_while_a_deposit_is_searched():
    """What one change can't explain does not hide the next, and does not cost more with each trade."""
    rig = Rig(COINS)
    await rig.begin()
    rig.practice.transfer("deposit", "usdt", "1000")
    for _ in range(6):
        await rig.poll()
    rig.fresh()
    for number in range(20):
        wanted = rig.trade("buy" if number % 2 else "sell", "btc_usdt", "0.01")
        assert wanted in await rig.poll()

    assert len(rig.http.symbols()) <= 20 * 4


async def test_what_came_and_went_again_ends_the_search():
    """A deposit that is withdrawn while its symbols are searched leaves nothing to look for."""
    rig = Rig(COINS)
    await rig.begin()
    rig.practice.transfer("deposit", "usdt", "1000")
    for _ in range(5):
        await rig.poll(5)
    assert watch.read(rig.cursor).searches
    rig.practice.transfer("withdrawal", "usdt", "1000")
    await rig.poll(5)
    rig.fresh()

    assert await rig.poll(5) == []
    assert (watch.read(rig.cursor).searches, rig.http.symbols()) == ({}, [])


async def test_a_round_trip_beside_a_deposit_is_found_by_the_one_search():
    """Both hide in the same change: the trade is told on the way, and nothing is searched twice for it."""
    rig = Rig(COINS)
    await rig.begin()
    rig.practice.transfer("deposit", "usdt", "1000")
    wanted = [rig.trade("buy", "c200_usdt", "100"), rig.trade("sell", "c200_usdt", "100", price="0.9")]
    for _ in range(COINS // 2 + 20):
        await rig.poll()

    assert sorted(rig.told) == sorted(wanted)
    assert watch.read(rig.cursor).searches == {}


async def test_a_deposit_to_an_account_of_many_coins_costs_little_at_once():
    """The symbols of all that is held are not read in one go for it."""
    rig = Rig(COINS)
    for number in range(60):
        rig.practice.balances[f"c{number:03}"] += 5
    await rig.begin()
    rig.practice.transfer("deposit", "usdt", "1000")
    await rig.poll(5)

    assert len(rig.http.symbols()) <= 10
