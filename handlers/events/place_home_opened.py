"""Somebody looks at their home page inside the platform: show it as it is now, and keep it up to date."""

from chatbot.domain.messages import Reply
from chatbot.domain.updates import Happened
from chatbot.ports.context import ChatContext
from chatbot.registry import event
from handlers.notifications import home


@event("place_home_opened")
async def place_home_opened(happened: Happened, ctx: ChatContext) -> Reply:
    """Answer with the page; for an hour `publish_homes` renews it when something changes."""
    del happened
    now = ctx.clock.now()
    page = await home.page(ctx.person, ctx.conversation, ctx.store, ctx)
    await ctx.store.homes.opened(ctx.conversation, now)
    await ctx.store.homes.shown(ctx.conversation, home.digest(page))
    return Reply((home.post(page, ctx.t, now),))
