"""What the fills of one order come to, and what was earned with a sale.

Folding counts each fill once and in its own order of time, so it does not matter in which order they came.
Whether more fills of an order will follow is not known here: fills say nothing of what still waits.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal

from chatbot.domain.fills import Fill, Liquidity, Side

# Digits for sums of whatever an exchange may answer, and for the one division of an average.
EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
_SHARED = Context(prec=60, rounding=ROUND_HALF_EVEN)
_MORE_PLACES = 2
NONE = Decimal(0)


@dataclass(frozen=True, slots=True, order=True)
class OrderId:
    """Which order a fill belongs to: ids are the market's own; a fill without one is an order by itself."""

    product: str
    market: str
    side: Side
    order: str
    fill: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """The fills of one order as one: how many, how much, at which average price, for what fees.

    `fees` has one amount for each asset. `liquidity` is unknown when the fills differ. `settle` and `result`
    are those of a contract.
    """

    id: OrderId
    base: str
    quote: str
    count: int
    quantity: Decimal
    price: Decimal
    cost: Decimal
    fees: tuple[tuple[str, Decimal], ...]
    liquidity: Liquidity
    first: datetime
    last: datetime
    settle: str = ""
    result: Decimal = NONE

    @property
    def side(self) -> Side:
        """Whether it bought or sold."""
        return self.id.side


@dataclass(frozen=True, slots=True)
class Realised:
    """What a sale brought beyond the average cost of what was sold, in `asset`.

    Fees in that asset and in the one sold are counted; `apart` names the assets of those that are not.
    """

    amount: Decimal
    asset: str
    apart: tuple[str, ...] = ()


def order_of(fill: Fill) -> OrderId:
    """Return the order of a fill."""
    alone = "" if fill.order else fill.id
    return OrderId(fill.product, fill.market, fill.side, fill.order, alone)


def key_of(fill: Fill) -> tuple[str, str, str, str]:
    """Return what makes a fill that one and no other of its account."""
    return fill.product, fill.market, fill.id, fill.side.value


def in_time(fills: Iterable[Fill]) -> list[Fill]:
    """Return each fill once, oldest first; what was bought and sold at one instant was bought first."""
    return sorted({key_of(fill): fill for fill in fills}.values(), key=_moment)


def by_order(fills: Iterable[Fill]) -> dict[OrderId, list[Fill]]:
    """Return fills by their orders, those of an order oldest first, orders by their first fill."""
    orders: dict[OrderId, list[Fill]] = {}
    for fill in in_time(fills):
        orders.setdefault(order_of(fill), []).append(fill)
    return orders


def fold(fills: Iterable[Fill]) -> Order:
    """Return what the fills of one order come to; there must be one at least, and all of the same order."""
    parts = in_time(fills)
    first, last = parts[0], parts[-1]
    kinds = {part.liquidity for part in parts}
    return Order(
        id=order_of(first), base=first.base, quote=first.quote, count=len(parts),
        quantity=total(part.quantity for part in parts), price=average(parts),
        cost=total(part.cost for part in parts), fees=fees(parts),
        liquidity=kinds.pop() if len(kinds) == 1 else Liquidity.UNKNOWN,
        first=first.at, last=last.at, settle=first.settle, result=total(part.result for part in parts),
    )  # fmt: skip


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Return a sum without losing a digit."""
    found = NONE
    for amount in amounts:
        found = EXACT.add(found, amount)
    return found


def average(fills: Sequence[Fill]) -> Decimal:
    """Return the price for one unit over some fills of a market, with two places more than theirs."""
    prices = {fill.price for fill in fills}
    if len(prices) == 1:
        return prices.pop()
    quantity = total(fill.quantity for fill in fills)
    if not quantity:
        return fills[-1].price
    worth = total(EXACT.multiply(fill.quantity, fill.price) for fill in fills)
    places = max(_places(price) for price in prices) + _MORE_PLACES
    return EXACT.divide(worth, quantity).quantize(Decimal(1).scaleb(-places), context=EXACT)


def fees(fills: Iterable[Fill]) -> tuple[tuple[str, Decimal], ...]:
    """Return the fees by asset; those that came to nothing are left out unless there are no others."""
    sums: dict[str, Decimal] = {}
    for fill in fills:
        sums[fill.fee_asset] = EXACT.add(sums.get(fill.fee_asset, NONE), fill.fee)
    paid = {asset: amount for asset, amount in sums.items() if amount}
    return tuple(sorted((paid or dict(list(sums.items())[:1])).items()))


def realised(fills: Iterable[Fill], order: OrderId) -> Realised | None:
    """Return what a sale realised by average cost, over all fills of its market, oldest first.

    None when an order bought, or when more was ever sold than these fills had bought: then not all that was
    held came from them, and nobody here knows what it had cost.
    """
    if order.side is not Side.SELL:
        return None
    held, cost, apart = NONE, NONE, set[str]()
    found: Decimal | None = None
    quote = ""
    for fill in fills:
        if fill.settle:
            continue
        base_fee = fill.fee if fill.fee_asset == fill.base else NONE
        quote_fee = fill.fee if fill.fee_asset == fill.quote else NONE
        if fill.fee and fill.fee_asset not in {fill.base, fill.quote}:
            apart.add(fill.fee_asset)
        if fill.side is Side.BUY:
            held = EXACT.add(held, EXACT.subtract(fill.quantity, base_fee))
            cost = EXACT.add(cost, EXACT.add(fill.cost, quote_fee))
            continue
        gone = EXACT.add(fill.quantity, base_fee)
        if gone > held:
            return None
        part = _part(cost, gone, held)
        held, cost = EXACT.subtract(held, gone), EXACT.subtract(cost, part)
        if order_of(fill) == order:
            brought = EXACT.subtract(EXACT.subtract(fill.cost, quote_fee), part)
            found, quote = EXACT.add(found or NONE, brought), fill.quote
    return None if found is None else Realised(found, quote, tuple(sorted(apart)))


def _part(cost: Decimal, gone: Decimal, held: Decimal) -> Decimal:
    # The last of it takes all of the cost along: no rounding stays behind.
    return cost if gone == held else _SHARED.divide(EXACT.multiply(cost, gone), held)


def _moment(fill: Fill) -> tuple[datetime, bool, tuple[str, str, str, str]]:
    return fill.at, fill.side is Side.SELL, key_of(fill)


def _places(price: Decimal) -> int:
    exponent = price.normalize(EXACT).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def sums(fills: Iterable[Fill]) -> Iterator[Sequence[Fill]]:
    """Cut fills into those of one market and side."""
    parts: dict[tuple[str, str, Side], list[Fill]] = {}
    for fill in in_time(fills):
        parts.setdefault((fill.base, fill.quote, fill.side), []).append(fill)
    yield from (part for _, part in sorted(parts.items()))
