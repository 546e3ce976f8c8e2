"""The practice OKX keeps its books, its keys look like keys, and ccxt itself can work with it."""

from decimal import Decimal

import ccxt
import ccxt.async_support as ccxt_async
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.secrets import find_pasted
from chatbot.exchanges import build
from chatbot.exchanges.okx import OKX, wire
from chatbot.practice._ledger import Impossible
from chatbot.practice.okx import PracticeOKX
from tests.support.practice import MachineClock, practice


@given(
    st.lists(
        st.tuples(st.sampled_from(["buy", "sell"]), st.sampled_from(["btc_usdt", "eth_btc", "swap"])),
        max_size=20,
    )
)
@settings(max_examples=30)
def test_the_books_balance(orders):
    """Start plus everything the rows say is what the balances say; a contract moves fee and gain alone."""
    state = PracticeOKX()
    expected = dict(state.balances)
    for side, book in orders:
        try:
            row = state.trade_swap(side, gain="2.5") if book == "swap" else state.trade(side, book)
        except Impossible:
            continue
        size, price = Decimal(row["fillSz"]), Decimal(row["fillPx"])
        sign = 1 if side == "buy" else -1
        expected[row["feeCcy"].lower()] += Decimal(row["fee"])
        if book == "swap":
            expected["usdt"] += Decimal(row["fillPnl"])
        else:
            base, quote = book.split("_")
            expected[base] += sign * size
            expected[quote] -= sign * size * price

    assert state.balances == expected
    assert all(state.free(asset) >= 0 for asset in state.balances)


def test_practice_keys_look_like_keys():
    """Whoever pastes a practice key or secret into the chat is warned as for a real one."""
    for _ in range(200):
        for text in PracticeOKX().new_key():
            assert find_pasted(f"here: {text}", OKX.shapes) == "okx"


def oracle(running, **changed):
    config = {
        "apiKey": running.state.key,
        "secret": running.state.secret,
        "password": running.state.passphrase,
        "enableRateLimit": False,
        "urls": {"api": {"rest": running.origin}},
        "options": {"fetchMarkets": {"types": ["spot", "swap"]}},
        "has": {"fetchCurrencies": False},
        "number": str,
    }
    return ccxt_async.okx(config | changed)


async def test_ccxt_reads_the_same_account():
    """The class that many programs use fetches what our client reads: balances, fills and prices."""
    async with practice("okx") as running:
        running.state.seed(40)
        theirs, exchange = oracle(running), build({"okx": running.origin}, MachineClock())["okx"]
        reader = exchange.client(running.credentials(), 0)
        try:
            trading = await theirs.fetch_balance()
            funding = await theirs.fetch_balance({"type": "funding"})
            trades = await theirs.fetch_my_trades("BTC/USDT", limit=100)
            ticker = (await theirs.fetch_tickers())["BTC/USDT"]
            ours = {b.asset: b.total for b in await reader.balances()}
            fills = [f for f in (await reader.fills_after("")).fills if f.market == "BTC-USDT"]
            prices = await exchange.prices()
        finally:
            await theirs.close()
            await exchange.close()

        added = {
            name: Decimal(trading["total"].get(name) or 0) + Decimal(funding["total"].get(name) or 0)
            for name in ours
        }
        assert added == ours
        assert len(trades) == len(fills) > 0
        for trade, fill in zip(trades, fills, strict=True):
            assert (trade["info"]["billId"], trade["order"], trade["side"]) == (
                fill.id,
                fill.order,
                fill.side,
            )
            assert (Decimal(trade["price"]), Decimal(trade["amount"])) == (fill.price, fill.quantity)
            assert (Decimal(trade["cost"]), trade["takerOrMaker"]) == (fill.cost, fill.liquidity)
            assert (Decimal(trade["fee"]["cost"]), trade["fee"]["currency"]) == (fill.fee, fill.fee_asset)
            assert trade["timestamp"] == wire.milliseconds(fill.at)
        assert Decimal(ticker["last"]) == prices.last["BTC", "USDT"]


async def test_ccxt_reads_a_contract_as_we_do():
    """A swap's size in coins is what ccxt makes of contracts and their value."""
    async with practice("okx") as running:
        assert isinstance(running.state, PracticeOKX)
        running.state.trade_swap("buy", contracts="7")
        theirs, exchange = oracle(running), build({"okx": running.origin}, MachineClock())["okx"]
        try:
            (trade,) = await theirs.fetch_my_trades("BTC/USDT:USDT")
            (fill,) = (await exchange.client(running.credentials(), 0).fills_after("")).fills
            size = Decimal(str(theirs.market("BTC/USDT:USDT")["contractSize"]))
        finally:
            await theirs.close()
            await exchange.close()

        assert Decimal(trade["amount"]) * size == fill.quantity
        assert Decimal(trade["cost"]) == fill.cost


async def test_ccxt_meets_our_refusals():
    """Ccxt takes a wrong secret, a wrong passphrase and a foreign address for what they are."""
    async with practice("okx") as running:
        for changed in ({"secret": "x"}, {"password": "x"}):
            theirs = oracle(running, **changed)
            with pytest.raises(ccxt.AuthenticationError):
                await theirs.privateGetAccountConfig()
            await theirs.close()
        assert isinstance(running.state, PracticeOKX)
        running.state.keys[running.state.key].addresses = ("192.0.2.7",)
        theirs = oracle(running)
        with pytest.raises(ccxt.PermissionDenied):
            await theirs.privateGetAccountConfig()
        await theirs.close()
