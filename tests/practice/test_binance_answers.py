"""What the practice Binance answers: payloads as recorded, trades, symbols, prices and orders as documented."""

import json
import time
from decimal import Decimal

import pytest

from tests.support.binance import recorded
from tests.support.binance_calls import ACCOUNT, TRADES, calling


def shape(value):
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value and isinstance(value[0], dict) else None


@pytest.mark.parametrize(
    ("name", "path", "query"),
    [
        ("account", ACCOUNT, "omitZeroBalances=true"),
        ("my_trades", TRADES, "symbol=SOLUSDT"),
        ("open_orders", "/api/v3/openOrders", ""),
        ("api_restrictions", "/sapi/v1/account/apiRestrictions", ""),
        ("ticker_price", "/api/v3/ticker/price", ""),
        ("time", "/api/v3/time", ""),
    ],
)
async def test_payloads_have_the_documented_fields(name, path, query):
    """Every endpoint answers with the fields of the recorded payload, no more and no fewer."""
    async with calling() as call:
        call.state.trade("buy", "SOLUSDT")

        assert shape((await call.get(path, query)).json()) == shape(json.loads(recorded(name)))


async def test_a_listed_symbol_has_the_documented_fields():
    """All but `sors`, which is only there where orders can be routed, and the filters, which differ."""
    async with calling() as call:
        listed = (await call.get("/api/v3/exchangeInfo", raw="permissions=SPOT")).json()
    told = json.loads(recorded("exchange_info"))

    assert listed.keys() == told.keys() - {"sors"}
    assert listed["symbols"][0].keys() == told["symbols"][0].keys()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", -1102), ("symbol=NOPE", -1121), ("symbol=SOLUSDT&fromId=x", -1100),
        ("symbol=SOLUSDT&fromId=1&startTime=1", -1128), ("symbol=SOLUSDT&startTime=1&endTime=86400002", -1127),
    ],
)  # fmt: skip
async def test_trades_are_asked_for_as_documented(query, expected):
    """A symbol is needed, ids and times don't mix, and no more than a day lies between two times."""
    async with calling() as call:
        assert await call.code(TRADES, query) == (400, expected)


async def test_trades_come_by_rising_id_from_either_end():
    """The newest without an id, from an id on with one, by time with a time; a thousand at most."""
    async with calling() as call:
        for _ in range(1100):
            call.state.trade("buy", "SOLUSDT", "0.001")
        call.state.trade("buy", "XRPUSDT")
        every = [row["id"] for row in call.state.trades if row["symbol"] == "SOLUSDT"]

        async def ids(query):
            return [row["id"] for row in (await call.get(TRADES, f"symbol=SOLUSDT{query}")).json()]

        assert await ids("") == every[-500:]
        assert await ids("&limit=5000") == every[-1000:]
        assert await ids(f"&fromId={every[10]}&limit=3") == every[10:13]
        assert await ids(f"&fromId={every[10] + 1}&limit=1") == every[11:12]
        assert await ids("&startTime=0&limit=2") == every[:2]
        assert await ids("&endTime=0") == []


async def test_symbols_are_listed_by_their_status():
    """What has stopped is found by that status, what is gone not at all; permission sets can be left out."""
    async with calling() as call:
        call.state.gone.add("DOGEUSDT")

        async def listed(query):
            answer = (await call.get("/api/v3/exchangeInfo", raw=query)).json()
            return {row["symbol"]: row for row in answer["symbols"]}

        everything = await listed("permissions=SPOT")
        trading = await listed("permissions=SPOT&showPermissionSets=false&symbolStatus=TRADING")
        assert everything.keys() - trading.keys() == {"BTCBUSD"}
        assert "DOGEUSDT" not in everything
        assert (await listed("symbolStatus=BREAK")).keys() == {"BTCBUSD"}
        assert await listed("symbolStatus=HALT") == {}
        assert everything["BTCUSDT"]["permissionSets"]
        assert trading["BTCUSDT"]["permissionSets"] == []
        assert (await listed("symbol=BTCUSDT")).keys() == {"BTCUSDT"}
        for query, code in (
            ("symbol=NOPE", -1121),
            ("symbol=BTCUSDT&permissions=SPOT", -1128),
            ("symbolStatus=X", -1122),
        ):
            assert (await call.get("/api/v3/exchangeInfo", raw=query)).json()["code"] == code


async def test_prices_and_the_clock_are_public():
    """Neither key nor signature; one price or all."""
    async with calling() as call:
        rows = (await call.get("/api/v3/ticker/price", key="", raw="x=1")).json()
        one = (await call.get("/api/v3/ticker/price", key="", raw="symbol=BTCUSDT")).json()

        assert one in rows
        assert (await call.get("/api/v3/ticker/price", key="", raw="symbol=NOPE")).json()["code"] == -1121
        now = (await call.get("/api/v3/time", key="", raw="x=1")).json()["serverTime"]
        assert abs(now / 1000 - time.time()) < 5


async def test_open_orders_hold_back_what_the_account_shows_as_locked():
    """A sale locks the coin, a purchase the money; a cancelled one nothing."""
    async with calling() as call:
        for asset, amount in (("usdt", "500"), ("btc", "")):
            assert (await call.control("order", asset=asset, amount=amount)).status_code == 200
        assert (await call.control("order", asset="x")).status_code == 400

        orders = (await call.get("/api/v3/openOrders")).json()
        account = (await call.get(ACCOUNT, "omitZeroBalances=true")).json()

        assert [(row["symbol"], row["side"]) for row in orders] == [("PEPEUSDT", "BUY")]
        assert {b["asset"]: Decimal(b["locked"]) for b in account["balances"] if Decimal(b["locked"])} == {
            "USDT": 500
        }
        assert (await call.get("/api/v3/openOrders", "symbol=BTCUSDT")).json() == []
        assert (await call.get("/api/v3/openOrders", "symbol=NOPE")).json()["code"] == -1121


async def test_zeros_can_be_left_out():
    """Without the parameter every asset is listed, as the real one does."""
    async with calling() as call:
        every = {b["asset"] for b in (await call.get(ACCOUNT)).json()["balances"]}
        held = {b["asset"] for b in (await call.get(ACCOUNT, "omitZeroBalances=true")).json()["balances"]}

        assert every - held == {"DOGE", "PEPE", "BUSD"}
