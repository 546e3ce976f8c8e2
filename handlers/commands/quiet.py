"""/quiet [22:00-07:00 mon-fri, or off]: when a place is not to be disturbed; what came is told after it."""

from chatbot.domain.messages import Post, Reply
from chatbot.domain.notices import parse_quiet
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, Where, action, command
from handlers.notifications.quiet import quiet_hours

OFF = frozenset({"off", "none", "no", "0"})
CARD = "quiet"


@command(
    "quiet", mark("Hours in which nothing disturbs"), usage="[22:00-07:00]", where=Where.ANYWHERE, chief=True
)
async def quiet(cmd: Command, ctx: ChatContext) -> Reply:
    """Set the quiet hours of the place this is said in; without words, show them and offer some."""
    if cmd.args:
        await _set("" if cmd.rest.lower() in OFF else str(parse_quiet(cmd.rest)), ctx)
    return await _shown(ctx, fresh=True)


@action("quiet.set", chief=True)
async def chosen(cmd: Command, ctx: ChatContext) -> Reply:
    """Set the hours of the button."""
    await _set(cmd.args[0], ctx)
    return await _shown(ctx, fresh=False)


async def _set(hours: str, ctx: ChatContext) -> None:
    place, before = ctx.conversation, await ctx.store.conversations.hush(ctx.conversation.id)
    # In private the hours follow their person's clock; a group keeps that of who set them.
    zone = ctx.person.timezone if hours and not place.place.private else ""
    if (before.quiet, before.zone) == (hours, zone):
        return
    await ctx.store.conversations.set_quiet(place.id, hours, zone)
    now, actor = ctx.clock.now(), str(ctx.person.identity)
    await ctx.store.audit.note(ctx.person.team, actor, "quiet", place.id, hours or "off", now)
    ctx.queue.nudge("post_digests")


async def _shown(ctx: ChatContext, *, fresh: bool) -> Reply:
    hush = await ctx.store.conversations.hush(ctx.conversation.id)
    return Reply((Post(quiet_hours(hush, ctx.person.timezone, ctx.t), card=CARD, fresh=fresh),))
