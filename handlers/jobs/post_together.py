"""Where several accounts post to one place at the same time: one more post that shows them as one.

Each of their posts leaves a wish; once the last of a slot is out, the first wish is answered and the others
find that it was.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from chatbot.dispatcher.crew import safely
from chatbot.domain.balances import merged
from chatbot.domain.messages import Image, Message, Post
from chatbot.domain.notices import TOGETHER, Kind, Loudness
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Role
from chatbot.domain.pictures import Point
from chatbot.domain.rates import Valued
from chatbot.ports.context import Context
from chatbot.ports.records import Subscription
from chatbot.ports.stores import UnitOfWork
from chatbot.ports.worth import Wish, WishKind
from chatbot.registry import job
from handlers.notifications import pictures
from handlers.notifications.balances import together
from handlers.notifications.rates import valued
from handlers.notifications.telling import send

BATCH = 50
PATIENCE = timedelta(minutes=5)
NEARLY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Round:
    """The accounts that posted in one slot, by whose settings they are shown, and their value over time."""

    sub: Subscription
    posted: Sequence[Subscription]
    seen: Sequence[Valued]
    points: Sequence[Point]
    before: Decimal | None


@job("post_together", every=5.0)
async def post_together(ctx: Context) -> None:
    """Post every place's accounts as one, once all of them were posted."""
    async with ctx.uow() as store:
        wishes = await store.wishes.waiting(WishKind.TOGETHER, BATCH)
    for wish in wishes:
        if ctx.queue.stopping:
            return
        if await safely(_post(wish, ctx), ctx, "together_failed", wish=wish.id) is None:
            async with ctx.uow() as store:
                await store.wishes.done(wish.id)
    if wishes:
        ctx.queue.nudge("deliver_messages")


async def _post(wish: Wish, ctx: Context) -> bool:
    now, slot = ctx.clock.now(), datetime.fromisoformat(wish.args["slot"])
    async with ctx.uow() as store:
        subs = await _sharing(store, wish, ctx)
        if any(sub.due_at and sub.due_at <= now for sub in subs) and now - wish.asked_at < PATIENCE:
            return False
        posted = [sub for sub in subs if sub.last_at is not None and sub.last_at >= slot]
        found = await _round(store, posted, wish, ctx) if len(posted) > 1 else None
    shown = await _shown(found, ctx) if found else None
    async with ctx.uow() as store:
        kept = {sub.id for sub in await _sharing(store, wish, ctx)}
        if found and not kept.issuperset(sub.id for sub in found.posted):
            # Somebody ended it while it was drawn: it is made anew without them.
            return False
        if await store.wishes.done(wish.id) and shown and found:
            key = f"{TOGETHER}{wish.conversation}:{slot.isoformat()}"
            await send(store, ctx, found.sub, Post(shown), key, Promise.REPORT, also=found.posted)
    return True


async def _sharing(store: UnitOfWork, wish: Wish, ctx: Context) -> list[Subscription]:
    """Return the subscriptions whose accounts may be shown in the place now."""
    return [
        sub
        for sub in await store.subscriptions.of_place(wish.conversation, Kind.BALANCES)
        if sub.loudness is not Loudness.OFF and ctx.roster.role(sub.reader.identity) is not Role.STRANGER
    ]


async def _round(store: UnitOfWork, posted: Sequence[Subscription], wish: Wish, ctx: Context) -> Round | None:
    # The currency of most readers, for owners may differ; its reader sets language and zone too.
    usual = Counter(sub.reader.currency for sub in posted).most_common(1)[0][0]
    sub = next(sub for sub in posted if sub.reader.currency == usual)
    accounts = [await store.accounts.get(one.account, one.reader.team) for one in posted]
    kept = [account for account in accounts if account is not None]
    found = [await valued(store, account, usual, ctx) for account in kept]
    seen = [one for one in found if one is not None]
    if len(seen) < 2:
        return None
    now, ids = ctx.clock.now(), [account.id for account in kept]
    points = await pictures.history(store.valuations, ids, usual, now - pictures.USUAL, now)
    return Round(sub, posted, seen, points, _before(points, wish))


def _before(points: Sequence[Point], wish: Wish) -> Decimal | None:
    """Return what all were worth together when they were posted the last time."""
    if not wish.args["before"]:
        return None
    before = datetime.fromisoformat(wish.args["before"])
    earlier = [point for point in points if point.at <= before + NEARLY]
    return earlier[-1].value if earlier else None


async def _shown(found: Round, ctx: Context) -> Message:
    t, reader = ctx.translator(found.sub.reader), found.sub.reader
    last = (found.before, reader.currency) if found.before is not None else None
    title = t.say("All together · {count} accounts", count=len(found.seen))
    worth = merged([one.worth for one in found.seen])
    drawn = pictures.picture(title, worth, found.points, reader.shade, t)
    image: Image | None = await pictures.draw(drawn, found.points, reader.currency, t, ctx)
    shown = together(found.seen, last, t)
    return Message(shown.body, shown.buttons, image)
