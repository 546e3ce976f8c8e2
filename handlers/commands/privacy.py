"""/privacy: what is stored about you, and *Delete everything of mine*."""

from chatbot.domain.messages import Button, Post, Reply, bold, message
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Role
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, action, command
from handlers.notifications.accounts import yes_or_keep


@command("privacy", mark("What is stored about you"), role=Role.STRANGER)
async def privacy(cmd: Command, ctx: ChatContext) -> Reply:
    """Say what is stored, in plain words and numbers."""
    del cmd
    t = ctx.t
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    shown = message(
        bold(t.say("What I store about you")),
        t.say(
            "Your id here ({id}), your name as this chat gives it, language, time zone and currency.",
            id=str(ctx.person.identity),
        ),
        t.say(
            "Of each connected account ({count} now): label, last four characters of the key, its "
            "permissions, balances and fills.",
            count=len(mine),
        ),
        t.say(
            "Key and secret only sealed; they are opened in memory for the moment of a request to the "
            "exchange."
        ),
        t.say("Messages I sent or will send, and a log of who connected or revoked what."),
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
    text = message(
        bold(ctx.t.say("Delete everything of yours?")),
        ctx.t.say(
            "Keys are destroyed, and fills, balances, settings and messages deleted. This can't be undone."
        ),
    )
    return Reply((Post(yes_or_keep(text, "privacy.forget", (), ctx.t)),))


@action("privacy.forget", role=Role.STRANGER)
async def forget(cmd: Command, ctx: ChatContext) -> Reply:
    """Delete everything; the audit keeps the id without a name."""
    del cmd
    now, place = ctx.clock.now(), ctx.conversation.place
    await ctx.store.audit.note(
        ctx.person.team, str(ctx.person.identity), "forget", ctx.person.id, "deleted", now
    )
    await ctx.store.people.forget(ctx.person.id)
    # The reply needs a place to go to; this row holds no person.
    again = await ctx.store.conversations.enter(place, ctx.person.team, None)
    text = ctx.t.say("Everything of yours is deleted here. Please delete your keys at the exchange too.")
    await ctx.store.outbox.put(again.id, Post(message(text)), Promise.REPLY, now, locale=ctx.t.locale)
    return Reply()
