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

from chatbot.domain.people import Identity, Person, PersonId, TeamId, team_of
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
        self, person: PersonId, *, locale: str = "", timezone: str = "", currency: str = ""
    ) -> None:
        wanted = {"locale": locale, "timezone": timezone, "currency": currency}
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
        conversations = METADATA.tables["conversations"]
        await self._tx.run(delete(conversations).where(conversations.c.person.in_(everybody)))
        await self._tx.run(delete(PEOPLE).where(PEOPLE.c.id.in_(everybody)))
        self._tx.wipe_log()

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
