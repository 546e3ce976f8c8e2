"""What a handler works with: who acts, where, and what they may do, within one transaction."""

from zoneinfo import ZoneInfo

from chatbot.domain.credentials import clean_label
from chatbot.domain.people import Identity, Place, Standing, team_of
from chatbot.domain.updates import Sender
from chatbot.ports.context import ChatContext, Context
from chatbot.ports.stores import UnitOfWork
from chatbot.text import Translator, nearest_locale


async def open_turn(
    ctx: Context, store: UnitOfWork, platform: str, who: Sender, standing: Standing = Standing.PERSON
) -> ChatContext:
    """Return the context of one update, its person and conversation written down."""
    options, identity = ctx.options, Identity(platform, who.user, who.workspace)
    locale = nearest_locale(who.locale) or options.locale
    person = await store.people.meet(
        identity, clean_label(who.name), locale, (options.timezone, options.currency), ctx.clock.now()
    )
    title = clean_label(who.title)
    place = Place(platform, who.channel, who.workspace, who.thread, who.private, title)
    conversation = await store.conversations.enter(
        place, team_of(identity), person.id if who.private else None
    )
    return ChatContext(
        **vars(ctx),
        store=store,
        person=person,
        role=ctx.roster.role(identity),
        conversation=conversation,
        t=Translator(person.locale, ZoneInfo(person.timezone)),
        standing=standing,
    )
