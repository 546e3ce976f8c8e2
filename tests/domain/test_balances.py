"""Values and moves: what is shown adds up, and nothing without a price is worth zero."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.balances import STABLE, Balance, Prices, value

AT = datetime(2026, 1, 1, tzinfo=UTC)
ASSETS = ("BTC", "ETH", "USDT", "USD", "MXN", "EUR", "XYZ", "ODD")
amounts = st.decimals(0, 10**9, places=8)
balances = st.builds(
    lambda asset, free, locked: Balance(asset, free, free + locked), st.sampled_from(ASSETS), amounts, amounts
)
holdings = st.lists(balances, max_size=8, unique_by=lambda b: b.asset)
pairs = st.tuples(st.sampled_from(ASSETS), st.sampled_from(ASSETS)).filter(lambda p: p[0] != p[1])
prices = st.dictionaries(pairs, st.decimals("0.00000001", 10**6, places=8), max_size=8).map(
    lambda last: Prices(AT, last)
)
currencies = st.sampled_from(["USD", "MXN", "EUR", "USDT"])


@given(holdings, prices, currencies, st.decimals(0, 100, places=2))
def test_what_is_shown_and_folded_makes_up_the_total(held, known, currency, floor) -> None:
    """Shown values and dust add up to the total, and every asset that is not empty is in one of the three lists."""
    worth = value(held, known, currency, floor)
    parts = [h.value or Decimal(0) for h in (*worth.shown, *worth.dust)]
    assert abs(sum(parts, Decimal(0)) - worth.total) <= abs(worth.total) * Decimal("1e-20")
    named = sorted(h.balance.asset for h in (*worth.shown, *worth.dust, *worth.unpriced))
    assert named == sorted(b.asset for b in held if b.total or b.free)


@given(holdings, prices, currencies, st.decimals(0, 100, places=2))
def test_no_price_is_never_a_value(held, known, currency, floor) -> None:
    """Exactly the assets without a rate are without a value."""
    worth = value(held, known, currency, floor)
    for holding in (*worth.shown, *worth.dust, *worth.unpriced):
        rate = known.rate(holding.balance.asset, currency)
        assert holding.value == (None if rate is None else holding.balance.total * rate)
    assert worth.priced or not (worth.shown or worth.dust)


@given(holdings, prices, currencies, st.decimals(0, 100, places=2))
def test_only_small_and_unstable_assets_are_dust(held, known, currency, floor) -> None:
    """Money and stable coins are always shown, by falling value."""
    worth = value(held, known, currency, floor)
    assert all(h.balance.asset not in STABLE and abs(h.value or 0) < floor for h in worth.dust)
    values = [h.value or Decimal(0) for h in worth.shown]
    assert values == sorted(values, reverse=True)


@given(prices, currencies)
def test_a_currency_is_worth_itself(known, currency) -> None:
    """Whatever the tickers say."""
    assert known.rate(currency, currency) == 1


def test_a_price_is_found_through_two_crosses() -> None:
    """XYZ is priced in BTC, BTC in USDT, USDT in MXN."""
    known = Prices(
        AT, {("XYZ", "BTC"): Decimal("0.5"), ("BTC", "USDT"): Decimal(100), ("USDT", "MXN"): Decimal(20)}
    )
    assert known.rate("XYZ", "MXN") == 1000
    assert known.rate("XYZ", "EUR") is None


def test_a_reverse_price_counts_and_a_zero_price_does_not() -> None:
    """MXN in BTC from BTC in MXN; a last price of zero is no price."""
    known = Prices(AT, {("BTC", "MXN"): Decimal(2), ("ETH", "MXN"): Decimal(0)})
    assert known.rate("MXN", "BTC") == Decimal("0.5")
    assert known.rate("ETH", "MXN") is None


def test_what_is_locked_is_not_free() -> None:
    """Total less free is in open orders."""
    assert Balance("BTC", Decimal(1), Decimal(3)).locked == 2


def test_who_counts_in_coins_has_dust_in_dollars() -> None:
    """A floor of 1 is one dollar, not one bitcoin."""
    known = Prices(AT, {("BTC", "USD"): Decimal(100_000), ("SOL", "USD"): Decimal(100)})
    held = [
        Balance("BTC", Decimal("0.5"), Decimal("0.5")),
        Balance("SOL", Decimal("0.001"), Decimal("0.001")),
    ]
    worth = value(held, known, "BTC", Decimal(1))
    assert [h.balance.asset for h in worth.shown] == ["BTC"]
    assert [h.balance.asset for h in worth.dust] == ["SOL"]
