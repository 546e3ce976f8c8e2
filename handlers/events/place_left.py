"""The bot was blocked or removed from a place: stop posting there until somebody writes from it again."""

from chatbot.domain.messages import Reply
from chatbot.domain.updates import Happened
from chatbot.ports.context import ChatContext
from chatbot.registry import event


@event("place_left")
async def place_left(happened: Happened, ctx: ChatContext) -> Reply:
    """Mark the conversation as gone; a later message from it revives it."""
    del happened
    await ctx.store.conversations.leave(ctx.conversation.id)
    ctx.log.info("place_left", conversation=ctx.conversation.id)
    return Reply()
