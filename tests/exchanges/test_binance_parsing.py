"""Binance's answers as values: amounts from their text, permissions from the key's ticks and nothing else."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import ccxt
import pytest

from chatbot.domain.balances import Balance
from chatbot.domain.expiry import ExpirySource, expiry
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.permissions import Outcome, Permission, Policy, Source, Switch, decide
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import MAX_BYTES
from chatbot.exchanges.binance import Binance, rights, wire
from chatbot.exchanges.binance.wire import Market
from tests.support.binance import NOW, recorded, rows

BNBBTC = Market("BNB", "BTC")
POLICY = Policy(frozenset({Permission.WITHDRAW, Permission.TRANSFER}), frozenset({Permission.TRADE}))


def told(**flags):
    body = json.loads(recorded("api_restrictions")) | flags
    return rights.parse_permissions(json.dumps(body).encode())


def test_balances_are_what_is_free_and_what_is_in_orders():
    """The total is the sum, zeros are left out, and Earn's own tokens are assets like others."""
    assert wire.parse_balances(recorded("account")) == (
        Balance("BTC", Decimal("4723846.89208129"), Decimal("4723846.89208129")),
        Balance("LTC", Decimal("4763368.68006011"), Decimal("4763370.18006011")),
        Balance("USDT", Decimal(0), Decimal("120.50000000")),
        Balance("LDBNB", Decimal("0.31000000"), Decimal("0.31000000")),
    )


def test_only_what_is_in_orders_changes_their_fingerprint():
    """A trade leaves it as it is; an order placed, filled or cancelled does not."""
    body = json.loads(recorded("account"))
    first = wire.parse_holdings(json.dumps(body).encode()).locked
    body["balances"][0]["free"] = "1"
    second = wire.parse_holdings(json.dumps(body).encode()).locked
    body["balances"][1]["locked"] = "1.25000000"
    third = wire.parse_holdings(json.dumps(body).encode()).locked
    for row in body["balances"]:
        row["locked"] = "0.00000000"

    assert first == second != third
    assert wire.parse_holdings(json.dumps(body).encode()).locked == ""


def test_a_fill_is_read_whole():
    """The documented trade: who bought, for how much, at what fee in which asset, as what, when."""
    first, second = wire.parse_fills(recorded("my_trades"), BNBBTC)

    assert first == Fill(
        id="28457", order="100234", product="spot", market="BNBBTC", base="BNB", quote="BTC", side=Side.BUY,
        quantity=Decimal(12), price=Decimal("4.000001"), cost=Decimal("48.000012"), fee=Decimal("10.1"),
        fee_asset="BNB", liquidity=Liquidity.TAKER, at=datetime(2017, 7, 12, 13, 19, 9, 590000, tzinfo=UTC),
    )  # fmt: skip
    assert (second.side, second.liquidity, second.fee_asset) == (Side.SELL, Liquidity.MAKER, "BTC")


def test_a_row_without_the_newer_fields_is_read_too():
    """Without the sum it is computed, without a fee it is zero, and nobody knows who was first."""
    row = rows(1)[0]
    for name in ("quoteQty", "commission", "commissionAsset", "isMaker", "orderId"):
        del row[name]
    (fill,) = wire.parse_fills(json.dumps([row]).encode(), BNBBTC)

    assert fill.cost == Decimal("48.00001200")
    assert (fill.fee, fill.fee_asset, fill.liquidity, fill.order) == (
        Decimal(0),
        "BTC",
        Liquidity.UNKNOWN,
        "",
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"id": -1}, {"id": 2**63}, {"price": "NaN"}, {"qty": "1e2222"}, {"symbol": ""}, {"symbol": "A B"},
        {"symbol": "X" * 41}, {"commissionAsset": "\x00"}, {"time": 10**18}, {"time": "soon"}, {"isBuyer": "?"},
        {"price": "-1"},
    ],
)  # fmt: skip
def test_a_senseless_trade_is_an_outage(changed):
    """It is asked for again, and never told as a trade."""
    with pytest.raises(ExchangeError) as raised:
        wire.parse_fills(json.dumps(rows(1, **changed) if "id" not in changed else [rows(1)[0] | changed]).encode()
                         if "time" not in changed else json.dumps([rows(1)[0] | changed]).encode(), BNBBTC)  # fmt: skip

    assert raised.value.trouble is Trouble.UNREACHABLE


def test_symbols_say_what_they_trade():
    """Base and quote come from the list; names that can't be shown are left out and cost nobody else's."""
    body = json.loads(recorded("exchange_info"))
    one = body["symbols"][0]
    body["symbols"] += [
        one | {"symbol": ""},
        one | {"symbol": "NOBASE", "baseAsset": " "},
        one | {"symbol": "币安USDT"},
    ]

    assert wire.parse_markets(json.dumps(body).encode()) == {
        "ETHBTC": Market("ETH", "BTC"),
        "LTCBTC": Market("LTC", "BTC"),
        "BNBBTC": BNBBTC,
        "币安USDT": Market("ETH", "BTC"),
    }


def test_a_list_of_all_that_trades_stays_far_below_what_we_read():
    """Twice as many symbols as trade today (about 1,400), each as long as it really is, fit under the cap."""
    body = json.loads(recorded("exchange_info"))
    body["symbols"] = [
        body["symbols"][0] | {"symbol": f"1000SATS{n}FDUSD", "baseAsset": f"1000SATS{n}"} for n in range(2800)
    ]
    listed = json.dumps(body).encode()

    assert len(listed) < MAX_BYTES * 3 / 4
    assert len(wire.parse_markets(listed)) == 2800


def test_a_symbol_that_is_gone_is_cut_at_its_quote():
    """The longest quote that fits ends the name; where none does, nothing is guessed."""
    assert wire.cut("LUNABUSD", {}) == Market("LUNA", "BUSD")
    assert wire.cut("USDSUSDT", {}) == Market("USDS", "USDT")
    assert wire.cut("XYZNEW", {"ABCNEW": Market("ABC", "NEW")}) == Market("XYZ", "NEW")
    assert wire.cut("XYZNEW", {}) is None
    assert wire.cut("USDT", {}) is None


def test_prices_are_those_of_what_trades_now():
    """A symbol that is not listed has no price here, nor one that has never traded."""
    markets = wire.parse_markets(recorded("exchange_info"))

    prices = wire.parse_prices(recorded("ticker_price"), markets, NOW)

    assert prices.last == {("LTC", "BTC"): Decimal("4.000002"), ("ETH", "BTC"): Decimal("0.079466")}


def test_open_orders_name_their_symbols():
    """Each once, in order."""
    body = json.loads(recorded("open_orders"))
    body += [body[0] | {"symbol": "BNBBTC"}, body[0], body[0] | {"symbol": ""}]

    assert wire.parse_ordered(json.dumps(body).encode()) == ("BNBBTC", "LTCBTC")


def test_a_key_that_only_reads_is_told_as_such():
    """All seven permissions are reported; the read-only FIX tick is named and does no harm."""
    report = told()

    on = {p for p in Permission if report.is_on(p)}
    assert on == {Permission.BALANCES, Permission.FILLS, Permission.ORDERS, Permission.ACCOUNT}
    assert {report.get(p).source for p in Permission} == {Source.REPORTED}
    assert (report.ip_bound, report.labels, report.strange) == (Switch.OFF, ("FIX API read only",), ())
    assert report.created_at == datetime(2023, 10, 30, 5, 53, 39, tzinfo=UTC)
    assert decide(report, POLICY).outcome is Outcome.ACCEPT
    assert not report.powerful


@pytest.mark.parametrize(
    ("flag", "powers", "outcome"),
    [
        ("enableSpotAndMarginTrading", {Permission.TRADE}, Outcome.WARN),
        ("enableFutures", {Permission.TRADE}, Outcome.WARN),
        ("enableVanillaOptions", {Permission.TRADE}, Outcome.WARN),
        ("enablePortfolioMarginTrading", {Permission.TRADE}, Outcome.WARN),
        ("enableFixApiTrade", {Permission.TRADE}, Outcome.WARN),
        ("enableMargin", {Permission.TRADE, Permission.TRANSFER}, Outcome.REFUSE),
        ("enableInternalTransfer", {Permission.TRANSFER}, Outcome.REFUSE),
        ("permitsUniversalTransfer", {Permission.TRANSFER}, Outcome.REFUSE),
        ("enableWithdrawals", {Permission.WITHDRAW}, Outcome.REFUSE),
    ],
)
@pytest.mark.parametrize("value", [True, "true", 1])
def test_every_power_is_seen_in_its_tick(flag, powers, outcome, value):
    """Each documented tick switches on what it gives, and the key is judged by it."""
    report = told(**{flag: value})

    assert {p for p in Permission if report.is_on(p)} & {
        Permission.TRADE,
        Permission.TRANSFER,
        Permission.WITHDRAW,
    } == powers
    assert decide(report, POLICY).outcome is outcome


@pytest.mark.parametrize("flag", ["enableCardPayments", "permitsLoans", "allowEverything", "canWithdrawFiat"])
@pytest.mark.parametrize("value", [True, "true", 1, [1], {"a": 1}, "yes"])
def test_a_tick_that_nobody_knows_is_feared(flag, value):
    """It may be the right to withdraw: the key is refused, and the tick is named."""
    report = told(**{flag: value})

    assert report.strange == (flag,)
    assert decide(report, POLICY).outcome is Outcome.REFUSE


@pytest.mark.parametrize("value", [False, None, 0, "false", ""])
def test_an_unknown_tick_that_is_off_is_nothing(value):
    """Binance adds ticks now and then; only what is on counts."""
    assert told(enableCardPayments=value).strange == ()


@pytest.mark.parametrize("name", ["withdraw", "spotTrading", "isWithdrawAllowed"])
@pytest.mark.parametrize("value", [True, "true"])
def test_a_tick_by_another_name_is_feared_as_well(name, value):
    """Whatever is set in an answer about a key and has no name we know may be the right to withdraw."""
    assert told(**{name: value}).strange == (name,)
    assert told(**{name: False}).strange == ()
    assert told(tradingAuthorityExpirationTime=1, note="x", ipRestrict=True).strange == ()


@pytest.mark.parametrize(
    ("flag", "power"),
    [
        ("enableWithdrawals", Permission.WITHDRAW),
        ("enableInternalTransfer", Permission.TRANSFER),
        ("permitsUniversalTransfer", Permission.TRANSFER),
        ("enableSpotAndMarginTrading", Permission.TRADE),
    ],
)
def test_a_power_of_which_nothing_is_said_is_not_off(flag, power):
    """A tick that is missing from the answer, or without a value, is not known: the person has to look."""
    body = json.loads(recorded("api_restrictions"))
    del body[flag]
    without = rights.parse_permissions(json.dumps(body).encode())

    for report in (without, told(**{flag: None})):
        assert (report.get(power).switch, report.untold) == (Switch.UNKNOWN, {power})


def test_the_end_of_the_trading_permission_is_not_the_end_of_the_key():
    """The tick goes out on that day and the key goes on reading: no expiry is told, none is derived."""
    report = rights.parse_permissions(recorded("api_restrictions_2021"))

    assert report.expires_at is None
    assert report.ip_bound is Switch.ON
    assert report.is_on(Permission.TRADE)
    assert expiry(report, Binance.expiry, NOW, NOW, 0).source is ExpirySource.NONE


@pytest.mark.parametrize("value", [0, None, "", -1, "soon", True, 10**30, [1]])
def test_a_senseless_date_of_birth_is_none(value):
    """The key's age is then counted from our first sight."""
    assert told(createTime=value).created_at is None


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b'{"enableReading": true}', b'{"ipRestrict": false}', recorded("account")]
)
def test_another_answer_is_not_taken_for_a_key_without_powers(body):
    """What does not speak of a key proves nothing about one."""
    with pytest.raises(ExchangeError) as raised:
        rights.parse_permissions(body)

    assert raised.value.trouble is Trouble.UNREACHABLE


def test_ccxt_reads_the_same_trade():
    """For the documented row ccxt finds the same amounts, fee, side and time."""
    theirs = ccxt.binance({"number": str})
    market = {
        "id": "BNBBTC", "symbol": "BNB/BTC", "base": "BNB", "quote": "BTC", "baseId": "BNB", "quoteId": "BTC",
        "spot": True, "option": False, "contract": False, "type": "spot", "linear": None, "inverse": None, "precision": {}, "limits": {},
    }  # fmt: skip
    for row, ours in zip(
        json.loads(recorded("my_trades")), wire.parse_fills(recorded("my_trades"), BNBBTC), strict=True
    ):
        seen = theirs.parse_trade(row, market)

        assert (seen["id"], seen["order"], seen["side"], seen["takerOrMaker"]) == (
            ours.id, ours.order, ours.side, ours.liquidity,
        )  # fmt: skip
        assert (Decimal(seen["amount"]), Decimal(seen["price"]), Decimal(seen["cost"])) == (
            ours.quantity, ours.price, ours.cost,
        )  # fmt: skip
        assert (Decimal(seen["fee"]["cost"]), seen["fee"]["currency"]) == (ours.fee, ours.fee_asset)
        assert seen["timestamp"] == wire.milliseconds(ours.at)
