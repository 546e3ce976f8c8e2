"""The bot was let in again: what went there before goes on once its owner agrees.

Anybody may bring the bot back. An owner who does it agrees by that; every other one is asked in private.
"""

from chatbot.domain.credentials import Account
from chatbot.domain.messages import Post, Reply
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Conversation, Role
from chatbot.domain.updates import Happened
from chatbot.ports.consents import Consent
from chatbot.ports.context import ChatContext
from chatbot.registry import event
from handlers.notifications import places
from handlers.notifications.subscriptions import share


@event("place_joined")
async def place_joined(happened: Happened, ctx: ChatContext) -> Reply:
    """Take up what was kept when the place shut its door."""
    place = ctx.conversation.place
    for consent in () if place.private else await ctx.store.consents.dormant(place):
        if ctx.roster.role(consent.person.identity) is Role.STRANGER:
            continue
        mine = await ctx.store.accounts.of_person(consent.person.id)
        kept = [account for account in mine if account.id in consent.accounts]
        if not kept:
            await ctx.store.consents.take(consent.person.id, consent.conversation)
            continue
        # A topic is shut with its group and opens with it.
        there = await ctx.store.conversations.enter(
            consent.conversation.place, consent.conversation.team, None
        )
        if consent.person.id == ctx.person.id:
            await _go_on(consent, there, kept, ctx)
        else:
            await _ask(consent, there, kept, ctx)
    return Reply()


async def _go_on(consent: Consent, there: Conversation, kept: list[Account], ctx: ChatContext) -> None:
    now = ctx.clock.now()
    await ctx.store.consents.take(consent.person.id, there)
    await share(ctx.store, consent.person, kept, there.id, now)
    await ctx.store.audit.note(
        consent.person.team, str(ctx.person.identity), "target_added", there.id, "let_in_again", now
    )
    await ctx.store.outbox.put(
        there.id,
        Post(places.sent(consent.person, kept, ctx.t), card=places.told(consent.person), fresh=True),
        Promise.CARD,
        now,
        reader=consent.person.id,
        locale=ctx.t.locale,
    )


async def _ask(consent: Consent, there: Conversation, kept: list[Account], ctx: ChatContext) -> None:
    now = ctx.clock.now()
    await ctx.store.consents.ask(consent.person.id, there, [account.id for account in kept], now)
    home = await ctx.store.conversations.private_of(consent.person.id, there.place)
    if home is None:
        return
    t = ctx.translator(consent.person)
    await ctx.store.outbox.put(
        home.id,
        Post(places.question(kept, there, t), card=places.asking(there), fresh=True),
        Promise.CARD,
        now,
        reader=consent.person.id,
        locale=t.locale,
    )
