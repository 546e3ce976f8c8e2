"""OKX's answers read as recorded: balances of two accounts, what a key may do, fills of every kind, prices."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from chatbot.domain.balances import expect
from chatbot.domain.expiry import ExpirySource, expiry
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.permissions import Permission, Source, Switch
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.okx import OKX, fills, wire
from tests.exchanges.parsers_okx import CONTRACTS
from tests.support.okx import NOW, answer, client, good, recorded, refused, row

READ_ONLY = {"perm": "read_only", "ip": ""}


def read(*rows, contracts=CONTRACTS):
    return fills.parse_fills(good(*rows).body, contracts)


def refuses(parse, body):
    with pytest.raises(ExchangeError) as raised:
        parse(body)
    return raised.value.trouble is Trouble.UNREACHABLE and raised.value.retry


async def test_both_accounts_are_one_balance():
    """Trading and funding are added per asset, what is zero is left out, what is not cash does not count."""
    reader, _ = client(answer(recorded("account_balance")), answer(recorded("asset_balances")))

    found = {b.asset: (b.free, b.total) for b in await reader.balances()}

    assert found == {
        "USDT": (Decimal("4934.817093622894"), Decimal("4951.935693622894")),
        "BTC": (Decimal("0.04"), Decimal("0.05")),
        "ETH": (Decimal("37.11827078"), Decimal("37.11827078")),
    }


def test_unrealised_gains_are_no_balance():
    """Cash counts; where OKX names none, equity; what is free is never more than what is there."""
    detail = {"ccy": "USDT", "availBal": "120", "cashBal": "100", "eq": "130", "upl": "30"}
    (gaining,) = wire.parse_trading(good({"details": [detail]}).body)
    (spot,) = wire.parse_trading(good({"details": [{"ccy": "USDT", "cashBal": "", "eq": "7"}]}).body)
    (owing,) = wire.parse_trading(good({"details": [detail | {"cashBal": "-5", "availBal": "0"}]}).body)

    assert (gaining.free, gaining.total) == (Decimal(100), Decimal(100))
    assert (spot.free, spot.total) == (Decimal(7), Decimal(7))
    assert (owing.free, owing.total) == (Decimal(-5), Decimal(-5))


async def test_an_account_without_funding_shows_its_trading_alone():
    """Not every account has both: the one that never answered may be refused, one that did may not."""
    denied = refused("50120", 401)
    reader, _ = client(answer(recorded("account_balance")), denied)
    assert [b.asset for b in await reader.balances()] == ["USDT", "BTC"]

    reader, _ = client(*[answer(recorded("account_balance")), answer(recorded("asset_balances"))] * 2, denied)
    await reader.balances()
    reader._hosts.first.answers[1] = denied
    with pytest.raises(ExchangeError) as raised:
        await reader.balances()
    assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "balances")


async def test_without_the_trading_account_there_is_no_balance():
    """Half of the money must not look like a loss."""
    reader, _ = client(refused("50120", 401), answer(recorded("asset_balances")))

    with pytest.raises(ExchangeError) as raised:
        await reader.balances()

    assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "balances")


@pytest.mark.parametrize(
    "body",
    [
        b'{"code":"0","data":[]}',
        b'{"code":"0"}',
        b'{"code":"0","data":{}}',
        good({"details": [{"ccy": "BTC"}]}).body,
        good({"details": [{"ccy": "BTC", "cashBal": "NaN"}]}).body,
        good({"details": [{"ccy": "BTC", "cashBal": "1e2222"}]}).body,
        good({"details": [{"ccy": "", "cashBal": "1"}]}).body,
        good({"details": [{"ccy": "BTC", "cashBal": True}]}).body,
    ],
)
def test_balances_that_make_no_sense_are_an_outage(body):
    """A bad answer is tried again, never told as a change of the account."""
    assert refuses(wire.parse_trading, body)


def test_the_recorded_key_may_do_everything_from_two_addresses():
    """The documented sample: three ticks, bound to an address and a network."""
    report = wire.parse_permissions(recorded("account_config"))

    assert report.is_on(Permission.TRADE)
    assert report.is_on(Permission.WITHDRAW)
    assert (report.ip_bound, report.addresses) == (Switch.ON, ("192.0.2.7", "2001:db8::/32"))
    assert (report.strange, report.powerful) == ((), True)


def test_a_read_only_key_is_reported_as_such():
    """Each permission is told by OKX: views on, powers off, no address."""
    report = wire.parse_permissions(good(READ_ONLY).body)

    assert {finding.source for finding in report.findings.values()} == {Source.REPORTED}
    on = {permission for permission in Permission if report.is_on(permission)}
    assert on == {Permission.BALANCES, Permission.FILLS, Permission.ORDERS, Permission.ACCOUNT}
    assert (report.ip_bound, report.addresses, report.powerful) == (Switch.OFF, (), False)


def test_whether_a_trading_key_moves_money_inside_is_not_claimed():
    """“Trade” comes with transfers between one's own accounts, so they are not said to be off."""
    report = wire.parse_permissions(good({"perm": "read_only,trade", "ip": ""}).body)

    assert report.get(Permission.TRANSFER).switch is Switch.UNKNOWN
    assert report.get(Permission.WITHDRAW).switch is Switch.OFF


@pytest.mark.parametrize(
    ("perm", "strange"),
    [("read_only,earn", ("earn",)), ("Read_Only, TRADE ,", ()), ("copy,copy,p2p", ("copy", "p2p")), ("", ())],
)
def test_a_tick_nobody_knows_is_never_ignored(perm, strange):
    """It counts as powerful; spelling and blanks do not matter; no word at all is nothing told."""
    report = wire.parse_permissions(good({"perm": perm, "ip": " "}).body)

    assert (report.strange, report.ip_bound) == (strange, Switch.OFF)
    assert report.powerful is (bool(strange) or "trade" in perm.casefold())
    assert bool(report.findings) is bool(perm)


@pytest.mark.parametrize(
    ("perm", "ip", "source"),
    [
        ("read_only", "", ExpirySource.POLICY),
        ("read_only,trade", "", ExpirySource.DERIVED),
        ("read_only,trade", "192.0.2.7", ExpirySource.POLICY),
        ("read_only,withdraw", "", ExpirySource.DERIVED),
    ],
)
def test_the_rule_of_fourteen_days_hits_powerful_keys_without_addresses(perm, ip, source):
    """It counts from the last use, so a poll puts it off."""
    report = wire.parse_permissions(good({"perm": perm, "ip": ip}).body)
    used = datetime(2026, 2, 1, tzinfo=UTC)

    found = expiry(report, OKX.expiry, NOW, used, 90)

    assert found.source is source
    assert source is ExpirySource.POLICY or found.at == datetime(2026, 2, 15, tzinfo=UTC)


async def test_a_key_that_may_not_ask_about_itself_is_proven_by_what_it_reads():
    """No introspection, then: views as seen, the account's data refused, powers not known."""
    reader, _ = client(answer(recorded("account_balance")), good(), refused("50120", 401), good(row(7)))

    proof = await reader.prove()

    assert proof.report.get(Permission.BALANCES).source is Source.SEEN
    assert proof.report.get(Permission.FILLS).source is Source.SEEN
    assert proof.report.get(Permission.ACCOUNT).refused
    assert proof.report.get(Permission.WITHDRAW).switch is Switch.UNKNOWN


async def test_what_a_read_shows_wins_over_what_is_told():
    """OKX says “read” and refuses the fills: fills are off, and the person hears of it."""
    denied = refused("50120", 401)
    reader, _ = client(answer(recorded("account_balance")), good(), good(READ_ONLY), denied)

    proof = await reader.prove()

    assert proof.head is None
    assert proof.report.get(Permission.FILLS).refused
    assert proof.report.get(Permission.BALANCES).source is Source.REPORTED


async def test_an_outage_of_the_introspection_leaves_the_proof_unfinished():
    """A key is never shown as harmless because OKX did not answer."""
    for code in ("50001", "50011", "50121"):
        reader, _ = client(answer(recorded("account_balance")), good(), refused(code))
        with pytest.raises(ExchangeError):
            await reader.prove()


def test_the_recorded_fills_of_every_kind():
    """Spot by its pair, contracts by what they stand for, fees as costs, what they brought beside."""
    option, inverse, swap, spot = fills.parse_fills(recorded("trade_fills"), CONTRACTS)

    assert spot == Fill(
        "680800019754098688", "680800019749904384", "spot", "BTC-USDT", "BTC", "USDT", Side.BUY,
        Decimal("0.00192834"), Decimal(51858), Decimal("99.99985572"), Decimal("0.00000192834"), "BTC",
        Liquidity.TAKER, datetime(2024, 2, 22, 7, 36, 13, 361000, tzinfo=UTC),
    )  # fmt: skip
    assert (swap.product, swap.base, swap.quote, swap.side) == ("swap", "BTC", "USDT", Side.SELL)
    assert (swap.quantity, swap.cost) == (Decimal("0.05"), Decimal("2595.005"))
    assert (swap.fee, swap.settle, swap.result) == (Decimal("1.297502"), "USDT", Decimal("12.75"))
    assert (inverse.base, inverse.quote, inverse.order) == ("BTC", "USD", "")
    assert (inverse.quantity, inverse.cost) == (Decimal("0.006"), Decimal(300))
    assert (inverse.fee, inverse.settle, inverse.liquidity) == (
        Decimal("-0.0000012"), "BTC", Liquidity.UNKNOWN,
    )  # fmt: skip
    assert (option.quantity, option.quote, option.cost) == (Decimal("0.02"), "BTC", Decimal("0.00025"))
    assert (option.settle, option.result) == ("BTC", Decimal("-0.00025"))


def test_a_contract_moves_no_coin():
    """What is expected of the balances after a swap: its gain and its fee, in what it is settled in."""
    _, _, swap, _ = fills.parse_fills(recorded("trade_fills"), CONTRACTS)

    gaps = expect({}, [swap])

    assert {asset: gap.open for asset, gap in gaps.items() if gap.open} == {"USDT": Decimal("-11.452498")}


def test_the_currency_really_paid_counts():
    """A dollar pair may be paid in another dollar coin; OKX says in which."""
    (fill,) = read(row(1, instId="BTC-USD", tradeQuoteCcy="USDC"))
    (old,) = read(row(1, instId="BTC-USD", tradeQuoteCcy=""))

    assert (fill.market, fill.quote, old.quote) == ("BTC-USD", "USDC", "USD")


def test_a_contract_that_nobody_lists_any_more_is_counted_in_pieces():
    """History with an old contract or a new kind of product can still be read."""
    (old,) = read(row(1, instType="FUTURES", instId="ABC-USD-200101", feeCcy="ABC"), contracts={})
    (event,) = read(row(2, instType="EVENTS", instId="BTC-ABOVE-DAILY-260224-1600-69700", feeCcy="USDT"))
    (marked,) = read(row(3, instType="SWAP", instId="BTC-USD_UM-SWAP", feeCcy="USD"), contracts={})

    assert (old.base, old.quantity, old.settle) == ("ABC-USD-200101", Decimal("0.00192834"), "ABC")
    assert (event.product, event.base, event.result) == (
        "events",
        "BTC-ABOVE-DAILY-260224-1600-6970",
        -event.cost,
    )
    assert marked.settle == "USD"


def test_what_is_no_execution_is_passed_over():
    """Some system entries have no size or no price; they are no fills, and spoil no page."""
    assert read(row(1, fillSz=""), row(2, fillPx=""), row(3, fillSz="0"), row(4, side="")) == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"billId": "x"},
        {"ts": "never"},
        {"side": "hold"},
        {"fillPx": "-1"},
        {"fillSz": "1e99"},
        {"instId": "BTCUSDT", "tradeQuoteCcy": ""},
        {"fee": "NaN"},
        {"fillTime": "9" * 18},
    ],
)
def test_fills_that_make_no_sense_are_an_outage(changed):
    """No fill is stored half understood."""
    assert refuses(lambda body: fills.parse_fills(body, {}), good(row(1, **changed)).body)


async def test_what_a_contract_is_is_asked_once_for_each_family():
    """One public request for a family in a day, none for spot, and none that could not be sent."""
    swap = {"instType": "SWAP", "instId": "BTC-USDT-SWAP"}
    reader, http = client(*[good(row(9, **swap), row(8), row(7, instType="SWAP", instId="B&C-X-SWAP"))] * 2)

    for _ in range(2):
        page = await reader.fills_after("1@1767225600000")

    assert http.families == ["instType=SWAP&instFamily=BTC-USDT"]
    assert [fill.base for fill in page.fills] == ["B&C-X-SWAP", "BTC", "BTC"]


def test_prices_are_the_last_ones_and_the_index_fills_in():
    """A pair without a last price has none; what a dollar coin is worth comes from the index."""
    prices = wire.parse_prices(recorded("market_tickers"), recorded("market_index_tickers"), NOW)

    assert prices.last == {
        ("BTC", "USDT"): Decimal("51858.1"),
        ("BTC", "USD"): Decimal(51860),
        ("ETH", "BTC"): Decimal("0.0561"),
        ("USDT", "USD"): Decimal("1.0002"),
    }


def test_the_time_is_read_to_the_millisecond():
    """OKX tells its clock, so ours can be held against it."""
    assert wire.parse_time(recorded("public_time")) == datetime(2020, 8, 10, 2, 26, 23, 85000, tzinfo=UTC)
    assert refuses(wire.parse_time, good().body)


def test_the_samples_are_whole():
    """What the tests read are whole documented answers, envelope and all."""
    for name in ("account_balance", "asset_balances", "account_config", "trade_fills", "market_tickers"):
        assert json.loads(recorded(name)).keys() == {"code", "data", "msg"}
