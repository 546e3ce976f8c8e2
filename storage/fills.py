"""Fills: every execution once, whatever page it came on and however often it was read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Table, Text, select

from chatbot.domain.credentials import AccountId
from chatbot.domain.fills import Fill, Liquidity, Side
from storage.accounts import ACCOUNTS
from storage.columns import METADATA, Amount, Time
from storage.transaction import Record, Transaction

FILLS = Table(
    "fills",
    METADATA,
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("product", Text, primary_key=True),
    Column("market", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("side", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column("order", Text, nullable=False),
    Column("base", Text, nullable=False),
    Column("quote", Text, nullable=False),
    Column("quantity", Amount, nullable=False),
    Column("price", Amount, nullable=False),
    Column("cost", Amount, nullable=False),
    Column("fee", Amount, nullable=False),
    Column("fee_asset", Text, nullable=False),
    Column("liquidity", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("stored_at", Time, nullable=False),
)
_BY_TIME = Index("ix_fills_account_at", FILLS.c.account, FILLS.c.at)

_KEY = (FILLS.c.product, FILLS.c.market, FILLS.c.id, FILLS.c.side)
_PLAIN = (
    "id",
    "order",
    "product",
    "market",
    "base",
    "quote",
    "quantity",
    "price",
    "cost",
    "fee",
    "fee_asset",
)


class FillStore:
    """Implements `ports.records.Fills`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, account: AccountId, fills: Sequence[Fill], now: datetime) -> Sequence[Fill]:
        owner = await self._tx.first(select(ACCOUNTS.c.team).where(ACCOUNTS.c.id == account))
        if owner is None or not fills:
            return []
        by_key: dict[tuple[str, ...], Fill] = {}
        for fill in fills:
            by_key.setdefault(_key(fill), fill)
        both = {"account": account, "team": owner.team, "stored_at": now}
        added = await self._tx.all(
            self._tx.insert(FILLS).on_conflict_do_nothing().returning(*_KEY),
            [both | _values(fill) for fill in by_key.values()],
        )
        new = {tuple(row) for row in added}
        return [fill for key, fill in by_key.items() if key in new]

    async def recent(self, accounts: Sequence[AccountId], limit: int) -> Sequence[tuple[AccountId, Fill]]:
        newest_first = FILLS.c.at.desc(), FILLS.c.id.desc()
        rows = await self._tx.all(
            select(FILLS).where(FILLS.c.account.in_(accounts)).order_by(*newest_first).limit(limit)
        )
        return [(AccountId(row.account), _fill(row)) for row in rows]


def _key(fill: Fill) -> tuple[str, ...]:
    return fill.product, fill.market, fill.id, fill.side.value


def _values(fill: Fill) -> dict[str, Any]:
    values = {name: getattr(fill, name) for name in _PLAIN}
    return values | {"side": fill.side.value, "liquidity": fill.liquidity.value, "at": fill.at}


def _fill(row: Record) -> Fill:
    values = {name: getattr(row, name) for name in _PLAIN}
    return Fill(**values, side=Side(row.side), liquidity=Liquidity(row.liquidity), at=row.at)
