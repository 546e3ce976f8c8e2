"""/fills [account]: the latest fills."""

from chatbot.domain.messages import Reply, bold, reply
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, command
from handlers.notifications.accounts import pick
from handlers.notifications.fills import table

LATEST = 15


@command("fills", mark("Your latest fills"), usage="[account]", section=Section.READ)
async def fills(cmd: Command, ctx: ChatContext) -> Reply:
    """Show the latest fills of the accounts meant."""
    chosen = pick(await ctx.store.accounts.of_person(ctx.person.id), cmd.rest, "fills")
    latest = await ctx.store.fills.recent([account.id for account in chosen], LATEST)
    names = ", ".join(account.name for account in chosen)
    if not latest:
        return reply(ctx.t.say("{account}: no fills yet.", account=names))
    return reply(
        bold(ctx.t.say("Latest fills · {account}", account=names)), table([f for _, f in latest], ctx.t)
    )
