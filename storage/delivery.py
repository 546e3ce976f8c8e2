"""Taking rows from the outbox and recording what became of them.

One row per conversation at a time, in the order of queueing; its home page goes apart from its chat. A row
whose worker died is as new while it was only claimed; once it had begun, `domain.outbox.after_unknown` says
whether it is repeated with a mark. One that takes its worker down again and again is parked.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Select,
    and_,
    bindparam,
    case,
    exists,
    literal,
    or_,
    select,
    text,
    update,
)

from chatbot.domain.messages import File, Image, Message, from_json
from chatbot.domain.outbox import Delivery, Next, OutboxState, Promise, after_unknown
from chatbot.domain.people import ConversationId
from chatbot.errors import Fenced
from chatbot.ports.mail import Sent
from storage import cards
from storage.cards import CARDS
from storage.columns import Time
from storage.conversations import CONVERSATIONS, place_from
from storage.outbox import BARE, OPEN, OUTBOX, UNFINISHED, Outgoing
from storage.transaction import Record

_O = OUTBOX.c
_IN_FLIGHT = [OutboxState.CLAIMED, OutboxState.BEGUN]
_RECOVERED_AT_ONCE = 100
_CRASHES = 8
TAKEN_OVER = "the message was taken over"


_NOW = bindparam("now", type_=Time)


def _joined() -> Select[Any]:
    place = (
        CONVERSATIONS.c[name]
        for name in ("platform", "workspace", "channel", "thread", "private", "live", "title")
    )
    shown = and_(CARDS.c.conversation == _O.conversation, CARDS.c.card == _O.card)
    return (
        select(
            OUTBOX,
            *place,
            CARDS.c.message_id.label("shown_in"),
            CARDS.c.ref.label("shown_ref"),
            CARDS.c.marked,
        )
        .join(CONVERSATIONS, CONVERSATIONS.c.id == _O.conversation)
        .outerjoin(CARDS, shown)
    )


def _blocked() -> ColumnElement[bool]:
    other = OUTBOX.alias("other")
    # A home page that can't be shown must not hold up what is told in the chat.
    same_lane = and_(other.c.conversation == _O.conversation, other.c.home == _O.home)
    # Transactions may commit in another order than they were numbered.
    under_way = and_(other.c.state.in_(_IN_FLIGHT), other.c.lease_until > _NOW, other.c.seq != _O.seq)
    return exists().where(same_lane, text(f"other.{OPEN}"), or_(other.c.seq < _O.seq, under_way))


_WORKSPACE = CONVERSATIONS.c.workspace
_BOT = CONVERSATIONS.c.platform + case((_WORKSPACE == "", ""), else_=literal(":") + _WORKSPACE)

# Made once: putting a statement together costs more than running it.
_DUE = (
    _joined()
    .where(UNFINISHED, _O.state == OutboxState.PENDING, _O.due_at <= _NOW, CONVERSATIONS.c.live)
    .where(
        _O.conversation.not_in(bindparam("busy", expanding=True)),
        CONVERSATIONS.c.platform.in_(bindparam("platforms", expanding=True)),
        _BOT.not_in(bindparam("full", expanding=True)),
        ~_blocked(),
    )
    .order_by(_O.due_at, _O.seq)
    .limit(bindparam("room", type_=Integer))
    .with_for_update(of=OUTBOX, skip_locked=True)
)
_LAPSED = (
    _joined()
    .where(UNFINISHED, _O.state.in_(_IN_FLIGHT), _O.lease_until <= _NOW)
    # The order of its index: by `seq`, SQLite would walk the whole table.
    .order_by(_O.due_at, _O.seq)
    .limit(_RECOVERED_AT_ONCE)
    .with_for_update(of=OUTBOX, skip_locked=True)
)
_MINE = and_(_O.id == bindparam("delivery"), _O.fence == bindparam("held"))
_BEGIN = (
    update(OUTBOX)
    .where(_MINE, _O.state == OutboxState.CLAIMED)
    .values(state=OutboxState.BEGUN, begun=True)
    .returning(_O.id)
)
_SENT = (
    update(OUTBOX)
    .where(_MINE, _O.state == OutboxState.BEGUN)
    .values(
        state=OutboxState.SENT,
        lease_until=None,
        over_at=bindparam("on"),
        message_id=bindparam("shown"),
        **BARE,
    )
    .returning(_O.id, _O.conversation, _O.team)
)


class OutboxStore(Outgoing):
    """Implements `ports.mail.Outbox`."""

    async def claim(
        self,
        now: datetime,
        until: datetime,
        limit: int,
        busy: Sequence[ConversationId],
        platforms: Sequence[str],
        full: Sequence[str] = (),
    ) -> Sequence[Delivery]:
        await self._recover(now)
        which = {"now": now, "busy": list(busy), "platforms": list(platforms), "room": limit}
        which["full"] = list(full)
        rows = await self._tx.all(_DUE, which)
        if rows:
            taken = _O.seq.in_([row.seq for row in rows])
            counted = {"fence": _O.fence + 1, "attempts": _O.attempts + 1}
            await self._tx.run(
                update(OUTBOX).where(taken).values(state=OutboxState.CLAIMED, lease_until=until, **counted)
            )
        return [_delivery(row, until, row.fence + 1, row.attempts + 1) for row in rows]

    async def begin(self, delivery: Delivery) -> None:
        if not await self.begin_all([delivery]):
            raise Fenced(TAKEN_OVER)

    async def begin_all(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        return (await self._mark(_BEGIN, [_fenced(delivery) for delivery in deliveries])).keys()

    async def sent(self, delivery: Delivery, message_id: str, now: datetime) -> None:
        if not await self.sent_all([Sent(delivery, message_id, now)]):
            raise Fenced(TAKEN_OVER)

    async def sent_all(self, results: Sequence[Sent]) -> Collection[str]:
        marks = [
            _fenced(result.delivery) | {"shown": result.message_id, "on": result.at} for result in results
        ]
        rows = await self._mark(_SENT, marks)
        for delivery, message_id, at in results:
            if delivery.id in rows and delivery.card and message_id and not delivery.erase:
                await cards.remember(self._tx, rows[delivery.id], delivery, message_id, at)
            if delivery.id in rows and delivery.home:
                await self._drop_replaced_pages(rows[delivery.id].conversation, delivery.id)
        return rows.keys()

    async def failed(self, delivery: Delivery, what: Next, reason: str, now: datetime) -> None:
        # An edit shows the mark of its card; it is no repeat itself.
        what = replace(what, repeat=what.repeat and not delivery.edit)
        values = _after(what, now) | {"reason": reason}
        if what.state is OutboxState.SENT:
            values["message_id"] = delivery.edit
        await self._write(delivery, [OutboxState.CLAIMED, OutboxState.BEGUN], **values)

    async def _mark(self, statement: Executable, marks: Sequence[dict[str, Any]]) -> dict[str, Record]:
        """Run a statement for each mark in one trip; return the rows that were still ours, by id."""
        found = await self._tx.call(lambda c: [c.execute(statement, mark).first() for mark in marks])
        return {row.id: row for row in found if row is not None}

    async def _write(self, delivery: Delivery, states: Sequence[OutboxState], **values: Any) -> Record:
        mine = and_(_O.id == delivery.id, _O.fence == delivery.fence, _O.state.in_(states))
        row = await self._tx.first(
            update(OUTBOX).where(mine).values(values).returning(_O.conversation, _O.team)
        )
        if row is None:
            raise Fenced(TAKEN_OVER)
        return row

    async def _recover(self, now: datetime) -> None:
        for row in await self._tx.all(_LAPSED, {"now": now}):
            # What was only claimed has killed nobody: it merely stood in the same batch.
            died = 1 if row.state == OutboxState.BEGUN else 0
            counted = {"crashes": _O.crashes + died, "fence": _O.fence + 1, "reason": "the sender went away"}
            # Counted from the end of the lease: who waited that long need not wait again.
            values = _after(_after_crash(row), row.lease_until) | counted
            await self._tx.run(update(OUTBOX).where(_O.seq == row.seq).values(values))


def _fenced(delivery: Delivery) -> dict[str, Any]:
    return {"delivery": delivery.id, "held": delivery.fence}


def _after_crash(row: Record) -> Next:
    if not row.live:
        return Next(OutboxState.GONE)
    if row.state == OutboxState.CLAIMED:
        return Next(OutboxState.PENDING)
    if row.crashes + 1 >= _CRASHES:
        return Next(OutboxState.PARKED)
    return after_unknown(_delivery(row, row.lease_until, row.fence, row.attempts))


def _after(what: Next, now: datetime) -> dict[str, Any]:
    if what.state is not OutboxState.PENDING:
        values = _over(what.state, now)
    else:
        due_at = now + timedelta(seconds=what.delay)
        values = {"state": OutboxState.PENDING, "lease_until": None, "due_at": due_at}
    # Once marked or to be sent anew, always so: an earlier try may still have been taken.
    if what.repeat:
        values["repeat"] = True
    if what.fresh:
        values["fresh"] = True
    if what.doubt:
        values["doubts"] = _O.doubts + 1
    return values


def _over(state: OutboxState, now: datetime) -> dict[str, Any]:
    # A report that may be missing can be shown again; files are answers, and those are asked for anew.
    bare = {"file": None} if state is OutboxState.UNKNOWN else BARE
    return {"state": state, "lease_until": None, "over_at": now, **bare}


def _delivery(row: Record, deadline: datetime, fence: int, attempts: int) -> Delivery:
    edits = bool(row.card and not row.fresh and not row.erase and row.shown_in)
    return Delivery(
        id=row.id,
        conversation=ConversationId(row.conversation),
        place=place_from(row),
        message=_message(row),
        promise=Promise(row.promise),
        fence=fence,
        attempts=attempts,
        ref=(row.shown_ref if edits else "") or row.ref,
        deadline=deadline,
        locale=row.locale,
        card=row.card,
        edit=row.shown_in if edits else "",
        erase=row.erase,
        repeat=row.repeat or (edits and row.marked),
        silent=row.silent,
        protect=row.protect,
        whisper=row.whisper,
        home=row.home,
    )


def _message(row: Record) -> Message:
    shown = from_json(row.message)
    image = None if row.image is None else Image(row.image, row.image_alt)
    file = None if row.file is None else File(row.file_name, row.file, row.file_kind)
    return replace(shown, image=image, file=file)
