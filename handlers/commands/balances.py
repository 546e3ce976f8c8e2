"""/balances [account]: the last snapshot at once, with its age; a fresh reading is asked for meanwhile."""

from chatbot.domain.balances import value
from chatbot.domain.credentials import Account
from chatbot.domain.messages import Post, Reply, message
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, command
from handlers.notifications.accounts import pick
from handlers.notifications.balances import posted
from handlers.notifications.rates import rates_for


@command("balances", mark("What you hold and what it is worth"), usage="[account]", section=Section.READ)
async def balances(cmd: Command, ctx: ChatContext) -> Reply:
    """Show one post per account meant."""
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    posts = [await _post(account, ctx) for account in pick(mine, cmd.rest, "balances")]
    ctx.queue.nudge("poll_accounts")
    return Reply(tuple(posts))


async def _post(account: Account, ctx: ChatContext) -> Post:
    exchange = ctx.exchange_of(account)
    name = account.titled(exchange.title)
    snapshot = await ctx.store.balances.latest(account.id)
    await ctx.store.accounts.hurry(account.id, ctx.clock.now())
    if snapshot is None:
        return Post(message(ctx.t.say("{account}: nothing read yet. It is on its way.", account=name)))
    prices = await ctx.store.balances.prices(account.exchange)
    if prices is None:
        wait = ctx.t.say(
            "{account}: prices are still on their way, please ask again in a moment.", account=name
        )
        return Post(message(wait))
    currency = ctx.person.currency
    rates = await rates_for(ctx.store, account.exchange, prices, snapshot.balances, currency, ctx)
    worth = value(snapshot.balances, rates, currency, ctx.options.dust_below)
    return Post(posted(name, snapshot, worth, rates, None, ctx.t))
