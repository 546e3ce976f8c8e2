"""A link page was opened: tell it what it needs. Nothing is consumed, however often this happens."""

from chatbot.domain.links import Link, from_b64url, info, link_id
from chatbot.domain.people import Role
from chatbot.ports.context import Context
from chatbot.ports.desk import OpenedLink
from chatbot.registry import event


@event("link_opened")
async def link_opened(token: str, locale: str, ctx: Context) -> OpenedLink | None:
    """Return the link's public key, form and time left; None whatever the reason it can't be used."""
    del locale
    link = await _look(token, ctx)
    if link is None or link.exchange not in ctx.exchanges:
        return None
    ctx.metrics.link("opened")
    exchange = ctx.exchange(link.exchange)
    label = "" if link.label == exchange.title else link.label
    left = int((link.expires_at - ctx.clock.now()).total_seconds())
    return OpenedLink(
        pk=link.public_key, exchange=exchange.title, label=label, fields=exchange.fields,
        info=info(link, ctx.options.public_url), seconds_left=max(0, left), tries_left=link.tries_left,
    )  # fmt: skip


async def _look(token: str, ctx: Context) -> Link | None:
    try:
        raw = from_b64url(token)
    except ValueError:
        return None
    async with ctx.uow() as store:
        link = await store.links.look(link_id(raw), ctx.clock.now())
        if link is None:
            return None
        owner = await store.people.get(link.person)
    return link if ctx.roster.role(owner.identity) > Role.STRANGER else None
