"""/mute [2h, or off]: hold back what is not urgent in a place for a while; and *Mute 2 h* under each message.

The command is for the whole place, so in a group only its admins send it. The button is for one kind of one
account in that place: everybody who reads the message may press it, and lift it again.
"""

from datetime import timedelta

from chatbot.domain.credentials import Account, AccountId
from chatbot.domain.messages import Button, Message, Post, Reply
from chatbot.domain.notices import Kind, mute_end, parse_span
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.ports.records import Subscription
from chatbot.registry import Command, Where, action, command
from handlers.notifications.quiet import least, lifted, mute_of_kind, mute_of_place, muted, when

OFF = frozenset({"off", "0"})
SHORT = timedelta(hours=2)
CARD = "mute"


@command("mute", mark("Hold messages back for a while"), usage="[2h]", where=Where.ANYWHERE, chief=True)
async def mute(cmd: Command, ctx: ChatContext) -> Reply:
    """Mute the place this is said in; without words, show until when it is and offer some times."""
    if cmd.args:
        await _set(cmd.rest.lower(), ctx)
    return await _shown(ctx, fresh=True)


@action("mute.place", chief=True)
async def chosen(cmd: Command, ctx: ChatContext) -> Reply:
    """Mute the place as the button says."""
    await _set(cmd.args[0], ctx)
    return await _shown(ctx, fresh=False)


@action("mute.kind")
async def kind(cmd: Command, ctx: ChatContext) -> Reply:
    """Mute one kind of one account here for two hours; a longer mute is left alone."""
    sub, account = await _found(cmd, ctx)
    if sub is None or account is None:
        return _nothing(ctx)
    now = ctx.clock.now()
    until = mute_end(sub.kind, now + SHORT, now)
    name = account.titled(ctx.exchange_of(account).title)
    if sub.muted_until is not None and now + least(SHORT) <= sub.muted_until:
        return Reply(toast=ctx.t.say("Muted until {time} already.", time=when(sub.muted_until, ctx.t)))
    await ctx.store.subscriptions.mute(sub.reader.id, [sub.id], until, now)
    await _note(account.id, f"{sub.kind} until {until.isoformat()}", ctx)
    said = mute_of_kind(name, sub.kind, until, ctx.t)
    back = ((Button(ctx.t.say("Unmute"), "mute.lift", (account.id, sub.kind), anyone=True),),)
    post = Post(Message(said.body, back), card=_card(sub), fresh=True)
    return Reply((post,), toast=ctx.t.say("Muted until {time}.", time=when(until, ctx.t)))


@action("mute.lift")
async def lift(cmd: Command, ctx: ChatContext) -> Reply:
    """Let one kind of one account be heard here again."""
    sub, account = await _found(cmd, ctx)
    if sub is None or account is None:
        return _nothing(ctx)
    now = ctx.clock.now()
    if sub.muted_until is not None and sub.muted_until > now:
        await ctx.store.subscriptions.mute(sub.reader.id, [sub.id], now, now)
        await _note(account.id, f"{sub.kind} off", ctx)
        ctx.queue.nudge("post_digests")
    name = account.titled(ctx.exchange_of(account).title)
    return Reply((Post(lifted(name, sub.kind, ctx.t), card=_card(sub)),), toast=ctx.t.say("Not muted."))


async def _set(words: str, ctx: ChatContext) -> None:
    place, now = ctx.conversation.id, ctx.clock.now()
    before = muted(await ctx.store.conversations.hush(place), now)
    if words in OFF:
        if before is not None:
            await ctx.store.conversations.mute(place, None)
            await _note(place, "off", ctx)
            ctx.queue.nudge("post_digests")
        return
    span = parse_span(words)
    if before is not None and now + least(span) <= before <= now + span:
        return
    await ctx.store.conversations.mute(place, now + span)
    await _note(place, f"until {(now + span).isoformat()}", ctx)


async def _shown(ctx: ChatContext, *, fresh: bool) -> Reply:
    hush = await ctx.store.conversations.hush(ctx.conversation.id)
    return Reply((Post(mute_of_place(hush, ctx.clock.now(), ctx.t), card=CARD, fresh=fresh),))


async def _found(cmd: Command, ctx: ChatContext) -> tuple[Subscription | None, Account | None]:
    """Return what a button mutes, as far as it still comes here."""
    account, name = AccountId(cmd.args[0]), Kind(cmd.args[1])
    here = [
        sub
        for sub in await ctx.store.subscriptions.of_account(account, name)
        if sub.conversation == ctx.conversation.id
    ]
    if not here:
        return None, None
    return here[0], await ctx.store.accounts.get(account, here[0].reader.team)


def _card(sub: Subscription) -> str:
    return f"mute:{sub.account}:{sub.kind}"


def _nothing(ctx: ChatContext) -> Reply:
    return Reply(toast=ctx.t.say("Nothing of this comes here any more."))


async def _note(subject: str, outcome: str, ctx: ChatContext) -> None:
    actor, now = str(ctx.person.identity), ctx.clock.now()
    await ctx.store.audit.note(ctx.person.team, actor, "mute", subject, outcome, now)
