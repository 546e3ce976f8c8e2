"""A key or secret was pasted into a chat: delete the message, and say that this key must go.

The text itself was removed before anything was stored; here only the name of the exchange is known. Where
the platform lets nobody but its author delete a message, the author is told how.
"""

from chatbot.domain.messages import Button, Post, Reply, bold, message
from chatbot.domain.people import Role
from chatbot.domain.updates import Said
from chatbot.ports.context import ChatContext
from chatbot.registry import event


@event("secret_pasted")
async def secret_pasted(said: Said, ctx: ChatContext) -> Reply:
    """Erase the message and lead to the secure page; the key must be taken as leaked."""
    by_hand = ctx.postbox.by_hand(ctx.conversation.place.platform)
    erase = "" if by_hand else said.message_id
    outcome = "erased" if erase else "told"
    actor, now = str(ctx.person.identity), ctx.clock.now()
    await ctx.store.audit.note(ctx.conversation.team, actor, "secret_pasted", said.pasted, outcome, now)
    listed = ctx.role > Role.STRANGER
    if not listed and not await _reachable(ctx):
        # Nobody in a group is told about a stranger, nor invites one.
        return Reply(erase=erase)
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
        _what_became_of_it(said, by_hand, ctx),
        t.say("1. Delete it at {exchange} now.", exchange=name),
        t.say("2. Make a new one, and give it to me only over the secure page."),
        buttons=rows,
    )
    return Reply((Post(text, private=True),), erase=erase)


async def _reachable(ctx: ChatContext) -> bool:
    """Tell whether the author can be written to in private."""
    if ctx.postbox.private_place(ctx.person.identity) is not None:
        return True
    near = ctx.conversation.place
    return await ctx.store.conversations.private_of(ctx.person.id, near) is not None


def _what_became_of_it(said: Said, by_hand: str, ctx: ChatContext) -> str:
    t = ctx.t
    if not said.message_id:
        return t.say(
            "I kept nothing of it, and nobody else saw it in the chat. It went over other computers all the "
            "same, so treat that key as leaked:"
        )
    if by_hand:
        return t.say(
            "I kept nothing of it, but I can't delete your message, and it stays in the chat. Delete it "
            "yourself now: {how} Chats are stored on other computers, so treat that key as leaked:",
            how=t.say(by_hand),
        )
    return t.say(
        "I kept nothing of it and took your message out of this chat; if you still see it, delete "
        "it yourself. Chats are stored on other computers, so treat that key as leaked:"
    )
