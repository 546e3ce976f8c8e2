"""Guides: how far each person is on the way to a key; a row, so that a restart strands nobody."""

from sqlalchemy import Column, ForeignKey, Table, Text, delete, select, update

from chatbot.domain.conversations import GuideId, GuideState
from chatbot.domain.people import ConversationId, PersonId
from storage.columns import METADATA, Words, new_id
from storage.people import PEOPLE
from storage.transaction import Transaction

GUIDES = Table(
    "guides",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("team", Text, nullable=False),
    Column("person", Text, ForeignKey("people.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column(
        "conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("exchange", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("label", Words, nullable=False),
    Column("trouble", Text, nullable=False),
)


class GuideStore:
    """Implements `ports.people.Guides`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def start(
        self, person: PersonId, conversation: ConversationId, exchange: str, step: str
    ) -> GuideState:
        begun = {
            "id": new_id(),
            "conversation": conversation,
            "exchange": exchange,
            "step": step,
            "label": "",
            "trouble": "",
        }
        team = select(PEOPLE.c.team).where(PEOPLE.c.id == person).scalar_subquery()
        added = self._tx.insert(GUIDES).values(person=person, team=team, **begun)
        await self._tx.run(added.on_conflict_do_update(index_elements=["person"], set_=begun))
        return GuideState(GuideId(begun["id"]), person, conversation, exchange, step)

    async def current(self, person: PersonId) -> GuideState | None:
        row = await self._tx.first(select(GUIDES).where(GUIDES.c.person == person))
        if row is None:
            return None
        return GuideState(
            row.id, row.person, row.conversation, row.exchange, row.step, row.label, row.trouble
        )

    async def go(self, guide: GuideId, step: str) -> None:
        await self._tx.run(update(GUIDES).where(GUIDES.c.id == guide).values(step=step))

    async def note(self, guide: GuideId, *, label: str) -> None:
        await self._tx.run(update(GUIDES).where(GUIDES.c.id == guide).values(label=label))

    async def note_of(self, person: PersonId, *, trouble: str) -> None:
        await self._tx.run(update(GUIDES).where(GUIDES.c.person == person).values(trouble=trouble))

    async def end(self, person: PersonId) -> bool:
        return bool(await self._tx.run(delete(GUIDES).where(GUIDES.c.person == person)))
