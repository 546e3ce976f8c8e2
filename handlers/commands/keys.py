"""/keys: the health of each key, and *I checked* where the exchange reports nothing."""

from chatbot.domain.credentials import Account, AccountId
from chatbot.domain.messages import Post, Reply
from chatbot.domain.permissions import attest
from chatbot.errors import Gone, mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, action, command
from handlers.notifications.accounts import none_yet
from handlers.notifications.keys import card


@command("keys", mark("The health of your keys"), section=Section.KEYS)
async def keys(cmd: Command, ctx: ChatContext) -> Reply:
    """Show one card per key."""
    del cmd
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    if not mine:
        raise none_yet()
    return Reply(tuple(_post(account, ctx, fresh=True) for account in mine))


@action("keys.attest")
async def checked(cmd: Command, ctx: ChatContext) -> Reply:
    """Record what the person saw at the exchange, with its date."""
    account = await ctx.store.accounts.get(AccountId(cmd.args[0]), ctx.person.team)
    if account is None or account.owner != ctx.person.id:
        raise Gone(mark("This account is no longer connected."))
    now = ctx.clock.now()
    exchange, policy = ctx.exchange_of(account), ctx.options.policy
    wanted = exchange.tick_to_trade if policy.trade else ()
    # What an exchange did not tell of this one key, though it tells of others, counts as well.
    silent = exchange.unreported | account.report.untold
    report = attest(account.report, now, silent.difference(wanted))
    await ctx.store.accounts.attest(account.id, report, now)
    await ctx.store.audit.note(
        ctx.person.team, str(ctx.person.identity), "attest", account.id, "view only", now
    )
    renewed = await ctx.store.accounts.get(account.id, ctx.person.team) or account
    return Reply((_post(renewed, ctx, fresh=False),), toast=ctx.t.say("Noted, thank you."))


def _post(account: Account, ctx: ChatContext, *, fresh: bool) -> Post:
    shown = card(account, ctx.exchange_of(account), ctx.options, ctx.t, ctx.clock.now())
    return Post(shown, card=f"key:{account.id}", fresh=fresh)
