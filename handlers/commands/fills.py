"""/fills [account]: the latest fills; and what *Details* and *Show all* under a fill's message answer.

Everybody who may read that message may press them: members of the account's team, where it was sent to. The
answer is for who pressed alone.
"""

from chatbot.domain.credentials import Account, AccountId, CredentialState
from chatbot.domain.fills import Side
from chatbot.domain.messages import Message, Post, Reply, bold, reply
from chatbot.domain.orders import OrderId, fold
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, action, command
from handlers.notifications.accounts import pick
from handlers.notifications.fills import Page, details, every, table

LATEST = 15
SINGLE = 12
ROWS = 30


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


@action("fills.details")
async def show_details(cmd: Command, ctx: ChatContext) -> Reply:
    """Answer who pressed with an order's id, its single fills and theirs."""
    account, order, skip = await _account(cmd, ctx), _order(cmd.args[1:6]), _skip(cmd, 6)
    stored = [one.fill for one in await ctx.store.fills.of_order(account.id, order)] if account else []
    if account is None or not stored:
        return _nothing(ctx)
    page = Page(stored[skip : skip + SINGLE], skip, len(stored), SINGLE, cmd.name, cmd.args[:6])
    name = account.titled(ctx.exchange_of(account).title)
    return await _private(details(name, fold(stored), page, ctx.t), cmd, 6, ctx)


@action("fills.all")
async def show_all(cmd: Command, ctx: ChatContext) -> Reply:
    """Answer who pressed with every fill of a table or a summary."""
    account, skip = await _account(cmd, ctx), _skip(cmd, 2)
    if account is None:
        return _nothing(ctx)
    found, count = await ctx.store.fills.in_bundle(account.id, cmd.args[1], ROWS, skip)
    if not found:
        return _nothing(ctx)
    page = Page(found, skip, count, ROWS, cmd.name, cmd.args[:2])
    name = account.titled(ctx.exchange_of(account).title)
    return await _private(every(name, page, ctx.t), cmd, 2, ctx)


async def _account(cmd: Command, ctx: ChatContext) -> Account | None:
    """Return the account of a button while its team, and nobody else, may look at it."""
    found = await ctx.store.accounts.get(AccountId(cmd.args[0]), ctx.person.team)
    return None if found is None or found.state is CredentialState.REVOKED else found


def _order(args: tuple[str, ...]) -> OrderId:
    product, market, side, order, fill = args
    return OrderId(product, market, Side(side), order, fill)


def _skip(cmd: Command, own: int) -> int:
    return int(cmd.args[own]) if len(cmd.args) > own else 0


def _nothing(ctx: ChatContext) -> Reply:
    return Reply(toast=ctx.t.say("Nothing of this is stored any more."))


async def _private(shown: Message, cmd: Command, own: int, ctx: ChatContext) -> Reply:
    # The first press shows it below; *Next* and *Back* turn the pages in place.
    card = ":".join((cmd.name, *cmd.args[:own]))
    post = Post(shown, card=card, fresh=len(cmd.args) == own, private=True)
    place = ctx.conversation.place
    if place.private:
        return Reply((post,))
    known = ctx.postbox.private_place(ctx.person.identity)
    reached = known or await ctx.store.conversations.private_of(ctx.person.id, place)
    return Reply((post,), toast=ctx.t.say("I answered you in private.") if reached else "")
