"""Joining people into one and parting them again; what belongs to an account follows it to its owner.

Where a table names an account and its team, a new team is written into both. Everybody who may act as one of
the persons waits meanwhile: `people.py` locks the row of who acts.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, and_, delete, or_, select, update

from chatbot.domain.credentials import AccountId
from chatbot.domain.people import Person, PersonId
from chatbot.ports.linked import Held, Resealed
from chatbot.ports.vault import SealedCredential
from storage.accounts import ACCOUNTS, account_from
from storage.buttons import BUTTONS
from storage.columns import METADATA
from storage.conversations import CONVERSATIONS
from storage.linked import LINK_CODES, LINKED_PEOPLE
from storage.outbox import OUTBOX, UNFINISHED
from storage.people import PEOPLE, person_from
from storage.subscriptions import SUBSCRIPTIONS, move
from storage.transaction import Record, Transaction

_A, _S = ACCOUNTS.c, SUBSCRIPTIONS.c


class LinkedStore:
    """Implements `ports.linked.Linked`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def show(self, person: PersonId, code: bytes, until: datetime, now: datetime) -> None:
        await self._tx.run(delete(LINK_CODES).where(LINK_CODES.c.expires_at <= now))
        fresh = {"hash": code, "expires_at": until}
        added = self._tx.insert(LINK_CODES).values(person=person, **fresh)
        await self._tx.run(added.on_conflict_do_update(index_elements=["person"], set_=fresh))

    async def shown_by(self, code: bytes, now: datetime) -> Person | None:
        whose = select(PEOPLE).join(LINK_CODES, LINK_CODES.c.person == PEOPLE.c.id)
        row = await self._tx.first(whose.where(*_live(code, now)))
        return person_from(row) if row else None

    async def take(self, code: bytes, now: datetime) -> bool:
        return await self._tx.run(delete(LINK_CODES).where(*_live(code, now))) == 1

    async def identities(self, main: PersonId) -> Sequence[Person]:
        first = await self._tx.all(select(PEOPLE).where(PEOPLE.c.id == main))
        others = await self._tx.all(
            select(PEOPLE)
            .join(LINKED_PEOPLE, LINKED_PEOPLE.c.person == PEOPLE.c.id)
            .where(LINKED_PEOPLE.c.main == main)
            .order_by(LINKED_PEOPLE.c.at, PEOPLE.c.id)
        )
        return [person_from(row) for row in (*first, *others)]

    async def lock(self, *mains: PersonId) -> bool:
        linked = select(LINKED_PEOPLE.c.person).where(LINKED_PEOPLE.c.main.in_(mains))
        everybody = PEOPLE.c.id.in_(mains) | PEOPLE.c.id.in_(linked)
        await self._tx.all(
            select(PEOPLE.c.id).where(everybody).order_by(PEOPLE.c.id).with_for_update(key_share=True)
        )
        gone = select(LINKED_PEOPLE.c.person).where(LINKED_PEOPLE.c.person.in_(mains))
        there = await self._tx.all(select(PEOPLE.c.id).where(PEOPLE.c.id.in_(mains)))
        return len(there) == len(set(mains)) and await self._tx.first(gone) is None

    async def held(self, owner: PersonId) -> Sequence[Held]:
        theirs = select(ACCOUNTS).where(_A.owner == owner).order_by(_A.created_at, _A.id)
        return [_held(row) for row in await self._tx.all(theirs.with_for_update())]

    async def hand_over(self, account: AccountId, to: Person, fresh: Resealed | None) -> None:
        values: dict[str, Any] = {"owner": to.id, "team": to.team, "fence": _A.fence + 1}
        if fresh is not None:
            sealed = fresh.sealed
            values |= {"kek_id": sealed.kek_id, "wrapped_dek": sealed.wrapped_dek, "box": sealed.box}
            values["fingerprint"] = fresh.fingerprint
            # The copy sealed for the old team must not outlive a revocation that comes next.
            self._tx.wipe_log()
        # The lease stays: until it ends nobody else asks the exchange with this key.
        await self._tx.run(update(ACCOUNTS).where(_A.id == account).values(values))
        for column in _naming_accounts():
            follow = update(column.table).where(column == account)
            await self._tx.run(follow.values(team=to.team))
        posts = update(SUBSCRIPTIONS).where(_S.account == account)
        await self._tx.run(posts.values(lease_until=None, fence=_S.fence + 1))

    async def join(
        self, person: PersonId, main: PersonId, came_with: Collection[AccountId], now: datetime
    ) -> None:
        others = select(LINKED_PEOPLE.c.brought).where(LINKED_PEOPLE.c.main == person)
        of_others = {account for row in await self._tx.all(others) for account in row.brought}
        brought = sorted(account for account in came_with if account not in of_others)
        moved = update(LINKED_PEOPLE).where(LINKED_PEOPLE.c.main == person)
        await self._tx.run(moved.values(main=main))
        row = LINKED_PEOPLE.insert().values(person=person, main=main, through=main, at=now, brought=brought)
        await self._tx.run(row)
        await self._tx.run(delete(LINK_CODES).where(LINK_CODES.c.person == person))
        for table in (CONVERSATIONS, BUTTONS):
            await self._tx.run(update(table).where(table.c.person == person).values(person=main))

    async def company(self, person: PersonId, main: PersonId) -> Sequence[Person]:
        others = {row.person for row in await self._leaving(person, main)} - {person}
        return [one for one in await self.identities(main) if one.id in others]

    async def brought(self, person: PersonId, main: PersonId) -> Collection[AccountId]:
        leaving = await self._leaving(person, main)
        return frozenset(AccountId(account) for row in leaving for account in row.brought)

    async def part(self, person: Person, main: Person) -> bool:
        along = await self.company(person.id, main.id)
        if not await self._tx.run(delete(LINKED_PEOPLE).where(*_pair(person.id, main.id))):
            return False
        others = LINKED_PEOPLE.c.person.in_([one.id for one in along])
        await self._tx.run(update(LINKED_PEOPLE).where(others).values(main=person.id))
        await self._tx.run(delete(LINK_CODES).where(LINK_CODES.c.person.in_([person.id, main.id])))
        there = or_(*(_where_acts(one) for one in (person, *along)))
        places = select(CONVERSATIONS.c.id).where(there)
        theirs = and_(CONVERSATIONS.c.person == main.id, there)
        await self._tx.run(update(CONVERSATIONS).where(theirs).values(person=person.id))
        # What waits for them must not be deleted with the other.
        waiting = and_(UNFINISHED, OUTBOX.c.reader == main.id, OUTBOX.c.conversation.in_(places))
        await self._tx.run(update(OUTBOX).where(waiting).values(reader=person.id))
        old = and_(BUTTONS.c.person == main.id, BUTTONS.c.conversation.in_(places))
        await self._tx.run(delete(BUTTONS).where(old))
        # The answer to a test would tell where its asker is a stranger now.
        asked = and_(_A.owner == main.id, _A.asked_in.in_(places))
        await self._tx.run(update(ACCOUNTS).where(asked).values(asked_in=None))
        await self._bring_home(main, there)
        await self._bring_home(person, ~there)
        return True

    async def _leaving(self, person: PersonId, main: PersonId) -> Sequence[Record]:
        """Return the rows of somebody linked to `main` and of all who came with them, however far back."""
        rows = await self._tx.all(select(LINKED_PEOPLE).where(LINKED_PEOPLE.c.main == main))
        found = [row for row in rows if row.person == person]
        for before in found:
            found += [row for row in rows if row.through == before.person]
        return found

    async def _bring_home(self, owner: Person, where: ColumnElement[bool]) -> None:
        """Let nothing of an owner's accounts go to places in which they can't act any more."""
        home = await self._tx.first(
            select(CONVERSATIONS.c.id)
            .where(CONVERSATIONS.c.person == owner.id, CONVERSATIONS.c.private)
            .order_by(CONVERSATIONS.c.live.desc(), _where_acts(owner).desc())
            .order_by(CONVERSATIONS.c.thread, CONVERSATIONS.c.id)
            .limit(1)
        )
        rows = await self._tx.all(
            select(_S.id, _S.account, _S.kind, CONVERSATIONS.c.private)
            .join(ACCOUNTS, _A.id == _S.account)
            .join(CONVERSATIONS, CONVERSATIONS.c.id == _S.conversation)
            .where(_A.owner == owner.id, where)
            .order_by(_S.id)
        )
        for row in rows:
            if not (home and row.private and await move(self._tx, row, home.id)):
                await self._tx.run(delete(SUBSCRIPTIONS).where(_S.id == row.id))


def _live(code: bytes, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return LINK_CODES.c.hash == code, LINK_CODES.c.expires_at > now


def _pair(person: PersonId, main: PersonId) -> tuple[ColumnElement[bool], ...]:
    return LINKED_PEOPLE.c.person == person, LINKED_PEOPLE.c.main == main


def _where_acts(person: Person) -> ColumnElement[bool]:
    # Of one person no two identities are in the same workspace, so the place tells whose it is.
    who = person.identity
    return and_(CONVERSATIONS.c.platform == who.platform, CONVERSATIONS.c.workspace == who.workspace)


def _held(row: Record) -> Held:
    sealed = SealedCredential(row.kek_id, row.wrapped_dek, row.box) if row.box is not None else None
    return Held(account_from(row), sealed)


def _naming_accounts() -> list[Column[Any]]:
    """Return the columns that name an account in a table that names its team too."""
    tables: list[Table] = [table for table in METADATA.sorted_tables if "team" in table.c]
    keys = (key for table in tables for key in table.foreign_keys if key.column is _A.id)
    return [key.parent for key in keys]
