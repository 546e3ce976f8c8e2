"""A fill: one execution of an order, in the same shape for every exchange."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """Whether the account bought or sold the base asset."""

    BUY = "buy"
    SELL = "sell"


class Liquidity(StrEnum):
    """Whether the order waited in the book (maker) or took from it (taker)."""

    MAKER = "maker"
    TAKER = "taker"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. Unique per account by product, market, id and side.

    `quantity` is in units of `base`, `price` in `quote` for one `base`, `cost` in `quote`,
    `fee` in `fee_asset` (negative for a rebate). `at` is UTC. A contract exchanges no base for quote: its
    `settle` names the asset that it pays in, and `result` is what this fill brought of it (negative: cost)
    besides the fee.
    """

    id: str
    order: str
    product: str
    market: str
    base: str
    quote: str
    side: Side
    quantity: Decimal
    price: Decimal
    cost: Decimal
    fee: Decimal
    fee_asset: str
    liquidity: Liquidity
    at: datetime
    settle: str = ""
    result: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class FillPage:
    """Fills in the order asked for, and whether the exchange may hold more beyond them."""

    fills: tuple[Fill, ...]
    more: bool
