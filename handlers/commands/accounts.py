"""/accounts: what is connected and how it is."""

from chatbot.domain.messages import Line, Reply, bold, line, reply
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, command
from handlers.notifications.accounts import entry, none_yet
from handlers.notifications.trouble import of_account


@command("accounts", mark("Your connected accounts"), section=Section.READ)
async def accounts(cmd: Command, ctx: ChatContext) -> Reply:
    """List the sender's accounts."""
    del cmd
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    if not mine:
        raise none_yet()
    lines: list[Line] = [line(bold(ctx.t.say("Your accounts")))]
    for account in mine:
        exchange = ctx.exchange_of(account)
        wrong = of_account(account, exchange, ctx.options.egress, ctx.t)
        lines += [line(), *entry(account, exchange.title, wrong, ctx.t)]
    return reply(*lines)
