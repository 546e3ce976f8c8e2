"""What people asked to see and are not shown yet: a picture to be drawn, a card that waits for a reading.

Nobody claims a wish. Whoever has the answer ends the wish in the transaction that queues it, and the second
one to try finds it gone.
"""

from collections.abc import Mapping
from collections.abc import Sequence as SequenceOf
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Table, Text, delete, select

from chatbot.domain.people import ConversationId, PersonId
from chatbot.ports.worth import Wish, WishKind
from storage.columns import METADATA, Json, Time, new_id
from storage.people import PEOPLE, READER, person_from
from storage.transaction import Transaction

WISHES = Table(
    "wishes",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("person", Text, ForeignKey("people.id", ondelete="CASCADE"), nullable=False),
    Column("conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("args", Json, nullable=False),
    Column("asked_at", Time, nullable=False),
)
_BY_KIND = Index("ix_wishes_kind", WISHES.c.kind, WISHES.c.asked_at)


class WishStore:
    """Implements `ports.worth.Wishes`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(
        self,
        kind: WishKind,
        person: PersonId,
        conversation: ConversationId,
        args: Mapping[str, Any],
        now: datetime,
    ) -> None:
        # Asked for again, it is answered once, or the impatient would fill the row.
        theirs = WISHES.c.kind == kind, WISHES.c.person == person, WISHES.c.conversation == conversation
        await self._tx.run(delete(WISHES).where(*theirs, WISHES.c.args == args))
        await self._tx.run(
            WISHES.insert().values(
                id=new_id(), kind=kind, person=person, conversation=conversation, args=args, asked_at=now
            )
        )

    async def waiting(self, kind: WishKind, limit: int) -> SequenceOf[Wish]:
        mine = select(WISHES, *READER).join(PEOPLE, PEOPLE.c.id == WISHES.c.person)
        rows = await self._tx.all(
            mine.where(WISHES.c.kind == kind).order_by(WISHES.c.asked_at, WISHES.c.id).limit(limit)
        )
        return [
            Wish(
                row.id,
                WishKind(row.kind),
                person_from(row, "reader_"),
                ConversationId(row.conversation),
                row.args,
                row.asked_at,
            )
            for row in rows
        ]

    async def done(self, wish: str) -> bool:
        return await self._tx.run(delete(WISHES).where(WISHES.c.id == wish)) == 1
