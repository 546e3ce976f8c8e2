"""Troubles that last: one row for each trouble of an account, until the account is well again."""

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, delete, select

from chatbot.domain.credentials import AccountId
from chatbot.domain.people import TeamId
from chatbot.domain.repeats import Spell
from storage.columns import METADATA, Time
from storage.transaction import Transaction

TROUBLES = Table(
    "troubles",
    METADATA,
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("trouble", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column("since", Time, nullable=False),
    Column("last_at", Time, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("told_at", Time),
    Column("rung_at", Time),
    Column("shown_at", Time),
)
_T = TROUBLES.c


class TroubleStore:
    """Implements `ports.troubles.Troubles`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def of_account(self, account: AccountId) -> Sequence[Spell]:
        oldest_first = select(TROUBLES).where(_T.account == account).order_by(_T.since, _T.trouble)
        return [
            Spell(
                trouble=row.trouble,
                since=row.since,
                last_at=row.last_at,
                tries=row.tries,
                told_at=row.told_at,
                rung_at=row.rung_at,
                shown_at=row.shown_at,
            )
            for row in await self._tx.all(oldest_first)
        ]

    async def save(self, account: AccountId, team: TeamId, spell: Spell) -> None:
        values = asdict(spell)
        added = self._tx.insert(TROUBLES).values(account=account, team=team, **values)
        del values["trouble"]
        await self._tx.run(added.on_conflict_do_update(index_elements=["account", "trouble"], set_=values))

    async def end(self, account: AccountId) -> None:
        await self._tx.run(delete(TROUBLES).where(_T.account == account))
