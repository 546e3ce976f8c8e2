"""Balances over time, and the last prices of each exchange.

A snapshot that equals the last one only moves its time, so a quiet account costs one row. `since` is when
these balances were first seen, `at` when they were last seen. The one added last is the newest: rows from
the future, written before a clock was set back, step back behind it.
"""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import Column, ForeignKey, Index, Table, Text, and_, or_, select, update

from chatbot.domain.balances import Balance, Prices, Snapshot
from chatbot.domain.credentials import AccountId
from storage.accounts import ACCOUNTS
from storage.columns import METADATA, Json, Time, amount_text
from storage.transaction import Record, Transaction

BALANCES = Table(
    "balances",
    METADATA,
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("since", Time, primary_key=True),
    Column("team", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("balances", Json, nullable=False),
)
_BY_TIME = Index("ix_balances_account_at", BALANCES.c.account, BALANCES.c.at)

PRICES = Table(
    "prices",
    METADATA,
    Column("exchange", Text, primary_key=True),
    Column("at", Time, nullable=False),
    Column("last", Json, nullable=False),
)

MOMENT = timedelta(microseconds=1)
# No answer is late by so much: prices further ahead are from before a clock was set back.
_SET_BACK = timedelta(minutes=5)


class BalanceStore:
    """Implements `ports.records.Balances`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, account: AccountId, snapshot: Snapshot) -> None:
        last = await self._last(account)
        balances = _to_json(snapshot)
        if last is not None and last.at >= snapshot.at:
            future = and_(BALANCES.c.account == account, BALANCES.c.at >= snapshot.at)
            await self._tx.run(update(BALANCES).where(future).values(at=snapshot.at - MOMENT))
        if last is not None and sorted(last.balances) == sorted(balances):
            same = and_(BALANCES.c.account == account, BALANCES.c.since == last.since)
            await self._tx.run(update(BALANCES).where(same).values(at=snapshot.at))
            return
        owner = await self._tx.first(select(ACCOUNTS.c.team).where(ACCOUNTS.c.id == account))
        if owner is None:
            return
        seen = {"at": snapshot.at, "balances": balances}
        added = self._tx.insert(BALANCES).values(account=account, since=snapshot.at, team=owner.team, **seen)
        await self._tx.run(added.on_conflict_do_update(index_elements=["account", "since"], set_=seen))

    async def latest(self, account: AccountId) -> Snapshot | None:
        row = await self._last(account)
        return Snapshot(row.at, _from_json(row.balances)) if row else None

    async def save_prices(self, exchange: str, prices: Prices) -> None:
        last = [[base, quote, amount_text(price)] for (base, quote), price in prices.last.items()]
        added = self._tx.insert(PRICES).values(exchange=exchange, at=prices.at, last=last)
        newer = added.on_conflict_do_update(
            index_elements=["exchange"],
            set_={"at": prices.at, "last": last},
            where=or_(PRICES.c.at <= prices.at, PRICES.c.at > prices.at + _SET_BACK),
        )
        await self._tx.run(newer)

    async def prices(self, exchange: str) -> Prices | None:
        row = await self._tx.first(select(PRICES).where(PRICES.c.exchange == exchange))
        if row is None:
            return None
        return Prices(row.at, {(base, quote): Decimal(price) for base, quote, price in row.last})

    async def _last(self, account: AccountId) -> Record | None:
        mine = select(BALANCES).where(BALANCES.c.account == account)
        return await self._tx.first(mine.order_by(BALANCES.c.at.desc(), BALANCES.c.since.desc()).limit(1))


def _to_json(snapshot: Snapshot) -> list[list[str]]:
    return [[b.asset, amount_text(b.free), amount_text(b.total)] for b in snapshot.balances]


def _from_json(balances: list[list[str]]) -> tuple[Balance, ...]:
    return tuple(Balance(asset, Decimal(free), Decimal(total)) for asset, free, total in balances)
