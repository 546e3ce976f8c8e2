"""Count the outbox by state, for `GET /metrics`."""

from chatbot.ports.context import Context
from chatbot.registry import job


@job("count_messages", every=15.0)
async def count_messages(ctx: Context) -> None:
    """Set the gauge to what the table holds now."""
    async with ctx.uow() as store:
        ctx.metrics.outbox(await store.outbox.counts())
