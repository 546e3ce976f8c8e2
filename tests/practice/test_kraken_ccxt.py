"""Ccxt and we read the same account from the practice Kraken, over HTTP, and come to the same values."""

import asyncio
from decimal import Decimal

import ccxt
import ccxt.async_support as ccxt_async
import pytest

from tests.support.practice import connected, practice

# Ccxt keeps a pocket apart (`ADA.S`); here it belongs to its asset.
POCKET = "."


def oracle(running, **changed):
    config = {"apiKey": running.state.key, "secret": running.state.secret, "enableRateLimit": False}
    urls = {"api": {"public": running.origin, "private": running.origin}}
    theirs = ccxt_async.kraken({**config, "urls": urls, "number": str, **changed})
    # Both sign with one key here, so ccxt begins above what we have used.
    theirs.nonce = lambda: 2 * 10**18
    return theirs


async def test_ccxt_reads_the_same_account():
    """Balances, fills and prices are the same to the last digit, whoever of us reads them."""
    async with connected("kraken", history=40) as (exchange, running):
        client = exchange.client(running.credentials(), 0)
        ours = {balance.asset: balance for balance in await client.balances()}
        fills = (await client.fills_after("")).fills
        prices = await exchange.prices()
        theirs = oracle(running)
        try:
            balance = await theirs.fetch_balance()
            trades = await theirs.fetch_my_trades()
            tickers = await theirs.fetch_tickers()
        finally:
            await theirs.close()
            await asyncio.sleep(0)

    totals: dict[str, Decimal] = {}
    for name, amount in balance["total"].items():
        asset = name.partition(POCKET)[0]
        totals[asset] = totals.get(asset, Decimal(0)) + Decimal(amount)
    assert {asset: b.total for asset, b in ours.items()} == {a: t for a, t in totals.items() if t}
    assert ours["BTC"].free == Decimal(balance["BTC"]["free"])
    assert [
        (f.id, f"{f.base}/{f.quote}", f.side, f.quantity, f.price, f.cost, f.fee, f.fee_asset, f.liquidity)
        for f in fills
    ] == [
        (
            *(t["id"], t["symbol"], t["side"], Decimal(t["amount"]), Decimal(t["price"]), Decimal(t["cost"])),
            *(Decimal(t["fee"]["cost"]), t["fee"]["currency"], t["takerOrMaker"]),
        )
        for t in trades
    ]
    assert [int(f.at.timestamp() * 1000) for f in fills] == [t["timestamp"] for t in trades]
    assert {f"{base}/{quote}": price for (base, quote), price in prices.last.items()} == {
        symbol: Decimal(ticker["last"]) for symbol, ticker in tickers.items()
    }


async def test_ccxt_meets_our_refusals():
    """Ccxt takes a wrong key, a missing right and a full counter for what they are."""
    async with practice("kraken") as running:
        running.state.permit(running.state.key, {"balances"})
        theirs, stranger = oracle(running), oracle(running, apiKey="x" * 56)
        try:
            with pytest.raises(ccxt.AuthenticationError):
                await stranger.privatePostBalanceEx()
            with pytest.raises(ccxt.PermissionDenied):
                await theirs.privatePostTradesHistory()
            running.state.fail("", "EAPI:Rate limit exceeded")
            with pytest.raises(ccxt.DDoSProtection):
                await theirs.privatePostBalanceEx()
            told = await theirs.privatePostGetApiKeyInfo()
        finally:
            await theirs.close()
            await stranger.close()

        assert told["result"]["permissions"] == ["query-funds"]
