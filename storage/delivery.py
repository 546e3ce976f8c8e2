"""Taking rows from the outbox and recording what became of them.

One row per conversation at a time, in the order of queueing; its home page goes apart from its chat. A row
whose worker died is as new while it was only claimed; once it had begun, `domain.outbox.after_unknown` says
whether it is repeated with a mark. One that takes its worker down again and again is parked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, text, update

from chatbot.domain.messages import Image, Message, from_json
from chatbot.domain.outbox import Delivery, Next, OutboxState, Promise, after_unknown
from chatbot.domain.people import ConversationId
from chatbot.errors import Fenced
from storage import cards
from storage.cards import CARDS
from storage.conversations import CONVERSATIONS, place_from
from storage.outbox import OPEN, OUTBOX, UNFINISHED, Outgoing
from storage.transaction import Record

_O = OUTBOX.c
_IN_FLIGHT = [OutboxState.CLAIMED, OutboxState.BEGUN]
_RECOVERED_AT_ONCE = 100
_CRASHES = 8


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
        rows = await self._tx.all(
            _joined()
            .where(UNFINISHED, _O.state == OutboxState.PENDING, _O.due_at <= now, CONVERSATIONS.c.live)
            .where(_O.conversation.not_in(busy), CONVERSATIONS.c.platform.in_(platforms), ~_blocked(now))
            .where(*(~_of_bot(bot) for bot in full))
            .order_by(_O.due_at, _O.seq)
            .limit(limit)
            .with_for_update(of=OUTBOX, skip_locked=True)
        )
        if rows:
            taken = _O.seq.in_([row.seq for row in rows])
            counted = {"fence": _O.fence + 1, "attempts": _O.attempts + 1}
            await self._tx.run(
                update(OUTBOX).where(taken).values(state=OutboxState.CLAIMED, lease_until=until, **counted)
            )
        return [_delivery(row, until, row.fence + 1, row.attempts + 1) for row in rows]

    async def begin(self, delivery: Delivery) -> None:
        await self._write(delivery, [OutboxState.CLAIMED], state=OutboxState.BEGUN, begun=True)

    async def sent(self, delivery: Delivery, message_id: str, now: datetime) -> None:
        row = await self._write(
            delivery, [OutboxState.BEGUN], message_id=message_id, **_over(OutboxState.SENT, now)
        )
        if delivery.card and message_id and not delivery.erase:
            await cards.remember(self._tx, row.conversation, delivery.card, row.team, message_id, now)
        if delivery.home:
            await self._drop_replaced_pages(row.conversation, delivery.id)

    async def failed(self, delivery: Delivery, what: Next, reason: str, now: datetime) -> None:
        values = _after(what, now) | {"reason": reason}
        if what.state is OutboxState.SENT:
            values["message_id"] = delivery.edit
        await self._write(delivery, [OutboxState.CLAIMED, OutboxState.BEGUN], **values)

    async def _write(self, delivery: Delivery, states: Sequence[OutboxState], **values: Any) -> Record:
        mine = and_(_O.id == delivery.id, _O.fence == delivery.fence, _O.state.in_(states))
        row = await self._tx.first(
            update(OUTBOX).where(mine).values(values).returning(_O.conversation, _O.team)
        )
        if row is None:
            raise Fenced("the message was taken over")
        return row

    async def _recover(self, now: datetime) -> None:
        rows = await self._tx.all(
            _joined()
            .where(UNFINISHED, _O.state.in_(_IN_FLIGHT), _O.lease_until <= now)
            # The order of its index: by `seq`, SQLite would walk the whole table.
            .order_by(_O.due_at, _O.seq)
            .limit(_RECOVERED_AT_ONCE)
            .with_for_update(of=OUTBOX, skip_locked=True)
        )
        for row in rows:
            # What was only claimed has killed nobody: it merely stood in the same batch.
            died = 1 if row.state == OutboxState.BEGUN else 0
            counted = {"crashes": _O.crashes + died, "fence": _O.fence + 1, "reason": "the sender went away"}
            # Counted from the end of the lease: who waited that long need not wait again.
            values = _after(_after_crash(row), row.lease_until) | counted
            await self._tx.run(update(OUTBOX).where(_O.seq == row.seq).values(values))


def _joined() -> Select[Any]:
    place = (
        CONVERSATIONS.c[name] for name in ("platform", "workspace", "channel", "thread", "private", "live")
    )
    shown = and_(CARDS.c.conversation == _O.conversation, CARDS.c.card == _O.card)
    return (
        select(OUTBOX, *place, CARDS.c.message_id.label("shown_in"))
        .join(CONVERSATIONS, CONVERSATIONS.c.id == _O.conversation)
        .outerjoin(CARDS, shown)
    )


def _of_bot(bot: str) -> ColumnElement[bool]:
    platform, _, workspace = bot.partition(":")
    return and_(CONVERSATIONS.c.platform == platform, CONVERSATIONS.c.workspace == workspace)


def _blocked(now: datetime) -> ColumnElement[bool]:
    other = OUTBOX.alias("other")
    # A home page that can't be shown must not hold up what is told in the chat.
    same_lane = and_(other.c.conversation == _O.conversation, other.c.home == _O.home)
    # Transactions may commit in another order than they were numbered.
    under_way = and_(other.c.state.in_(_IN_FLIGHT), other.c.lease_until > now, other.c.seq != _O.seq)
    return exists().where(same_lane, text(f"other.{OPEN}"), or_(other.c.seq < _O.seq, under_way))


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
    return values


def _over(state: OutboxState, now: datetime) -> dict[str, Any]:
    return {"state": state, "lease_until": None, "over_at": now, "image": None}


def _delivery(row: Record, deadline: datetime, fence: int, attempts: int) -> Delivery:
    edits = row.card and not row.fresh and not row.erase
    return Delivery(
        id=row.id,
        conversation=ConversationId(row.conversation),
        place=place_from(row),
        message=_message(row),
        promise=Promise(row.promise),
        fence=fence,
        attempts=attempts,
        ref=row.ref,
        deadline=deadline,
        locale=row.locale,
        card=row.card,
        edit=(row.shown_in or "") if edits else "",
        erase=row.erase,
        repeat=row.repeat,
        silent=row.silent,
        protect=row.protect,
        whisper=row.whisper,
        home=row.home,
    )


def _message(row: Record) -> Message:
    shown = from_json(row.message)
    if row.image is None:
        return shown
    return Message(shown.body, shown.buttons, Image(row.image, row.image_alt))
