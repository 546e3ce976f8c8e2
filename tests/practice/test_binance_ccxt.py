"""The class that many programs use to read Binance works with the practice one, and finds what we find."""

import asyncio
from decimal import Decimal

import ccxt
import ccxt.async_support as ccxt_async
import pytest

from chatbot.domain.fills import Fill
from chatbot.practice.binance import PracticeBinance
from tests.support.practice import connected, practice


def oracle(running, **changed):
    """A ccxt client of the practice server; it knows its spot paths and nothing else."""
    api = {
        "public": f"{running.origin}/api/v3",
        "private": f"{running.origin}/api/v3",
        "sapi": f"{running.origin}/sapi/v1",
    }
    config = {
        "apiKey": running.state.key, "secret": running.state.secret, "enableRateLimit": False, "number": str,
        "urls": {"api": api}, "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False},
    }  # fmt: skip
    return ccxt_async.binance(config | changed)


async def markets_of(running, theirs):
    """Its markets, read by ccxt's own public calls: loading them with a key asks for wallets as well."""
    keyless = oracle(running, apiKey="", secret="")
    try:
        await keyless.load_markets()
    finally:
        await keyless.close()
    theirs.set_markets(keyless.markets)


async def test_ccxt_reads_the_same_account_over_the_wire():
    """Balances, trades of every symbol and open orders: ccxt's parsed values are ours, to the last digit."""
    async with connected("binance", history=60) as (exchange, running):
        theirs = oracle(running)
        try:
            await markets_of(running, theirs)
            client = exchange.client(running.credentials(), 0)
            balance = await theirs.fetch_balance()
            orders = await theirs.fetch_open_orders("BTC/USDT")
            told = (await theirs.sapi_get_account_apirestrictions())["enableReading"]
            ours = {b.asset: (b.free, b.total) for b in await client.balances()}
            fills: list[Fill] = []
            cursor, more = "", True
            while more:
                page = await client.fills_after(cursor)
                fills, cursor, more = [*fills, *page.fills], page.cursor, page.more
            seen = []
            for symbol in sorted({f"{fill.base}/{fill.quote}" for fill in fills}):
                seen += await theirs.fetch_my_trades(symbol, limit=1000)
        finally:
            await theirs.close()
            await asyncio.sleep(0)

        assert isinstance(running.state, PracticeBinance)
        held = {
            a: row
            for a, row in balance.items()
            if isinstance(row, dict) and "total" in row and Decimal(row["total"])
        }
        assert {a: (Decimal(row["free"]), Decimal(row["total"])) for a, row in held.items()} == ours
        assert [order["symbol"] for order in orders] == ["BTC/USDT"]
        assert told is True

        def as_seen(trade):
            fee = trade["fee"]
            return (
                trade["id"], trade["order"], trade["symbol"], trade["side"], Decimal(trade["amount"]),
                Decimal(trade["price"]), Decimal(trade["cost"]), Decimal(fee["cost"]), fee["currency"],
                trade["takerOrMaker"], trade["timestamp"],
            )  # fmt: skip

        def as_ours(fill):
            return (
                fill.id, fill.order, f"{fill.base}/{fill.quote}", fill.side, fill.quantity, fill.price, fill.cost,
                fill.fee, fill.fee_asset, fill.liquidity, int(fill.at.timestamp() * 1000),
            )  # fmt: skip

        assert sorted(map(as_seen, seen)) == sorted(map(as_ours, fills))
        assert len(fills) == 60


async def test_ccxt_meets_our_refusals():
    """Ccxt takes a wrong secret and a missing tick for what they are, an unknown key for a refusal."""
    async with practice("binance") as running:
        key, secret = running.state.new_key({"trade"})
        # By its own table -2008 is a wrong key, but only on Binance's own host.
        for changed, kind in (
            ({"secret": "x"}, ccxt.AuthenticationError),
            ({"apiKey": key, "secret": secret}, ccxt.AuthenticationError),
            ({"apiKey": "A" * 64}, ccxt.ExchangeError),
        ):
            theirs = oracle(running, **changed)
            try:
                with pytest.raises(kind):
                    await theirs.private_get_account()
            finally:
                await theirs.close()
