"""The practice Binance answers as the documents say, so that rehearsing with it means something."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot import practice as practices
from chatbot.domain.secrets import find_pasted
from chatbot.exchanges.binance import Binance
from chatbot.practice._ledger import Impossible
from chatbot.practice.binance import ERRORS, PracticeBinance
from chatbot.practice.binance.wire import PATHS
from tests.support.binance_calls import ACCOUNT, TRADES, calling


async def test_who_asks_is_checked_in_the_order_of_the_documents():
    """Form of the key, the key, time, signature, address and tick: each has its own refusal."""
    async with calling() as call:
        state = call.state

        assert await call.code(ACCOUNT, key="short") == (401, -2014)
        assert await call.code(ACCOUNT, key="A" * 64) == (401, -2008)
        assert await call.code(ACCOUNT, raw="timestamp=1") == (400, -1102)
        assert await call.code(ACCOUNT, raw="timestamp=x&signature=00") == (400, -1102)
        assert await call.code(ACCOUNT, ahead=5000) == (400, -1021)
        assert await call.code(ACCOUNT, ahead=-6000) == (400, -1021)
        assert (await call.get(ACCOUNT, ahead=-6000, window=20_000)).status_code == 200
        assert await call.code(ACCOUNT, window=60_001) == (400, -1131)
        assert await call.code(ACCOUNT, secret="wrong") == (400, -1022)
        state.keys[state.key].addresses = ("203.0.113.9",)
        assert await call.code(ACCOUNT) == (401, -2015)
        state.keys[state.key].addresses = ("127.0.0.1",)
        assert (await call.get(ACCOUNT)).status_code == 200
        state.keys[state.key].expires_at = datetime.now(UTC) - timedelta(seconds=1)
        assert await call.code(ACCOUNT) == (401, -2015)


async def test_nothing_that_writes_is_ever_done():
    """Orders and withdrawals are refused whoever asks, and a read path takes no other method."""
    async with calling() as call:
        keys = call.state.new_key(call.state.permissions)
        before = dict(call.state.balances)

        for path in ("/api/v3/order", "/sapi/v1/capital/withdraw/apply"):
            assert await call.code(path, method="POST", key=keys[0], secret=keys[1]) == (401, -2015)
        assert await call.code("/api/v3/openOrders", method="DELETE") == (401, -2015)
        assert await call.code("/api/v3/ticker/price", method="POST") == (401, -1002)
        assert call.state.balances == before


async def test_what_a_key_may_do_is_told_tick_by_tick():
    """The introspection names every tick of the documents, the address list and the day of birth."""
    async with calling() as call:
        state = call.state
        told = (await call.get("/sapi/v1/account/apiRestrictions")).json()
        assert [name for name, value in told.items() if value is True] == ["enableReading"]
        state.permit(state.key, ["balances", "trade", "transfer", "withdraw"])
        state.keys[state.key].addresses = ("127.0.0.1",)

        told = (await call.get("/sapi/v1/account/apiRestrictions")).json()

        assert {name for name, value in told.items() if value is True} == {
            "ipRestrict", "enableReading", "enableSpotAndMarginTrading", "enableInternalTransfer",
            "permitsUniversalTransfer", "enableWithdrawals",
        }  # fmt: skip
        assert abs(told["createTime"] / 1000 - time.time()) < 60
        state.permit(state.key, ["trade"])
        assert await call.code("/sapi/v1/account/apiRestrictions") == (401, -2015)


async def test_weights_are_counted_and_limited_by_the_minute():
    """Each answer tells what was used; beyond the limit comes a 429 until the minute is over."""
    async with calling() as call:
        call.state.limit = 50
        first = await call.get(ACCOUNT)
        second = await call.get("/api/v3/time", raw="x=1")
        assert (first.headers["X-MBX-USED-WEIGHT-1M"], second.headers["X-MBX-USED-WEIGHT-1M"]) == ("20", "21")
        await call.get(ACCOUNT)
        assert await call.code(ACCOUNT) == (429, -1003)
        call.state.clock = lambda: datetime.now(UTC) + timedelta(minutes=2)
        assert (await call.get("/api/v3/time", raw="x=1")).status_code == 200


async def test_a_symbol_can_be_made_to_stop_or_go():
    """Whoever rehearses can see what becomes of fills in a symbol that is taken off."""
    async with calling() as call:
        call.state.trade("buy", "ETHBTC", "0.01")
        stopped = (await call.control("stop", symbol="ETHBTC")).json()["stopped"]
        assert stopped == ["BTCBUSD", "ETHBTC"]
        assert len((await call.get(TRADES, "symbol=ETHBTC")).json()) == 1
        assert (await call.control("stop", symbol="ETHBTC", gone=True)).json()["gone"] == ["ETHBTC"]
        assert await call.code(TRADES, "symbol=ETHBTC") == (400, -1121)
        assert (await call.control("stop", symbol="NOPE")).status_code == 400
        await call.control("reset")
        assert (call.state.stopped, call.state.gone) == ({"BTCBUSD"}, set())


async def test_every_documented_error_can_be_called_up():
    """Each code comes with its own status and text."""
    async with calling() as call:
        for code, (status, text) in ERRORS.items():
            call.state.fail(ACCOUNT, code)
            answer = await call.get(ACCOUNT)
            assert (answer.status_code, text in answer.text) == (status, True), code


def test_every_path_is_named_in_full():
    """Another exchange of the demo answers below the same prefix: nothing here is a pattern."""
    _, app = practices.open_practice("binance")
    paths = [getattr(route, "path", "") for route in app.routes]

    assert {path for path in paths if "practice" not in path} == set(PATHS)
    assert not any("{" in path for path in PATHS)


def test_practice_keys_look_like_keys():
    """Whoever pastes a practice key or secret into the chat is warned as for a real one."""
    for _ in range(100):
        for text in PracticeBinance().new_key():
            assert find_pasted(f"here: {text}", Binance.shapes) == "binance"


@given(
    st.lists(
        st.tuples(st.sampled_from(["buy", "sell"]), st.sampled_from(PracticeBinance.traded)), max_size=20
    )
)
@settings(max_examples=30)
def test_the_books_balance(orders):
    """Start plus everything the trades say is what the balances say, whatever the fee was taken in."""
    state = PracticeBinance()
    expected = dict(state.balances)
    paid = set()
    for side, book in orders:
        try:
            row = state.trade(side, book)
        except Impossible:
            continue
        base, quote = book.split("_")
        sign = 1 if side == "buy" else -1
        expected[base] += sign * Decimal(row["qty"])
        expected[quote] -= sign * Decimal(row["quoteQty"])
        expected[row["commissionAsset"].lower()] -= Decimal(row["commission"])
        paid.add(row["commissionAsset"])

    assert state.balances == expected
    assert all(value >= 0 for value in state.balances.values())
    assert paid <= {"BNB", "BTC", "ETH", "SOL", "USDT"}


def test_some_fees_are_taken_in_bnb_and_some_in_what_was_bought():
    """Both happen, so that both are rehearsed."""
    state = PracticeBinance()
    paid = {state.trade("buy", "SOLUSDT", "0.01")["commissionAsset"] for _ in range(60)}

    assert paid == {"BNB", "SOL"}


def test_what_cannot_be_done_is_said():
    """An unknown book, side or asset is refused with what it takes."""
    state = PracticeBinance()
    for wrong in (
        lambda: state.trade("hold"),
        lambda: state.trade("buy", "nope"),
        lambda: state.transfer("deposit", "nope"),
        lambda: state.reserve("btc", "much"),
    ):
        with pytest.raises(Impossible):
            wrong()
