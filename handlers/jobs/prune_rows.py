"""Let go of what nobody needs any more: old messages' content, old updates, what installations left behind.

A message that is over keeps its row, whose key keeps the same thing from being told twice. The ids of
updates are kept longer than any platform repeats one. A home page is remembered for as long as it can be
replaced: it goes on showing what it showed, and deleting everything has to empty it.
"""

from datetime import timedelta

from chatbot.ports.context import Context
from chatbot.registry import job

MESSAGES_FOR = timedelta(days=7)
UPDATES_FOR = timedelta(days=90)


@job("prune_rows", every=3600.0)
async def prune_rows(ctx: Context) -> None:
    """Prune in small portions, so that nothing else waits for long."""
    now, some = ctx.clock.now(), 1
    while some and not ctx.queue.stopping:
        async with ctx.uow() as store:
            some = await store.outbox.prune(now - MESSAGES_FOR)
            some += await store.inbox.prune(now - UPDATES_FOR)
    async with ctx.uow() as store:
        await store.installations.prune(now)
        await store.homes.prune()
