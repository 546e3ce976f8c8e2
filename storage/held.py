"""What quiet hours and mutes hold back: one row for each thing, told together once they are over.

A row is written in the transaction of what it tells, and given up in the one that queues the digest. A row
that is over keeps its key, so that nothing is told twice.
"""

from collections.abc import Sequence as SequenceOf
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    Table,
    Text,
    and_,
    or_,
    select,
    text,
    update,
)

from chatbot.domain.messages import Image, Message, from_json, to_json
from chatbot.domain.notices import LONGEST_MUTE
from chatbot.domain.people import ConversationId, PersonId
from chatbot.ports.held import HeldPost
from chatbot.ports.records import Subscription
from storage.accounts import ACCOUNTS
from storage.cards import CARDS
from storage.columns import METADATA, Json, Sequence, Time, Words, from_micros
from storage.conversations import CONVERSATIONS, HUSH
from storage.outbox import OUTBOX
from storage.people import PEOPLE, READER, person_from
from storage.subscriptions import SUBSCRIPTIONS, live, subscription_from
from storage.transaction import Record, Transaction

HELD = Table(
    "held",
    METADATA,
    Column("seq", Sequence, primary_key=True),
    Column("team", Text, nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column(
        "conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("account", Text, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("reader", Text, ForeignKey("people.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("silent", Boolean, nullable=False),
    Column("also", Json, nullable=False),
    Column("locale", Text, nullable=False),
    Column("message", Json),
    Column("image", LargeBinary),
    Column("image_alt", Words, nullable=False),
    Column("at", Time, nullable=False),
    Column("until", Time, nullable=False),
    Column("over_at", Time),
)
_H = HELD.c
_OPEN = text("over_at IS NULL")
_BY_UNTIL = Index("ix_held_open", _H.until, sqlite_where=_OPEN, postgresql_where=_OPEN)
_OWN = ("seq", "at", "kind", "key", "message", "image", "image_alt", "card")
_LONG_AGO = from_micros(0)
# Nothing is held longer than a mute may last: a later end was set by a clock that was set back since.
_LONGEST = LONGEST_MUTE + timedelta(days=1)


class HeldStore:
    """Implements `ports.held.Held`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def add(  # noqa: PLR0913  as the port has it
        self, sub: Subscription, message: Message, key: str, now: datetime, until: datetime,
        *, card: str = "", locale: str = "en", urgent: bool = False, silent: bool = False,
        also: SequenceOf[str] = (),
    ) -> bool:  # fmt: skip
        if await self._tx.first(select(OUTBOX.c.seq).where(OUTBOX.c.key == key)) is not None:
            return False
        added = self._tx.insert(HELD).values(
            team=sub.reader.team,
            key=key,
            conversation=sub.conversation,
            account=sub.account,
            reader=sub.reader.id,
            kind=sub.kind,
            card=card,
            urgent=urgent,
            silent=silent,
            also=list(also),
            locale=locale,
            message=to_json(message),
            image=message.image.png if message.image else None,
            image_alt=message.image.alt if message.image else "",
            at=now,
            until=until,
        )
        new = await self._tx.first(added.on_conflict_do_nothing(index_elements=["key"]).returning(_H.seq))
        if new is None:
            return False
        if card:
            older = _H.conversation == sub.conversation, _H.card == card, _H.seq < new.seq
            if await self._tx.first(select(_H.seq).where(*older, _OPEN, ~_H.silent).limit(1)) is not None:
                # What was to be heard is heard, though in its newer state.
                await self._tx.run(update(HELD).where(_H.seq == new.seq).values(silent=False))
            await self._end(*older, now=now)
        return True

    async def knows(self, key: str) -> bool:
        return await self._tx.first(select(_H.seq).where(_H.key == key)) is not None

    async def waits(self, conversation: ConversationId, now: datetime) -> bool:
        here = select(_H.seq).where(_H.conversation == conversation, _OPEN, _due(now)).limit(1)
        return await self._tx.first(here) is not None

    async def supersede(self, conversation: ConversationId, card: str, now: datetime) -> None:
        await self._end(_H.conversation == conversation, _H.card == card, now=now)

    async def due(self, now: datetime, limit: int) -> SequenceOf[ConversationId]:
        # Looked for apart: joined by OR, a database would walk through all that is held.
        return await self._places(_H.until <= now, limit) or await self._places(
            _H.until > now + _LONGEST, limit
        )

    async def _places(self, which: ColumnElement[bool], limit: int) -> list[ConversationId]:
        longest_first = select(_H.conversation).where(_OPEN, which).order_by(_H.until).limit(limit)
        rows = await self._tx.all(longest_first)
        return [ConversationId(place) for place in dict.fromkeys(row.conversation for row in rows)]

    async def open(self, conversation: ConversationId) -> SequenceOf[HeldPost]:
        # Not FOR UPDATE: that would stop every post that is queued for the place meanwhile.
        lock = select(CONVERSATIONS.c.id).where(CONVERSATIONS.c.id == conversation)
        await self._tx.first(lock.with_for_update(key_share=True))
        rows = await self._tx.all(_joined().where(_H.conversation == conversation, _OPEN).order_by(_H.seq))
        others = {other for row in rows for other in row.also}
        found = await self._tx.all(live().where(SUBSCRIPTIONS.c.id.in_(others))) if others else ()
        known = {row.id: subscription_from(row) for row in found}
        return [_held(row, [known.get(other) for other in row.also]) for row in rows]

    async def keep(self, posts: SequenceOf[HeldPost], until: datetime) -> None:
        if posts:
            await self._tx.run(update(HELD).where(_these(posts)).values(until=until))

    async def put_off(self, conversation: ConversationId, until: datetime) -> None:
        here = _H.conversation == conversation, _OPEN, _H.until < until
        await self._tx.run(update(HELD).where(*here).values(until=until))

    async def over(self, posts: SequenceOf[HeldPost], now: datetime) -> None:
        if posts:
            await self._end(_these(posts), now=now)

    async def look_again(self, person: PersonId) -> None:
        theirs = select(ACCOUNTS.c.id).where(ACCOUNTS.c.owner == person)
        await self._tx.run(update(HELD).where(_H.account.in_(theirs), _OPEN).values(until=_LONG_AGO))

    async def _end(self, *which: ColumnElement[bool], now: datetime) -> None:
        await self._tx.run(update(HELD).where(*which, _OPEN).values(over_at=now, message=None, image=None))


def _due(now: datetime) -> ColumnElement[bool]:
    return or_(_H.until <= now, _H.until > now + _LONGEST)


def _these(posts: SequenceOf[HeldPost]) -> ColumnElement[bool]:
    return _H.seq.in_([post.seq for post in posts])


def _joined() -> Select[Any]:
    of_it = and_(
        SUBSCRIPTIONS.c.account == _H.account,
        SUBSCRIPTIONS.c.kind == _H.kind,
        SUBSCRIPTIONS.c.conversation == _H.conversation,
    )
    held = (_H[name].label(f"held_{name}") for name in _OWN)
    shown = and_(CARDS.c.conversation == _H.conversation, CARDS.c.card == _H.card)
    return (
        select(
            *held,
            _H.urgent,
            _H.silent,
            _H.also,
            CARDS.c.message_id.label("shown_in"),
            SUBSCRIPTIONS,
            CONVERSATIONS.c.live,
            *HUSH,
            *READER,
        )
        .join(PEOPLE, PEOPLE.c.id == _H.reader)
        .join(CONVERSATIONS, CONVERSATIONS.c.id == _H.conversation)
        .outerjoin(SUBSCRIPTIONS, of_it)
        .outerjoin(CARDS, shown)
    )


def _message(row: Record) -> Message:
    image = Image(row.held_image, row.held_image_alt) if row.held_image is not None else None
    return replace(from_json(row.held_message), image=image)


def _held(row: Record, others: SequenceOf[Subscription | None]) -> HeldPost:
    kept = [other for other in others if other is not None]
    goes_on = row.id is not None and row.live and len(kept) == len(others)
    return HeldPost(
        seq=row.held_seq,
        at=row.held_at,
        kind=row.held_kind,
        key=row.held_key,
        message=_message(row),
        reader=person_from(row, "reader_"),
        subscription=subscription_from(row) if goes_on else None,
        card=row.held_card,
        shown=bool(row.shown_in),
        urgent=row.urgent,
        silent=row.silent,
        others=tuple(other.reader for other in kept),
    )
