"""A group became a supergroup: follow it to its new id, with everything that goes there."""

from chatbot.domain.messages import Reply
from chatbot.domain.updates import Happened
from chatbot.ports.context import ChatContext
from chatbot.registry import event


@event("place_moved")
async def place_moved(happened: Happened, ctx: ChatContext) -> Reply:
    """Move every conversation of the place."""
    await ctx.store.conversations.move(ctx.conversation.place, happened.detail)
    return Reply()
