"""The audit: who did what to what, in the same transaction as the act; rows are only ever added."""

from collections.abc import Sequence as SequenceOf
from datetime import datetime

from sqlalchemy import Column, Index, Table, Text, select

from chatbot.domain.people import TeamId
from chatbot.ports.records import AuditEntry
from storage.columns import METADATA, Sequence, Time, Words
from storage.transaction import Transaction

AUDIT = Table(
    "audit",
    METADATA,
    Column("seq", Sequence, primary_key=True),
    Column("team", Text, nullable=False),
    Column("at", Time, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Words, nullable=False),
    Column("outcome", Words, nullable=False),
)
_BY_TEAM = Index("ix_audit_team_seq", AUDIT.c.team, AUDIT.c.seq)


class AuditStore:
    """Implements `ports.records.Audit`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def note(
        self, team: TeamId, actor: str, action: str, subject: str, outcome: str, now: datetime
    ) -> None:
        entry = {
            "team": team, "at": now, "actor": actor, "action": action, "subject": subject, "outcome": outcome,
        }  # fmt: skip
        await self._tx.run(AUDIT.insert().values(entry))

    async def recent(self, team: TeamId, limit: int) -> SequenceOf[AuditEntry]:
        newest = select(AUDIT).where(AUDIT.c.team == team).order_by(AUDIT.c.seq.desc()).limit(limit)
        return [
            AuditEntry(row.at, row.actor, row.action, row.subject, row.outcome)
            for row in await self._tx.all(newest)
        ]
