"""Conversations: the places the bot talks in, when they are quiet, what follows when one moves or shuts.

A place is unique by platform, workspace, channel and thread. A Telegram group that becomes a supergroup
keeps its row, so that whatever points at it stays right.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    exists,
    func,
    select,
    update,
)

from chatbot.domain.notices import Hush
from chatbot.domain.people import Conversation, ConversationId, PersonId, Place, TeamId
from storage.columns import METADATA, Time, from_micros, new_id
from storage.transaction import Record, Transaction

CONVERSATIONS = Table(
    "conversations",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("team", Text, nullable=False, index=True),
    Column("platform", Text, nullable=False),
    Column("workspace", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("thread", Text, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("person", Text, ForeignKey("people.id", ondelete="CASCADE"), index=True),
    Column("live", Boolean, nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("quiet", Text, nullable=False, server_default=""),
    Column("quiet_zone", Text, nullable=False, server_default=""),
    Column("muted_until", Time),
    UniqueConstraint("platform", "workspace", "channel", "thread"),
)

_UNFINISHED = ["pending", "claimed", "begun"]
HUSH = [CONVERSATIONS.c[name].label(f"place_{name}") for name in ("quiet", "quiet_zone", "muted_until")]


def hush_from(row: Record, prefix: str = "") -> Hush:
    """Return when the place of a row is quiet; `prefix` names the columns of a join (`HUSH`)."""
    return Hush(*(getattr(row, f"{prefix}{name}") for name in ("quiet", "quiet_zone", "muted_until")))


def place_from(row: Record) -> Place:
    """Return the place of a row that holds a conversation's columns."""
    return Place(row.platform, row.channel, row.workspace, row.thread, private=row.private, title=row.title)


class ConversationStore:
    """Implements `ports.people.Conversations`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def enter(self, place: Place, team: TeamId, person: PersonId | None) -> Conversation:
        row = await self._tx.first(select(CONVERSATIONS).where(*_at(place)))
        if row is None or not row.live or (person is not None and row.person != person):
            row = await self._add(place, team, person)
        if place.title and place.title != row.title:
            named = update(CONVERSATIONS).where(CONVERSATIONS.c.id == row.id).values(title=place.title)
            (row,) = await self._tx.all(named.returning(*CONVERSATIONS.c))
        return conversation_from(row)

    async def get(self, conversation: ConversationId) -> Conversation:
        row = await self._tx.first(select(CONVERSATIONS).where(CONVERSATIONS.c.id == conversation))
        if row is None:
            raise KeyError(conversation)
        return conversation_from(row)

    async def private_of(self, person: PersonId, near: Place | None = None) -> Conversation | None:
        theirs = await self.privates_of(person)
        return next((one for one in theirs if near is None or one.place.bot == near.bot), None)

    async def privates_of(self, person: PersonId) -> Sequence[Conversation]:
        mine = and_(CONVERSATIONS.c.person == person, CONVERSATIONS.c.private, CONVERSATIONS.c.live)
        order = CONVERSATIONS.c.thread, CONVERSATIONS.c.id
        found: dict[str, Conversation] = {}
        for row in await self._tx.all(select(CONVERSATIONS).where(mine).order_by(*order)):
            found.setdefault(place_from(row).bot, conversation_from(row))
        return list(found.values())

    async def leave(self, conversation: ConversationId) -> None:
        row = await self._tx.first(select(CONVERSATIONS).where(CONVERSATIONS.c.id == conversation))
        if row is None:
            return
        left = [conversation] if row.private else await self._shut(row)
        await self._tx.run(update(CONVERSATIONS).where(CONVERSATIONS.c.id.in_(left)).values(live=False))
        outbox = METADATA.tables["outbox"]
        waiting = and_(outbox.c.conversation.in_(left), outbox.c.state == "pending")
        await self._tx.run(
            update(outbox).where(waiting).values(state="gone", reason="conversation left", image=None)
        )
        await self._look_again(*left)

    async def hush(self, conversation: ConversationId) -> Hush:
        row = await self._tx.first(select(CONVERSATIONS).where(CONVERSATIONS.c.id == conversation))
        return hush_from(row) if row else Hush()

    async def set_quiet(self, conversation: ConversationId, quiet: str, zone: str) -> None:
        await self._change(conversation, quiet=quiet, quiet_zone=zone)

    async def mute(self, conversation: ConversationId, until: datetime | None) -> None:
        await self._change(conversation, muted_until=until)

    async def _change(self, conversation: ConversationId, **values: Any) -> None:
        here = CONVERSATIONS.c.id == conversation
        await self._tx.run(update(CONVERSATIONS).where(here).values(values))
        await self._look_again(conversation)

    async def _look_again(self, *conversations: str) -> None:
        # What is held there may be told at once, or never.
        held = METADATA.tables["held"]
        waiting = held.c.conversation.in_(conversations), held.c.over_at.is_(None)
        await self._tx.run(update(held).where(*waiting).values(until=from_micros(0)))

    async def _shut(self, group: Record) -> list[str]:
        """End what goes to a group; anybody may bring the bot back, so that alone must restart nothing."""
        here = (
            CONVERSATIONS.c.id == group.id if group.thread else and_(*_in(place_from(group), group.channel))
        )
        left = [row.id for row in await self._tx.all(select(CONVERSATIONS.c.id).where(here))]
        subscriptions = METADATA.tables["subscriptions"]
        await self._tx.run(delete(subscriptions).where(subscriptions.c.conversation.in_(left)))
        return left

    async def leave_workspace(self, platform: str, workspace: str, now: datetime) -> Sequence[PersonId]:
        there = CONVERSATIONS.c.platform == platform, CONVERSATIONS.c.workspace == workspace
        ended = update(CONVERSATIONS).where(*there, CONVERSATIONS.c.live).values(live=False)
        rows = await self._tx.all(ended.returning(*CONVERSATIONS.c))
        left = select(CONVERSATIONS.c.id).where(*there)
        subscriptions = METADATA.tables["subscriptions"]
        groups = subscriptions.c.conversation.in_(left.where(~CONVERSATIONS.c.private))
        await self._tx.run(delete(subscriptions).where(groups))
        outbox = METADATA.tables["outbox"]
        waiting = and_(outbox.c.conversation.in_(left), outbox.c.state.in_(_UNFINISHED))
        # Also what is under way: handed back, it would wait and come with the next installation.
        over = {"state": "gone", "reason": "workspace left", "image": None, "lease_until": None}
        await self._tx.run(update(outbox).where(waiting).values(over | {"over_at": now}))
        return sorted({PersonId(row.person) for row in rows if row.private and row.person is not None})

    async def rejoin_workspace(self, platform: str, workspace: str) -> None:
        there = CONVERSATIONS.c.platform == platform, CONVERSATIONS.c.workspace == workspace
        theirs = CONVERSATIONS.c.private, CONVERSATIONS.c.person.is_not(None)
        await self._tx.run(update(CONVERSATIONS).where(*there, *theirs).values(live=True))

    async def forget_empty(self) -> None:
        outbox = METADATA.tables["outbox"]
        unfinished = outbox.c.state.in_(_UNFINISHED)
        waiting = exists().where(outbox.c.conversation == CONVERSATIONS.c.id, unfinished)
        nobody = and_(CONVERSATIONS.c.private, CONVERSATIONS.c.person.is_(None))
        await self._tx.run(delete(CONVERSATIONS).where(nobody, ~waiting))

    async def move(self, old: Place, channel: str) -> None:
        if channel == old.channel:
            return
        moving = await self._tx.all(select(CONVERSATIONS).where(*_in(old, old.channel)).with_for_update())
        there = await self._tx.all(select(CONVERSATIONS).where(*_in(old, channel)).with_for_update())
        twins = {row.thread: row.id for row in there}
        for row in moving:
            # The new channel numbers its messages anew: none of the old cards can be edited there.
            cards = METADATA.tables["cards"]
            await self._tx.run(delete(cards).where(cards.c.conversation == row.id))
            if row.thread in twins:
                await self._absorb(row.id, twins[row.thread])
            moved = update(CONVERSATIONS).where(CONVERSATIONS.c.id == row.id)
            await self._tx.run(moved.values(channel=channel, live=True))

    async def _add(self, place: Place, team: TeamId, person: PersonId | None) -> Record:
        added = self._tx.insert(CONVERSATIONS).values(
            id=new_id(),
            team=team,
            platform=place.platform,
            workspace=place.workspace,
            channel=place.channel,
            thread=place.thread,
            private=place.private,
            person=person,
            live=True,
        )
        upsert = added.on_conflict_do_update(
            index_elements=["platform", "workspace", "channel", "thread"],
            set_={"live": True, "person": func.coalesce(added.excluded.person, CONVERSATIONS.c.person)},
        ).returning(*CONVERSATIONS.c)
        (row,) = await self._tx.all(upsert)
        return row

    async def _absorb(self, kept: str, twin: str) -> None:
        subscriptions = METADATA.tables["subscriptions"]
        mine = select(subscriptions.c.account, subscriptions.c.kind).where(
            subscriptions.c.conversation == kept
        )
        known = {tuple(row) for row in await self._tx.all(mine)}
        theirs = select(subscriptions).where(subscriptions.c.conversation == twin)
        twice = [row.id for row in await self._tx.all(theirs) if (row.account, row.kind) in known]
        await self._tx.run(delete(subscriptions).where(subscriptions.c.id.in_(twice)))
        for column in _pointing_here():
            await self._tx.run(update(column.table).where(column == twin).values({column.name: kept}))
        await self._tx.run(delete(CONVERSATIONS).where(CONVERSATIONS.c.id == twin))


def conversation_from(row: Record) -> Conversation:
    """Return the conversation of a row of this table."""
    return Conversation(ConversationId(row.id), TeamId(row.team), place_from(row), row.person, row.live)


def _in(place: Place, channel: str) -> tuple[ColumnElement[bool], ...]:
    return (
        CONVERSATIONS.c.platform == place.platform,
        CONVERSATIONS.c.workspace == place.workspace,
        CONVERSATIONS.c.channel == channel,
    )


def _at(place: Place) -> tuple[ColumnElement[bool], ...]:
    return (*_in(place, place.channel), CONVERSATIONS.c.thread == place.thread)


def _pointing_here() -> list[Column[Any]]:
    return [
        key.parent
        for table in METADATA.sorted_tables
        for key in table.foreign_keys
        if key.column is CONVERSATIONS.c.id
    ]
