"""The bot was blocked or removed from a place: that target stops, and the owners hear of it elsewhere."""

from chatbot.domain.messages import Reply
from chatbot.domain.updates import Happened
from chatbot.ports.context import ChatContext
from chatbot.registry import event
from handlers.notifications.places import shut


@event("place_left")
async def place_left(happened: Happened, ctx: ChatContext) -> Reply:
    """Mark the conversation as gone; its person or its owners bring it back."""
    await shut(ctx.store, ctx, ctx.conversation)
    ctx.log.info("place_left", conversation=ctx.conversation.id)
    return Reply()
