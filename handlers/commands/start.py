"""/start: say hello, what the bot does, and where to begin."""

from chatbot.domain.messages import Button, Post, Reply, bold, message
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, Where, command
from handlers.notifications import guide as guides
from handlers.notifications import places


@command("start", mark("Begin here"), where=Where.ANYWHERE)
async def start(cmd: Command, ctx: ChatContext) -> Reply:
    """Greet; offer the exchanges in private, and ask what waited for this chat."""
    del cmd
    t = ctx.t
    rows = tuple(
        (Button(t.say("Connect {exchange}", exchange=e.title), "run", (f"connect {e.name}",)),)
        for e in ctx.exchanges.values()
    )
    others = guides.others(ctx.exchanges, t)
    if not ctx.conversation.place.private:
        rows, others = (), []
    return Reply((
        Post(
            message(
                bold(t.say("Hello! I am Keyherald.")),
                t.say(
                    "I help you make a read-only key at your exchange, and then tell you your balances and "
                    "fills."),
                t.say(
                    "I can't move money, and I never ask for a key or secret in chat: they go through a "
                    "one-time secure page."),
                t.say("See /help for all I can do."),
                *others,
                buttons=rows,
            )
        ),
        *(await _questions(ctx)),
    ))  # fmt: skip


async def _questions(ctx: ChatContext) -> list[Post]:
    if not ctx.conversation.place.private:
        return []
    waiting = await ctx.store.consents.of_person(ctx.person.id)
    mine = await ctx.store.accounts.of_person(ctx.person.id) if waiting else ()
    return [
        Post(
            places.question([a for a in mine if a.id in one.accounts], one.conversation, ctx.t),
            card=places.asking(one.conversation),
            fresh=True,
        )
        for one in waiting
    ]
