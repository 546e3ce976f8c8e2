"""What accounts were worth over time: one small row at most every quarter of an hour, and one for each post.

A picture of a year needs a few hundred of them, so they are thinned where they are read: the database returns
the last of each step of time.
"""

from collections.abc import Mapping
from collections.abc import Sequence as SequenceOf
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text, and_, func, select, type_coerce

from chatbot.domain.credentials import AccountId
from chatbot.domain.pictures import Point
from storage.accounts import ACCOUNTS
from storage.columns import METADATA, Amount, Time
from storage.transaction import Transaction

VALUATIONS = Table(
    "valuations",
    METADATA,
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("currency", Text, primary_key=True),
    Column("at", Time, primary_key=True),
    Column("team", Text, nullable=False),
    Column("total", Amount, nullable=False),
)
_V = VALUATIONS.c
_MICROSECOND = timedelta(microseconds=1)


class ValuationStore:
    """Implements `ports.worth.Valuations`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(self, account: AccountId, at: datetime, total: Decimal, currency: str) -> None:
        owner = await self._tx.first(select(ACCOUNTS.c.team).where(ACCOUNTS.c.id == account))
        if owner is None:
            return
        row = {"account": account, "currency": currency, "at": at, "team": owner.team, "total": total}
        added = self._tx.insert(VALUATIONS).values(row)
        same = [_V.account, _V.currency, _V.at]
        await self._tx.run(added.on_conflict_do_update(index_elements=same, set_={"total": total}))

    async def last_at(self, account: AccountId, currency: str) -> datetime | None:
        mine = select(_V.at).where(_V.account == account, _V.currency == currency)
        row = await self._tx.first(mine.order_by(_V.at.desc()).limit(1))
        return row.at if row else None

    async def series(
        self, accounts: SequenceOf[AccountId], currency: str, since: datetime, step: timedelta
    ) -> Mapping[AccountId, SequenceOf[Point]]:
        wanted = and_(_V.account.in_(accounts), _V.currency == currency, _V.at >= since)
        number = type_coerce(_V.at, BigInteger) // (step // _MICROSECOND)
        last = select(_V.account, func.max(_V.at).label("at")).where(wanted)
        kept = last.group_by(_V.account, number).subquery()
        same = and_(_V.account == kept.c.account, _V.at == kept.c.at, _V.currency == currency)
        rows = await self._tx.all(
            select(_V.account, _V.at, _V.total).join(kept, same).order_by(_V.account, _V.at)
        )
        found: dict[AccountId, list[Point]] = {account: [] for account in accounts}
        for row in rows:
            found[row.account].append(Point(row.at, row.total))
        return found

    async def began(self, accounts: SequenceOf[AccountId]) -> Mapping[str, datetime]:
        first = select(_V.currency, func.min(_V.at).label("at")).where(_V.account.in_(accounts))
        return {row.currency: row.at for row in await self._tx.all(first.group_by(_V.currency))}
