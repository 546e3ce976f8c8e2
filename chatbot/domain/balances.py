"""Balances, what they are worth, and what changed since the last post.

Prices come from the exchange's own tickers, through at most two crosses; `rates.py` knows what is lent.
An asset without a price has the value None, never zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from chatbot.domain.fills import Fill, Side

CROSSES = ("USD", "USDT", "USDC", "BTC", "EUR", "MXN")
# Money, and coins that stand for money: never dust, and what rates are lent between.
STABLE = frozenset(
    {
        *(
            "USD",
            "EUR",
            "GBP",
            "CHF",
            "CAD",
            "AUD",
            "JPY",
            "TRY",
            "PLN",
            "MXN",
            "BRL",
            "ARS",
            "COP",
            "CLP",
            "PEN",
        ),
        *("USDT", "USDC", "DAI", "TUSD", "PYUSD", "FDUSD", "USDP", "RLUSD", "EURC", "EURS", "EURT"),
    }
)

_NONE = Decimal(0)
# What an exchange rounds is no move: one hundred-millionth, of a unit and of what is held.
_DUST = _ROUNDING = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds of one asset, in units of the asset; `locked` is in open orders."""

    asset: str
    free: Decimal
    total: Decimal

    @property
    def locked(self) -> Decimal:
        """The part that is not free."""
        return self.total - self.free


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All balances of an account at one moment."""

    at: datetime
    balances: tuple[Balance, ...]


@dataclass(frozen=True, slots=True)
class Prices:
    """Last prices of an exchange: (base, quote) to quote units for one base, as of a time."""

    at: datetime
    last: Mapping[tuple[str, str], Decimal]

    def rate(self, asset: str, currency: str) -> Decimal | None:
        """Return what one unit of the asset is worth in the currency, or None."""
        direct = self._pair(asset, currency)
        if direct is not None:
            return direct
        for middle in CROSSES:
            first, second = self._pair(asset, middle), self._pair(middle, currency)
            if first is not None and second is not None:
                return first * second
        for one in CROSSES:
            for two in CROSSES:
                legs = (self._pair(asset, one), self._pair(one, two), self._pair(two, currency))
                if legs[0] is not None and legs[1] is not None and legs[2] is not None:
                    return legs[0] * legs[1] * legs[2]
        return None

    def _pair(self, base: str, quote: str) -> Decimal | None:
        if base == quote:
            return Decimal(1)
        price = self.last.get((base, quote))
        if price is not None and price > 0:
            return price
        reverse = self.last.get((quote, base))
        return 1 / reverse if reverse is not None and reverse > 0 else None


class Priced(Protocol):
    """Knows what assets are worth."""

    def rate(self, asset: str, currency: str) -> Decimal | None:
        """Return what one unit of the asset is worth in the currency, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Holding:
    """A balance with its value in the person's currency; None means no price."""

    balance: Balance
    value: Decimal | None


@dataclass(frozen=True, slots=True)
class Valuation:
    """Holdings by falling value, dust folded; the shown parts and the dust make up the total."""

    shown: tuple[Holding, ...]
    dust: tuple[Holding, ...]
    unpriced: tuple[Holding, ...]
    total: Decimal
    currency: str

    @property
    def priced(self) -> bool:
        """Tell whether the total says something: an account without any price is not worth zero."""
        return bool(self.shown or self.dust or not self.unpriced)

    @property
    def dust_value(self) -> Decimal:
        """What the folded assets are worth together."""
        return _sum(self.dust)

    @property
    def whole(self) -> Decimal:
        """What shares are parts of: all that is held, without what is owed."""
        return sum((h.value for h in (*self.shown, *self.dust) if h.value and h.value > 0), Decimal(0))

    def share(self, worth: Decimal) -> Decimal | None:
        """Return which part of the whole a value is; None for what is owed, and of nothing."""
        return worth / self.whole if self.whole and worth >= 0 else None

    def listed(self, most: int) -> tuple[tuple[Holding, ...], tuple[Holding, ...]]:
        """Divide the shown ones into those to list and the rest; what is owed, and money, is listed."""
        rest = tuple(h for h in self.shown[most:] if (h.value or 0) >= 0 and h.balance.asset not in STABLE)
        if len(rest) < 2:
            return self.shown, ()
        return tuple(h for h in self.shown if h not in rest), rest


def value(balances: Iterable[Balance], prices: Priced, currency: str, dust_below: Decimal) -> Valuation:
    """Value balances in a currency; stable coins and money are never folded as dust.

    The floor is an amount of money: who counts in coins has it in dollars.
    """
    floor_in = currency if currency in STABLE else "USD"
    shown: list[Holding] = []
    dust: list[Holding] = []
    unpriced: list[Holding] = []
    for balance in balances:
        if not balance.total and not balance.free:
            continue
        rate = prices.rate(balance.asset, currency)
        if rate is None:
            unpriced.append(Holding(balance, None))
            continue
        holding = Holding(balance, balance.total * rate)
        floor = prices.rate(balance.asset, floor_in)
        small = floor is not None and abs(balance.total * floor) < dust_below and balance.asset not in STABLE
        (dust if small else shown).append(holding)
    shown.sort(key=lambda h: (-(h.value or Decimal(0)), h.balance.asset))
    total = sum((h.value for h in (*shown, *dust) if h.value is not None), Decimal(0))
    return Valuation(tuple(shown), tuple(dust), tuple(unpriced), total, currency)


def merged(parts: Sequence[Valuation]) -> Valuation:
    """Return several accounts, valued in one currency, as one: each asset once."""
    shown = {h.balance.asset for part in parts for h in part.shown}
    priced = _by_asset(h for part in parts for h in (*part.shown, *part.dust))
    unpriced = _by_asset(h for part in parts for h in part.unpriced)
    large = [h for h in priced if h.balance.asset in shown]
    large.sort(key=lambda h: (-(h.value or _NONE), h.balance.asset))
    small = tuple(h for h in priced if h.balance.asset not in shown)
    total = sum((part.total for part in parts), _NONE)
    return Valuation(tuple(large), small, unpriced, total, parts[0].currency)


def _by_asset(holdings: Iterable[Holding]) -> tuple[Holding, ...]:
    found: dict[str, Holding] = {}
    for holding in holdings:
        new = holding.balance
        old = found.get(new.asset)
        if old is None:
            found[new.asset] = holding
            continue
        balance = Balance(new.asset, old.balance.free + new.free, old.balance.total + new.total)
        worth = None if holding.value is None or old.value is None else old.value + holding.value
        found[new.asset] = Holding(balance, worth)
    return tuple(found.values())


def _sum(holdings: Iterable[Holding]) -> Decimal:
    return sum((h.value for h in holdings if h.value is not None), _NONE)


@dataclass(frozen=True, slots=True)
class Move:
    """How much of an asset came (positive) or left (negative) without a fill, and what is there now."""

    asset: str
    change: Decimal
    now: Decimal


@dataclass(frozen=True, slots=True)
class Gap:
    """How far an asset is from what its fills explain.

    `open` is the whole difference; `sure` the part that no fill still on its way could explain, at the
    last reading; `slack` the fees since the gap opened, which an exchange may round in its own way.
    """

    open: Decimal = _NONE
    sure: Decimal = _NONE
    slack: Decimal = _NONE


Gaps = Mapping[str, Gap]


def expect(gaps: Gaps, fills: Iterable[Fill]) -> Gaps:
    """Return the gaps once fills became known: what they moved is expected from now on."""
    after = dict(gaps)
    for fill in fills:
        for asset, change in _effects(fill):
            gap = after.get(asset, Gap())
            after[asset] = replace(gap, open=gap.open - change)
        gap = after.get(fill.fee_asset, Gap())
        after[fill.fee_asset] = replace(gap, slack=gap.slack + abs(fill.fee))
    return after


def moves(
    before: Snapshot, after: Snapshot, gaps: Gaps, latest: Sequence[Fill], *, hold: bool = True
) -> tuple[tuple[Move, ...], Gaps]:
    """Return what no fill explains, and the gaps that stay open; `latest` fills may not be in `after` yet.

    With `hold` a gap is told only when the reading before this one had it too: an exchange may list
    a fill later than it moves the balances.
    """
    old = {b.asset: b.total for b in before.balances}
    new = {b.asset: b.total for b in after.balances}
    doubt = [effect for fill in latest for effect in _effects(fill)]
    told: list[Move] = []
    left: dict[str, Gap] = {}
    for asset in sorted(old.keys() | new.keys() | gaps.keys()):
        was, now = old.get(asset, _NONE), new.get(asset, _NONE)
        gap = gaps.get(asset, Gap())
        opened = replace(gap, open=gap.open + now - was)
        slack = max(_DUST, _ROUNDING * max(abs(was), abs(now))) + gap.slack
        doubtful = [change for moved, change in doubt if moved == asset]
        sure = _sure(opened.open, doubtful, slack)
        change = _both(gap.sure, sure) if hold else sure
        if change:
            told.append(Move(asset, change, now))
        rest = opened.open - change
        # What a doubtful fill moves may still come, however little it is.
        if abs(rest) > slack or (rest and doubtful):
            left[asset] = Gap(rest, sure - change, _NONE if change else gap.slack)
    return tuple(told), left


def _effects(fill: Fill) -> tuple[tuple[str, Decimal], ...]:
    fee = (fill.fee_asset, -fill.fee)
    if fill.settle:
        return (fill.settle, fill.result), fee
    sign = 1 if fill.side is Side.BUY else -1
    return (fill.base, sign * fill.quantity), (fill.quote, -sign * fill.cost), fee


def _sure(gap: Decimal, doubt: Iterable[Decimal], slack: Decimal) -> Decimal:
    """Return the part of a gap that stays, whichever of the doubtful changes are in it."""
    changes = list(doubt)
    low = gap + sum((c for c in changes if c < 0), _NONE)
    high = gap + sum((c for c in changes if c > 0), _NONE)
    if low - slack <= 0 <= high + slack:
        return _NONE
    return low if low > 0 else high


def _both(one: Decimal, two: Decimal) -> Decimal:
    """Return what two readings have in common."""
    if one * two <= 0:
        return _NONE
    return min(one, two, key=abs)
