"""/here, in a group or channel: balances and fills of the sender's accounts come here too."""

from chatbot.domain.messages import Button, Reply, reply
from chatbot.errors import BotError, mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, Where, action, command
from handlers.notifications import subscriptions


@command(
    "here",
    mark("In a group: send my balances and fills here"),
    where=Where.GROUP,
    section=Section.BEGIN,
    chief=True,
)
async def here(cmd: Command, ctx: ChatContext) -> Reply:
    """Make this place a target of the sender's own accounts."""
    if cmd.args:
        raise BotError(
            mark(
                "Send /here alone to have your balances and fills in this place. With more words it changes "
                "nothing."
            )
        )
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    if not mine:
        raise BotError(
            mark("You have no account connected yet. Connect one in private, then send /here again.")
        )
    now = ctx.clock.now()
    slot = subscriptions.following(ctx.person, now, None)
    for account in mine:
        await ctx.store.subscriptions.ensure(account.id, subscriptions.FILLS, ctx.conversation.id)
        await ctx.store.subscriptions.ensure(
            account.id, subscriptions.BALANCES, ctx.conversation.id, slot.due, slot.day
        )
    await ctx.store.audit.note(
        ctx.person.team, str(ctx.person.identity), "target_added", ctx.conversation.id, "added", now
    )
    text = ctx.t.say(
        "From now on, fills and daily balances of {name} come here: {accounts}.",
        accounts=", ".join(a.name for a in mine),
        name=ctx.person.name,
    )
    stop = ((Button(ctx.t.say("Stop"), "here.stop"),),)
    return reply(text, buttons=stop)


@action("here.stop")
async def stop(cmd: Command, ctx: ChatContext) -> Reply:
    """End it again."""
    del cmd
    now = ctx.clock.now()
    await ctx.store.subscriptions.remove(ctx.person.id, ctx.conversation.id)
    await ctx.store.audit.note(
        ctx.person.team, str(ctx.person.identity), "target_removed", ctx.conversation.id, "removed", now
    )
    text = ctx.t.say("Stopped: nothing of {name} comes here any more.", name=ctx.person.name)
    return reply(text)
