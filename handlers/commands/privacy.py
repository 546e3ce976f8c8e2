"""/privacy: what is stored about you, and *Delete everything of mine*."""

from chatbot.domain.messages import Button, Post, Reply, bold, message
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Role
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, action, command
from handlers.notifications import home as homepage
from handlers.notifications.accounts import yes_or_keep


@command("privacy", mark("What is stored about you"), role=Role.STRANGER)
async def privacy(cmd: Command, ctx: ChatContext) -> Reply:
    """Say what is stored, in plain words and numbers."""
    del cmd
    t = ctx.t
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    everybody = await ctx.store.linked.identities(ctx.person.id)
    homes = await ctx.store.homes.of_person(ctx.person.id)
    shown = message(
        bold(t.say("What I store about you")),
        t.say(
            "Your id here ({id}), your name as this chat gives it, language, time zone and currency.",
            id=", ".join(str(one.identity) for one in everybody),
        ),
        t.say(
            "Of each connected account ({count} now): label, last four characters of the key, its "
            "permissions, balances and their value over time, fills, and where you have them told.",
            count=len(mine),
        ),
        t.say(
            "Key and secret only sealed; they are opened in memory for the moment of a request to the "
            "exchange."
        ),
        t.say("Messages I sent or will send, and a log of who connected or revoked what."),
        *([t.say("When you last opened my home page, to keep it up to date.")] if homes else []),
        t.say(
            "I must use your key to read your account, so I can't claim not to know it: I promise never "
            "to show, log or forward it."
        ),
        buttons=((Button(t.say("Delete everything of mine"), "privacy.ask"),),),
    )
    return Reply((Post(shown),))


@action("privacy.ask", role=Role.STRANGER)
async def ask(cmd: Command, ctx: ChatContext) -> Reply:
    """Ask before deleting everything."""
    del cmd
    everybody = await ctx.store.linked.identities(ctx.person.id)
    others = [str(one.identity) for one in everybody if one.identity != ctx.person.identity]
    linked = [ctx.t.say("That of your linked ids goes too: {ids}.", ids=", ".join(others))] if others else []
    text = message(
        bold(ctx.t.say("Delete everything of yours?")),
        ctx.t.say(
            "Keys are destroyed, and fills, balances, settings and messages deleted. This can't be undone."
        ),
        *linked,
    )
    return Reply((Post(yes_or_keep(text, "privacy.forget", (), ctx.t)),))


@action("privacy.forget", role=Role.STRANGER)
async def forget(cmd: Command, ctx: ChatContext) -> Reply:
    """Delete everything; the audit keeps the id without a name."""
    del cmd
    now = ctx.clock.now()
    everybody = await ctx.store.linked.identities(ctx.person.id)
    for team in sorted({one.team for one in everybody}):
        await ctx.store.audit.note(team, str(ctx.person.identity), "forget", ctx.person.id, "deleted", now)
    homes = await ctx.store.homes.of_person(ctx.person.id)
    here = ctx.conversation
    elsewhere = await ctx.store.conversations.privates_of(ctx.person.id)
    told = [here, *(other for other in elsewhere if other.place.bot != here.place.bot)]
    await ctx.store.people.forget(ctx.person.id)
    for home in homes:
        # The platform goes on showing the page until another takes its place.
        emptied = await ctx.store.conversations.enter(home.place, home.team, None)
        await ctx.store.outbox.put(
            emptied.id, homepage.emptied(ctx.t), Promise.CARD, now, locale=ctx.t.locale
        )
    text = ctx.t.say("Everything of yours is deleted here. Please delete your keys at the exchange too.")
    for where in told:
        # The answer needs a place to go to; this row holds no person.
        again = await ctx.store.conversations.enter(where.place, where.team, None)
        await ctx.store.outbox.put(again.id, Post(message(text)), Promise.REPLY, now, locale=ctx.t.locale)
    return Reply()
