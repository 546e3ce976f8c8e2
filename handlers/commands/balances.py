"""/balances [account]: the last reading at once, with its age; a fresh one renews each card in place."""

from collections.abc import Sequence

from chatbot.domain.credentials import Account, CredentialState
from chatbot.domain.messages import Message, Post, Reply, message
from chatbot.domain.rates import Valued
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.ports.worth import WishKind
from chatbot.registry import Command, command
from handlers.notifications.accounts import pick, state_line
from handlers.notifications.balances import posted, together
from handlers.notifications.rates import valued
from handlers.notifications.trouble import of_account

ALL = "all"


@command("balances", mark("What you hold and what it is worth"), usage="[account]", section=Section.READ)
async def balances(cmd: Command, ctx: ChatContext) -> Reply:
    """Show one post per account meant, and with several one of all together."""
    chosen = pick(await ctx.store.accounts.of_person(ctx.person.id), cmd.rest, "balances")
    seen = [await valued(ctx.store, account, ctx.person.currency, ctx) for account in chosen]
    posts = [await _post(account, one, ctx) for account, one in zip(chosen, seen, strict=True)]
    known = [one for one in seen if one is not None]
    if len(chosen) > 1 and known:
        posts.append(await _together(chosen, known, ctx))
    ctx.queue.nudge("poll_accounts")
    return Reply(tuple(posts))


async def _post(account: Account, seen: Valued | None, ctx: ChatContext) -> Post:
    await ctx.store.accounts.hurry(account.id, ctx.clock.now())
    card = f"balances:{account.id}"
    await _renew(card, [account], ctx)
    shown = posted(seen, None, ctx.t, now=ctx.clock.now()) if seen else await _not_yet(account, ctx)
    if account.state is not CredentialState.ACTIVE:
        wrong = of_account(account, ctx.exchange_of(account), ctx.options.egress, ctx.t)
        shown = Message((*shown.body, state_line(account, wrong, ctx.t)), shown.buttons)
    return Post(shown, card=card, fresh=True)


async def _together(chosen: Sequence[Account], seen: Sequence[Valued], ctx: ChatContext) -> Post:
    await _renew(f"balances:{ALL}", chosen, ctx, together=True)
    shown = together(seen, None, ctx.t, now=ctx.clock.now())
    return Post(shown, card=f"balances:{ALL}", fresh=True)


async def _renew(card: str, accounts: Sequence[Account], ctx: ChatContext, *, together: bool = False) -> None:
    # Nothing reads the others, so nothing fresh would ever come.
    read = [account.id for account in accounts if account.state is CredentialState.ACTIVE]
    if read and (together or len(read) == len(accounts)):
        wanted = {"accounts": [a.id for a in accounts], "card": card, "together": together}
        await ctx.store.wishes.add(
            WishKind.REFRESH, ctx.person.id, ctx.conversation.id, wanted, ctx.clock.now()
        )


async def _not_yet(account: Account, ctx: ChatContext) -> Message:
    name = account.titled(ctx.exchange_of(account).title)
    if await ctx.store.balances.latest(account.id) is None:
        return message(ctx.t.say("{account}: nothing read yet. It is on its way.", account=name))
    return message(ctx.t.say("{account}: prices are still on their way.", account=name))
