"""The practice Bybit keeps its books, its keys look like keys, and ccxt itself can work with it."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import ccxt
import ccxt.async_support as ccxt_async
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.secrets import find_pasted
from chatbot.exchanges.bybit import Bybit
from chatbot.practice._ledger import Impossible
from chatbot.practice.bybit import PracticeBybit
from chatbot.practice.bybit.account import START_FUND, milliseconds
from tests.support.practice import connected, practice


def spot_effects(row):
    base, quote = row["symbol"].removesuffix("USDT").lower(), "usdt"
    sign = 1 if row["side"] == "Buy" else -1
    yield base, sign * Decimal(row["execQty"])
    yield quote, -sign * Decimal(row["execValue"])
    yield row["feeCurrency"].lower(), -Decimal(row["execFee"])


@given(
    st.lists(st.tuples(st.sampled_from(["spot", "contract"]), st.sampled_from(["buy", "sell"])), max_size=15)
)
@settings(max_examples=30, deadline=None)
def test_the_books_balance(orders):
    """Start plus what trades, fees and the log say is what the balances say."""
    state = PracticeBybit()
    expected = dict(state.balances)
    for kind, side in orders:
        try:
            row = state.trade(side, "sol_usdt") if kind == "spot" else state.contract(side)
        except Impossible:
            continue
        if kind == "spot":
            for asset, change in spot_effects(row):
                expected[asset] += change
        else:
            expected["usdt"] += state.log[-1]["cashFlow"] - Decimal(row["execFee"])

    assert state.balances == expected
    assert all(value >= 0 for value in state.balances.values())


def test_a_position_pays_when_it_closes():
    """Opening costs the fee alone; closing half brings half of the difference; turning it around starts anew."""
    state = PracticeBybit()
    opened = state.contract("buy", "2")
    entry = state.entry
    state.contract("sell", "1")
    price = state.prices["eth_usdt"]
    assert (opened["closedSize"], state.position) == ("0", 1)
    assert state.log[-1]["cashFlow"] == (price - entry).quantize(Decimal("0.00000001"))

    turned = state.contract("sell", "3")

    assert (turned["closedSize"], state.position) == ("1.00000000", -2)
    assert state.entry == state.prices["eth_usdt"]


def test_practice_keys_look_like_keys():
    """Whoever pastes a practice key or secret into the chat is warned as for a real one."""
    for _ in range(200):
        for text in PracticeBybit().new_key():
            assert find_pasted(f"here: {text}", Bybit.shapes) == "bybit"


def oracle(running, **changed):
    urls = {"api": {"public": running.origin, "private": running.origin}}
    config = {"apiKey": running.state.key, "secret": running.state.secret, "enableRateLimit": False}
    options = {
        "enableUnifiedMargin": False,
        "enableUnifiedAccount": True,
        "fetchMarkets": {"types": ["spot"]},
    }
    return ccxt_async.bybit(
        config
        | {"urls": urls, "options": options, "number": str, "has": {"fetchCurrencies": False}}
        | changed
    )


async def test_ccxt_reads_what_we_read():
    """The class that many programs use gets the same balances and fills from the practice as our client."""
    async with connected("bybit", history=40) as (exchange, running):
        assert isinstance(running.state, PracticeBybit)
        ours = exchange.client(running.credentials(), 0)
        theirs = oracle(running)
        try:
            unified = await theirs.fetch_balance()
            funding = await theirs.fetch_balance({"type": "funding"})
            since = milliseconds(running.state.clock() - timedelta(days=7)) + 1000
            trades = await theirs.fetch_my_trades(None, since, 100, {"type": "spot"})
            markets = await theirs.load_markets()
        finally:
            await theirs.close()
            await asyncio.sleep(0)
        head = (await ours.prove()).head
        assert head is not None
        fills = (await ours.fills_before(head.before)).fills[::-1]

        both = {
            b.asset: Decimal(unified.get(b.asset, {}).get("total") or 0)
            + Decimal(funding.get(b.asset, {}).get("total") or 0)
            for b in await ours.balances()
        }
        assert both == {b.asset: b.total for b in await ours.balances()}
        assert {asset: str(Decimal(funding[asset.upper()]["total"])) for asset in START_FUND} == START_FUND
        assert [t["id"] for t in trades] == [f.id for f in fills]
        for fill, trade in zip(fills, trades, strict=True):
            assert (fill.side, fill.liquidity) == (trade["side"], trade["takerOrMaker"])
            assert (fill.quantity, fill.price, fill.cost) == tuple(
                Decimal(trade[name]) for name in ("amount", "price", "cost")
            )
            assert (fill.fee, fill.fee_asset) == (Decimal(trade["fee"]["cost"]), trade["fee"]["currency"])
            assert (fill.base, fill.quote) == (
                markets[trade["symbol"]]["base"],
                markets[trade["symbol"]]["quote"],
            )


async def test_ccxt_meets_our_refusals():
    """Ccxt takes a wrong secret, a missing area and an ended key for what they are."""
    async with practice("bybit") as running:
        assert isinstance(running.state, PracticeBybit)
        theirs = oracle(running, secret="x")
        with pytest.raises(ccxt.AuthenticationError):
            await theirs.private_get_v5_user_query_api()
        await theirs.close()
        theirs = oracle(running)
        running.state.permit(running.state.key, {"balances"})
        with pytest.raises(ccxt.PermissionDenied):
            await theirs.private_get_v5_execution_list({"category": "spot"})
        running.state.keys[running.state.key].expires_at = running.state.clock() - timedelta(days=1)
        with pytest.raises(ccxt.AuthenticationError, match="33004"):
            await theirs.private_get_v5_user_query_api()
        await theirs.close()
        await asyncio.sleep(0)
