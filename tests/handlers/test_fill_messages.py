"""What fills look like: the card of an order, the table of a burst, the summary after a gap, the details."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chatbot.domain.credentials import AccountId
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.messages import Message
from chatbot.domain.orders import Realised, fold
from chatbot.text import LOCALES, Translator
from handlers.notifications import fills

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
ACCOUNT = AccountId("a")
NAME = "Bitso …a1b2"


def fill(number: int = 1, side: Side = Side.BUY, fee: str = "0.01") -> Fill:
    """Make a fill."""
    return Fill(
        str(number), "o", "spot", "btc_mxn", "BTC", "MXN", side, Decimal("0.5"), Decimal(1_000_000),
        Decimal(500_000), Decimal(fee), "BTC", Liquidity.MAKER, AT,
    )  # fmt: skip


def card(parts: Sequence[Fill], t: Translator, gain: Realised | None = None, small: int = 0) -> str:
    """Return the words of an order's message."""
    return fills.card(ACCOUNT, NAME, fold(parts), gain, small, t).plain()


def page(parts: Sequence[Fill], skipped: int, count: int, size: int = 2) -> fills.Page:
    """Make a page of many."""
    return fills.Page(parts, skipped, count, size, "fills.all", ("a", "b"))


def labels(message: Message) -> list[tuple[str, tuple[str, ...]]]:
    """Return the buttons with what they hand over."""
    return [(button.text, button.args) for row in message.buttons for button in row]


@pytest.mark.parametrize("locale", LOCALES)
def test_a_fill_names_all_its_amounts(locale: str) -> None:
    """In every language: quantity, price, value, fee, maker and account, and no place left open."""
    t = Translator(locale)
    for side in Side:
        text = card([fill(side=side)], t)
        amounts = (
            t.amount(Decimal("0.5"), "BTC"),
            t.amount(Decimal(500_000), "MXN"),
            t.price(Decimal(10**6), "MXN"),
        )
        for part in (*amounts, t.amount(Decimal("0.01"), "BTC"), t.say("maker"), NAME):
            assert part in text
        assert "{" not in text


@pytest.mark.parametrize("locale", LOCALES)
def test_an_order_of_many_fills_names_their_sums(locale: str) -> None:
    """In every language: count, sums and average, both times, the result, and what was counted with it."""
    t = Translator(locale)
    for side in Side:
        parts = [fill(1, side), replace(fill(2, side), price=Decimal(1_000_001), at=AT + timedelta(hours=3))]
        for gain in (Realised(Decimal(-30), "MXN"), Realised(Decimal(-30), "MXN", ("BNB",))):
            text = card(parts, t, gain, small=7)
            amounts = (
                t.amount(Decimal(1), "BTC"),
                t.amount(Decimal(10**6), "MXN"),
                t.amount(Decimal("0.02"), "BTC"),
            )
            moments = t.moment(AT), t.moment(AT + timedelta(hours=3))
            price = t.price(Decimal("1000000.5"), "MXN")
            for part in (*amounts, *moments, price, t.signed(Decimal(-30), "MXN"), *gain.apart, "7", NAME):
                assert part in text
            assert "{" not in text


def test_a_contract_says_its_result_as_reported() -> None:
    """What a position brought is the exchange's own figure; one that only opened has none."""
    closing = replace(fill(), settle="USDT", result=Decimal("12.5"))
    assert "Result +12.50 USDT, as the exchange reports it, before fees" in card([closing], Translator())
    assert "Result" not in card([replace(closing, result=Decimal(0))], Translator())


def test_a_rebate_is_a_fee_below_zero() -> None:
    """A negative fee keeps its sign."""
    assert "fee -0.01 BTC" in card([fill(fee="-0.01")], Translator())


def test_fees_of_several_assets_are_all_named() -> None:
    """They are never added up across assets."""
    mixed = [fill(1), replace(fill(2), fee=Decimal("0.5"), fee_asset="BNB")]
    assert "fee 0.5 BNB + 0.01 BTC" in card(mixed, Translator())


@pytest.mark.parametrize("locale", LOCALES)
def test_a_flood_is_told_by_what_it_came_to(locale: str) -> None:
    """One row for each market and side with count, quantity and average, the fees, and from when to when."""
    t = Translator(locale)
    flood = [fill(n) for n in range(300)] + [replace(fill(side=Side.SELL), at=AT + timedelta(hours=2))]
    for shown in (fills.burst, fills.summary):
        text = shown(ACCOUNT, NAME, "b", flood, 0, t).plain()
        sums = t.amount(Decimal(150), "BTC"), t.amount(Decimal("3.01"), "BTC")
        for part in ("301", "300", "BTC/MXN", *sums, t.moment(AT), t.moment(AT + timedelta(hours=2))):
            assert part in text
        assert len(text.splitlines()) < 10


def test_a_burst_that_fits_shows_each_fill() -> None:
    """Up to forty rows, oldest first."""
    parts = [replace(fill(n), quantity=Decimal(n), at=AT + timedelta(seconds=n)) for n in range(1, 41)]
    rows = fills.burst(ACCOUNT, NAME, "b", parts[::-1], 3, Translator()).plain().splitlines()
    assert [row.split()[-4] for row in rows[2:42]] == [str(n) for n in range(1, 41)]
    assert rows[-1].endswith(": 3")


def test_one_row_is_one_fill() -> None:
    """The eleventh order of a minute may stand in its table alone."""
    text = fills.burst(ACCOUNT, NAME, "b", [fill()], 0, Translator()).plain()
    assert text.startswith(f"{NAME}: 1 fill\n")


def test_pages_lead_to_one_another() -> None:
    """The first has no way back, the last none on; a single page has neither, and says no numbers."""
    t, two = Translator(), [fill(1), fill(2)]
    assert labels(fills.every(NAME, page(two, 0, 5), t)) == [("Next", ("a", "b", "2"))]
    middle = fills.every(NAME, page(two, 2, 5), t)
    assert labels(middle) == [("Back", ("a", "b", "0")), ("Next", ("a", "b", "4"))]
    assert "3 to 4 of 5" in middle.plain()
    assert labels(fills.every(NAME, page(two[:1], 4, 5), t)) == [("Back", ("a", "b", "2"))]
    alone = fills.every(NAME, page(two, 0, 2), t)
    assert not alone.buttons
    assert " of " not in alone.plain()


@pytest.mark.parametrize("locale", LOCALES)
def test_details_hold_all_that_is_known(locale: str) -> None:
    """Ids to look up at the exchange, and each fill with its own fee; an order without an id names none."""
    t = Translator(locale)
    parts = [replace(fill(n), order="order-7", fee=Decimal(n)) for n in (4711, 4712)]
    text = fills.details(NAME, fold(parts), page(parts, 0, 2), t).plain()
    for part in (
        "order-7",
        "4711",
        "4712",
        t.amount(Decimal(4711), "BTC"),
        t.amount(Decimal(9423), "BTC"),
        NAME,
    ):
        assert part in text
    assert "{" not in text
    alone = replace(fill(5), order="")
    assert t.say("Order") not in fills.details(NAME, fold([alone]), page([alone], 0, 1), t).plain()
