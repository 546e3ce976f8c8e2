"""What stands in an exported table: numbers as numbers, times as ISO, and nothing that a spreadsheet runs."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.balances import Balance
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.sheets import BALANCES, FILLS, Origin, balance_cells, fill_cells, shown, text_of

AT = datetime(2026, 12, 31, 23, 30, 15, 123456, tzinfo=UTC)
HOME = Origin("Bitso", "Main", ZoneInfo("America/Mexico_City"))
BOUGHT = Fill(
    "f1", "o1", "spot", "btc_mxn", "BTC", "MXN", Side.BUY, Decimal("0.5"), Decimal("1E+6"),
    Decimal(500000), Decimal("0.0005"), "BTC", Liquidity.MAKER, AT,
)  # fmt: skip


def _naive(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def row(columns: tuple[str, ...], cells) -> dict[str, str]:
    head, only = read(text_of([columns, cells]))
    return dict(zip(head, only, strict=True))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "|", "  =", "\uff1d", "\uff20"])
def test_no_text_begins_as_a_formula(start: str):
    """A name that a spreadsheet would run is shown with an apostrophe before it."""
    assert shown(f'{start}cmd|" /C calc"!A0').startswith("'")


@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_whatever_a_text_holds_its_cell_is_one_cell(texts: list[str]):
    """Commas, quotes and line ends of a name can't begin a cell of their own, and no cell is a formula."""
    (cells,) = read(text_of([texts])) or [[]]

    assert [cell.removeprefix("'") for cell in cells] == [text.removeprefix("'") for text in texts]
    assert not any(cell.startswith(tuple("=+-@\t\r")) for cell in cells)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=18))
def test_numbers_stay_numbers_to_the_last_digit(number: Decimal):
    """Also a negative one: no apostrophe, no exponent, no grouping, no digit lost."""
    assert Decimal(shown(number)) == number
    assert set(shown(number)) <= set("-.0123456789")


@given(
    st.datetimes(_naive(2009), _naive(2100)),
    st.sampled_from(["UTC", "America/Sao_Paulo", "Asia/Kathmandu"]),
)
def test_both_times_are_the_same_instant(at: datetime, zone: str):
    """UTC and local time are ISO 8601, and mean one moment to the millisecond."""
    at = at.replace(tzinfo=UTC)
    utc, local = (
        datetime.fromisoformat(shown(cell))
        for cell in fill_cells(_at(at), Origin("B", "M", ZoneInfo(zone)))[:2]
    )

    assert utc == local
    assert timedelta() <= at - utc < timedelta(milliseconds=1)


def test_a_buy_gives_money_and_takes_coins():
    """What was sent and received, and in what, is what tax programs ask for."""
    found = row(FILLS, fill_cells(BOUGHT, HOME))

    assert (found["sent"], found["sent_asset"]) == ("500000", "MXN")
    assert (found["received"], found["received_asset"]) == ("0.5", "BTC")
    assert (found["fee"], found["fee_asset"], found["price"]) == ("0.0005", "BTC", "1000000")
    assert found["time_utc"] == "2026-12-31T23:30:15.123Z"
    assert found["time_local"] == "2026-12-31T17:30:15.123-06:00"
    assert (found["maker_or_taker"], found["order_id"], found["fill_id"]) == ("maker", "o1", "f1")


def test_a_sale_gives_coins_and_takes_money():
    """The other way round."""
    found = row(FILLS, fill_cells(_sold(), HOME))

    assert (found["sent"], found["sent_asset"]) == ("0.5", "BTC")
    assert (found["received"], found["received_asset"]) == ("500000", "MXN")


def test_a_contract_moves_no_coins():
    """What it brought stands in a column of its own; nothing was sent or received."""
    found = row(FILLS, fill_cells(_contract(), HOME))

    assert (found["sent"], found["received"], found["sent_asset"], found["received_asset"]) == (
        "",
        "",
        "",
        "",
    )
    assert (found["result"], found["result_asset"]) == ("-12.5", "USDT")


def test_a_balance_without_a_price_has_no_value():
    """Nothing is made up: the cells stay empty."""
    balance = Balance("BTC", Decimal("0.4"), Decimal("0.5"))

    priced = row(BALANCES, balance_cells(balance, AT, Decimal(90000), "USD", HOME))
    bare = row(BALANCES, balance_cells(balance, AT, None, "USD", HOME))

    assert (priced["total"], priced["free"], priced["locked"]) == ("0.5", "0.4", "0.1")
    assert (Decimal(priced["value"]), priced["currency"]) == (45000, "USD")
    assert (bare["price"], bare["value"], bare["currency"]) == ("", "", "")


def _at(at: datetime) -> Fill:
    return replace(BOUGHT, at=at)


def _sold() -> Fill:
    return replace(BOUGHT, side=Side.SELL)


def _contract() -> Fill:
    return replace(BOUGHT, product="linear", settle="USDT", result=Decimal("-12.5"))
