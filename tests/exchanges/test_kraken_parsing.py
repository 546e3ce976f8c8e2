"""From Kraken's answers to our values: balances and their pockets, names, pairs, fills, prices."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

import pytest

from chatbot.domain.balances import Balance
from chatbot.domain.fills import Liquidity, Side
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.kraken import names, wire
from chatbot.exchanges.kraken.names import Book
from chatbot.exchanges.kraken.tables import ASSETS, PAIRS, Tables
from tests.support.kraken import NOW, FakeHttp, SetClock, answer, client, recorded, refused

ALTNAMES = wire.parse_altnames(recorded("Assets", "get"))
LISTED = wire.parse_pairs(recorded("AssetPairs", "get"), ALTNAMES)
BOOK = Book(ALTNAMES, LISTED)


def balances(**held):
    rows = {
        code.replace("_", "."): {"balance": both[0], "hold_trade": both[1]} for code, both in held.items()
    }
    return wire.parse_balances(json.dumps({"error": [], "result": rows}).encode(), {})


def test_balances_of_the_documented_answers():
    """Numbers come quoted or bare, orders lock, zeros are left out, and pockets are added to their asset."""
    found = {b.asset: (b.free, b.total) for b in wire.parse_balances(recorded("BalanceEx"), {})}

    assert found == {
        "USD": (Decimal("17185.45"), Decimal("1238464.4880")),
        "BTC": (Decimal("0.4012"), Decimal("1.2435")),
        "EUR": (Decimal("504861.8946"), Decimal("504861.8946")),
        "USDT": (Decimal("500012.5"), Decimal("500012.5")),
        "DOT": (Decimal("2.5"), Decimal("9.75")),
        "ETH": (Decimal("820.638557433"), Decimal("1019.535637433")),
        "KFEE": (Decimal(1010), Decimal(1010)),
    }


def test_money_in_a_pocket_is_still_the_assets_money():
    """What earns by itself can be used; what is staked or bonded is part of the total and not free."""
    for pocket in ("S", "M", "B", "P"):
        assert balances(**{f"ADA_{pocket}": ("5", "0")}) == (Balance("ADA", Decimal(0), Decimal(5)),)
    assert balances(ADA_F=("5", "0"), ADA=("2", "1")) == (Balance("ADA", Decimal(6), Decimal(7)),)
    assert balances(XBT_F=("1", "0"), XXBT=("1", "0")) == (Balance("BTC", Decimal(2), Decimal(2)),)
    # A tokenised share, or a pocket nobody here knows, is shown under its own name.
    assert [b.asset for b in balances(AAPL_T=("1", "0"), USD_HOLD=("1", "0"))] == ["AAPL.T", "USD.HOLD"]


def test_an_account_that_holds_nothing_is_no_failure():
    """An empty list of balances is a new account; an answer without one is an outage."""
    assert wire.parse_balances(b'{"error": [], "result": {}}', {}) == ()
    with pytest.raises(ExchangeError) as raised:
        wire.parse_balances(b'{"error": []}', {})
    assert raised.value.trouble is Trouble.UNREACHABLE


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("XXBT", "BTC"), ("XBT", "BTC"), ("XBT.M", "BTC"), ("XETH", "ETH"), ("ETH", "ETH"), ("ZUSD", "USD"),
        ("USD.F", "USD"), ("ZEUR", "EUR"), ("XDG", "DOGE"), ("XXDG", "DOGE"), ("XXRP", "XRP"), ("XRP", "XRP"),
        ("XXLM", "XLM"), ("XZEC", "ZEC"), ("XXMR", "XMR"), ("XTZ", "XTZ"), ("ZRX", "ZRX"), ("XCN", "XCN"),
        ("ETH2", "ETH"), ("ETH2.S", "ETH"), ("DOT28.S", "DOT"), ("ATOM21.S", "ATOM"), ("KAVA.S", "KAVA"),
        ("KFEE", "KFEE"), ("ZETA", "ZETA"), ("1INCH", "1INCH"), ("USDT", "USDT"), ("AAPLx", "AAPLX"),
    ],
)  # fmt: skip
def test_assets_are_called_as_everywhere(code, name):
    """Only the codes of the first years lose a letter; `XTZ` stays what it is."""
    assert names.asset(code, ALTNAMES) == name


def test_a_code_in_doubt_is_looked_up():
    """Four letters that begin with X or Z may be either: then, and only then, Kraken's own list is asked."""
    assert [code for code in ("XABC", "ZETA", "XTZ", "XXBT", "ZUSD", "SOLX") if names.doubtful(code)] == [
        "XABC",
        "ZETA",
    ]
    assert names.asset("XABC", {"XABC": "ABC"}) == "ABC"
    assert names.asset("KFEE", {"KFEE": "FEE"}) == "KFEE"


def test_pairs_are_known_by_each_of_their_names():
    """Kraken's key, its other name and the one with a slash lead to the same two assets."""
    for pair in ("XXBTZUSD", "XBTUSD", "XBT/USD"):
        assert BOOK.find(pair) == ("BTC", "USD")
    assert BOOK.find("XDGUSD") == ("DOGE", "USD")


@pytest.mark.parametrize(
    ("pair", "both"),
    [
        ("XICNXETH", ("ICN", "ETH")), ("XETCXXBT", ("ETC", "BTC")), ("XXBTZJPY", ("BTC", "JPY")),
        ("XTZUSD", ("XTZ", "USD")), ("XTZXBT", ("XTZ", "BTC")), ("GNOXBT", ("GNO", "BTC")),
        ("EOSETH", ("EOS", "ETH")), ("USDTZUSD", ("USDT", "USD")), ("WAVESUSD", ("WAVES", "USD")),
        ("XXBTZUSD.d", ("BTC", "USD")), ("XBTUSD:BTNL", ("BTC", "USD")), ("XBT/CHF", ("BTC", "CHF")),
        ("LUNA2EUR", ("LUNA2", "EUR")), ("FOOBARBAZ", ("FOOBAR", "BAZ")), ("AAPLxUSD", ("AAPLX", "USD")),
    ],
)  # fmt: skip
def test_a_pair_that_is_no_longer_listed_loses_no_fill(pair, both):
    """Old fills name pairs that are gone; their names are cut where a known quote begins."""
    assert BOOK.find(pair) == both


def test_fills_of_the_documented_answers():
    """Every field of a fill, exact; the fee is in the quote; a position's trade exchanges no money."""
    fills = wire.fills(wire.parse_sheet(recorded("TradesHistory")).trades, BOOK)

    assert [fill.id for fill in fills] == [
        "THVRQM-33VKH-UCI7BS",
        "TCWJEG-FL4SZ-3FKGH6",
        "TBGB6I-IMYKU-WWA2SK",
    ]
    made, took, closed = fills
    assert (took.base, took.quote, took.market, took.product) == ("BTC", "USD", "XXBTZUSD", "spot")
    assert (took.side, took.quantity, took.price) == (Side.BUY, Decimal("0.01"), Decimal(30010))
    assert (took.cost, took.fee, took.fee_asset) == (Decimal("300.1"), Decimal("0.48016"), "USD")
    assert (took.order, took.liquidity, made.liquidity) == (
        "OQCLML-BW3P3-BUCMWZ",
        Liquidity.TAKER,
        Liquidity.MAKER,
    )
    assert took.at == datetime(2023, 7, 6, 18, 22, 49, 639600, tzinfo=UTC)
    assert (closed.base, closed.quote, closed.side) == ("ICN", "ETH", Side.SELL)
    assert (closed.product, closed.settle, closed.result) == ("margin", "ETH", 0)
    assert closed.liquidity is Liquidity.UNKNOWN


def test_a_leveraged_trade_is_told_from_a_plain_one():
    """What was bought with borrowed money moves no balance of the asset, so it is not counted as spot."""
    tree = json.loads(recorded("TradesHistory"))
    tree["result"]["trades"]["TCWJEG-FL4SZ-3FKGH6"]["margin"] = "60.02"

    fills = wire.fills(wire.parse_sheet(json.dumps(tree).encode()).trades, BOOK)

    assert [(fill.product, fill.settle) for fill in fills] == [
        ("spot", ""),
        ("margin", "USD"),
        ("margin", "ETH"),
    ]


def test_prices_of_the_documented_answers():
    """Pairs become prices by Kraken's list; a pair it lacks, a dark pool and an odd row cost no other."""
    tree = json.loads(recorded("Ticker", "get"))
    tree["result"] |= {"NEWCOIN": {"c": ["1"]}, "XXBTZUSD.d": {"c": ["9"]}, "XDGUSD": {"c": "what"}}

    prices = wire.parse_prices(json.dumps(tree).encode(), LISTED, NOW)

    assert prices.last == {
        ("BTC", "USD"): Decimal("30303.2"),
        ("ETH", "BTC"): Decimal("0.06166"),
        ("BTC", "USDT"): Decimal("30309.9"),
    }
    assert prices.at == NOW


async def test_balances_of_plain_names_cost_one_request():
    """Kraken's lists are asked for when a code is in doubt, and once for all accounts."""
    plain, asked = client(answer(recorded("BalanceEx")))
    await plain.balances()
    odd = answer(b'{"error": [], "result": {"ZETA": {"balance": "3"}}}')
    doubtful, twice = client(odd, odd)
    assert await doubtful.balances() == (Balance("ZETA", Decimal(3), Decimal(3)),)
    await doubtful.balances()

    assert asked.listed == []
    assert twice.listed == [ASSETS, PAIRS]


class Counting(FakeHttp):
    """Counts how often the lists are asked for, and can refuse them."""

    broken = False

    async def request(self, method, path, query="", headers=None, body=b""):
        if self.broken:
            return refused("EService:Busy")
        return await super().request(method, path, query, headers, body)


async def test_a_delisted_pair_is_not_asked_for_again_and_again():
    """One look an hour finds out that a pair is gone; new ones are found within a minute."""
    http, clock = Counting(), SetClock()
    tables = Tables(cast("Any", http), clock)
    for _ in range(5):
        assert (await tables.knowing({"XICNXETH"})).find("XICNXETH") == ("ICN", "ETH")
        clock.seconds += 120
    assert len(http.listed) == 2

    await tables.knowing({"BRANDNEWUSD"})
    assert len(http.listed) == 4
    await tables.knowing({"XICNXETH", "BRANDNEWUSD", "XXBTZUSD"})
    assert len(http.listed) == 4


async def test_old_lists_are_better_than_none():
    """Prices go on with yesterday's list of pairs; without any list the trouble is told."""
    http, clock = Counting(), SetClock()
    tables = Tables(cast("Any", http), clock)
    http.broken = True
    with pytest.raises(ExchangeError):
        await tables.listed()
    http.broken = False
    assert (await tables.listed()).pairs
    http.broken = True
    clock.seconds += 86_400

    assert (await tables.listed()).pairs
