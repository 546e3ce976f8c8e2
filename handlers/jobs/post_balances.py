"""Post what an account holds: on connecting, then once per local day at nine in the owner's zone.

The slot and what was posted move together with the message, so each day's post happens once; after
an outage it comes late rather than never, up to six hours, and says so. What did not come is said by the
next.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from chatbot.dispatcher.crew import safely
from chatbot.domain.balances import Prices, Snapshot, value
from chatbot.domain.credentials import Account
from chatbot.domain.messages import Line, Message, Post, line
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Role
from chatbot.domain.schedule import LATE_BY
from chatbot.errors import Fenced
from chatbot.ports.context import Context
from chatbot.ports.records import Subscription
from chatbot.ports.stores import UnitOfWork
from chatbot.registry import job
from chatbot.text import Translator
from handlers.notifications import subscriptions
from handlers.notifications.balances import posted
from handlers.notifications.rates import rates_for

LEASE = timedelta(seconds=60)
DAY = timedelta(days=1)
BATCH = 50
SAID_LATE = timedelta(minutes=10)
PATIENCE = timedelta(minutes=2)


@job("post_balances", every=5.0)
async def post_balances(ctx: Context) -> None:
    """Post every slot that is due."""
    while not ctx.queue.stopping:
        now = ctx.clock.now()
        async with ctx.uow() as store:
            due = await store.subscriptions.claim_due(now, now + LEASE, BATCH)
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
    due, day = sub.due_at or now, sub.slot or now.date()
    while due <= now:
        due, day = due + DAY, day + DAY
    async with ctx.uow() as store:
        await store.subscriptions.posted(sub, due, day, None, "", None)


async def _post(sub: Subscription, now: datetime, ctx: Context) -> bool:
    """Post a slot and move on to the next; false when it has to wait for the first reading."""
    async with ctx.uow() as store:
        account = await store.accounts.get(sub.account, sub.reader.team)
        if account is None or sub.due_at is None or sub.slot is None:
            return True
        snapshot = await store.balances.latest(sub.account)
        prices = await store.balances.prices(account.exchange)
        slot = subscriptions.following(sub.reader, now, sub.slot)
        late = now - sub.due_at
        if snapshot is None or prices is None:
            # The first reading is seconds away. The slot keeps its time, or it would never count as late.
            if late < PATIENCE:
                await store.subscriptions.posted(sub, sub.due_at, sub.slot, None, "", None)
                return False
            snapshot, prices = snapshot or Snapshot(now, ()), prices or Prices(now, {})
        total, told = None, None
        # Whoever was taken off the list hears nothing more; the next poll suspends the account.
        listed = ctx.roster.role(sub.reader.identity) > Role.STRANGER
        if listed and late <= LATE_BY:
            total, told = await _queue(store, sub, account, (snapshot, prices), ctx), now
        await store.subscriptions.posted(sub, slot.due, slot.day, total, sub.reader.currency, told)
    return True


async def _queue(
    store: UnitOfWork, sub: Subscription, account: Account, read: tuple[Snapshot, Prices], ctx: Context
) -> Decimal | None:
    t, now, (snapshot, prices) = ctx.translator(sub.reader), ctx.clock.now(), read
    currency = sub.reader.currency
    rates = await rates_for(store, account.exchange, prices, snapshot.balances, currency, ctx)
    worth = value(snapshot.balances, rates, currency, ctx.options.dust_below)
    last = (sub.last_total, sub.last_currency) if sub.last_total is not None else None
    name = account.titled(ctx.exchange_of(account).title)
    shown = posted(name, snapshot, worth, rates, last, t)
    shown = Message((*shown.body, *await _gaps(store, sub, now, t)), shown.buttons)
    await store.outbox.put(
        sub.conversation, Post(shown), Promise.REPORT, now,
        key=f"{_key(sub)}{sub.due_at}", reader=sub.reader.id, locale=t.locale,
    )  # fmt: skip
    return worth.total if worth.priced else None


async def _gaps(store: UnitOfWork, sub: Subscription, now: datetime, t: Translator) -> list[Line]:
    """Say what is odd about the row of posts: this one is late, or one before it did not come."""
    said = []
    if sub.due_at is not None and now - sub.due_at > SAID_LATE:
        said.append(t.say("This post was due at {time}.", time=t.time(sub.due_at)))
    if subscriptions.missed(sub):
        said.append(t.say("An earlier post was left out: it could not be made in time."))
    elif await store.outbox.unsure(sub.conversation, _key(sub)):
        said.append(t.say("The post before this one may not have arrived."))
    return [line(sentence) for sentence in said]


def _key(sub: Subscription) -> str:
    return f"balances:{sub.id}:"
