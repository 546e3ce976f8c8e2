"""Accounts to be shown: valued holdings and values over time, made up and repeatable."""

import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from chatbot.domain.balances import Balance, Holding, Prices, Snapshot, Valuation
from chatbot.domain.pictures import Point
from chatbot.domain.rates import Rates, Valued

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
COINS = [
    "BTC",
    "ETH",
    "USDT",
    "SOL",
    "XRP",
    "ADA",
    "DOGE",
    "AVAX",
    "LINK",
    "DOT",
    "MATIC",
    "LTC",
    "BCH",
    "ATOM",
    "UNI",
    "ETC",
    "XLM",
    "FIL",
    "NEAR",
    "APT",
    "ARB",
    "OP",
    "INJ",
    "SUI",
    "TIA",
    "SEI",
    "RUNE",
    "AAVE",
    "MKR",
    "SNX",
    "CRV",
    "LDO",
    "GRT",
    "SAND",
    "MANA",
    "AXS",
    "GALA",
    "CHZ",
    "ENJ",
    "BAT",
]


def holding(asset: str, worth: str | None, free: str = "1", locked: str = "0") -> Holding:
    """Make a holding; without a worth it has no price."""
    total = Decimal(free) + Decimal(locked)
    return Holding(Balance(asset, Decimal(free), total), None if worth is None else Decimal(worth))


def worth(
    *shown: Holding, currency: str = "USD", dust: Sequence[Holding] = (), unpriced: Sequence[Holding] = ()
) -> Valuation:
    """Make a valuation of holdings."""
    ordered = sorted(shown, key=lambda h: -(h.value or Decimal(0)))
    total = sum((h.value for h in (*shown, *dust) if h.value is not None), Decimal(0))
    return Valuation(tuple(ordered), tuple(dust), tuple(unpriced), total, currency)


def many(count: int) -> list[Holding]:
    """Make that many holdings, each smaller than the one before."""
    return [holding(c, str(round(12000 * 0.72**i + 3, 2))) for i, c in enumerate(COINS[:count])]


def valued(name: str, whole: Valuation, at: datetime = NOW) -> Valued:
    """Make an account as it was read."""
    balances = tuple(h.balance for h in (*whole.shown, *whole.dust, *whole.unpriced))
    prices = Prices(at - timedelta(seconds=20), {("BTC", "USD"): Decimal(1)})
    return Valued(name, Snapshot(at, balances), whole, Rates(prices))


def walk(
    end: Decimal, days: float, hours: float = 6, gaps: Sequence[tuple[float, float]] = ()
) -> list[Point]:
    """Make a value over time that wanders to its end; a gap is a part of the whole time."""
    rng, steps = random.Random(1), [0.0]
    count = int(days * 24 / hours)
    for _ in range(count):
        steps.append(steps[-1] + rng.gauss(0, 0.02))
    values = [end * Decimal(str(math.exp(step - steps[-1]))) for step in steps]
    return [
        Point(NOW - timedelta(hours=hours * (count - i)), value)
        for i, value in enumerate(values)
        if not any(start <= i / count < stop for start, stop in gaps)
    ]
