"""/test [account]: prove the key at the exchange now; the result comes as soon as it is known."""

from chatbot.domain.credentials import Account, AccountId, CredentialState
from chatbot.domain.messages import Post, Reply, message
from chatbot.errors import Gone, mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, action, command
from handlers.notifications.accounts import chooser, pick, state_line
from handlers.notifications.keys import failed
from handlers.notifications.trouble import of_account


@command("test", mark("Prove a key at the exchange now"), usage="[account]", section=Section.KEYS)
async def prove(cmd: Command, ctx: ChatContext) -> Reply:
    """Ask for a check of the account meant; with several, ask which."""
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    chosen = pick(mine, cmd.rest, "test")
    if len(chosen) > 1:
        return Reply((Post(chooser(ctx.t.say("Which account?"), chosen, "test.one")),))
    return await _ask(chosen[0], ctx)


@action("test.one")
async def one(cmd: Command, ctx: ChatContext) -> Reply:
    """Check the account of the button."""
    account = await ctx.store.accounts.get(AccountId(cmd.args[0]), ctx.person.team)
    if account is None or account.owner != ctx.person.id:
        raise Gone(mark("This account is no longer connected."))
    return await _ask(account, ctx)


async def _ask(account: Account, ctx: ChatContext) -> Reply:
    if account.state not in {CredentialState.ACTIVE, CredentialState.DEAD}:
        # Nothing reads it any more, so no answer would ever come.
        wrong = of_account(account, ctx.exchange_of(account), ctx.options.egress, ctx.t)
        return Reply((Post(failed(account, state_line(account, wrong, ctx.t), ctx.t)),))
    await ctx.store.accounts.hurry(account.id, ctx.clock.now(), ask_in=ctx.conversation.id)
    ctx.queue.nudge("poll_accounts")
    text = ctx.t.say(
        "Testing {account} at {exchange}…",
        account=account.name,
        exchange=ctx.exchange_of(account).title,
    )
    return Reply((Post(message(text), card=f"test:{account.id}", fresh=True),))
