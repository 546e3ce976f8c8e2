"""From Bitstamp's bytes to our values: balances, transactions and prices, each by a pure function.

A transaction has no fixed fields for what was traded: amounts stand under the names of currencies, and the
price under `base_quote`. Numbers come quoted or bare. Whatever the bytes are, only `ExchangeError` is raised.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.exchanges import _parse

TRADE, CONVERSION = 2, 36
FILLS = frozenset({TRADE, CONVERSION})
# Names that are never a currency, however they are put together.
FIXED = frozenset({"id", "datetime", "type", "fee", "order_id"})
NOTHING = frozenset({b"null", b'""'})
Row = dict[str, msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Entry:
    """One transaction: its id, and the fill it is, if it is one."""

    id: int
    fill: Fill | None


@dataclass(frozen=True, slots=True)
class _Market:
    """What a row says under one pair: the price, and what came (positive) or went of base and quote."""

    name: str
    price: Decimal
    base: Decimal
    quote: Decimal


class _Balance(msgspec.Struct):
    currency: str
    available: Decimal
    total: Decimal


class _Ticker(msgspec.Struct):
    market: str = ""
    pair: str = ""  # deprecated in favour of `market`
    last: Decimal | None = None


def parse_balances(body: bytes) -> tuple[Balance, ...]:
    """Return the balances that are not zero; raises `ExchangeError` when the answer makes no sense.

    Bitstamp lists every asset it knows, with zeros: a list without a row is a failure, not an empty account.
    """
    rows = _parse.decode(body, list[_Balance])
    if not rows:
        raise _parse.unreadable("balances")
    with _parse.reading("balances"):
        found = [
            Balance(_parse.asset(row.currency), _parse.amount(row.available), _parse.amount(row.total))
            for row in rows
        ]
    return tuple(balance for balance in found if balance.total or balance.free)


def parse_entries(body: bytes) -> tuple[Entry, ...]:
    """Return the transactions of a page in the order given; raises `ExchangeError` for a senseless one."""
    rows = _parse.decode(body, list[Row])
    with _parse.reading("transactions"):
        return tuple(_entry(row) for row in rows)


def parse_prices(body: bytes, at: datetime) -> Prices:
    """Return the last price of every pair that has one; raises `ExchangeError` when one makes no sense."""
    rows = _parse.decode(body, list[_Ticker])
    with _parse.reading("prices"):
        return Prices(
            at,
            {_pair(row.market or row.pair): _parse.amount(row.last) for row in rows if row.last is not None},
        )


def parse_any(body: bytes) -> None:
    """Read nothing but that it is a list; raises `ExchangeError` when it is not."""
    _parse.decode(body, list[msgspec.Raw])


def _pair(name: str) -> tuple[str, str]:
    base, _, quote = name.partition("/")
    return _parse.asset(base), _parse.asset(quote)


def _entry(row: Row) -> Entry:
    number = _parse.number(_word(row, "id"))
    kind = _parse.number(_word(row, "type"))
    return Entry(number, _fill(number, row) if kind in FILLS else None)


def _fill(number: int, row: Row) -> Fill:
    market = _market(row)
    base, quote = _parse.pair(market.name)
    return Fill(
        id=str(number),
        order=_word(row, "order_id")[:64] if _has(row, "order_id") else "",
        product="spot",
        market=market.name,
        base=base,
        quote=quote,
        side=Side.BUY if market.base > 0 else Side.SELL,
        quantity=market.base.copy_abs(),
        price=market.price,
        cost=market.quote.copy_abs(),
        fee=_money(row, "fee") if _has(row, "fee") else Decimal(0),
        fee_asset=quote,
        liquidity=Liquidity.UNKNOWN,
        at=_parse.moment(_word(row, "datetime")),
    )


def _market(row: Row) -> _Market:
    """Find the one pair that was traded: rows may carry prices and zeros of others, too."""
    pairs = [name.partition("_") for name in row if "_" in name]
    found = [
        _Market(base + mark + quote, _money(row, base + mark + quote), _money(row, base), _money(row, quote))
        for base, mark, quote in pairs
        if not {base, quote, base + mark + quote} & FIXED
        and all(_has(row, name) for name in (base + mark + quote, base, quote))
    ]
    moved = [market for market in found if market.price > 0 and market.base]
    # A very small trade moves no whole cent, so a quote amount of zero is only held against rivals.
    traded = [market for market in moved if market.quote] or moved
    if len(traded) != 1 or traded[0].base * traded[0].quote > 0:
        raise ValueError("not one pair")
    return traded[0]


def _has(row: Row, name: str) -> bool:
    return name in row and bytes(row[name]) not in NOTHING


def _word(row: Row, name: str) -> str:
    """Return a text, or a whole number as text."""
    return str(msgspec.json.decode(_raw(row, name), type=str | int))


def _money(row: Row, name: str) -> Decimal:
    return _parse.amount(msgspec.json.decode(_raw(row, name), type=Decimal, strict=False))


def _raw(row: Row, name: str) -> msgspec.Raw:
    if name not in row:
        raise ValueError("a field is missing")
    return row[name]
