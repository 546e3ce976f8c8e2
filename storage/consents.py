"""Consents: questions to owners whether a place may be sent the news of their accounts.

An answer deletes its question, so that of two answers only the first finds it.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Boolean, Column, ColumnElement, ForeignKey, Table, Text, delete, select

from chatbot.domain.credentials import AccountId
from chatbot.domain.people import Conversation, PersonId, Place
from chatbot.ports.consents import Consent
from storage.columns import METADATA, Json, Time, new_id
from storage.conversations import CONVERSATIONS, conversation_from
from storage.people import PEOPLE, READER, person_from
from storage.transaction import Transaction

CONSENTS = Table(
    "consents",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column("person", Text, ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column(
        "conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("accounts", Json, nullable=False),
    Column("asked", Boolean, nullable=False),
    Column("at", Time, nullable=False),
)
_C = CONSENTS.c


class ConsentStore:
    """Implements `ports.consents.Consents`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def ask(
        self, person: PersonId, conversation: Conversation, accounts: Sequence[AccountId], now: datetime,
        *, asked: bool = True,
    ) -> None:  # fmt: skip
        await self._tx.run(delete(CONSENTS).where(*_of(person, conversation)))
        await self._tx.run(
            CONSENTS.insert().values(
                id=new_id(),
                team=conversation.team,
                person=person,
                conversation=conversation.id,
                accounts=list(accounts),
                asked=asked,
                at=now,
            )
        )

    async def of_person(self, person: PersonId) -> Sequence[Consent]:
        return await self._found(_C.person == person, _C.asked, CONVERSATIONS.c.live)

    async def dormant(self, place: Place) -> Sequence[Consent]:
        there = (
            CONVERSATIONS.c.platform == place.platform,
            CONVERSATIONS.c.workspace == place.workspace,
            CONVERSATIONS.c.channel == place.channel,
        )
        return await self._found(~_C.asked, *there)

    async def take(self, person: PersonId, conversation: Conversation) -> Consent | None:
        found = await self._found(*_of(person, conversation))
        taken = await self._tx.run(delete(CONSENTS).where(*_of(person, conversation)))
        return found[0] if found and taken else None

    async def _found(self, *which: ColumnElement[bool]) -> list[Consent]:
        rows = await self._tx.all(
            select(_C.accounts, _C.asked, CONVERSATIONS, *READER)
            .join(PEOPLE, PEOPLE.c.id == _C.person)
            .join(CONVERSATIONS, CONVERSATIONS.c.id == _C.conversation)
            .where(*which)
            .order_by(_C.at, _C.id)
        )
        return [
            Consent(
                person_from(row, "reader_"),
                conversation_from(row),
                tuple(AccountId(account) for account in row.accounts),
                row.asked,
            )
            for row in rows
        ]


def _of(person: PersonId, conversation: Conversation) -> tuple[ColumnElement[bool], ...]:
    return _C.person == person, _C.conversation == conversation.id
