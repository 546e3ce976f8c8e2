"""From ccxt's unified rows to our values; pure functions.

ccxt is told to give numbers as text, so an amount never passes through a binary fraction.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.exchanges import _parse

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SPOT = "spot"


def balances(answer: Mapping[str, Any]) -> tuple[Balance, ...]:
    """Return the balances that are not zero."""
    with _parse.reading("balances"):
        total, free, used = (_parts(answer, name) for name in ("total", "free", "used"))
        codes = sorted(total.keys() | free.keys() | used.keys())
        found = [_balance(code, total.get(code), free.get(code), used.get(code)) for code in codes]
    return tuple(balance for balance in found if balance.total or balance.free)


def fills(rows: Iterable[Mapping[str, Any]]) -> tuple[Fill, ...]:
    """Return the fills of spot markets, oldest first; a position in futures moves no balance as these do."""
    with _parse.reading("fills"):
        found = [_fill(row) for row in rows if _is_spot(row)]
    return tuple(sorted(found, key=lambda fill: (fill.at, fill.market, fill.id)))


def newest(rows: Iterable[Mapping[str, Any]]) -> int:
    """Return the latest time among rows in milliseconds, spot or not; 0 when there is none."""
    with _parse.reading("fills"):
        return max((_parse.number(row.get("timestamp") or "") for row in rows), default=0)


def prices(tickers: Mapping[str, Mapping[str, Any]], at: datetime) -> Prices:
    """Return the last prices of the spot markets; a market that tells no usable price is left out."""
    last: dict[tuple[str, str], Decimal] = {}
    for symbol, ticker in tickers.items():
        base, _, quote = symbol.partition("/")
        try:
            price = _parse.amount(Decimal(str(ticker.get("last") or ticker.get("close"))))
            pair = (asset(base), asset(quote))
        except (ArithmeticError, ValueError):
            continue
        if ":" not in symbol and price > 0:
            last[pair] = price
    return Prices(at, last)


def asset(code: str) -> str:
    """Return an asset's code; an underscore, which ours never have, becomes a hyphen."""
    return _parse.asset(code.replace("_", "-")[: _parse.LONGEST_CODE])


def milliseconds(moment: datetime) -> int:
    """Return a time as ccxt writes it."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def moment(value: Any) -> datetime:
    """Return a time that ccxt wrote."""
    with _parse.reading("a time"):
        return EPOCH + timedelta(milliseconds=_parse.number(value))


def _parts(answer: Mapping[str, Any], name: str) -> dict[str, Decimal]:
    part = answer.get(name)
    if not isinstance(part, dict):
        raise ValueError("no balances")  # noqa: TRY004  a shape of the answer, no bug of ours
    return {code: _amount(value) for code, value in part.items() if value is not None}


def _balance(code: str, total: Decimal | None, free: Decimal | None, used: Decimal | None) -> Balance:
    nothing = Decimal(0)
    if total is None:
        total = (free or nothing) + (used or nothing)
    if free is None:
        free = total - (used or nothing)
    return Balance(asset(code), free, total)


def _is_spot(row: Mapping[str, Any]) -> bool:
    symbol = row.get("symbol")
    return isinstance(symbol, str) and "/" in symbol and ":" not in symbol


def _fill(row: Mapping[str, Any]) -> Fill:
    symbol, at = row["symbol"], EPOCH + timedelta(milliseconds=_parse.number(row.get("timestamp") or ""))
    base, _, quote = symbol.partition("/")
    quantity, price = _amount(row.get("amount")), _amount(row.get("price"))
    cost = _amount(row["cost"]) if row.get("cost") is not None else quantity * price
    fee, fee_asset = _fee(row, quote)
    order = str(row.get("order") or "")
    # Some exchanges give a fill no id of its own.
    number = str(row.get("id") or "") or f"{order}-{row['timestamp']}-{price}-{quantity}"
    return Fill(
        id=number, order=order, product=SPOT, market=symbol, base=asset(base), quote=asset(quote),
        side=Side(str(row.get("side"))), quantity=quantity, price=price, cost=_parse.amount(cost), fee=fee,
        fee_asset=fee_asset, liquidity=_liquidity(row.get("takerOrMaker")), at=at,
    )  # fmt: skip


def _fee(row: Mapping[str, Any], quote: str) -> tuple[Decimal, str]:
    listed = [row.get("fee"), *(row.get("fees") or ())]
    for fee in listed:
        if isinstance(fee, dict) and fee.get("cost") is not None:
            return _amount(fee["cost"]), asset(str(fee.get("currency") or quote))
    return Decimal(0), asset(quote)


def _liquidity(word: object) -> Liquidity:
    return Liquidity(word) if word in {"maker", "taker"} else Liquidity.UNKNOWN


def _amount(value: object) -> Decimal:
    return _parse.amount(Decimal(str(value)))
