"""Times and amounts as people read them, in every language we speak."""

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from chatbot.text import LOCALES, Translator, known_currency

LATE = datetime(2026, 11, 5, 23, 3, tzinfo=UTC)


@pytest.mark.parametrize("locale", LOCALES)
def test_every_way_to_say_a_time_works_in_every_language(locale):
    """No language lacks a pattern: a table of fills is told, not stuck on its first column."""
    t = Translator(locale, ZoneInfo("Asia/Tokyo"))

    for said in (t.day(LATE), t.moment(LATE), t.brief(LATE)):
        assert "6" in said
    for said in (t.time(LATE), t.moment(LATE), t.brief(LATE)):
        assert "8:03" in said


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize(
    "number", ["1e26", "-1e39", "1e64", "12345678901234567890123456789012.12", "1e-40", "-0"]
)
def test_no_amount_is_too_long_to_be_said(locale, number):
    """Whatever an exchange answers, every way to say an amount works and loses no digit it should show."""
    t, amount = Translator(locale), Decimal(number)

    for asset in ("USD", "MXN", "USDT", "BTC", "MNT"):
        for said in (t.money, t.signed, t.quantity, t.amount, t.price):
            assert said(amount, asset)
    if number.endswith(".12"):
        digits = [c for c in t.signed(amount, "USD") if c.isdigit()]
        assert "".join(digits) == number.replace(".", "")


def test_what_rounds_to_nothing_has_no_sign():
    """A loss of a tenth of a cent is neither a loss nor a gain."""
    t = Translator()

    assert t.signed(Decimal("-0.004"), "USD") == t.signed(Decimal("0.004"), "USD") == "±$0.00"
    assert t.percent(Decimal("-0.0001")) == t.percent(Decimal(0))
    assert t.money(Decimal("-0.004"), "USD") == "$0.00"
    assert t.signed(Decimal("-0.005"), "USD") == "−$0.01"
    assert t.quantity(Decimal("-0"), "BTC") == "0"


@pytest.mark.parametrize(
    ("number", "currency", "said"),
    [
        ("0.00038326", "BTC", "0.00038326 BTC"),
        ("1.5", "ETH", "1.50 ETH"),
        ("0.123456789", "BTC", "0.12345679 BTC"),
        ("1234.5678", "USDT", "1,234.57 USDT"),
        ("1234.5678", "USDC", "1,234.57 USDC"),
        ("1234.5678", "USD", "$1,234.57"),
        ("1234.5678", "JPY", "¥1,235"),
    ],
)
def test_a_value_has_the_decimals_of_its_currency(number, currency, said):
    """Values in a coin worth thousands of dollars are not rounded to hundredths of it."""
    assert Translator().money(Decimal(number), currency) == said


def test_a_coin_under_the_code_of_a_money_is_a_coin():
    """Mantle, which an exchange trades, is shown to the last digit; the tugrik of that code is not meant."""
    assert Translator().quantity(Decimal("12.3456789"), "MNT") == "12.3456789"
    assert not known_currency("MNT")
    assert known_currency("MXN")


def test_a_currency_code_does_not_touch_its_number():
    """Mexican Spanish writes USD in letters: a blank that never breaks stands between."""
    assert Translator("es").money(Decimal("1234.5"), "USD") == "USD\u00a01,234.50"
    assert Translator("es").money(Decimal("-1234.5"), "USD") == "-USD\u00a01,234.50"
    assert Translator("en").money(Decimal("1234.5"), "USD") == "$1,234.50"
