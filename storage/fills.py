"""Fills: every execution once, whatever page it came on and however often it was read.

A bundle is what several fills have in common that are told in one table, or wait to be told with another.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Table,
    Text,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)

from chatbot.domain.credentials import AccountId
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.orders import OrderId, key_of
from chatbot.ports.records import StoredFill
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
    Column("settle", Text, nullable=False, server_default=""),
    Column("result", Amount, nullable=False, server_default="0"),
    Column("bundle", Text, nullable=False, server_default=""),
)
_BY_TIME = Index("ix_fills_account_at", FILLS.c.account, FILLS.c.at)
_BY_ORDER = Index("ix_fills_order", FILLS.c.account, FILLS.c.market, FILLS.c.order)
_BY_MARKET = Index("ix_fills_market", FILLS.c.account, FILLS.c.product, FILLS.c.market, FILLS.c.at)
# Written out in index and query alike: SQLite takes a partial index only when it reads the same words.
_BUNDLED = text("bundle != ''")
_BY_BUNDLE = Index(
    "ix_fills_bundle", FILLS.c.account, FILLS.c.bundle, FILLS.c.at,
    sqlite_where=_BUNDLED, postgresql_where=_BUNDLED,
)  # fmt: skip

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
    "settle",
    "result",
)
_OLDEST_FIRST = FILLS.c.at, FILLS.c.side, FILLS.c.id


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
            by_key.setdefault(key_of(fill), fill)
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

    async def of_order(self, account: AccountId, order: OrderId) -> Sequence[StoredFill]:
        c = FILLS.c
        mine = [c.account == account, c.product == order.product, c.market == order.market]
        mine += [c.side == order.side.value, c.order == order.order]
        if order.fill:
            mine.append(c.id == order.fill)
        rows = await self._tx.all(select(FILLS).where(*mine).order_by(*_OLDEST_FIRST))
        return [StoredFill(_fill(row), row.stored_at, row.bundle) for row in rows]

    async def of_market(
        self, account: AccountId, product: str, market: str, after: Fill | None, limit: int
    ) -> Sequence[Fill]:
        c = FILLS.c
        mine: list[ColumnElement[bool]] = [c.account == account, c.product == product, c.market == market]
        if after is not None:
            mine.append(_behind(after))
        rows = await self._tx.all(select(FILLS).where(*mine).order_by(*_OLDEST_FIRST).limit(limit))
        return [_fill(row) for row in rows]

    async def between(
        self, account: AccountId, since: datetime, until: datetime, limit: int
    ) -> Sequence[Fill]:
        c = FILLS.c
        rows = await self._tx.all(
            select(FILLS)
            .where(c.account == account, c.at >= since, c.at <= until)
            .order_by(c.at.desc(), c.side.desc(), c.id.desc())
            .limit(limit)
        )
        return [_fill(row) for row in reversed(rows)]

    async def page(
        self, account: AccountId, since: datetime, until: datetime, after: Fill | None, limit: int
    ) -> Sequence[Fill]:
        c = FILLS.c
        order = (c.at, c.product, c.market, c.side, c.id)
        mine: list[ColumnElement[bool]] = [c.account == account, c.at >= since, c.at < until]
        if after is not None:
            last = (after.at, after.product, after.market, after.side.value, after.id)
            mine.append(
                tuple_(*order) > tuple_(*(literal(v, x.type) for v, x in zip(last, order, strict=True)))
            )
        rows = await self._tx.all(select(FILLS).where(*mine).order_by(*order).limit(limit))
        return [_fill(row) for row in rows]

    async def bundle(self, account: AccountId, fills: Sequence[Fill], name: str) -> None:
        if not fills:
            return
        keys = ("product", "market", "id", "side")
        one = [FILLS.c[key] == bindparam(f"of_{key}") for key in keys]
        # Named apart from the columns, or they would be taken for new values of them.
        which = [
            {f"of_{key}": value for key, value in zip(keys, key_of(fill), strict=True)} for fill in fills
        ]
        await self._tx.run(update(FILLS).where(FILLS.c.account == account, *one).values(bundle=name), which)

    async def rename_bundle(self, account: AccountId, old: str, new: str) -> None:
        await self._tx.run(update(FILLS).where(*_of_bundle(account, old)).values(bundle=new))

    async def in_bundle(
        self, account: AccountId, name: str, limit: int, skip: int = 0
    ) -> tuple[Sequence[Fill], int]:
        mine = _of_bundle(account, name)
        found = select(FILLS).where(*mine).order_by(*_OLDEST_FIRST).limit(limit).offset(skip)
        rows = await self._tx.all(found) if limit else []
        counted = await self._tx.first(select(func.count()).select_from(FILLS).where(*mine))
        return [_fill(row) for row in rows], counted[0] if counted else 0

    async def newest_bundle(self, account: AccountId, prefix: str) -> tuple[str, datetime] | None:
        c = FILLS.c
        mine = c.account == account, _BUNDLED, c.bundle.startswith(prefix, autoescape=True)
        last = await self._tx.first(select(c.bundle).where(*mine).order_by(c.bundle.desc()).limit(1))
        if last is None:
            return None
        times = select(c.stored_at).where(*_of_bundle(account, last.bundle))
        newest = await self._tx.first(times.order_by(c.stored_at.desc()).limit(1))
        return (last.bundle, newest.stored_at) if newest else None


def _of_bundle(account: AccountId, name: str) -> tuple[ColumnElement[bool], ...]:
    # The words of the index stand for themselves: whoever asks for a bundle never means the empty name.
    return and_(_BUNDLED, FILLS.c.account == account), FILLS.c.bundle == name


def _behind(fill: Fill) -> ColumnElement[bool]:
    c, side = FILLS.c, fill.side.value
    same_side = and_(c.side == side, c.id > fill.id)
    return or_(c.at > fill.at, and_(c.at == fill.at, or_(c.side > side, same_side)))


def _values(fill: Fill) -> dict[str, Any]:
    values = {name: getattr(fill, name) for name in _PLAIN}
    return values | {"side": fill.side.value, "liquidity": fill.liquidity.value, "at": fill.at}


def _fill(row: Record) -> Fill:
    values = {name: getattr(row, name) for name in _PLAIN}
    return Fill(**values, side=Side(row.side), liquidity=Liquidity(row.liquidity), at=row.at)
