"""The inbox: every update a platform sent, once, until it is handled.

The row is written before the platform is told that we have it. What is done keeps its event id, so that a
repeat is noticed, and loses its content.
"""

from collections.abc import Mapping
from collections.abc import Sequence as SequenceOf
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    delete,
    or_,
    select,
    text,
    update,
)

from chatbot.errors import Fenced
from chatbot.ports.mail import InboxRow
from storage.columns import METADATA, Json, Sequence, Time, Words
from storage.transaction import Record, Transaction

INBOX = Table(
    "inbox",
    METADATA,
    Column("seq", Sequence, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("raw", Json),
    Column("received_at", Time, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Time),
    Column("fence", Integer, nullable=False),
    Column("reason", Words, nullable=False),
    UniqueConstraint("platform", "event_id"),
)
_OPEN = text("state IN ('pending', 'claimed')")
_BY_ARRIVAL = Index("ix_inbox_open", INBOX.c.seq, sqlite_where=_OPEN, postgresql_where=_OPEN)

_TRIES = 5
_PRUNED_AT_ONCE = 500


class InboxStore:
    """Implements `ports.mail.Inbox`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def put(self, platform: str, event_id: str, raw: Mapping[str, Any], now: datetime) -> bool:
        update_row = {
            "platform": platform, "event_id": event_id, "raw": raw, "received_at": now,
            "state": "pending", "attempts": 0, "fence": 0, "reason": "",
        }  # fmt: skip
        added = self._tx.insert(INBOX).values(update_row).on_conflict_do_nothing().returning(INBOX.c.seq)
        return await self._tx.first(added) is not None

    async def claim(self, now: datetime, until: datetime, limit: int) -> SequenceOf[InboxRow]:
        rows = await self._waiting(now, limit)
        if rows and rows[0].attempts >= _TRIES:
            await self._park(rows)
            rows = await self._waiting(now, limit)
        if rows:
            await self._tx.run(
                update(INBOX)
                .where(INBOX.c.seq.in_([row.seq for row in rows]))
                .values(
                    state="claimed",
                    lease_until=until,
                    fence=INBOX.c.fence + 1,
                    attempts=INBOX.c.attempts + 1,
                )
            )
        return [
            InboxRow(str(row.seq), row.platform, row.raw, row.received_at, row.attempts + 1, row.fence + 1)
            for row in rows
        ]

    async def done(self, row: InboxRow) -> None:
        values = {"state": "done", "raw": None, "lease_until": None}
        if not await self._tx.run(update(INBOX).where(*_mine(row)).values(values)):
            raise Fenced("the update was taken over")

    async def fail(self, row: InboxRow, reason: str, *, park: bool, until: datetime | None = None) -> None:
        values: dict[str, Any] = {"state": "pending", "lease_until": until, "reason": reason}
        if park:
            # Nobody looks at it again, so what somebody wrote is not kept either.
            values |= {"state": "parked", "raw": None}
        await self._tx.run(update(INBOX).where(*_mine(row)).values(values))

    async def release(self, rows: SequenceOf[InboxRow], until: datetime | None = None) -> None:
        values = {"state": "pending", "lease_until": until, "attempts": INBOX.c.attempts - 1}
        for row in rows:
            await self._tx.run(update(INBOX).where(*_mine(row)).values(values))

    async def prune(self, before: datetime) -> int:
        over = INBOX.c.state.in_(["done", "parked"]), INBOX.c.received_at < before
        old = select(INBOX.c.seq).where(*over).order_by(INBOX.c.seq).limit(_PRUNED_AT_ONCE)
        return await self._tx.run(delete(INBOX).where(INBOX.c.seq.in_(old)))

    async def _waiting(self, now: datetime, limit: int) -> SequenceOf[Record]:
        return await self._tx.all(
            select(INBOX)
            .where(_OPEN, or_(INBOX.c.lease_until.is_(None), INBOX.c.lease_until <= now))
            .order_by(INBOX.c.seq)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )

    async def _park(self, rows: SequenceOf[Record]) -> None:
        # They are handled in order, so the first is what ended its worker; the others only stood behind it.
        deadly = {"state": "parked", "raw": None, "lease_until": None, "reason": "ended whoever took it"}
        await self._tx.run(update(INBOX).where(INBOX.c.seq == rows[0].seq).values(deadly))
        behind = INBOX.c.seq.in_([row.seq for row in rows[1:]])
        await self._tx.run(update(INBOX).where(behind).values(attempts=0))


def _mine(row: InboxRow) -> tuple[ColumnElement[bool], ...]:
    return INBOX.c.seq == int(row.id), INBOX.c.fence == row.fence, INBOX.c.state == "claimed"
