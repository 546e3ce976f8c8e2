"""Lent rates: own prices first, only the leg between moneys is lent, and what was lent is known."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.balances import STABLE, Balance, Prices, value
from chatbot.domain.rates import Rates, lender, wanting

AT = datetime(2026, 1, 1, tzinfo=UTC)
ONE = Decimal(1)
OWN = Prices(
    AT,
    {("BTC", "USDT"): Decimal(60_000), ("ETH", "BTC"): Decimal("0.05"), ("XYZ", "ODD"): Decimal(3)},
)
BITSTAMP = Prices(
    AT, {("USDT", "USD"): Decimal("0.999"), ("EUR", "USD"): Decimal("1.1"), ("ODD", "USD"): ONE}
)
BITSO = Prices(
    AT + timedelta(minutes=5),
    {("USDT", "MXN"): Decimal(20), ("USD", "MXN"): Decimal(19), ("BTC", "MXN"): ONE},
)
ASSETS = ("BTC", "ETH", "USDT", "USDC", "USD", "MXN", "EUR", "XYZ")
pairs = st.tuples(st.sampled_from(ASSETS), st.sampled_from(ASSETS)).filter(lambda p: p[0] != p[1])
prices = st.dictionaries(pairs, st.decimals("0.001", 10**6, places=4), max_size=8).map(
    lambda last: Prices(AT, last)
)
currencies = st.sampled_from(["USD", "MXN", "EUR", "USDT", "BTC"])


def held(*assets):
    return [Balance(asset, ONE, ONE) for asset in assets]


def rates(currency, *others):
    return Rates(OWN, tuple(lender(title, prices, currency) for title, prices in others))


def test_a_dollar_value_is_reached_by_the_rate_of_another_exchange() -> None:
    """BTC in USDT by its own exchange, USDT in USD by Bitstamp; the leg is known with its time."""
    known = rates("USD", ("Bitstamp", BITSTAMP))
    assert known.rate("BTC", "USD") == Decimal(60_000) * Decimal("0.999")
    assert known.rate("ETH", "USD") == Decimal("0.05") * Decimal(60_000) * Decimal("0.999")
    (leg,) = known.lent(["BTC", "ETH", "USDT"], "USD")
    assert (leg.money, leg.currency, leg.title, leg.at) == ("USDT", "USD", "Bitstamp", AT)


def test_money_itself_is_lent_a_rate() -> None:
    """Euros held where no market knows them have a value in dollars."""
    known = rates("USD", ("Bitstamp", BITSTAMP))
    assert known.rate("EUR", "USD") == Decimal("1.1")


def test_no_coin_is_priced_by_another_exchange() -> None:
    """A coin that its own exchange does not price in money stays without a price, whoever else knows it."""
    known = rates("USD", ("Bitstamp", BITSTAMP))
    assert known.rate("XYZ", "USD") is None
    assert known.rate("ODD", "USD") is None
    assert rates("MXN", ("Bitso", Prices(AT, {("BTC", "MXN"): ONE}))).rate("BTC", "MXN") is None


def test_a_market_between_the_two_goes_before_a_fresher_cross() -> None:
    """Bitso is five minutes fresher, but knows USDT in USD only by way of pesos."""
    (leg,) = rates("USD", ("Bitso", BITSO), ("Bitstamp", BITSTAMP)).lent(["BTC"], "USD")
    assert leg.title == "Bitstamp"
    (alone,) = rates("USD", ("Bitso", BITSO)).lent(["BTC"], "USD")
    assert alone.rate == 20 / Decimal(19)


def test_of_two_markets_the_fresher_is_taken() -> None:
    """The order in which they are known does not count."""
    older = ("Old", Prices(AT - timedelta(minutes=50), {("USDT", "USD"): Decimal(2)}))
    for others in ((older, ("Bitstamp", BITSTAMP)), (("Bitstamp", BITSTAMP), older)):
        assert [leg.title for leg in rates("USD", *others).lent(["BTC"], "USD")] == ["Bitstamp"]


def test_who_counts_in_coins_is_lent_nothing() -> None:
    """The price of a coin in money is no rate between moneys."""
    assert wanting(held("USDT", "XYZ"), Prices(AT, {}), "BTC") == frozenset()


def test_what_is_wanted_is_what_own_prices_do_not_reach() -> None:
    """Nothing for what is reached, nothing for an empty balance, nothing for what no money is known of."""
    assert wanting(held("BTC", "ETH"), OWN, "USDT") == frozenset()
    assert wanting([Balance("BTC", Decimal(0), Decimal(0))], OWN, "USD") == frozenset()
    assert wanting(held("XYZ"), OWN, "USD") == frozenset()
    assert wanting(held("BTC"), OWN, "USD") == {"USDT"}


@given(prices, prices, currencies)
def test_own_prices_come_first(own, others, currency) -> None:
    """Where the exchange itself knows a way, nothing that is lent changes the value."""
    known = Rates(own, (lender("Other", others, currency),))
    for asset in ASSETS:
        mine = own.rate(asset, currency)
        assert mine is None or (known.rate(asset, currency) == mine and not known.lent([asset], currency))


@given(prices, prices, currencies)
def test_a_value_by_a_lent_rate_is_always_told(own, others, currency) -> None:
    """Exactly the assets with a value that own prices don't give have a lent leg, between two moneys."""
    known = Rates(own, (lender("Other", others, currency),) if currency in STABLE else ())
    for asset in ASSETS:
        legs = known.lent([asset], currency)
        assert bool(legs) is (known.rate(asset, currency) is not None and own.rate(asset, currency) is None)
        assert all({leg.money, leg.currency} <= STABLE for leg in legs)


@given(prices, prices, currencies)
def test_nothing_is_lent_that_was_not_wanted(own, others, currency) -> None:
    """Who looks for lenders by what is wanted finds every rate that helps."""
    balances = held(*ASSETS)
    known = Rates(own, (lender("Other", others, currency),) if currency in STABLE else ())
    assert {leg.money for leg in known.lent(ASSETS, currency)} <= wanting(balances, own, currency)
    assert value(balances, known, currency, ONE).total >= value(balances, own, currency, ONE).total
