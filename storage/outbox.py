"""The outbox: what is to be told, in order for each conversation, until it is surely told or surely not.

A post is queued in the transaction of what it tells. How rows are taken and what becomes of them after a
crash is in `delivery.py`. A row that is over keeps its key, so that nothing is told twice.
"""

from collections.abc import Mapping
from collections.abc import Sequence as SequenceOf
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    TextClause,
    delete,
    func,
    select,
    text,
    update,
)

from chatbot.domain.messages import Post, to_json
from chatbot.domain.outbox import SURE, OutboxState, Promise, ref_for
from chatbot.domain.people import ConversationId, PersonId
from chatbot.ports.mail import Press
from storage import buttons
from storage.buttons import BUTTONS
from storage.columns import METADATA, Json, Sequence, Time, Words, new_id
from storage.conversations import CONVERSATIONS
from storage.transaction import Record, Transaction

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("seq", Sequence, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("key", Text, unique=True),
    Column("team", Text, nullable=False),
    Column("conversation", Text, ForeignKey("conversations.id", ondelete="CASCADE"), nullable=False),
    Column("reader", Text, ForeignKey("people.id", ondelete="CASCADE"), index=True),
    Column("promise", Text, nullable=False),
    Column("message", Json),
    Column("image", LargeBinary),
    Column("image_alt", Words, nullable=False),
    Column("card", Text, nullable=False),
    Column("fresh", Boolean, nullable=False),
    Column("silent", Boolean, nullable=False),
    Column("protect", Boolean, nullable=False),
    Column("erase", Text, nullable=False),
    Column("locale", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("begun", Boolean, nullable=False),
    Column("repeat", Boolean, nullable=False),
    Column("due_at", Time, nullable=False),
    Column("queued_at", Time, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("crashes", Integer, nullable=False),
    Column("lease_until", Time),
    Column("fence", Integer, nullable=False),
    Column("reason", Words, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("over_at", Time),
    Column("whisper", Text, nullable=False, server_default=""),
    Column("home", Boolean, nullable=False, server_default=text("false")),
    Column("file", LargeBinary),
    Column("file_name", Words, nullable=False, server_default=""),
    Column("file_kind", Text, nullable=False, server_default=""),
    Column("doubts", Integer, nullable=False, server_default="0"),
    Column("offered", Boolean, nullable=False, server_default=text("false")),
)
# Written out in index and query alike: SQLite takes a partial index only when it reads the same words.
OPEN = "state IN ('pending', 'claimed', 'begun')"
UNFINISHED = text(f"outbox.{OPEN}")
_OPEN = text(OPEN)
_KEPT = text("message IS NOT NULL")
_MARKED = text("repeat")
_DOUBTED = text("doubts > 0")
_PAGE = text("home")
_BY_LANE = Index(
    "ix_outbox_open_lane", OUTBOX.c.conversation, OUTBOX.c.seq, sqlite_where=_OPEN, postgresql_where=_OPEN
)
_BY_DUE = Index("ix_outbox_open_due", OUTBOX.c.due_at, sqlite_where=_OPEN, postgresql_where=_OPEN)
_BY_CONVERSATION = Index("ix_outbox_conversation", OUTBOX.c.conversation)
_BY_STATE = Index("ix_outbox_state", OUTBOX.c.state)
_BY_MARK = Index("ix_outbox_marked", OUTBOX.c.state, sqlite_where=_MARKED, postgresql_where=_MARKED)
_BY_END = Index("ix_outbox_kept", OUTBOX.c.over_at, sqlite_where=_KEPT, postgresql_where=_KEPT)
_BY_DOUBT = Index(
    "ix_outbox_doubted", OUTBOX.c.conversation, OUTBOX.c.seq, sqlite_where=_DOUBTED, postgresql_where=_DOUBTED
)
_GIVEN_UP = [OutboxState.PARKED, OutboxState.UNKNOWN]
# What is kept beside the words; gone once a message is over.
BARE: dict[str, None] = {"image": None, "file": None}
_BY_PAGE = Index("ix_outbox_home", OUTBOX.c.conversation, sqlite_where=_PAGE, postgresql_where=_PAGE)
_PRUNED_AT_ONCE = 500
# Longer than any queue.
AHEAD = timedelta(days=1)


class Outgoing:
    """The half of `ports.mail.Outbox` that the inside uses: put, press, counts, prune."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def put(  # noqa: PLR0913  as the port has it
        self, conversation: ConversationId, post: Post, promise: Promise, now: datetime, *,
        key: str = "", reader: PersonId | None = None, locale: str = "en", erase: str = "", whisper: str = "",
        ahead: bool = False,
    ) -> bool:  # fmt: skip
        place = await self._tx.first(select(CONVERSATIONS).where(CONVERSATIONS.c.id == conversation))
        if place is None:
            return False
        message, pressable = buttons.with_ids(post.message, now)
        row = _row(post, promise, now) | {
            "key": key or None,
            "conversation": conversation,
            "team": place.team,
            "reader": reader,
            "message": to_json(message),
            "locale": locale,
            "erase": erase,
            "whisper": whisper,
            "state": OutboxState.PENDING if place.live else OutboxState.GONE,
            "over_at": None if place.live else now,
            # Taken in this order: before all that was queued for elsewhere and still waits its turn.
            "due_at": now - AHEAD if ahead else now,
        }
        row["ref"] = ref_for(key or row["id"])
        added = self._tx.insert(OUTBOX).values(row).on_conflict_do_nothing().returning(OUTBOX.c.seq)
        queued = await self._tx.first(added)
        if queued is None:
            return False
        if post.card and not erase:
            await self._supersede(conversation, post.card, queued.seq)
        if pressable:
            shared = {"team": place.team, "conversation": conversation, "post": row["id"], "person": reader}
            await self._tx.run(BUTTONS.insert(), [shared | button for button in pressable])
            await buttons.sweep(self._tx, now)
        return True

    async def peek(self, button: str) -> Press | None:
        return await buttons.peek(self._tx, button)

    async def press(
        self, button: str, person: PersonId, conversation: ConversationId, now: datetime
    ) -> Press | None:
        return await buttons.press(self._tx, button, person, conversation, now)

    async def lost_report(self, conversation: ConversationId) -> str | None:
        newest = select(OUTBOX.c.id, OUTBOX.c.offered).where(
            OUTBOX.c.conversation == conversation, _DOUBTED, OUTBOX.c.state == OutboxState.UNKNOWN,
            OUTBOX.c.promise == Promise.REPORT, _KEPT,
        )  # fmt: skip
        row = await self._tx.first(newest.order_by(OUTBOX.c.seq.desc()).limit(1))
        return row.id if row is not None and not row.offered else None

    async def offered(self, post: str) -> None:
        await self._tx.run(update(OUTBOX).where(OUTBOX.c.id == post).values(offered=True))

    async def show_again(
        self, post: str, conversation: ConversationId, reader: PersonId, now: datetime
    ) -> bool | None:
        which = OUTBOX.c.id == post, OUTBOX.c.conversation == conversation
        row = await self._tx.first(select(OUTBOX).where(*which, OUTBOX.c.state == OutboxState.UNKNOWN, _KEPT))
        if row is None:
            return None
        kept = {column: getattr(row, column) for column in set(OUTBOX.c.keys()) - {"seq", "offered"}}
        fresh = {
            "id": new_id(), "key": f"again:{post}", "promise": Promise.REPLY, "state": OutboxState.PENDING,
            "repeat": True, "begun": False, "attempts": 0, "crashes": 0, "doubts": 0, "fence": 0,
            "reason": "", "due_at": now, "queued_at": now, "over_at": None, "lease_until": None,
            "reader": reader,
        }  # fmt: skip
        added = self._tx.insert(OUTBOX).values(kept | fresh).on_conflict_do_nothing().returning(OUTBOX.c.seq)
        return await self._tx.first(added) is not None

    async def counts(self) -> Mapping[str, int]:
        per_state = select(OUTBOX.c.state, func.count().label("number")).group_by(OUTBOX.c.state)
        marked = await self._tx.first(select(func.count()).select_from(OUTBOX).where(_MARKED))
        found = {row.state: int(row.number) for row in await self._tx.all(per_state)}
        return {state.value: found.get(state, 0) for state in OutboxState} | {
            "marked": marked[0] if marked else 0,
            "unmarked": await self._number(_DOUBTED, OUTBOX.c.state == OutboxState.SENT, ~OUTBOX.c.repeat),
            "lost": await self._number(OUTBOX.c.state.in_(_GIVEN_UP), OUTBOX.c.promise.in_(SURE)),
        }

    async def _number(self, *which: ColumnElement[bool] | TextClause) -> int:
        row = await self._tx.first(select(func.count()).select_from(OUTBOX).where(*which))
        return int(row[0]) if row else 0

    async def prune(self, before: datetime) -> int:
        old = select(OUTBOX.c.seq).where(_KEPT, OUTBOX.c.over_at < before).order_by(OUTBOX.c.over_at)
        some = OUTBOX.c.seq.in_(old.limit(_PRUNED_AT_ONCE))
        return await self._tx.run(update(OUTBOX).where(some).values(message=None, **BARE))

    async def _supersede(self, conversation: ConversationId, card: str, by: int) -> None:
        older = await self._tx.all(
            select(OUTBOX.c.seq, OUTBOX.c.id, OUTBOX.c.key, OUTBOX.c.fresh, OUTBOX.c.silent)
            .where(OUTBOX.c.conversation == conversation, OUTBOX.c.card == card, OUTBOX.c.seq < by)
            .where(OUTBOX.c.state == OutboxState.PENDING, ~OUTBOX.c.begun, OUTBOX.c.erase == "")
            .with_for_update(skip_locked=True)
        )
        if not older:
            return
        await self._tx.run(delete(BUTTONS).where(BUTTONS.c.post.in_([row.id for row in older])))
        if any(row.fresh for row in older):
            # What was to be heard is heard, though in its newer state.
            loud = {"silent": False} if any(row.fresh and not row.silent for row in older) else {}
            await self._tx.run(update(OUTBOX).where(OUTBOX.c.seq == by).values(fresh=True, **loud))
        await self._drop(older)

    async def _drop_replaced_pages(self, conversation: str, shown: str) -> None:
        """Delete the home pages that a newer one took the place of, with their buttons: nobody sees them."""
        over = text(f"NOT ({OPEN})")
        pages = select(OUTBOX.c.id).where(
            OUTBOX.c.conversation == conversation, _PAGE, over, OUTBOX.c.id != shown
        )
        await self._tx.run(delete(BUTTONS).where(BUTTONS.c.post.in_(pages)))
        # Their keys may go with them: a page that is published twice is the same page.
        await self._tx.run(delete(OUTBOX).where(OUTBOX.c.id.in_(pages)))

    async def _drop(self, rows: SequenceOf[Record]) -> None:
        unkeyed = [row.seq for row in rows if row.key is None]
        await self._tx.run(delete(OUTBOX).where(OUTBOX.c.seq.in_(unkeyed)))
        # A key must outlive its post, or the same thing could be queued again.
        keyed = OUTBOX.c.seq.in_([row.seq for row in rows if row.key is not None])
        over = {"state": OutboxState.GONE, "reason": "superseded", "message": None, **BARE}
        await self._tx.run(update(OUTBOX).where(keyed).values(over))


def _row(post: Post, promise: Promise, now: datetime) -> dict[str, Any]:
    image, file = post.message.image, post.message.file
    return {
        "id": new_id(),
        "promise": promise,
        "file": file.content if file else None,
        "file_name": file.name if file else "",
        "file_kind": file.kind if file else "",
        "image": image.png if image else None,
        "image_alt": image.alt if image else "",
        "card": post.card,
        "fresh": post.fresh,
        "silent": post.silent,
        "protect": post.protect,
        "home": post.home,
        "begun": False,
        "repeat": False,
        "queued_at": now,
        "attempts": 0,
        "crashes": 0,
        "fence": 0,
        "reason": "",
        "message_id": "",
    }
