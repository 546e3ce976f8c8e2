"""Rates between moneys that another exchange lends, where an exchange's own prices don't reach a currency.

Only this one leg is lent (USDT to USD): what a coin is worth is said by the exchange that holds it. What was
lent, by whom and as of when, is known afterwards, so that it can be told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from chatbot.domain.balances import CROSSES, STABLE, Balance, Prices, Snapshot, Valuation

LENT_FOR = timedelta(hours=1)
MIDDLES = tuple(code for code in CROSSES if code in STABLE)
_COINS = frozenset(CROSSES) - STABLE


@dataclass(frozen=True, slots=True)
class Lender:
    """What another exchange, called by its title, says about moneys."""

    title: str
    prices: Prices

    def has_market(self, money: str, currency: str) -> bool:
        """Tell whether the two are traded for one another, without a cross."""
        return not {(money, currency), (currency, money)}.isdisjoint(self.prices.last)


def lender(title: str, prices: Prices, currency: str) -> Lender:
    """Return what an exchange can lend: its markets between moneys, no coin among them."""
    moneys = STABLE | {currency}
    between = {pair: price for pair, price in prices.last.items() if moneys.issuperset(pair)}
    return Lender(title, Prices(prices.at, between))


@dataclass(frozen=True, slots=True)
class Lent:
    """A rate that was lent: units of the currency for one of the money, by which exchange and as of when."""

    money: str
    currency: str
    rate: Decimal
    title: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Rates:
    """An exchange's own prices, and those that may lend it the rate between two moneys."""

    own: Prices
    lenders: tuple[Lender, ...] = ()

    def rate(self, asset: str, currency: str) -> Decimal | None:
        """Return what one unit of the asset is worth in the currency: by own prices first."""
        own = self.own.rate(asset, currency)
        return own if own is not None else self._lent(asset, currency)[0]

    def lent(self, assets: Iterable[str], currency: str) -> tuple[Lent, ...]:
        """Return the lent rates by which these assets have their value, each once."""
        unreached = (asset for asset in assets if self.own.rate(asset, currency) is None)
        used = (self._lent(asset, currency)[1] for asset in unreached)
        return tuple(dict.fromkeys(leg for leg in used if leg is not None))

    def _lent(self, asset: str, currency: str) -> tuple[Decimal | None, Lent | None]:
        for money, price in _reached(self.own, asset) if self.lenders else ():
            leg = self._leg(money, currency)
            if leg is not None:
                return price * leg.rate, leg
        return None, None

    def _leg(self, money: str, currency: str) -> Lent | None:
        """Return the rate of a market between the two, else of a cross; the freshest."""
        found: list[tuple[bool, datetime, Lent]] = []
        for one in self.lenders:
            rate, at = one.prices.rate(money, currency), one.prices.at
            if rate is not None:
                leg = Lent(money, currency, rate, one.title, at)
                found.append((one.has_market(money, currency), at, leg))
        return max(found, key=lambda one: one[:2])[2] if found else None


@dataclass(frozen=True, slots=True)
class Valued:
    """An account, by the name people know it by, as it was read last, and what that is worth."""

    name: str
    snapshot: Snapshot
    worth: Valuation
    rates: Rates


def wanting(balances: Iterable[Balance], own: Prices, currency: str) -> frozenset[str]:
    """Return the moneys from which a rate to the currency would give a value that own prices don't give.

    A coin in which somebody counts is no money: its price is never lent.
    """
    if currency in _COINS:
        return frozenset()
    held = (balance.asset for balance in balances if balance.total or balance.free)
    unreached = [asset for asset in held if own.rate(asset, currency) is None]
    return frozenset(money for asset in unreached for money, _ in _reached(own, asset))


def _reached(own: Prices, asset: str) -> Iterable[tuple[str, Decimal]]:
    """Say in which moneys own prices value an asset, and at how much; what is money is worth itself."""
    if asset in STABLE:
        yield asset, Decimal(1)
    for money in MIDDLES:
        price = own.rate(asset, money) if money != asset else None
        if price is not None:
            yield money, price
