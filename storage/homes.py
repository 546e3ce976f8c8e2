"""Home pages that people opened inside a platform, and what each was last made to show."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, ForeignKey, Table, Text, delete, select, update

from chatbot.domain.people import Conversation, PersonId
from chatbot.ports.installs import Home
from storage.columns import METADATA, Time
from storage.conversations import CONVERSATIONS, conversation_from
from storage.people import PEOPLE, READER, person_from
from storage.transaction import Transaction

HOMES = Table(
    "homes",
    METADATA,
    Column("conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True),
    Column("team", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("opened_at", Time, nullable=False, index=True),
)


class HomeStore:
    """Implements `ports.installs.Homes`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def opened(self, conversation: Conversation, now: datetime) -> None:
        added = self._tx.insert(HOMES).values(
            conversation=conversation.id, team=conversation.team, digest="", opened_at=now
        )
        again = {"opened_at": now, "digest": ""}
        await self._tx.run(added.on_conflict_do_update(index_elements=["conversation"], set_=again))

    async def open_since(self, since: datetime, limit: int) -> Sequence[Home]:
        rows = await self._tx.all(
            select(CONVERSATIONS, HOMES.c.digest, *READER)
            .join(HOMES, HOMES.c.conversation == CONVERSATIONS.c.id)
            .join(PEOPLE, PEOPLE.c.id == CONVERSATIONS.c.person)
            .where(HOMES.c.opened_at >= since, CONVERSATIONS.c.live)
            .order_by(HOMES.c.opened_at.desc(), CONVERSATIONS.c.id)
            .limit(limit)
        )
        return [Home(conversation_from(row), person_from(row, "reader_"), row.digest) for row in rows]

    async def shown(self, conversation: Conversation, digest: str) -> None:
        mine = HOMES.c.conversation == conversation.id
        await self._tx.run(update(HOMES).where(mine).values(digest=digest))

    async def of_person(self, person: PersonId) -> Sequence[Conversation]:
        rows = await self._tx.all(
            select(CONVERSATIONS)
            .join(HOMES, HOMES.c.conversation == CONVERSATIONS.c.id)
            .where(CONVERSATIONS.c.person == person, CONVERSATIONS.c.live)
            .order_by(CONVERSATIONS.c.id)
        )
        return [conversation_from(row) for row in rows]

    async def prune(self) -> int:
        left = select(CONVERSATIONS.c.id).where(~CONVERSATIONS.c.live)
        return await self._tx.run(delete(HOMES).where(HOMES.c.conversation.in_(left)))
