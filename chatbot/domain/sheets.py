"""Tables that leave the bot as files: what their columns are, and cells that no spreadsheet runs.

Times are ISO 8601, numbers are plain decimals with a point, whatever the reader's language; what the columns
mean is in `docs/export.md`.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from chatbot.domain.balances import Balance
from chatbot.domain.fills import Fill, Side

Cell = str | Decimal | datetime | None

FILLS = (
    "time_utc", "time_local", "time_zone", "exchange", "account", "product", "market", "side", "quantity",
    "base", "price", "cost", "quote", "fee", "fee_asset", "sent", "sent_asset", "received", "received_asset",
    "result", "result_asset", "maker_or_taker", "order_id", "fill_id",
)  # fmt: skip
BALANCES = (
    "time_utc", "time_local", "time_zone", "exchange", "account", "asset", "total", "free", "locked", "price",
    "value", "currency",
)  # fmt: skip
# A text that begins so is taken for a formula by one spreadsheet or another; the last four are full-width.
_STARTS = tuple("=+-@\t\r\n|\uff1d\uff0b\uff0d\uff20")


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose rows they are, and by which clock the local times are shown."""

    exchange: str
    account: str
    zone: ZoneInfo


def fill_cells(fill: Fill, origin: Origin) -> tuple[Cell, ...]:
    """Return the cells of a fill, in the order of `FILLS`."""
    bought, contract = fill.side is Side.BUY, bool(fill.settle)
    paid, got = ((fill.cost, fill.quote), (fill.quantity, fill.base))[:: 1 if bought else -1]
    moved = (None,) * 4 if contract else (*paid, *got)
    brought = (fill.result, fill.settle) if contract else (None, None)
    return (
        *_times(fill.at, origin), fill.product, fill.market, fill.side.value, fill.quantity, fill.base,
        fill.price, fill.cost, fill.quote, fill.fee, fill.fee_asset, *moved, *brought, fill.liquidity.value,
        fill.order, fill.id,
    )  # fmt: skip


def balance_cells(
    balance: Balance, at: datetime, price: Decimal | None, currency: str, origin: Origin
) -> tuple[Cell, ...]:
    """Return the cells of a balance, in the order of `BALANCES`; without a price it has no value."""
    worth = (price, balance.total * price, currency) if price is not None else (None, None, None)
    return (*_times(at, origin), balance.asset, balance.total, balance.free, balance.locked, *worth)


def text_of(rows: Iterable[Sequence[Cell]]) -> str:
    """Return rows as lines of CSV, as RFC 4180 has them."""
    lines = io.StringIO()
    csv.writer(lines).writerows([shown(cell) for cell in row] for row in rows)
    return lines.getvalue()


def shown(cell: Cell) -> str:
    """Return what stands in a cell: a number as a number, and no text that could be run as a formula."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return format(cell, "f")
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"'{cell}" if cell.lstrip(" ").startswith(_STARTS) else cell


def _times(at: datetime, origin: Origin) -> tuple[Cell, ...]:
    local = at.astimezone(origin.zone).isoformat(timespec="milliseconds")
    return at.astimezone(UTC), local, origin.zone.key, origin.exchange, origin.account
