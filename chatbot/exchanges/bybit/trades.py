"""From Bybit's executions to fills; pure functions.

A funding payment stands among the executions but fills no order, so it is left out. What a contract's fill
brought stands in the transaction log, under the same id.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from urllib.parse import quote

import msgspec

from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.exchanges import _parse
from chatbot.exchanges.bybit.symbols import Market, market
from chatbot.exchanges.bybit.wire import ABSENT, EXACT, NOTHING, Camel, Pairs, asset, moment, money

CATEGORIES = ("spot", "linear", "inverse", "option")
NO_FILLS = frozenset({"Funding", "SessionSettlePnL"})
PLAIN_CURSOR = re.compile(r"(?:[A-Za-z0-9_.,:-]|%[0-9A-Fa-f]{2})*")
LONGEST_CURSOR = 1000
PLAIN_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
Results = Mapping[str, Decimal]


class Row(Camel):
    """A row of the executions, before its symbol is looked up; `execTime` in milliseconds."""

    symbol: str
    side: str
    exec_id: str
    exec_time: int
    exec_price: msgspec.Raw
    exec_qty: msgspec.Raw
    exec_value: msgspec.Raw = ABSENT
    exec_fee: msgspec.Raw = ABSENT
    fee_rate: msgspec.Raw = ABSENT
    exec_type: str = ""
    fee_currency: str | None = None
    is_maker: bool | None = None
    order_id: str | None = None
    closed_size: msgspec.Raw = ABSENT
    exec_pnl: msgspec.Raw = ABSENT


class _Rows(Camel):
    rows: list[Row] = msgspec.field(name="list")
    next_page_cursor: str | None = None


class _Executions(Camel):
    result: _Rows
    time: int


class _Booking(Camel):
    trade_id: str | None = None
    cash_flow: msgspec.Raw = ABSENT


class _Bookings(Camel):
    rows: list[_Booking] = msgspec.field(name="list")
    next_page_cursor: str | None = None


class _Log(Camel):
    result: _Bookings


@dataclass(frozen=True, slots=True)
class Executions:
    """A page of one category, newest first: its rows, the cursor of the next, and the exchange's time."""

    rows: tuple[Row, ...]
    cursor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Booked:
    """A page of the transaction log: what trades brought, by their ids, and the cursor of the next."""

    results: Results
    rows: int
    cursor: str


@dataclass(frozen=True, slots=True)
class Found:
    """A fill, and whether only the transaction log can tell what it brought."""

    fill: Fill
    unsure: bool


def parse_executions(body: bytes) -> Executions:
    """Return a page of executions in the order given."""
    answer = _parse.decode(body, _Executions)
    with _parse.reading("executions"):
        page = answer.result
        return Executions(tuple(page.rows), _cursor(page.next_page_cursor), moment(answer.time))


def parse_results(body: bytes) -> Booked:
    """Return a page of the transaction log; an id may have several rows."""
    log = _parse.decode(body, _Log).result
    results: dict[str, Decimal] = {}
    with _parse.reading("transaction log"):
        onward = _cursor(log.next_page_cursor)
        for row in log.rows:
            if row.trade_id and PLAIN_ID.fullmatch(row.trade_id):
                so_far = results.get(row.trade_id, Decimal(0))
                results[row.trade_id] = _parse.amount(EXACT.add(so_far, money(row.cash_flow)))
    return Booked(results, len(log.rows), onward)


def parse_fills(body: bytes, category: str, pairs: Pairs) -> tuple[Fill, ...]:
    """Return the fills of a page in the order given."""
    return tuple(found.fill for found in fills(parse_executions(body).rows, category, pairs))


def fills(rows: Iterable[Row], category: str, pairs: Pairs) -> tuple[Found, ...]:
    """Return executions as fills; raises `ExchangeError` when one makes no sense."""
    with _parse.reading("fills"):
        return tuple(
            _found(row, category, market(category, row.symbol, pairs)) for row in rows if filled(row)
        )


def settled(fill: Fill, results: Results) -> Fill:
    """Return a fill with what it brought, if the log tells it."""
    return replace(fill, result=results[fill.id]) if fill.id in results else fill


def filled(row: Row) -> bool:
    """Tell whether an execution filled an order, or closed a position."""
    return row.exec_type not in NO_FILLS


def _found(row: Row, category: str, traded: Market) -> Found:
    told = bytes(row.exec_pnl) not in NOTHING
    opened = bytes(row.closed_size) not in NOTHING and not money(row.closed_size) and category != "option"
    return Found(_fill(row, category, traded), bool(traded.settle) and not told and not opened)


def _fill(row: Row, category: str, traded: Market) -> Fill:
    size, price = money(row.exec_qty).copy_abs(), _parse.price(money(row.exec_price))
    worth = money(row.exec_value).copy_abs()
    # An inverse contract is counted in dollars and worth coins; all others are the other way round.
    quantity, cost = (worth, size) if category == "inverse" else (size, worth or _product(size, price))
    return Fill(
        id=_id(row.exec_id),
        order=_id(row.order_id) if row.order_id else "",
        product=category,
        market=row.symbol,
        base=traded.base,
        quote=traded.quote,
        side=Side(row.side.lower()),
        quantity=quantity,
        price=price,
        cost=cost,
        fee=money(row.exec_fee),
        fee_asset=asset(row.fee_currency) if row.fee_currency else _fee_asset(row, traded),
        liquidity=_liquidity(maker=row.is_maker),
        at=moment(row.exec_time),
        settle=traded.settle,
        result=money(row.exec_pnl) if traded.settle else Decimal(0),
    )


def _fee_asset(row: Row, traded: Market) -> str:
    """Follow docs/v5/enum, "Spot Fee Currency Instruction": what comes in pays, a rebate is what goes out."""
    if traded.settle:
        return traded.settle
    rebate = money(row.fee_rate) < 0 or money(row.exec_fee) < 0
    bought = (row.side == "Buy") is not (rebate and row.is_maker is True)
    return traded.base if bought else traded.quote


def _product(size: Decimal, price: Decimal) -> Decimal:
    return _parse.amount(EXACT.multiply(size, price))


def _liquidity(*, maker: bool | None) -> Liquidity:
    if maker is None:
        return Liquidity.UNKNOWN
    return Liquidity.MAKER if maker else Liquidity.TAKER


def _cursor(text: str | None) -> str:
    """Return a cursor as it goes into a query: as it came, since it comes escaped, or escaped here."""
    cursor = text or ""
    if len(cursor) > LONGEST_CURSOR:
        raise ValueError("not a cursor")
    return cursor if PLAIN_CURSOR.fullmatch(cursor) else quote(cursor, safe="")


def _id(text: str) -> str:
    if not PLAIN_ID.fullmatch(text):
        raise ValueError("not an id")
    return text
