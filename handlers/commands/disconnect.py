"""/disconnect [account]: stop reading an account and destroy its key here; asks first."""

from chatbot.domain.credentials import Account, AccountId
from chatbot.domain.messages import Post, Reply, bold, message, reply
from chatbot.domain.people import Role
from chatbot.errors import Gone, mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, action, command
from handlers.notifications.accounts import chooser, pick, yes_or_keep
from handlers.notifications.links import delete_there


@command(
    "disconnect",
    mark("Stop reading an account"),
    usage="[account]",
    role=Role.STRANGER,
    section=Section.KEYS,
)
async def disconnect(cmd: Command, ctx: ChatContext) -> Reply:
    """Ask which account, then whether."""
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    chosen = pick(mine, cmd.rest, "disconnect")
    if len(chosen) > 1:
        return Reply((Post(chooser(ctx.t.say("Which account?"), chosen, "disconnect.ask")),))
    return _question(chosen[0], ctx)


@action("disconnect.ask", role=Role.STRANGER)
async def ask(cmd: Command, ctx: ChatContext) -> Reply:
    """Ask about the account of the button."""
    return _question(await _mine(cmd, ctx), ctx)


@action("disconnect.do", role=Role.STRANGER)
async def do(cmd: Command, ctx: ChatContext) -> Reply:
    """Destroy the sealed key and say how to delete it at the exchange."""
    account = await _mine(cmd, ctx)
    now = ctx.clock.now()
    await ctx.store.accounts.shred(account.id, now)
    await ctx.store.audit.note(
        ctx.person.team, str(ctx.person.identity), "disconnect", account.id, "destroyed", now
    )
    done = ctx.t.say(
        "{account} is disconnected. Its key is destroyed here; your stored fills stay until you delete "
        "them in /privacy.",
        account=account.name,
    )
    return reply(done, delete_there(ctx.exchange_of(account), account.last4, ctx.t))


def _question(account: Account, ctx: ChatContext) -> Reply:
    text = message(
        bold(ctx.t.say("Disconnect {account}?", account=account.name)),
        ctx.t.say("I stop reading it and destroy the key here. To come back you need a new link."),
    )
    return Reply((Post(yes_or_keep(text, "disconnect.do", (account.id,), ctx.t)),))


async def _mine(cmd: Command, ctx: ChatContext) -> Account:
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    found = next((a for a in mine if a.id == AccountId(cmd.args[0])), None)
    if found is None:
        raise Gone(mark("This account is no longer connected."))
    return found
