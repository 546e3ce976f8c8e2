"""Tell what quiet hours and mutes held back, once they are over: one message for each reader and place.

What is held goes into the outbox and is let go of in one transaction. Each post is judged anew by the
settings of this moment: one whose subscription was ended or switched off since is not told.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from chatbot.dispatcher.crew import safely
from chatbot.domain.messages import Post
from chatbot.domain.notices import Kind, Way, decide
from chatbot.domain.outbox import Promise
from chatbot.domain.people import ConversationId, Role
from chatbot.ports.context import Context
from chatbot.ports.held import HeldPost
from chatbot.ports.stores import UnitOfWork
from chatbot.registry import job
from handlers.notifications.digests import digest

BATCH = 200
LATER = timedelta(hours=1)


@dataclass(slots=True)
class Sorted:
    """What becomes of held posts: told by reader, silently if all of a reader's are, held on, given up."""

    told: dict[str, list[HeldPost]] = field(default_factory=dict)
    loud: set[str] = field(default_factory=set)
    kept: dict[datetime, list[HeldPost]] = field(default_factory=dict)
    given_up: list[HeldPost] = field(default_factory=list)


@job("post_digests", every=5.0)
async def post_digests(ctx: Context) -> None:
    """Look at every place in which something held is due."""
    while not ctx.queue.stopping:
        async with ctx.uow() as store:
            places = await store.held.due(ctx.clock.now(), BATCH)
        for place in places:
            if await safely(_release(place, ctx), ctx, "digest_failed", conversation=place) is None:
                await _put_off(place, ctx)
        if not places:
            return
        ctx.queue.nudge("deliver_messages")


async def _release(place: ConversationId, ctx: Context) -> bool:
    now = ctx.clock.now()
    async with ctx.uow() as store:
        found = _sorted(await store.held.open(place), now, ctx)
        for reader, posts in found.told.items():
            await _queue(store, place, posts, ctx, silent=reader not in found.loud)
            await store.held.over(posts, now)
        for until, posts in found.kept.items():
            await store.held.keep(posts, until)
        await store.held.over(found.given_up, now)
    return True


def _sorted(posts: Sequence[HeldPost], now: datetime, ctx: Context) -> Sorted:
    found = Sorted()
    for post in posts:
        sub = post.subscription
        # Of whoever was taken off the list nothing more is told.
        roles = [ctx.roster.role(person.identity) for person in (post.reader, *post.others)]
        if sub is None or Role.STRANGER in roles:
            found.given_up.append(post)
            continue
        what = decide(
            Kind(post.kind), sub.loudness, sub.muted_until, sub.hush, post.reader.timezone, now,
            urgent=post.urgent,
        )  # fmt: skip
        if what.until is not None:
            found.kept.setdefault(what.until, []).append(post)
        elif what.way is Way.OFF:
            found.given_up.append(post)
        else:
            found.told.setdefault(post.reader.id, []).append(post)
            if what.way is Way.LOUD and not post.silent:
                found.loud.add(post.reader.id)
    return found


async def _queue(
    store: UnitOfWork, place: ConversationId, posts: Sequence[HeldPost], ctx: Context, *, silent: bool
) -> None:
    now, reader = ctx.clock.now(), posts[0].reader
    t = ctx.translator(reader)
    # What is edited without a sound by day is so in the morning too.
    news = [post for post in posts if not (post.shown and post.silent)]
    if news:
        shown = Post(digest(news, t), silent=silent)
        await store.outbox.put(
            place, shown, Promise.ALERT, now, key=f"digest:{news[-1].key}", reader=reader.id, locale=t.locale
        )
    for post in posts:
        if post.shown:
            # It stands above with an older state: edited in place, which makes no sound.
            edit = Post(post.message, card=post.card, silent=True)
            await store.outbox.put(
                place, edit, Promise.CARD, now, key=post.key, reader=reader.id, locale=t.locale
            )


async def _put_off(place: ConversationId, ctx: Context) -> None:
    """Leave what can't be told for an hour: it must not come first again and again."""
    async with ctx.uow() as store:
        await store.held.put_off(place, ctx.clock.now() + LATER)
