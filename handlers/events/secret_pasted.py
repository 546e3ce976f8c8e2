"""A key or secret was pasted into a chat: delete the message, and say that this key must go.

The text itself was removed before anything was stored; here only the name of the exchange is known.
"""

from chatbot.domain.messages import Button, Post, Reply, bold, message
from chatbot.domain.people import Role
from chatbot.domain.updates import Said
from chatbot.ports.context import ChatContext
from chatbot.registry import event


@event("secret_pasted")
async def secret_pasted(said: Said, ctx: ChatContext) -> Reply:
    """Erase the message and lead to the secure page; the key must be taken as leaked."""
    await ctx.store.audit.note(
        ctx.person.team, str(ctx.person.identity), "secret_pasted", said.pasted, "erased", ctx.clock.now()
    )
    listed = ctx.role > Role.STRANGER
    if not listed and await ctx.store.conversations.private_of(ctx.person.id) is None:
        # Nobody in a group is told about a stranger, nor invites one.
        return Reply(erase=said.message_id)
    t = ctx.t
    exchange = ctx.exchanges.get(said.pasted)
    name = exchange.title if exchange else t.say("the exchange")
    rows: tuple[tuple[Button, ...], ...] = ()
    if exchange is not None:
        rows = ((Button(t.say("Open {exchange}", exchange=name), url=exchange.key_page),),)
        if listed:
            rows += ((Button(t.say("Connect safely"), "run", (f"connect {exchange.name}",)),),)
    text = message(
        bold(t.say("That looked like an API key or secret.")),
        t.say(
            "I kept nothing of it and took your message out of this chat; if you still see it, delete "
            "it yourself. Chats are stored on other computers, so treat that key as leaked:"
        ),
        t.say("1. Delete it at {exchange} now.", exchange=name),
        t.say("2. Make a new one, and give it to me only over the secure page."),
        buttons=rows,
    )
    return Reply((Post(text, private=True),), erase=said.message_id)
