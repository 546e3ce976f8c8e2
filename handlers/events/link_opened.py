"""A link page was opened: tell it what it needs. Nothing is consumed, however often this happens."""

from chatbot.domain.links import Link, info
from chatbot.domain.messages import Message
from chatbot.domain.people import Person, Role
from chatbot.ports.context import Context
from chatbot.ports.desk import OpenedLink, ShownStep
from chatbot.ports.exchanges import Exchange
from chatbot.registry import event
from chatbot.text import Translator
from handlers.notifications import guide as guides

# Steps shown beside the form: what is done at the exchange right before. More would bury the form.
LAST = 3


@event("link_opened")
async def link_opened(link_id: bytes, locale: str, ctx: Context) -> OpenedLink | None:
    """Return the link's public key, form and time left; None whatever the reason it can't be used."""
    found = await _look(link_id, ctx)
    if found is None or found[0].exchange not in ctx.exchanges:
        return None
    link, owner = found
    ctx.metrics.link("opened")
    exchange = ctx.exchange(link.exchange)
    label = "" if link.label == exchange.title else link.label
    left = int((link.expires_at - ctx.clock.now()).total_seconds())
    return OpenedLink(
        pk=link.public_key, exchange=exchange.title, label=label, fields=exchange.fields,
        info=info(link, ctx.options.public_url), seconds_left=max(0, left), tries_left=link.tries_left,
        phrase=owner.phrase, steps=_panel(exchange, Translator(locale), ctx),
    )  # fmt: skip


async def _look(link_id: bytes, ctx: Context) -> tuple[Link, Person] | None:
    async with ctx.uow() as store:
        link = await store.links.look(link_id, ctx.clock.now())
        if link is None:
            return None
        owner = await store.people.get(link.person)
        if ctx.roster.role(owner.identity) is Role.STRANGER:
            return None
        if await store.links.opened(link.id, ctx.clock.now()):
            # By the link, not by its owner: whoever holds it can open it.
            await store.audit.note(
                link.team, "link", "open_link", link.exchange, "first_time", ctx.clock.now()
            )
    return link, owner


def _panel(exchange: Exchange, t: Translator, ctx: Context) -> tuple[ShownStep, ...]:
    """Return the last steps before the link, in the words of the chat, then what comes after."""
    guide = ctx.guides(exchange.name, t.locale)
    steps = guide.shown(egress=bool(ctx.options.egress), trade=ctx.options.policy.trade)
    last = len(steps) - 1
    shown = [guides.step(guide, steps, at, exchange, ctx.options, t) for at in range(last)[-LAST:]]
    return (*map(_told, shown), ShownStep(t.say("What happens next"), _next(t)))


def _told(step: Message) -> ShownStep:
    # Below its title the chat counts the steps; a page that shows three of them does not.
    title, _, _, *lines = step.body
    return ShownStep(Message((title,)).plain(), Message(tuple(lines)).plain())


def _next(t: Translator) -> str:
    return "\n".join((
        t.say("Your browser locks the key, so nothing on the way can read it."),
        t.say("We try it at the exchange. We only read: we cannot trade or move money."),
        t.say("You get a code to confirm in the chat. Only then is the key used."),
    ))  # fmt: skip
