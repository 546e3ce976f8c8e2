"""End what ran out of time: links nobody used, keys nobody confirmed. The chat is told the true reason."""

from chatbot.dispatcher.crew import safely
from chatbot.domain.links import Link
from chatbot.domain.messages import Post
from chatbot.domain.outbox import Promise
from chatbot.ports.accounts import Pending
from chatbot.ports.context import Context
from chatbot.ports.stores import UnitOfWork
from chatbot.registry import job
from handlers.notifications import links


@job("sweep_links", every=5.0)
async def sweep_links(ctx: Context) -> None:
    """Expire links and unconfirmed keys, and say so; one that can't be told ends all the same."""
    now = ctx.clock.now()
    async with ctx.uow() as store:
        ended = await store.links.expire(now)
        for link in ended:
            await safely(_tell_expired(store, link, ctx), ctx, "link_untold", person=link.person)
        unconfirmed = await store.accounts.expire_pending(now)
        for pending in unconfirmed:
            told = _tell_unconfirmed(store, pending, ctx)
            await safely(told, ctx, "unconfirmed_untold", account=pending.account.id)
    for _ in ended:
        ctx.metrics.link("expired")
    if ended or unconfirmed:
        ctx.queue.nudge("deliver_messages")


async def _tell_expired(store: UnitOfWork, link: Link, ctx: Context) -> None:
    owner = await store.people.get(link.person)
    t, exchange = ctx.translator(owner), ctx.exchange(link.exchange)
    reason = t.say(
        "The secure page was open for {span} and is closed now. No key was accepted over it.",
        span=t.span(ctx.options.link_minutes * 60),
    )
    shown = links.over(exchange, reason, t)
    await store.outbox.put(
        link.conversation, Post(shown, card=link.card), Promise.CARD, ctx.clock.now(),
        key=f"expired:{link.id.hex()}", reader=owner.id, locale=t.locale,
    )  # fmt: skip
    await store.audit.note(link.team, "clock", "link_expired", link.exchange, "ended", ctx.clock.now())


async def _tell_unconfirmed(store: UnitOfWork, pending: Pending, ctx: Context) -> None:
    account, now = pending.account, ctx.clock.now()
    owner = await store.people.get(account.owner)
    t = ctx.translator(owner)
    shown = links.unconfirmed(account, ctx.exchange_of(account), t)
    await store.outbox.put(
        pending.conversation, Post(shown, card=f"confirm:{account.id}"), Promise.CARD, now,
        key=f"unconfirmed:{account.id}", reader=owner.id, locale=t.locale,
    )  # fmt: skip
    await store.audit.note(account.team, "clock", "unconfirmed", account.id, "destroyed", now)
