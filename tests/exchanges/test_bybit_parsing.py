"""Bybit's recorded answers as our values: balances of two accounts, fills of four products, prices."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chatbot.domain.balances import Balance
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.bybit import trades, wire
from chatbot.exchanges.bybit.symbols import Market, market
from tests.support.bybit import NOW, NOW_MS, answer, client, envelope, recorded, refused, row_of

PAIRS = wire.parse_pairs(recorded("instruments_info"))


def one(category, **changed):
    """Parse one execution of a category, some of its fields changed."""
    body = envelope({"list": [row_of(category) | changed], "nextPageCursor": ""}).body
    (fill,) = trades.parse_fills(body, category, PAIRS)
    return fill


def unsure(category, **changed):
    body = envelope({"list": [row_of(category) | changed]}).body
    (found,) = trades.fills(trades.parse_executions(body).rows, category, PAIRS)
    return found.unsure


def test_the_unified_wallet_is_what_is_owned():
    """Wallet balances count, not equity; what is borrowed is owed, and a wallet below zero is owed already."""
    balances = {b.asset: b for b in wire.parse_balances(recorded("wallet_balance"))}

    assert balances == {
        "BTC": Balance("BTC", Decimal("0.700000"), Decimal("0.805994")),
        "USDT": Balance("USDT", Decimal("5086.56192602"), Decimal("5086.56192602")),
        "USDC": Balance("USDC", Decimal(1000), Decimal(1000)),
        "ETH": Balance("ETH", Decimal("-0.00009235"), Decimal("-0.00009235")),
    }
    assert balances["BTC"].locked == Decimal("0.105994")


def test_the_funding_account_is_parsed():
    """What can't be moved now is not free; zeros are left out."""
    assert wire.parse_funding(recorded("query_account_coins_balance")) == (
        Balance("BTC", Decimal("0.06"), Decimal("0.06")),
        Balance("USDT", Decimal("96.3"), Decimal("100.3")),
    )
    assert wire.parse_funding(envelope({"balance": None}).body) == ()


async def test_both_accounts_are_one_balance():
    """The same asset in both accounts is told as one sum."""
    reader, _ = client(answer(recorded("wallet_balance")), answer(recorded("query_account_coins_balance")))

    balances = {b.asset: (b.free, b.total) for b in await reader.balances()}

    assert balances["BTC"] == (Decimal("0.760000"), Decimal("0.865994"))
    assert balances["USDT"] == (Decimal("5182.86192602"), Decimal("5186.86192602"))


async def test_a_funding_account_that_may_not_be_seen_is_left_out():
    """Only a missing area leaves it out; any other failure fails the reading, or money would seem to vanish."""
    reader, _ = client(answer(recorded("wallet_balance")), refused(10005))
    assert {b.asset for b in await reader.balances()} == {"BTC", "USDT", "USDC", "ETH"}

    for code, trouble in (
        (10016, Trouble.MAINTENANCE),
        (10001, Trouble.UNKNOWN),
        (10006, Trouble.RATE_LIMIT),
    ):
        reader, _ = client(answer(recorded("wallet_balance")), refused(code))
        with pytest.raises(ExchangeError) as raised:
            await reader.balances()
        assert raised.value.trouble is trouble


def test_an_answer_without_an_account_is_no_empty_account():
    """A unified account is always listed; a new one has no coin yet."""
    with pytest.raises(ExchangeError):
        wire.parse_balances(envelope({"list": []}).body)
    assert wire.parse_balances(envelope({"list": [{"accountType": "UNIFIED", "coin": []}]}).body) == ()


def test_a_spot_fill_is_parsed_whole():
    """Everything the message shows, and the fee in what came in."""
    bought, sold, rebated = trades.parse_fills(recorded("execution_list_spot"), "spot", PAIRS)

    assert bought == Fill(
        id="2290000000101610464",
        order="1549452573428424448",
        product="spot",
        market="BTCUSDT",
        base="BTC",
        quote="USDT",
        side=Side.BUY,
        quantity=Decimal("0.005"),
        price=Decimal("50000.00"),
        cost=Decimal("250.00"),
        fee=Decimal("0.000005"),
        fee_asset="BTC",
        liquidity=Liquidity.TAKER,
        at=datetime(2023, 11, 8, 12, 5, 51, 998000, tzinfo=UTC),
    )
    assert (sold.cost, sold.fee_asset, sold.liquidity) == (Decimal("40.9190"), "USDT", Liquidity.MAKER)
    assert (rebated.fee, rebated.fee_asset) == (Decimal("-0.00205"), "USDT")


@pytest.mark.parametrize(
    ("side", "maker", "rate", "asset"),
    [
        ("Buy", True, "0.001", "BTC"),
        ("Sell", True, "0.001", "USDT"),
        ("Buy", True, "-0.0001", "USDT"),
        ("Sell", True, "-0.0001", "BTC"),
        ("Buy", False, "-0.0001", "BTC"),
        ("Sell", False, "-0.0001", "USDT"),
    ],
)
def test_the_fees_asset_follows_bybits_own_rule(side, maker, rate, asset):
    """Where no asset is named, the documented table says which it is."""
    fill = one("spot", side=side, isMaker=maker, feeRate=rate, feeCurrency="", execFee=rate)

    assert fill.fee_asset == asset


def test_contracts_are_counted_in_their_own_way():
    """Linear in coins, inverse in dollars, options by their premium; each knows what it is settled in."""
    linear = trades.parse_fills(recorded("execution_list_linear"), "linear", PAIRS)
    (inverse,) = trades.parse_fills(recorded("execution_list_inverse"), "inverse", PAIRS)
    (option,) = trades.parse_fills(recorded("execution_list_option"), "option", PAIRS)

    assert [(f.base, f.quote, f.settle, f.fee_asset) for f in (*linear, inverse, option)] == [
        ("ETH", "USDC", "USDC", "USDC"),
        ("BTC", "USDT", "USDT", "USDT"),
        ("BTC", "USDT", "USDT", "USDT"),
        ("BTC", "USD", "BTC", "BTC"),
        ("BTC", "USDT", "USDT", "USDT"),
    ]
    assert [(f.quantity, f.cost) for f in (linear[1], inverse, option)] == [
        (Decimal("0.100"), Decimal("5000.00")),
        (Decimal("0.02"), Decimal(1000)),
        (Decimal("0.05"), Decimal("60.00")),
    ]
    assert linear[1].fee == Decimal("-0.0150")


def test_funding_is_no_fill_and_a_liquidation_is_one():
    """Who is liquidated hears of it; what holders of positions pay each other fills nothing."""
    fills = trades.parse_fills(recorded("execution_list_linear"), "linear", PAIRS)

    assert [fill.id[:8] for fill in fills] == ["e0cbe81d", "135dbae5", "235dbae5"]


def test_the_log_is_asked_only_where_a_contract_may_have_paid():
    """Opening a position pays nothing; closing one, an option's premium, or a row that doesn't say, may."""
    assert not unsure("spot")
    assert not unsure("linear", closedSize="0.000")
    assert unsure("linear", closedSize="0.1")
    assert unsure("linear", closedSize="")
    assert unsure("option", closedSize="0")
    assert not unsure("inverse", execPnl="0.0001")
    assert one("inverse", execPnl="-0.0001").result == Decimal("-0.0001")


def test_the_log_is_parsed():
    """What a trade brought is its cash flow, without fee and funding; rows of one trade add up."""
    page = trades.parse_results(recorded("transaction_log"))

    assert page.results["8569c10f-5061-5891-81c4-a54929847eb3"] == Decimal("1.25")
    assert page.results["5184f079-88ec-54c7-8774-5173cafd2b4e"] == 0
    assert (page.rows, page.cursor) == (3, "21963%3A1%2C14954%3A1")
    twice = envelope({"list": [{"tradeId": "a", "cashFlow": "1"}, {"tradeId": "a", "cashFlow": "-3"}]})
    assert trades.parse_results(twice.body).results == {"a": Decimal(-2)}


@pytest.mark.parametrize(
    ("told", "sent"),
    [
        ("132766%3A2%2C132766%3A2", "132766%3A2%2C132766%3A2"),
        ("first%3DBIOUSDT%26last%3D", "first%3DBIOUSDT%26last%3D"),
        ("a&b=c/d+e", "a%26b%3Dc%2Fd%2Be"),
        (None, ""),
    ],
)
def test_a_cursor_goes_back_as_it_came(told, sent):
    """Bybit's cursors are escaped already; one that is not can't smuggle a parameter in."""
    assert trades.parse_executions(envelope({"list": [], "nextPageCursor": told}).body).cursor == sent


@pytest.mark.parametrize(
    ("category", "symbol", "expected"),
    [
        ("spot", "BTCUSDT", Market("BTC", "USDT")),
        ("spot", "GONEUSDC", Market("GONE", "USDC")),
        ("linear", "1000PEPEUSDT", Market("1000PEPE", "USDT", "USDT")),
        ("linear", "BTCUSDT-21FEB25", Market("BTC", "USDT", "USDT")),
        ("linear", "ETHPERP", Market("ETH", "USDC", "USDC")),
        ("linear", "BTC-24MAR23", Market("BTC", "USDC", "USDC")),
        ("inverse", "BTCUSD", Market("BTC", "USD", "BTC")),
        ("inverse", "ETHUSDZ23", Market("ETH", "USD", "ETH")),
        ("option", "ETH-28FEB25-2800-C", Market("ETH", "USDC", "USDC")),
        ("option", "BTC-13FEB25-89000-P-USDT", Market("BTC", "USDT", "USDT")),
    ],
)
def test_a_name_says_what_is_traded(category, symbol, expected):
    """Every documented pattern of names is read, that of a pair no longer listed too."""
    assert market(category, symbol, PAIRS) == expected


@pytest.mark.parametrize(
    ("category", "symbol"),
    [
        ("spot", "USDT"),
        ("spot", "X"),
        ("linear", "BTC"),
        ("inverse", "BTC"),
        ("option", "BTC-1"),
        ("spot", "é"),
    ],
)
def test_a_name_of_no_pattern_is_unreadable(category, symbol):
    """A name that can't be cut is an error to be tried again, never a guess."""
    with pytest.raises(ExchangeError):
        one(category, symbol=symbol)


def test_prices_come_from_pairs_and_bybits_index():
    """No pair is quoted in dollars, so the index says what a coin is worth in them."""
    prices = wire.parse_prices(recorded("tickers"), PAIRS, NOW)

    assert prices.last == {
        ("BTC", "USDT"): Decimal("20533.13"),
        ("BTC", "USD"): Decimal("20784.12009279"),
    }
    assert prices.rate("USDT", "USD") == Decimal("20784.12009279") / Decimal("20533.13")


def test_an_unlisted_ticker_and_an_empty_index_are_passed_over():
    """A symbol that is not in the table has no base and quote; an empty price is none."""
    rows = [
        {"symbol": "XUSDT", "lastPrice": "1"},
        {"symbol": "BTCUSDT", "lastPrice": "", "usdIndexPrice": ""},
    ]

    assert wire.parse_prices(envelope({"list": rows}, NOW_MS).body, PAIRS, NOW).last == {}
