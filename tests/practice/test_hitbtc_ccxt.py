"""The practice HitBTC keeps its books, its keys look like keys, and ccxt itself can work with it."""

import asyncio
from decimal import Decimal

import ccxt
import ccxt.async_support as ccxt_async
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.secrets import find_pasted
from chatbot.exchanges.hitbtc import HitBTC
from chatbot.practice._ledger import Impossible
from chatbot.practice.hitbtc import PracticeHitBTC
from chatbot.practice.hitbtc.account import PAIRS
from tests.support.practice import practice

RIGHTS = {"balances", "fills", "trade", "transfer"}


@given(
    st.lists(st.tuples(st.sampled_from(["buy", "sell"]), st.sampled_from(["BTCUSDT", "ETHBTC"])), max_size=20)
)
@settings(max_examples=30)
def test_the_books_balance(orders):
    """Start plus everything the trades say is what the balances say, fees and rebates included."""
    state = PracticeHitBTC()
    expected = dict(state.balances)
    for side, symbol in orders:
        try:
            row = state.trade(side, symbol)
        except Impossible:
            continue
        sign, size = 1 if side == "buy" else -1, Decimal(row["quantity"])
        expected[PAIRS[symbol].base] += sign * size
        expected[PAIRS[symbol].quote] -= sign * size * Decimal(row["price"]) + Decimal(row["fee"])
        assert symbol != "ETHBTC" or row["taker"] or Decimal(row["fee"]) <= 0

    assert state.balances == expected
    assert all(value >= 0 for value in state.balances.values())


def test_practice_keys_look_like_keys():
    """Whoever pastes a practice key or secret into the chat is warned as for a real one."""
    for _ in range(200):
        for text in PracticeHitBTC().new_key():
            assert find_pasted(f"here: {text}", HitBTC.shapes) == "hitbtc"


def oracle(running, **changed):
    base = f"{running.origin}/api/3"
    config = {"apiKey": running.state.key, "secret": running.state.secret, "enableRateLimit": False}
    return ccxt_async.hitbtc(
        config | {"urls": {"api": {"public": base, "private": base}}, "number": str} | changed
    )


async def test_ccxt_reads_the_account():
    """The class that many programs use fetches balances, trades, orders, fees and prices from the practice."""
    async with practice("hitbtc") as running:
        running.state.seed(40)
        running.state.permit(running.state.key, RIGHTS)
        theirs = oracle(running)
        try:
            balance = await theirs.fetch_balance()
            trades = await theirs.fetch_my_trades("BTC/USDT", limit=100)
            orders = await theirs.fetch_open_orders("BTC/USDT")
            fees = await theirs.fetch_trading_fees()
            ticker = await theirs.fetch_ticker("BTC/USDT")
        finally:
            await theirs.close()
            await asyncio.sleep(0)

        assert isinstance(running.state, PracticeHitBTC)
        assert {
            a: Decimal(balance[a.upper()]["total"]) for a in running.state.balances
        } == running.state.balances
        expected = [str(row["id"]) for row in running.state.trades if row["symbol"] == "BTCUSDT"]
        assert [trade["id"] for trade in trades] == expected
        assert [order["id"] for order in orders] == ["exampleclientorderid000000000002"]
        assert Decimal(fees["ETH/BTC"]["maker"]) == Decimal("-0.0001")
        assert Decimal(ticker["last"]) == running.state.prices["btc_usdt"]


async def test_ccxt_meets_our_refusals():
    """Ccxt takes a wrong secret and a missing right for what they are."""
    async with practice("hitbtc") as running:
        for changed, kind in (({"secret": "x"}, ccxt.AuthenticationError), ({}, ccxt.PermissionDenied)):
            theirs = oracle(running, **changed)
            try:
                with pytest.raises(kind):
                    await theirs.privateGetSpotFee()
            finally:
                await theirs.close()
