"""From Bitstamp's bytes to our values: balances, transactions and prices, each by a pure function.

A transaction has no fixed fields for what was traded: amounts stand under the names of currencies, and the
price under `base_quote`. Numbers come quoted or bare. Whatever the bytes are, only `ExchangeError` is raised.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.exchanges import _parse

TRADE, CONVERSION = 2, 36
FILLS = frozenset({TRADE, CONVERSION})
# Names that are never a currency, however they are put together.
FIXED = frozenset({"id", "datetime", "type", "fee", "order_id"})
NOTHING = (None, "")
Row = dict[str, Any]
# Bare numbers keep every digit: a float would round them.
ROWS = msgspec.json.Decoder(list[Row], float_hook=Decimal)


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
    with _parse.reading("transactions"):
        return tuple(_entry(row) for row in ROWS.decode(body))


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
    number = _parse.number(_value(row, "id", str, int))
    kind = _parse.number(_value(row, "type", str, int))
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
    found = [
        _Market(name, _money(row, name), _money(row, base), _money(row, quote))
        for name, base, quote in _priced(row)
        if _has(row, name) and _has(row, base) and _has(row, quote)
    ]
    moved = [market for market in found if market.price > 0 and market.base]
    # A very small trade moves no whole cent, so a quote amount of zero is only held against rivals.
    traded = [market for market in moved if market.quote] or moved
    if len(traded) != 1 or traded[0].base * traded[0].quote > 0:
        raise ValueError("not one pair")
    return traded[0]


def _priced(row: Row) -> Iterator[tuple[str, str, str]]:
    """Find the fields that may be the price of a pair, each with the names of base and quote."""
    for name in row:
        base, mark, quote = name.partition("_")
        if mark and name not in FIXED and base not in FIXED and quote not in FIXED:
            yield name, base, quote


def _has(row: Row, name: str) -> bool:
    return row.get(name) not in NOTHING


def _word(row: Row, name: str) -> str:
    """Return a text, or a whole number as text."""
    return str(_value(row, name, str, int))


def _money(row: Row, name: str) -> Decimal:
    return _parse.amount(Decimal(_value(row, name, str, int, Decimal)))


def _value(row: Row, name: str, *kinds: type) -> Any:
    # By the exact type: what is true or false is no number, and no list is one either.
    if type(row.get(name)) not in kinds:
        raise ValueError("a field is missing, or no text or number")
    return row[name]
