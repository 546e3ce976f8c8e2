"""HitBTC's answers become our values: recorded ones as ccxt reads them, broken ones as an outage."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import ccxt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.hitbtc import errors, wire
from tests.support.hitbtc import NOW, answer, client, recorded

MARKETS = wire.parse_markets(recorded("public_symbol"))


def oracle():
    """Ccxt's class, with the recorded symbols for its markets and its amounts kept as text."""
    theirs = ccxt.hitbtc({"number": str})
    theirs.publicGetPublicSymbol = lambda *_: json.loads(recorded("public_symbol"))
    theirs.publicGetPublicCurrency = lambda *_: {}
    theirs.load_markets()
    return theirs


def test_reads_recorded_balances():
    """What is free and what is reserved make the total; zeros are left out, and no digit is lost."""
    btc, usdt = wire.parse_balances(recorded("spot_balance"))

    assert (btc.asset, btc.free, btc.total) == ("BTC", Decimal("0.50000000"), Decimal("0.51000000"))
    assert (usdt.asset, str(usdt.total)) == ("USDT", "1200.45")


def test_an_empty_account_is_no_failure():
    """HitBTC lists currencies with a balance: a list without rows is an account that holds nothing."""
    assert wire.parse_balances(b"[]") == ()


def test_reads_recorded_fills():
    """Both spellings of ids, maker and taker, and a fee that is paid to the maker come out in one shape."""
    sold, bought = wire.parse_fills(recorded("spot_history_trade"), MARKETS)

    assert sold == Fill(
        id="4700000123",
        order="58700000456",
        product="spot",
        market="BTCUSDT",
        base="BTC",
        quote="USDT",
        side=Side.SELL,
        quantity=Decimal("0.00100"),
        price=Decimal("57510.10"),
        cost=Decimal("57.5101000"),
        fee=Decimal("0.051759090000"),
        fee_asset="USDT",
        liquidity=Liquidity.TAKER,
        at=datetime(2026, 10, 3, 8, 15, 42, 118000, tzinfo=UTC),
    )
    assert (bought.id, bought.order, bought.side) == ("9535437", "816088021", Side.BUY)
    assert (bought.fee, bought.fee_asset) == (Decimal("-0.000000174"), "BTC")


def test_maker_taker_and_not_told():
    """Without a word on it the fill says so instead of guessing."""
    row = json.loads(recorded("spot_history_trade"))[0]
    found = [
        wire.parse_fills(json.dumps([row | {"taker": taker}]).encode(), MARKETS)[0].liquidity
        for taker in (True, False, None)
    ]

    assert found == [Liquidity.TAKER, Liquidity.MAKER, Liquidity.UNKNOWN]


def test_base_and_quote_come_from_the_table():
    """The name of a symbol is not cut: the table says what BTCUSD trades, futures are left out."""
    table = {
        "BTCUSD": {"type": "spot", "base_currency": "BTC", "quote_currency": "USDT", "fee_currency": None},
        "ETHBTC": {"base_currency": "ETH", "quote_currency": "BTC", "fee_currency": "USDT"},
        "LTCUSDT_PERP": {"type": "futures", "base_currency": "LTC", "quote_currency": "USDT"},
    }
    markets = wire.parse_markets(json.dumps(table).encode())

    assert markets == {
        "BTCUSD": wire.Market("BTC", "USDT", "USDT"),
        "ETHBTC": wire.Market("ETH", "BTC", "USDT"),
    }
    assert set(MARKETS) == {"BTCUSDT", "ETHBTC"}


@pytest.mark.parametrize(
    ("symbol", "pair"),
    [("EOSEURS", ("EOS", "EURS")), ("OLDBTC", ("OLD", "BTC")), ("XUSDT", ("X", "USDT"))],
)
def test_a_pair_no_longer_listed_is_still_read(symbol, pair):
    """Old fills of a delisted pair are cut at the longest quote that fits, so that history has an end."""
    row = json.loads(recorded("spot_history_trade"))[0] | {"symbol": symbol}

    (fill,) = wire.parse_fills(json.dumps([row]).encode(), MARKETS)

    assert ((fill.base, fill.quote), fill.fee_asset) == (pair, pair[1])


@pytest.mark.parametrize("symbol", ["USDT", "NOTHING", "", "X" * 50 + "USDT", "\x07USDT"])
def test_a_name_that_is_no_pair_is_unreadable(symbol):
    """What can't be a pair is not turned into one."""
    row = json.loads(recorded("spot_history_trade"))[0] | {"symbol": symbol}

    with pytest.raises(ExchangeError) as raised:
        wire.parse_fills(json.dumps([row]).encode(), MARKETS)

    assert raised.value.trouble is Trouble.UNREACHABLE


def test_reads_recorded_prices():
    """Every spot market with a last price is there, as (base, quote)."""
    prices = wire.parse_prices(recorded("public_ticker"), MARKETS, NOW)

    assert prices.last == {("BTC", "USDT"): Decimal("57510.1")}


def test_a_negative_price_is_unreadable():
    """Nobody is told of a fill at less than nothing."""
    body = recorded("spot_history_trade").replace(b'"price": "', b'"price": "-')

    with pytest.raises(ExchangeError) as raised:
        wire.parse_fills(body, MARKETS)

    assert raised.value.trouble is Trouble.UNREACHABLE


def test_one_odd_symbol_does_not_cost_the_table():
    """A symbol that can't be shown is left out; a code with an underscore is kept; no symbol at all is an outage."""
    table = json.loads(recorded("public_symbol"))
    table["ODD"] = {"type": "spot", "base_currency": "\x07", "quote_currency": "USDT"}
    table["X" * 41] = {"type": "spot", "base_currency": "X", "quote_currency": "USDT"}
    table["A_BUSDT"] = {"type": "spot", "base_currency": "A_B", "quote_currency": "USDT"}

    markets = wire.parse_markets(json.dumps(table).encode())

    assert set(markets) == {"BTCUSDT", "ETHBTC", "A_BUSDT"}
    assert markets["A_BUSDT"].base == "A-B"
    with pytest.raises(ExchangeError):
        wire.parse_markets(b"{}")


def test_ccxt_reads_the_same():
    """Ccxt parses the recorded answers to the same amounts, sides, prices and fees."""
    theirs = oracle()
    balance = theirs.parse_balance(json.loads(recorded("spot_balance")))
    assert {b.asset: (b.free, b.total) for b in wire.parse_balances(recorded("spot_balance"))} == {
        asset: (Decimal(balance[asset]["free"]), Decimal(balance[asset]["total"]))
        for asset in ("BTC", "USDT")
    }
    rows = json.loads(recorded("spot_history_trade"))
    for fill, row in zip(wire.parse_fills(recorded("spot_history_trade"), MARKETS), rows, strict=True):
        trade = theirs.parse_trade(row)
        assert (fill.id, fill.side) == (trade["id"], trade["side"])
        # Ccxt calls a row without a word on it taker.
        assert fill.liquidity == (trade["takerOrMaker"] if "taker" in row else Liquidity.UNKNOWN)
        assert f"{fill.base}/{fill.quote}" == trade["symbol"]
        assert [fill.quantity, fill.price, fill.cost] == [
            Decimal(trade[name]) for name in ("amount", "price", "cost")
        ]
        assert (fill.fee, fill.fee_asset) == (Decimal(trade["fee"]["cost"]), trade["fee"]["currency"])
        assert int(fill.at.timestamp() * 1000) == trade["timestamp"]
    ticker = theirs.parse_ticker(json.loads(recorded("public_ticker"))["BTCUSDT"], theirs.market("BTC/USDT"))
    prices = wire.parse_prices(recorded("public_ticker"), MARKETS, NOW)
    assert prices.last["BTC", "USDT"] == Decimal(ticker["last"])


@pytest.mark.parametrize(
    "amount", ["NaN", "Infinity", "sNaN", "1e22222", "1e-22222", "9" * 500, "", "x", [], True]
)
def test_senseless_amounts_are_unreadable(amount):
    """What is no amount is an unreachable exchange, not an unforeseen error and not a balance."""
    for name in ("available", "reserved"):
        row = {"currency": "BTC", "available": "1", "reserved": "0"} | {name: amount}

        with pytest.raises(ExchangeError) as raised:
            wire.parse_balances(json.dumps([row]).encode())

        assert (raised.value.trouble, raised.value.retry) == (Trouble.UNREACHABLE, True)


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        (b"<html>Just a moment...</html>", Trouble.MAINTENANCE),
        (b"", Trouble.MAINTENANCE),
        (b'{"error": {"co', Trouble.MAINTENANCE),
        (b"\xff\xfe{", Trouble.MAINTENANCE),
        (b'[{"currency": "BTC", "avai', Trouble.UNREACHABLE),
        (b'{"error": []}', Trouble.UNREACHABLE),
        (b"{}", Trouble.UNREACHABLE),
        (b"null", Trouble.UNREACHABLE),
        (b"[" * 100_000, Trouble.UNREACHABLE),
        (b'{"error": ' + b"[" * 100_000, Trouble.UNREACHABLE),
    ],
)
async def test_what_is_no_answer_is_an_outage(body, trouble):
    """A bot page, half an answer or another shape is an outage to be tried again, nothing else."""
    reader, _ = client(answer(body))

    with pytest.raises(ExchangeError) as raised:
        await reader.balances()

    assert (raised.value.trouble, raised.value.retry) == (trouble, True)


FIELDS = sorted(
    {"error", "code", "message", "BTCUSDT", "type", "base_currency", "quote_currency", "last"}
    | json.loads(recorded("spot_history_trade"))[0].keys()
    | json.loads(recorded("spot_balance"))[0].keys()
)


@given(
    st.binary()
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(FIELDS), x),
    ).map(lambda x: json.dumps(x).encode())
)
def test_parsers_raise_nothing_else(body):
    """Whatever the bytes, a parser returns or raises an `ExchangeError`."""
    for parse in (
        wire.parse_balances,
        wire.parse_markets,
        wire.granted,
        lambda b: wire.parse_fills(b, MARKETS),
        lambda b: wire.parse_prices(b, MARKETS, NOW),
        lambda b: errors.check(answer(b)),
        lambda b: errors.check(answer(b, 401)),
    ):
        try:
            parse(body)
        except ExchangeError:
            continue


ODD = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        ["9999-12-31T23:59:59-1400", "0001-01-01T00:00:00+1400", "1e22222", "NaN", "9" * 5000, "-0"]
    )
)


@given(st.data())
def test_a_spoilt_field_raises_nothing_else(data):
    """A recorded fill with any one field replaced by anything is read or refused."""
    row = json.loads(recorded("spot_history_trade"))[0]
    row[data.draw(st.sampled_from(sorted(row)))] = data.draw(ODD)
    try:
        (fill,) = wire.parse_fills(json.dumps([row]).encode(), MARKETS)
        assert fill.quantity >= 0
        assert fill.at.tzinfo is UTC
    except ExchangeError as error:
        assert error.trouble is Trouble.UNREACHABLE  # noqa: PT017


AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=18, min_value=0, max_value=10**9)


@given(AMOUNTS, AMOUNTS)
def test_amounts_keep_every_digit(free, reserved):
    """Sums and products are exact, far beyond the 28 digits that Python's decimals keep by themselves."""
    row = {"currency": "x", "available": str(free), "reserved": str(reserved)}
    trade = json.loads(recorded("spot_history_trade"))[0] | {"quantity": str(free), "price": str(reserved)}

    found = wire.parse_balances(json.dumps([row]).encode())
    (fill,) = wire.parse_fills(json.dumps([trade]).encode(), MARKETS)

    assert [(b.free, Fraction(b.total)) for b in found] == (
        [(free, Fraction(free) + Fraction(reserved))] if free or reserved else []
    )
    assert Fraction(fill.cost) == Fraction(free) * Fraction(reserved)
