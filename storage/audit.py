"""The audit: who did what to what, in the same transaction as the act; rows are only ever added, in a chain.

Entries join the chain just before the commit: the end of a team's chain is locked last and for a moment,
so that two acts at once wait for each other there and nowhere else. Only what this code noted joins, and a
damaged end is gone on from with a break that `verify` finds: it must not keep anybody from revoking a key.
"""

import re
from collections import defaultdict
from collections.abc import Sequence as SequenceOf
from datetime import datetime

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    func,
    select,
    update,
)

from chatbot.domain.people import TeamId
from chatbot.errors import ConfigError
from chatbot.ports.records import AuditEntry
from storage import chain
from storage.chain import Entry, Head
from storage.columns import METADATA, Sequence, Time, Words, to_micros
from storage.transaction import Record, Transaction

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
    Column("number", Integer),
    Column("hash", LargeBinary),
)
_BY_TEAM = Index("ix_audit_team_seq", AUDIT.c.team, AUDIT.c.seq)
_IN_CHAIN = Index("ix_audit_team_number", AUDIT.c.team, AUDIT.c.number, unique=True)
_END = re.compile(r"(\S+):(\d{1,9}):([0-9a-f]{64})")
HEADS = Table(
    "audit_heads",
    METADATA,
    Column("team", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)


class AuditStore:
    """Implements `ports.records.Audit`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._noted: defaultdict[TeamId, list[int]] = defaultdict(list)

    async def note(
        self, team: TeamId, actor: str, action: str, subject: str, outcome: str, now: datetime
    ) -> None:
        entry = {
            "team": team, "at": now, "actor": actor, "action": action, "subject": subject, "outcome": outcome,
        }  # fmt: skip
        noted = await self._tx.all(AUDIT.insert().values(entry).returning(AUDIT.c.seq))
        if not self._noted:
            self._tx.before_commit(self._join_chain)
        self._noted[team] += [row.seq for row in noted]

    async def count(self, team: TeamId, actor: str, action: str, outcome: str, since: datetime) -> int:
        theirs = AUDIT.c.team == team, AUDIT.c.actor == actor, AUDIT.c.at >= since
        alike = AUDIT.c.action == action, AUDIT.c.outcome == outcome
        row = await self._tx.first(select(func.count()).select_from(AUDIT).where(*theirs, *alike))
        return int(row[0]) if row else 0

    async def recent(self, team: TeamId, limit: int) -> SequenceOf[AuditEntry]:
        newest = select(AUDIT).where(AUDIT.c.team == team).order_by(AUDIT.c.seq.desc()).limit(limit)
        return [
            AuditEntry(row.at, row.actor, row.action, row.subject, row.outcome)
            for row in await self._tx.all(newest)
        ]

    def _join_chain(self, connection: Connection) -> None:
        # Always in this order: two transactions that note for two teams must not wait for each other.
        for team in sorted(self._noted):
            fresh = self._tx.insert(HEADS).values(team=team, number=0, hash=chain.START)
            connection.execute(fresh.on_conflict_do_nothing())
            _join_chain(connection, team, self._noted[team])
        self._noted.clear()


def _join_chain(connection: Connection, team: TeamId, noted: SequenceOf[int]) -> None:
    head = _end(connection, team)
    ours = select(AUDIT).where(AUDIT.c.seq.in_(noted)).order_by(AUDIT.c.seq)
    for found in connection.execute(ours).all():
        entry = _entry(found, head.number + 1)
        head = Head(entry.number, chain.link(head.hash, entry))
        values = {"number": head.number, "hash": head.hash}
        connection.execute(update(AUDIT).where(AUDIT.c.seq == found.seq).values(values))
    end = {"number": head.number, "hash": head.hash}
    connection.execute(update(HEADS).where(HEADS.c.team == team).values(end))


def _end(connection: Connection, team: TeamId) -> Head:
    """Lock and return the end of a team's chain, past every number that is taken."""
    row = connection.execute(select(HEADS).where(HEADS.c.team == team).with_for_update()).one()
    highest = select(func.max(AUDIT.c.number)).where(AUDIT.c.team == team)
    return Head(max(row.number, connection.execute(highest).scalar() or 0), row.hash)


def ends(connection: Connection) -> list[str]:
    """Return the end of each team's chain as text, worth keeping where who can change the database is not."""
    heads = connection.execute(select(HEADS).order_by(HEADS.c.team))
    return [f"{row.team}:{row.number}:{row.hash.hex()}" for row in heads]


def holds(connection: Connection, end: str) -> bool:
    """Tell whether a kept end is still an entry of its chain; raises ConfigError for any other text."""
    kept = _END.fullmatch(end)
    if kept is None:
        raise ConfigError("Write a kept end as `audit verify` printed it: team, number and hash with colons.")
    there = and_(AUDIT.c.team == kept[1], AUDIT.c.number == int(kept[2]))
    return connection.execute(select(AUDIT.c.hash).where(there)).scalar() == bytes.fromhex(kept[3])


def verify(connection: Connection) -> tuple[int, list[str]]:
    """Return how many entries there are, and for each team whose chain is broken where it breaks."""
    heads = {row.team: Head(row.number, row.hash) for row in connection.execute(select(HEADS))}
    noted = {row.team for row in connection.execute(select(AUDIT.c.team).distinct())}
    count, broken = 0, []
    for team in sorted(heads.keys() | noted):
        ordered = select(AUDIT).where(AUDIT.c.team == team).order_by(AUDIT.c.number.nulls_last())
        rows = connection.execute(ordered).all()
        count += len(rows)
        entries = ((_entry(row, row.number or 0), row.hash) for row in rows)
        fault = chain.check(entries, heads.get(team, Head()))
        if fault:
            broken.append(f"{team}: {fault}")
    return count, broken


def _entry(row: Record, number: int) -> Entry:
    return Entry(row.team, number, to_micros(row.at), row.actor, row.action, row.subject, row.outcome)
