"""Bitso's answers become our values: recorded ones as ccxt reads them, broken ones as an outage."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.bitso import wire
from tests.support.bitso import NOW, answer, client, recorded


def test_reads_recorded_balances():
    """Assets are upper case, zeros are left out, and no digit is lost."""
    btc, mxn = wire.parse_balances(recorded("balance"))

    assert (btc.asset, btc.free, btc.total) == ("BTC", Decimal("0.40000000"), Decimal("0.50000000"))
    assert (mxn.asset, str(mxn.total)) == ("MXN", "1520.11")


def test_reads_recorded_fills():
    """Signs, both spellings of ids and times, maker and taker, and the fee come out in one shape."""
    sold, bought = wire.parse_fills(recorded("user_trades"))

    assert sold == Fill(
        id="98000123",
        order="ExAmPlEoId000001",
        product="spot",
        market="btc_mxn",
        base="BTC",
        quote="MXN",
        side=Side.SELL,
        quantity=Decimal("0.02000000"),
        price=Decimal("1075000.00"),
        cost=Decimal("21500.00"),
        fee=Decimal("64.50000000"),
        fee_asset="MXN",
        liquidity=Liquidity.TAKER,
        at=datetime(2026, 10, 3, 8, 15, 42, tzinfo=UTC),
    )
    assert (bought.id, bought.side, bought.liquidity) == ("52559030", Side.BUY, Liquidity.MAKER)
    assert (bought.fee, bought.fee_asset, bought.at.tzinfo) == (Decimal("0.00000020"), "BTC", UTC)


def test_reads_recorded_prices():
    """Every book with a last price is there, as (base, quote)."""
    prices = wire.parse_prices(recorded("ticker"), NOW)

    assert prices.last == {("BTC", "MXN"): Decimal("1075000.00"), ("USD", "MXN"): Decimal("18.40")}


@pytest.mark.parametrize(
    "odd",
    ['{"book": "btc", "last": "1"}', '{"book": "btc_usd", "last": "NaN"}', '{"last": "1"}', "null", "[]",
     '{"book": "eth_usd", "last": "1e30"}', '{"book": "x_y", "last": {}}', '{"book": "b_c"}'],
)  # fmt: skip
def test_an_odd_price_costs_no_other_its_own(odd):
    """A row of the ticker that makes no sense is left out; the others are read."""
    body = '{"payload": [ODD, {"book": "btc_mxn", "last": "2"}, ODD]}'.replace("ODD", odd)

    assert wire.parse_prices(body.encode(), NOW).last == {("BTC", "MXN"): Decimal(2)}


def test_keeps_nothing_personal_of_the_account():
    """Of the account's status only the one word is read."""
    assert wire.parse_status(recorded("account_status")) == "active"


def test_ccxt_reads_the_same():
    """Ccxt parses the recorded answers to the same amounts, prices and fees."""
    oracle = ccxt.bitso({"number": str})
    theirs = oracle.parse_balance(json.loads(recorded("balance")))
    ours = wire.parse_balances(recorded("balance"))

    assert {b.asset: (b.free, b.total) for b in ours} == {
        b.asset: (Decimal(theirs[b.asset]["free"]), Decimal(theirs[b.asset]["total"])) for b in ours
    }
    for fill, row in zip(
        wire.parse_fills(recorded("user_trades")), json.loads(recorded("user_trades"))["payload"], strict=True
    ):
        trade = oracle.parse_trade(row)
        assert (fill.id, fill.order, fill.side) == (trade["id"], trade["order"], trade["side"])
        assert fill.liquidity == trade["takerOrMaker"]
        assert [fill.quantity, fill.price, fill.cost] == [
            Decimal(trade[name]) for name in ("amount", "price", "cost")
        ]
        assert (fill.fee, fill.fee_asset) == (abs(Decimal(trade["fee"]["cost"])), trade["fee"]["currency"])
        assert fill.at.timestamp() * 1000 == trade["timestamp"]


def test_numbers_may_be_quoted_or_not():
    """An amount written as a JSON number is read digit by digit, never through a float."""
    body = b'{"payload": {"balances": [{"currency": "eth", "available": 0.12345678901234567890123456789, "total": "1e3"}]}}'

    (balance,) = wire.parse_balances(body)

    assert str(balance.free) == "0.12345678901234567890123456789"
    assert balance.total == 1000


@pytest.mark.parametrize(
    "amount",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "sNaN",
        "1e22222",
        "1e-22222",
        "1e21",
        "9" * 500,
        "",
        "x",
        None,
        [],
        True,
    ],
)
def test_senseless_amounts_are_unreadable(amount):
    """What is no amount is an unreachable exchange, not an unforeseen error and not a balance."""
    row = {"currency": "btc", "available": "1", "total": amount}

    with pytest.raises(ExchangeError) as raised:
        wire.parse_balances(json.dumps({"payload": {"balances": [row]}}).encode())

    assert (raised.value.trouble, raised.value.retry) == (Trouble.UNREACHABLE, True)


def test_a_negative_price_and_a_status_without_end_are_unreadable():
    """Nobody is told of a fill at less than nothing, and no page of text is taken for a word."""
    price = recorded("user_trades").replace(b'"price": "', b'"price": "-')
    status = recorded("account_status").replace(b'"status": "active"', b'"status": "' + b"a" * 65 + b'"')

    for parse, body in ((wire.parse_fills, price), (wire.parse_status, status)):
        with pytest.raises(ExchangeError) as raised:
            parse(body)
        assert raised.value.trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        (b"<html>Just a moment...</html>", Trouble.MAINTENANCE),
        (b"", Trouble.MAINTENANCE),
        (b'{"success": tru', Trouble.MAINTENANCE),
        (b"\xff\xfe{", Trouble.MAINTENANCE),
        (b"[]", Trouble.UNREACHABLE),
        (b"null", Trouble.UNREACHABLE),
        (b'{"payload": []}', Trouble.UNREACHABLE),
        (b'{"success": "maybe"}', Trouble.UNREACHABLE),
        (b'{"success": true, "payload": ' + b"[" * 100_000, Trouble.UNREACHABLE),
    ],
)
async def test_what_is_no_answer_is_an_outage(body, trouble):
    """A bot page, half an answer or another shape is an outage to be tried again, nothing else."""
    reader, _ = client(answer(body))

    with pytest.raises(ExchangeError) as raised:
        await reader.balances()

    assert (raised.value.trouble, raised.value.retry) == (trouble, True)


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "success",
                        "payload",
                        "error",
                        "code",
                        "balances",
                        "currency",
                        "total",
                        "available",
                        "tid",
                        "book",
                        "side",
                        "last",
                        "created_at",
                    ]
                ),
                x,
            )
        ),
    ).map(lambda x: json.dumps(x).encode())
)
def test_parsers_raise_nothing_else(body):
    """Whatever the bytes, a parser returns or raises an `ExchangeError`."""
    parsers = [wire.parse_balances, wire.parse_fills, lambda b: wire.parse_prices(b, NOW), wire.parse_status]
    for parse in [*parsers, lambda b: wire.check(answer(b))]:
        try:
            parse(body)
        except ExchangeError:
            continue


@given(st.data())
def test_a_spoilt_field_raises_nothing_else(data):
    """A recorded fill with any one field replaced by anything is read or refused."""
    row = json.loads(recorded("user_trades"))["payload"][0]
    row[data.draw(st.sampled_from(sorted(row)))] = data.draw(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text()
        | st.sampled_from(
            ["9999-12-31T23:59:59-1400", "0001-01-01T00:00:00+1400", "1e22222", "NaN", "9" * 5000]
        )
    )
    try:
        (fill,) = wire.parse_fills(json.dumps({"payload": [row]}).encode())
        assert fill.quantity >= 0
    except ExchangeError as error:
        assert error.trouble is Trouble.UNREACHABLE  # noqa: PT017


@given(st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=-(10**12), max_value=10**12))
def test_amounts_keep_every_digit(value):
    """From text to Decimal and back nothing changes."""
    body = json.dumps({"payload": {"balances": [{"currency": "x", "available": "1", "total": str(value)}]}})

    (balance,) = wire.parse_balances(body.encode())

    assert str(balance.total) == str(value)
