"""People: one row for each identity that ever spoke to the bot, with their own settings.

Everything a person owns hangs from this row, so that forgetting them is one delete. Slack workspaces are
teams of their own; all other platforms share the home team. An identity that is linked to another one is
met as that person: their id, team and settings, under the identity that acts.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Select,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    select,
    update,
)

from chatbot.domain.notices import TOGETHER
from chatbot.domain.people import Identity, Person, PersonId, TeamId, team_of
from chatbot.domain.pictures import Shade
from storage.columns import METADATA, Time, Words, new_id
from storage.linked import LINKED_PEOPLE
from storage.transaction import Record, Transaction

PEOPLE = Table(
    "people",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("team", Text, nullable=False, index=True),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("name", Words, nullable=False),
    Column("locale", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("phrase", Words, nullable=False, server_default=""),
    Column("met_at", Time, nullable=False),
    Column("shade", Text, nullable=False, server_default="light"),
    UniqueConstraint("platform", "workspace", "user"),
)

READER = [column.label(f"reader_{column.name}") for column in PEOPLE.c]


def person_from(row: Record, prefix: str = "") -> Person:
    """Return the person of a row; `prefix` names the columns of a join (`READER`)."""

    def value(name: str) -> str:
        return str(getattr(row, prefix + name))

    return Person(
        id=PersonId(value("id")),
        team=TeamId(value("team")),
        identity=Identity(value("platform"), value("user"), value("workspace")),
        name=value("name"),
        locale=value("locale"),
        timezone=value("timezone"),
        currency=value("currency"),
        phrase=value("phrase"),
        shade=Shade(value("shade")),
    )


class PeopleStore:
    """Implements `ports.people.People`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def meet(
        self, who: Identity, name: str, locale: str, defaults: tuple[str, str], now: datetime
    ) -> Person:
        row = await self._tx.first(_locked(who))
        if row is None:
            await self._add(who, name, locale, defaults, now)
        elif name and row.name != name:
            await self._tx.run(update(PEOPLE).where(PEOPLE.c.id == row.id).values(name=name))
        else:
            return await self._as_main(person_from(row))
        met = await self._tx.first(_locked(who))
        if met is None:
            raise KeyError(str(who))
        return await self._as_main(person_from(met))

    async def get(self, person: PersonId) -> Person:
        row = await self._tx.first(select(PEOPLE).where(PEOPLE.c.id == person))
        if row is None:
            raise KeyError(person)
        return person_from(row)

    async def change(
        self, person: PersonId, *, locale: str = "", timezone: str = "", currency: str = "", shade: str = ""
    ) -> None:
        wanted = {"locale": locale, "timezone": timezone, "currency": currency, "shade": shade}
        changes = {name: value for name, value in wanted.items() if value}
        if changes:
            await self._tx.run(update(PEOPLE).where(PEOPLE.c.id == person).values(changes))

    async def keep_phrase(self, person: PersonId, phrase: str) -> None:
        await self._tx.run(update(PEOPLE).where(PEOPLE.c.id == person).values(phrase=phrase))

    async def owns(self, person: PersonId) -> bool:
        accounts = METADATA.tables["accounts"]
        theirs = select(accounts.c.id).where(accounts.c.owner == person).limit(1)
        return await self._tx.first(theirs) is not None

    async def forget(self, person: PersonId) -> None:
        # Everything else of theirs goes with these rows (ON DELETE CASCADE).
        linked = await self._tx.all(select(LINKED_PEOPLE.c.person).where(LINKED_PEOPLE.c.main == person))
        everybody = [person, *(row.person for row in linked)]
        await self._leave_shared(person)
        conversations = METADATA.tables["conversations"]
        await self._tx.run(delete(conversations).where(conversations.c.person.in_(everybody)))
        await self._tx.run(delete(PEOPLE).where(PEOPLE.c.id.in_(everybody)))
        self._tx.wipe_log()

    async def _leave_shared(self, person: PersonId) -> None:
        """Let go of what names a person and hangs from no row of theirs: cards, posts of several people."""
        accounts, cards = METADATA.tables["accounts"], METADATA.tables["cards"]
        theirs = await self._tx.all(select(accounts.c.id).where(accounts.c.owner == person))
        for name in (person, *(row.id for row in theirs)):
            await self._tx.run(delete(cards).where(cards.c.card.contains(name, autoescape=True)))
        if theirs:
            held, outbox = METADATA.tables["held"], METADATA.tables["outbox"]
            await self._unsay(held, person, held.c.over_at.is_(None), over_at=held.c.at)
            waits = outbox.c.state == "pending"
            await self._unsay(
                outbox, person, waits, state="gone", reason="forgotten", over_at=outbox.c.queued_at
            )
            await self._unsay(outbox, person, outbox.c.state.not_in(["claimed", "begun"]))

    async def _unsay(self, table: Table, person: PersonId, which: ColumnElement[bool], **values: Any) -> None:
        """Erase the posts that show the accounts of several people in the groups of a person's team."""
        conversations = METADATA.tables["conversations"]
        team = select(PEOPLE.c.team).where(PEOPLE.c.id == person).scalar_subquery()
        groups = select(conversations.c.id).where(conversations.c.team == team, ~conversations.c.private)
        together = table.c.key.startswith(TOGETHER), table.c.conversation.in_(groups)
        bare = {"message": None, "image": None, "image_alt": ""}
        await self._tx.run(update(table).where(*together, which).values(bare | values))

    async def _as_main(self, acting: Person) -> Person:
        # A look of its own after the row was locked: it sees a join that this one had to wait for.
        whose = select(PEOPLE).join(LINKED_PEOPLE, LINKED_PEOPLE.c.main == PEOPLE.c.id)
        main = await self._tx.first(whose.where(LINKED_PEOPLE.c.person == acting.id))
        if main is None:
            return acting
        return replace(person_from(main), identity=acting.identity, name=acting.name)

    async def _add(
        self, who: Identity, name: str, locale: str, defaults: tuple[str, str], now: datetime
    ) -> None:
        values = {
            "id": new_id(),
            "team": team_of(who),
            "platform": who.platform,
            "workspace": who.workspace,
            "user": who.user,
            "name": name,
            "locale": locale,
            "timezone": defaults[0],
            "currency": defaults[1],
            "met_at": now,
        }
        # Two first updates of a person may be handled at once.
        await self._tx.run(self._tx.insert(PEOPLE).values(values).on_conflict_do_nothing())


def _locked(who: Identity) -> Select[Any]:
    # Whoever acts can't be linked or parted meanwhile, or what they do would hang from nobody.
    return select(PEOPLE).where(_is(who)).with_for_update(key_share=True)


def _is(who: Identity) -> ColumnElement[bool]:
    return and_(
        PEOPLE.c.platform == who.platform,
        PEOPLE.c.workspace == who.workspace,
        PEOPLE.c.user == who.user,
    )
