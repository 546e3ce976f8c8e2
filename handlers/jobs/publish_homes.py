"""Keep the home pages that people look at up to date: published again when their words have changed.

A page is known by a digest of what it shows. Whoever opens theirs later gets it anew anyway.
"""

from datetime import timedelta

from chatbot.dispatcher.crew import safely
from chatbot.domain.outbox import Promise
from chatbot.ports.context import Context
from chatbot.ports.installs import Home
from chatbot.registry import job
from handlers.notifications import home

LOOKED_AT = timedelta(hours=1)
MOST = 500


@job("publish_homes", every=15.0)
async def publish_homes(ctx: Context) -> None:
    """Look at each page that was opened lately."""
    async with ctx.uow() as store:
        opened = await store.homes.open_since(ctx.clock.now() - LOOKED_AT, MOST)
    changed = False
    for seen in opened:
        if ctx.queue.stopping:
            break
        changed |= bool(
            await safely(_renew(seen, ctx), ctx, "home_failed", conversation=seen.conversation.id)
        )
    if changed:
        ctx.queue.nudge("deliver_messages")


async def _renew(seen: Home, ctx: Context) -> bool:
    """Publish a page that says something else than it did; tell whether it does."""
    t, now = ctx.translator(seen.person), ctx.clock.now()
    async with ctx.uow() as store:
        page = await home.page(seen.person, seen.conversation, store, ctx)
        said = home.digest(page)
        if said == seen.digest:
            return False
        await store.outbox.put(
            seen.conversation.id, home.post(page, t, now), Promise.CARD, now,
            reader=seen.person.id, locale=t.locale,
        )  # fmt: skip
        await store.homes.shown(seen.conversation, said)
    return True
