"""Bitstamp's answers become our values: recorded ones as ccxt reads them, broken ones as an outage."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.bitstamp import rows, wire
from tests.support.bitstamp import NOW, answer, client, recorded, row

ANYTHING = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["9999-12-31T23:59:59-1400", "0001-01-01T00:00:00+1400", "1e22222", "NaN", "9" * 5000])
)
NAMES = [
    "status", "code", "reason", "error", "message", "currency", "total", "available", "id", "type", "datetime",
    "btc", "eur", "btc_eur", "fee", "order_id", "pair", "last",
]  # fmt: skip


def fills(body):
    return [entry.fill for entry in rows.parse_entries(body) if entry.fill is not None]


def parsed(**fields):
    return fills(json.dumps([row(501, **fields)]).encode())


def test_reads_recorded_balances():
    """Assets are upper case, zeros are left out, and no digit is lost."""
    btc, eur = rows.parse_balances(recorded("account_balances"))

    assert (btc.asset, btc.free, btc.total) == ("BTC", Decimal("0.50000000"), Decimal("0.51200000"))
    assert (eur.asset, str(eur.total), eur.locked) == ("EUR", "1200.45", 0)


def test_reads_recorded_transactions():
    """Trades and conversions become fills, quoted or not; deposits only count for paging."""
    bought, deposit, converted, sold = rows.parse_entries(recorded("user_transactions"))

    assert bought.fill == Fill(
        id="501000123",
        order="1930000011112222",
        product="spot",
        market="btc_eur",
        base="BTC",
        quote="EUR",
        side=Side.BUY,
        quantity=Decimal("0.02000000"),
        price=Decimal("57500.00"),
        cost=Decimal("1150.00"),
        fee=Decimal("1.84000"),
        fee_asset="EUR",
        liquidity=Liquidity.UNKNOWN,
        at=datetime(2026, 10, 3, 8, 15, 42, 118204, tzinfo=UTC),
    )
    assert (deposit.id, deposit.fill) == (501000200, None)
    assert converted.fill is not None
    assert sold.fill is not None
    assert (converted.fill.market, str(converted.fill.price)) == ("usdc_eur", "0.85911")
    assert (converted.fill.order, converted.fill.fee) == ("", 0)
    assert (sold.fill.side, sold.fill.market, str(sold.fill.price)) == (Side.SELL, "eth_usdt", "4451.25")
    assert (sold.fill.quantity, sold.fill.fee_asset) == (Decimal("0.005"), "USDT")


def test_reads_recorded_prices():
    """Every pair with a last price is there, as (base, quote)."""
    prices = rows.parse_prices(recorded("ticker"), NOW)

    assert prices.last == {("BTC", "EUR"): Decimal(57510), ("EUR", "USD"): Decimal("1.08731")}


def test_ccxt_reads_the_same():
    """Ccxt parses the recorded answers to the same amounts, prices, fees and times."""
    oracle = ccxt.bitstamp({"number": str})
    pairs = {"btc_eur": "BTC/EUR", "eth_usdt": "ETH/USDT", "usdc_eur": "USDC/EUR"}
    for symbol in pairs.values():
        base, quote = symbol.split("/")
        market = {"id": symbol.replace("/", "").lower(), "symbol": symbol, "base": base, "quote": quote}
        spot = {"baseId": base, "quoteId": quote, "type": "spot", "spot": True, "contract": False}
        oracle.set_markets([*(oracle.markets or {}).values(), market | spot])
    theirs = oracle.parse_balance(json.loads(recorded("account_balances")))
    for balance in rows.parse_balances(recorded("account_balances")):
        seen = theirs[balance.asset]
        assert (balance.free, balance.total) == (Decimal(seen["free"]), Decimal(seen["total"]))

    given = [
        line for line in oracle.parse_json(recorded("user_transactions").decode()) if str(line["type"]) != "0"
    ]
    for fill, line in zip(fills(recorded("user_transactions")), given, strict=True):
        market = oracle.market(pairs[fill.market])
        trade = oracle.parse_trade(line, market)
        assert (fill.id, fill.order, fill.side) == (trade["id"], trade["order"] or "", trade["side"])
        assert (fill.quantity, fill.price) == (Decimal(trade["amount"]), Decimal(trade["price"]))
        assert fill.cost == abs(Decimal(trade["cost"]))
        assert (fill.fee, fill.fee_asset) == (Decimal(trade["fee"]["cost"]), trade["fee"]["currency"])
        assert int(fill.at.timestamp() * 1000) == trade["timestamp"]


@pytest.mark.parametrize(
    ("fields", "market"),
    [
        ({}, "btc_eur"),
        ({"usd": 0.0, "btc_usd": "0.00", "eur_usd": "1.09"}, "btc_eur"),
        ({"usd": "0.00", "btc_usd": "58000.00"}, "btc_eur"),
        ({"self_trade": True, "self_trade_order_id": 9, "margin_mode": "x", "leverage_rate": "1"}, "btc_eur"),
        ({"btc": "0.00000001", "eur": "0.00"}, "btc_eur"),
        ({"btc": "0.00000001", "eur": 0}, "btc_eur"),
        ({"type_id": "7.5"}, "btc_eur"),
        ({"usd": None, "btc_usd": "7.5"}, "btc_eur"),
        ({"usd": "", "btc_usd": "7.5"}, "btc_eur"),
    ],
)
def test_finds_the_pair_that_was_traded(fields, market):
    """Neither other names with a line in them nor zeros and prices of other pairs lead astray."""
    (fill,) = parsed(**fields)

    assert fill.market == market


@pytest.mark.parametrize(
    "fields",
    [
        {"btc_eur": "0.00"},
        {"btc": "0.00000000"},
        {"eur": "100.00"},
        {"usd": "-50", "btc_usd": "100"},
        {"btc_eur": None},
        {"btc_eur": "NaN"},
        {"btc": "1e22222"},
        {"fee": "x"},
        {"id": None},
        {"id": -1},
        {"id": 1.5},
        {"type": "two"},
        {"datetime": "yesterday"},
        {"datetime": None},
        {"btc_eur": ["1"]},
    ],
)
def test_a_row_that_makes_no_sense_is_an_outage(fields):
    """A fill is never guessed and never dropped: the page is tried again."""
    with pytest.raises(ExchangeError) as raised:
        parsed(**fields)

    assert (raised.value.trouble, raised.value.retry) == (Trouble.UNREACHABLE, True)


@pytest.mark.parametrize("kind", ["0", "1", "14", "25", "27", "33", "35", "99", 0, 99])
def test_other_transactions_only_move_the_cursor(kind):
    """Deposits, transfers, rewards and kinds nobody has told us of yet are no fills and no failure."""
    body = json.dumps([{"id": 7, "datetime": "2026-10-04 10:00:01", "type": kind, "x": [1]}]).encode()

    assert rows.parse_entries(body) == (rows.Entry(7, None),)


def test_times_with_and_without_fractions():
    """A time has up to six decimals or none, and is UTC."""
    for text, microsecond in (("2026-10-03 08:15:42", 0), ("2026-10-03 08:15:42.1", 100000)):
        (fill,) = parsed(datetime=text)
        assert fill.at == datetime(2026, 10, 3, 8, 15, 42, microsecond, tzinfo=UTC)


@pytest.mark.parametrize(
    "amount",
    ["NaN", "Infinity", "-Infinity", "sNaN", "1e22222", "1e-22222", "9" * 500, "", "x", None, [], True],
)
def test_senseless_amounts_are_unreadable(amount):
    """What is no amount is an unreachable exchange, not an unforeseen error and not a balance."""
    line = {"currency": "btc", "available": "1", "total": amount}

    with pytest.raises(ExchangeError) as raised:
        rows.parse_balances(json.dumps([line]).encode())

    assert (raised.value.trouble, raised.value.retry) == (Trouble.UNREACHABLE, True)


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        (b"<html>Just a moment...</html>", Trouble.MAINTENANCE),
        (b"", Trouble.MAINTENANCE),
        (b'{"status": "err', Trouble.MAINTENANCE),
        (b"\xff\xfe{", Trouble.MAINTENANCE),
        (b"[]", Trouble.UNREACHABLE),
        (b"null", Trouble.UNREACHABLE),
        (b"{}", Trouble.UNREACHABLE),
        (b'{"status": "ok"}', Trouble.UNREACHABLE),
        (b'{"reason": ' + b"[" * 100_000, Trouble.UNREACHABLE),
        (b"[" * 100_000, Trouble.UNREACHABLE),
        (b'[{"currency": "btc"', Trouble.UNREACHABLE),
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
        ANYTHING, lambda x: st.lists(x) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), x)
    ).map(lambda x: json.dumps(x).encode()),
    st.sampled_from([200, 403, 429, 503]),
)
def test_parsers_raise_nothing_else(body, status):
    """Whatever the bytes, a parser returns or raises an `ExchangeError`."""
    parsers = [rows.parse_balances, rows.parse_entries, rows.parse_any, lambda b: rows.parse_prices(b, NOW)]
    for parse in [*parsers, lambda b: wire.check(answer(b, status))]:
        try:
            parse(body)
        except ExchangeError:
            continue


@given(st.sampled_from(sorted(row(1))), ANYTHING)
def test_a_spoilt_field_raises_nothing_else(name, value):
    """A good trade with any one field replaced by anything is read or refused."""
    try:
        for fill in parsed(**{name: value}):
            assert fill.quantity > 0
            assert fill.price > 0
            assert fill.at.tzinfo is UTC
    except ExchangeError as error:
        assert error.trouble is Trouble.UNREACHABLE  # noqa: PT017


@given(
    st.decimals(min_value="0.00000001", max_value=10**9, places=8),
    st.decimals(min_value="0.01", max_value=10**9, places=2),
    st.booleans(),
    st.booleans(),
)
def test_a_trade_keeps_every_digit(size, price, bought, bare):
    """From text or a bare number to Decimal nothing changes, and signs tell the side."""
    sign = "" if bought else "-"
    other = "-" if bought else ""
    body = json.dumps([row(1, btc=f"{sign}{size}", eur=f"{other}{price}", btc_eur="PRICE")])
    text = body.replace('"PRICE"', str(price) if bare else f'"{price}"').encode()

    (fill,) = fills(text)

    assert (str(fill.quantity), str(fill.price), fill.cost) == (str(size), str(price), price)
    assert fill.side is (Side.BUY if bought else Side.SELL)
