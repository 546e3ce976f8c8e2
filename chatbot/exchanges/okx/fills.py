"""From OKX's transaction details to fills: spot by the pair's name, contracts by what one of them stands for.

A row of a spot or margin pair says what it traded in its name, `BTC-USDT`. For futures, swaps and options
the quantity counts contracts: `Contract` tells how much of what one is. Pure; nothing here asks.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.exchanges import _parse
from chatbot.exchanges.okx.wire import EXACT, Envelope, asset, moment, money

SPOT, MARGIN, SWAP, FUTURES, OPTION = KINDS = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION")
PAIRS = frozenset({SPOT, MARGIN})
CONTRACTS = frozenset({SWAP, FUTURES, OPTION})
LIQUIDITY = {"T": Liquidity.TAKER, "M": Liquidity.MAKER}
LONGEST_MARKET, LONGEST_ORDER = 64, 64
# Prices have fewer digits than this; what an inverse contract comes to in coins has no end otherwise.
PLACES = Decimal("1e-12")
Family = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Contract:
    """How much one contract is, of which asset, and the asset it is settled in."""

    value: Decimal
    unit: str
    settled: str


Contracts = Mapping[Family, Contract]


class Row(msgspec.Struct):
    """A row of the transaction details, with its number among them all."""

    kind: str = msgspec.field(name="instType")
    market: str = msgspec.field(name="instId")
    bill: str | int = msgspec.field(name="billId")
    ts: str | int
    side: str = ""
    size: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="fillSz")
    price: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="fillPx")
    gain: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="fillPnl")
    fee: msgspec.Raw = msgspec.Raw()
    fee_asset: str = msgspec.field(default="", name="feeCcy")
    order: str | int = msgspec.field(default="", name="ordId")
    liquidity: str = msgspec.field(default="", name="execType")
    quote: str = msgspec.field(default="", name="tradeQuoteCcy")
    filled_at: str | int = msgspec.field(default="", name="fillTime")
    number: int = 0

    @property
    def family(self) -> Family:
        """What kind of contract it is: all of a family stand for the same."""
        return self.kind, "-".join(self.market.split("-")[:2])


class _Instrument(msgspec.Struct):
    value: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="ctVal")
    times: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="ctMult")
    unit: str = msgspec.field(default="", name="ctValCcy")
    settled: str = msgspec.field(default="", name="settleCcy")


def parse_rows(body: bytes) -> list[Row]:
    """Return the rows of a page in the order given."""
    rows = _parse.decode(body, Envelope[Row]).data
    with _parse.reading("fills"):
        for row in rows:
            row.number = _parse.number(row.bill)
            moment(row.ts)
    return rows


def parse_contract(body: bytes) -> Contract | None:
    """Return what one contract of a family is; None when none of it is listed any more."""
    rows = _parse.decode(body, Envelope[_Instrument]).data
    with _parse.reading("contracts"):
        for row in rows:
            value, times = money(row.value), money(row.times)
            if value and row.unit and row.settled:
                size = _parse.amount(EXACT.multiply(value, times or Decimal(1)))
                return Contract(size, asset(row.unit), asset(row.settled))
    return None


def parse_fills(body: bytes, contracts: Contracts) -> tuple[Fill, ...]:
    """Return the fills of a page in the order given."""
    return fills(parse_rows(body), contracts)


def fills(rows: Iterable[Row], contracts: Contracts) -> tuple[Fill, ...]:
    """Return rows as fills; raises `ExchangeError` when one makes no sense."""
    with _parse.reading("fills"):
        return tuple(fill for row in rows if (fill := _fill(row, contracts)) is not None)


@dataclass(frozen=True, slots=True)
class _Traded:
    base: str
    quote: str
    quantity: Decimal
    cost: Decimal
    settle: str = ""


def _fill(row: Row, contracts: Contracts) -> Fill | None:
    size, price = money(row.size), money(row.price)
    # Some system entries (borrowing, an option that ran out) are no execution at a price.
    if not size or price is None or not row.side:
        return None
    traded = _traded(row, size.copy_abs(), price, contracts.get(row.family))
    fee = money(row.fee) or Decimal(0)
    side = Side(row.side.lower())
    return Fill(
        id=str(row.number),
        order=str(row.order)[:LONGEST_ORDER],
        product=row.kind.lower()[:LONGEST_MARKET],
        market=row.market[:LONGEST_MARKET],
        base=traded.base,
        quote=traded.quote,
        side=side,
        quantity=_parse.amount(traded.quantity),
        price=_parse.price(price),
        cost=_parse.amount(traded.cost),
        # OKX writes what it takes as negative and what it pays as positive.
        fee=-fee if fee else fee,
        fee_asset=asset(row.fee_asset) if row.fee_asset else traded.quote,
        liquidity=LIQUIDITY.get(row.liquidity, Liquidity.UNKNOWN),
        at=moment(row.filled_at or row.ts),
        settle=traded.settle,
        result=_result(row, traded, side),
    )


def _result(row: Row, traded: _Traded, side: Side) -> Decimal:
    """Return what a contract brought: a future the gain of what it closed, anything else its price."""
    if row.kind in PAIRS:
        return Decimal(0)
    if row.kind in {SWAP, FUTURES}:
        return money(row.gain) or Decimal(0)
    return _parse.amount(traded.cost if side is Side.SELL else -traded.cost)


def _traded(row: Row, size: Decimal, price: Decimal, contract: Contract | None) -> _Traded:
    first, second = [*row.market.split("-"), ""][:2]
    if row.kind in PAIRS:
        return _Traded(asset(first), asset(row.quote or second), size, EXACT.multiply(size, price))
    # Some families carry a mark behind the quote: USD_UM.
    quote = asset(second.partition("_")[0] or row.fee_asset)
    settle = asset(row.fee_asset or (contract.settled if contract else quote))
    if contract is None:
        # Nobody tells any more what it stood for: so many of it.
        name, paid_in = asset(row.market[: _parse.LONGEST_CODE]), asset(row.quote or settle)
        return _Traded(name, paid_in, size, EXACT.multiply(size, price), settle)
    worth = EXACT.multiply(size, contract.value)
    if contract.unit == quote:
        coins = EXACT.divide(worth, price).quantize(PLACES, context=EXACT) if price else Decimal(0)
        return _Traded(asset(first), quote, coins, worth, settle)
    paid_in = contract.settled if row.kind == OPTION else quote
    return _Traded(contract.unit, paid_in, worth, EXACT.multiply(worth, price), settle)
