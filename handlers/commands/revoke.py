"""/revoke, for admins: cut an account off at once and destroy its key."""

from chatbot.domain.credentials import Account, AccountId, matching
from chatbot.domain.messages import Button, Post, Reply, bold, message, reply
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Role
from chatbot.errors import BotError, Gone, mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, action, command
from chatbot.text import Translator
from handlers.notifications.accounts import yes_or_keep
from handlers.notifications.links import delete_there


@command("revoke", mark("Cut an account off and destroy its key"), usage="[account]", role=Role.ADMIN)
async def revoke(cmd: Command, ctx: ChatContext) -> Reply:
    """Offer the team's accounts, each with its owner."""
    accounts = matching(await ctx.store.accounts.of_team(ctx.conversation.team), cmd.rest)
    if not accounts:
        raise BotError(mark("There is no such account to revoke."))
    rows = [
        (Button(f"{a.name} · {(await ctx.store.people.get(a.owner)).name}", "revoke.ask", (a.id,)),)
        for a in accounts
    ]
    return reply(ctx.t.say("Which account shall I cut off?"), buttons=tuple(rows))


@action("revoke.ask", role=Role.ADMIN)
async def ask(cmd: Command, ctx: ChatContext) -> Reply:
    """Say what will happen, and ask."""
    account = await _account(cmd, ctx)
    owner = await ctx.store.people.get(account.owner)
    text = message(
        bold(ctx.t.say("Revoke {account} of {owner}?", account=account.name, owner=owner.name)),
        ctx.t.say(
            "Reading stops at once, the sealed key is destroyed, and the owner is told. This can't be undone."
        ),
    )
    return Reply((Post(yes_or_keep(text, "revoke.do", (account.id,), ctx.t)),))


@action("revoke.do", role=Role.ADMIN)
async def do(cmd: Command, ctx: ChatContext) -> Reply:
    """Destroy the key, tell the owner, write the audit."""
    account = await _account(cmd, ctx)
    now = ctx.clock.now()
    await ctx.store.accounts.shred(account.id, now)
    await ctx.store.links.revoke_of(account.owner)
    # A key on its way in would be the next one to cut off.
    waiting = await ctx.store.accounts.pending_of(account.owner)
    for pending in waiting:
        await ctx.store.accounts.shred(pending.id, now)
    for gone in (account, *waiting):
        await ctx.store.audit.note(
            ctx.conversation.team, str(ctx.person.identity), "revoke", gone.id, "destroyed", now
        )
    await _tell_owner(account, ctx)
    text = ctx.t.say(
        "{account} is revoked: nothing reads it any more and its key is destroyed here.", account=account.name
    )
    return reply(text, delete_there(ctx.exchange_of(account), account.last4, ctx.t))


async def _tell_owner(account: Account, ctx: ChatContext) -> None:
    """Tell the owner in every private chat of theirs: they may look into one of them only."""
    owner = await ctx.store.people.get(account.owner)
    t: Translator = ctx.translator(owner)
    text = message(
        bold(t.say("An admin revoked {account}", account=account.name)),
        t.say("I no longer read it and its key is destroyed here."),
        delete_there(ctx.exchange_of(account), account.last4, t),
    )
    for home in await ctx.store.conversations.privates_of(account.owner):
        await ctx.store.outbox.put(
            home.id,
            Post(text),
            Promise.ALERT,
            ctx.clock.now(),
            key=f"revoked:{account.id}:{home.id}",
            reader=owner.id,
            locale=t.locale,
        )


async def _account(cmd: Command, ctx: ChatContext) -> Account:
    # Of the team in whose place the admin acts: one who is linked has their own accounts in another.
    ours = await ctx.store.accounts.of_team(ctx.conversation.team)
    found = next((a for a in ours if a.id == AccountId(cmd.args[0])), None)
    if found is None:
        raise Gone(mark("This account is no longer connected."))
    return found
