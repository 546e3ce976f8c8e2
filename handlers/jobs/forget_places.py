"""Delete what remains of people who asked to be forgotten: the place their last answer went to."""

from chatbot.ports.context import Context
from chatbot.registry import job


@job("forget_places", every=60.0)
async def forget_places(ctx: Context) -> None:
    """Forget the private places of nobody, once nothing waits for them."""
    async with ctx.uow() as store:
        await store.conversations.forget_empty()
