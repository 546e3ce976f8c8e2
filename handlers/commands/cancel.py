"""/cancel: leave the guide and end an open link."""

from chatbot.domain.messages import Reply, reply
from chatbot.domain.people import Role
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, action, command


@command("cancel", mark("Stop what you are doing"))
async def cancel(cmd: Command, ctx: ChatContext) -> Reply:
    """End the person's guide and links."""
    del cmd
    ended = await ctx.store.guides.end(ctx.person.id)
    revoked = await ctx.store.links.revoke_of(ctx.person.id)
    if revoked:
        await ctx.store.audit.note(
            ctx.person.team, str(ctx.person.identity), "cancel", "link", "ended", ctx.clock.now()
        )
    if not ended and not revoked:
        return reply(ctx.t.say("There is nothing to cancel."))
    return reply(ctx.t.say("Stopped. An open link no longer works. /connect starts again."))


@action("keep", role=Role.STRANGER)
async def keep(cmd: Command, ctx: ChatContext) -> Reply:
    """Answer *Keep*: nothing was changed."""
    del cmd
    return reply(ctx.t.say("Kept. Nothing was changed."))
