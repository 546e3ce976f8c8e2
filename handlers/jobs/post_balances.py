"""Post what an account holds: on connecting, then once per slot of each subscription's rule.

The slot and what was posted move together with the message, so each slot's post happens once; after
an outage it comes late rather than never, up to six hours, and says so. What did not come is said by the
next.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from chatbot.dispatcher.crew import safely
from chatbot.domain.messages import Image, Line, Message, Post, line
from chatbot.domain.notices import Kind, Loudness
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Role
from chatbot.domain.rates import Valued
from chatbot.domain.schedule import LATE_BY, Slot, latest_due, next_slot
from chatbot.errors import Fenced
from chatbot.ports.context import Context
from chatbot.ports.records import Subscription
from chatbot.ports.stores import UnitOfWork
from chatbot.ports.worth import WishKind
from chatbot.registry import job
from chatbot.text import Translator
from handlers.notifications import pictures, subscriptions
from handlers.notifications.balances import posted
from handlers.notifications.rates import valued
from handlers.notifications.telling import send

LEASE = timedelta(seconds=60)
DAY = timedelta(days=1)
BATCH = 50
SAID_LATE = timedelta(minutes=10)
PATIENCE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Read:
    """What is to be posted, if anything was read yet, and its picture, if one could be drawn."""

    seen: Valued | None
    image: Image | None = None


@job("post_balances", every=5.0)
async def post_balances(ctx: Context) -> None:
    """Post every slot that is due."""
    while not ctx.queue.stopping:
        now = ctx.clock.now()
        async with ctx.uow() as store:
            due = await store.subscriptions.claim_due(Kind.BALANCES, now, now + LEASE, BATCH)
        moved = [await _post_one(sub, now, ctx) for sub in due]
        if due:
            ctx.queue.nudge("deliver_messages")
        if len(due) < BATCH or not any(moved):
            return


async def _post_one(sub: Subscription, now: datetime, ctx: Context) -> bool:
    try:
        moved = await safely(_post(sub, now, ctx), ctx, "post_failed", subscription=sub.id)
        if moved is None:
            await _leave_out(sub, now, ctx)
    except Fenced:
        ctx.log.info("post_taken_over", subscription=sub.id)
        return True
    return moved is not False


async def _leave_out(sub: Subscription, now: datetime, ctx: Context) -> None:
    """Move a slot that can't be posted on by days: it must not come first again and again."""
    # Its rule or zone may be what can't be read.
    due = min(sub.due_at or now, now)
    while due <= now:
        due += DAY
    async with ctx.uow() as store:
        await store.subscriptions.posted(sub, due, due.date().isoformat(), None, "", None)


async def _read(sub: Subscription, now: datetime, ctx: Context) -> Read:
    """Return what is to be posted and its picture, drawn while no transaction waits."""
    t, currency = ctx.translator(sub.reader), sub.reader.currency
    async with ctx.uow() as store:
        account = await store.accounts.get(sub.account, sub.reader.team)
        seen = await valued(store, account, currency, ctx) if account else None
        if seen is None or sub.loudness is Loudness.OFF:
            return Read(seen)
        since = now - pictures.USUAL
        points = await pictures.history(store.valuations, [sub.account], currency, since, now)
    shown = pictures.picture(seen.name, seen.worth, points, sub.reader.shade, t)
    return Read(seen, await pictures.draw(shown, points, currency, t, ctx))


async def _post(sub: Subscription, now: datetime, ctx: Context) -> bool:
    """Post a slot and move on to the next; false when it has to wait for the first reading."""
    read = await _read(sub, now, ctx)
    async with ctx.uow() as store:
        account = await store.accounts.get(sub.account, sub.reader.team)
        if account is None or sub.due_at is None or sub.slot is None:
            return True
        rule, zone = subscriptions.rule_of(sub), ZoneInfo(sub.clock)
        if sub.due_at > now:
            # The clock was set back: what it showed before does not count.
            await _move_on(store, sub, next_slot(rule, zone, now), None, None)
            return True
        slot = latest_due(rule, zone, Slot(sub.slot, sub.due_at), now)
        following, late = next_slot(rule, zone, now, slot.name), now - slot.due
        if read.seen is None:
            # The first reading is seconds away. The slot keeps its time, or it would never count as late.
            if late < PATIENCE:
                await _move_on(store, sub, Slot(sub.slot, sub.due_at), None, None)
                return False
            read = Read(await valued(store, account, sub.reader.currency, ctx, anyway=True))
        total, told = None, None
        # Whoever was taken off the list hears nothing more; the next poll suspends the account.
        listed = ctx.roster.role(sub.reader.identity) > Role.STRANGER
        if listed and late <= LATE_BY and sub.loudness is not Loudness.OFF:
            current = replace(sub, slot=slot.name, due_at=slot.due)
            total, told = await _queue(store, current, read, ctx), now
        await _move_on(store, sub, following, total, told)
        if told:
            await _ask_for_all(store, sub, slot.due, now)
    return True


async def _move_on(
    store: UnitOfWork, sub: Subscription, slot: Slot, total: Decimal | None, told: datetime | None
) -> None:
    await store.subscriptions.posted(sub, slot.due, slot.name, total, sub.reader.currency, told)


async def _queue(store: UnitOfWork, sub: Subscription, read: Read, ctx: Context) -> Decimal | None:
    t, now, seen = ctx.translator(sub.reader), ctx.clock.now(), read.seen
    if seen is None:
        return None
    last = (sub.last_total, sub.last_currency) if sub.last_total is not None else None
    shown = posted(seen, last, t)
    shown = Message((*shown.body, *await _gaps(store, sub, now, t)), shown.buttons, read.image)
    await send(store, ctx, sub, Post(shown), f"{_key(sub)}{sub.due_at}", Promise.REPORT)
    if not seen.worth.priced:
        return None
    await store.valuations.add(sub.account, now, seen.worth.total, seen.worth.currency)
    return seen.worth.total


async def _ask_for_all(store: UnitOfWork, sub: Subscription, slot: datetime, now: datetime) -> None:
    """Where more than one account is posted, ask for a post of all of them together."""
    if len(await store.subscriptions.of_place(sub.conversation, Kind.BALANCES)) > 1:
        before = sub.last_at.isoformat() if sub.last_at else ""
        wanted = {"slot": slot.isoformat(), "before": before}
        await store.wishes.add(WishKind.TOGETHER, sub.reader.id, sub.conversation, wanted, now)


async def _gaps(store: UnitOfWork, sub: Subscription, now: datetime, t: Translator) -> list[Line]:
    """Say what is odd about the row of posts: this one is late, or one before it did not come."""
    said = []
    if sub.due_at is not None and now - sub.due_at > SAID_LATE:
        said.append(t.say("This post was due at {time}.", time=t.time(sub.due_at)))
    if subscriptions.missed(sub):
        said.append(t.say("An earlier post was left out: it could not be made in time."))
    return [line(sentence) for sentence in said]


def _key(sub: Subscription) -> str:
    return f"balances:{sub.id}:"
