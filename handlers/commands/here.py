"""/here [account], in a group, channel or topic: ask an owner whether their accounts may be told there.

Only an admin of the place sends it. Whoever owns accounts is asked in private, and nothing comes before their
yes; *Send mine here* lets every other member offer their own.
"""

from collections.abc import Sequence

from chatbot.domain.credentials import Account, matching
from chatbot.domain.messages import Button, Message, Post, Reply, bold, message
from chatbot.domain.notices import Kind, Loudness
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Conversation, ConversationId
from chatbot.errors import BadArgument, Gone, mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.ports.records import Listed
from chatbot.registry import Command, Where, action, command
from handlers.notifications import places
from handlers.notifications.subscriptions import share
from handlers.notifications.telling import send


@command(
    "here",
    mark("In a group: send my balances and fills here"),
    usage="[account]",
    where=Where.GROUP,
    section=Section.BEGIN,
    chief=True,
)
async def here(cmd: Command, ctx: ChatContext) -> Reply:
    """Make this place a target of the sender's own accounts, once they say yes in private."""
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    chosen = matching(mine, cmd.rest)
    if mine and not chosen:
        # Their names are nobody's business here.
        raise BadArgument(
            mark("No account of yours is called “{name}”. Send /here alone, or with a name from /accounts."),
            name=cmd.rest[:32],
        )
    return await _offer(chosen, ctx)


@action("here.offer")
async def offer(cmd: Command, ctx: ChatContext) -> Reply:
    """Offer the accounts of whoever pressed."""
    return await _offer(await ctx.store.accounts.of_person(ctx.person.id), ctx)


@action("here.yes")
async def yes(cmd: Command, ctx: ChatContext) -> Reply:
    """Let the place hear of the accounts that were asked for."""
    place = await _place(cmd, ctx)
    if not place.live:
        raise Gone(mark("I am not there any more. Let me in and send /here there again."))
    consent, now = await ctx.store.consents.take(ctx.person.id, place), ctx.clock.now()
    if consent is not None:
        mine = await ctx.store.accounts.of_person(ctx.person.id)
        chosen = [account for account in mine if account.id in consent.accounts]
        await share(ctx.store, ctx.person, chosen, place.id, now)
        await _wake(chosen, place, ctx)
        await _note("target_added", place.id, "added", ctx)
    coming = await _coming(place, ctx)
    if not coming and consent is None:
        raise Gone(mark("You answered that already. To be asked again, send /here there."))
    if not coming:
        raise Gone(mark("These accounts are no longer connected, so nothing goes there."))
    if consent is not None:
        await _show_there(place, places.sent(ctx.person, coming, ctx.t), ctx)
        await _warn(coming, place, ctx)
    return Reply((Post(_state(place, coming, ctx), card=places.asking(place)),))


@action("here.keep")
async def keep(cmd: Command, ctx: ChatContext) -> Reply:
    """Leave the place as it is."""
    place = await _place(cmd, ctx)
    consent = await ctx.store.consents.take(ctx.person.id, place)
    coming = await _coming(place, ctx)
    if consent is not None:
        await _note("target_refused", place.id, "kept", ctx)
        refused = ctx.t.say("{name} keeps them private.", name=ctx.person.name)
        shown = places.sent(ctx.person, coming, ctx.t) if coming else message(refused)
        await _show_there(place, shown, ctx)
    return Reply((Post(_state(place, coming, ctx), card=places.asking(place)),))


@action("here.end")
async def end(cmd: Command, ctx: ChatContext) -> Reply:
    """End it, from private."""
    place = await _place(cmd, ctx)
    await _end(place, ctx)
    return Reply((Post(_state(place, (), ctx), card=places.asking(place)),))


@action("here.stop")
async def stop(cmd: Command, ctx: ChatContext) -> Reply:
    """End it, from the place itself."""
    await _end(ctx.conversation, ctx)
    return Reply()


async def _offer(chosen: Sequence[Account], ctx: ChatContext) -> Reply:
    t, place = ctx.t, ctx.conversation
    others = Button(t.say("Send mine here"), "here.offer", anyone=True)
    if not chosen:
        nothing = t.say("You have no account connected, so there is nothing of yours to send here.")
        rest = t.say("Each owner presses the button, or sends /here, and is asked in private.")
        return Reply((Post(message(nothing, rest, buttons=((others,),))),))
    card = places.told(ctx.person)
    coming = await _coming(place, ctx)
    if all(account in coming for account in chosen):
        shown = places.sent(ctx.person, coming, t)
        return Reply((Post(Message(shown.body, (*shown.buttons, (others,))), card=card, fresh=True),))
    ids = [account.id for account in chosen]
    await ctx.store.consents.ask(ctx.person.id, place, ids, ctx.clock.now())
    known = ctx.postbox.private_place(ctx.person.identity)
    if known is None and await ctx.store.conversations.private_of(ctx.person.id, place.place) is None:
        return Reply((Post(_open_chat(others, ctx), card=card, fresh=True),))
    waits = message(
        t.say("I asked {name} in private. Nothing comes here before the yes.", name=ctx.person.name),
        buttons=((others,),),
    )
    asked = Post(places.question(chosen, place, t), card=places.asking(place), fresh=True, private=True)
    toast = t.say("I asked you in private.")
    return Reply((Post(waits, card=card, fresh=True), asked), toast=toast)


def _open_chat(others: Button, ctx: ChatContext) -> Message:
    """Lead to the private chat, where the question waits."""
    url = ctx.postbox.private_url(ctx.conversation.place, "alerts")
    rows = ((Button(ctx.t.say("Open private chat"), url=url),),) if url else ()
    text = ctx.t.say(
        "{name}: I have to ask you in private, but I can't write to you yet. Open the chat with me and "
        "press Start.",
        name=ctx.person.name,
    )
    return message(text, buttons=(*rows, (others,)))


async def _end(place: Conversation, ctx: ChatContext) -> None:
    removed = await ctx.store.subscriptions.remove(ctx.person.id, place.id)
    if removed:
        await _note("target_removed", place.id, "removed", ctx)
    text = ctx.t.say("Stopped: nothing of {name} comes here any more.", name=ctx.person.name)
    await _show_there(place, message(text), ctx)


async def _coming(place: Conversation, ctx: ChatContext) -> list[Account]:
    """Return which accounts of the person the place hears of."""
    heard = [one for one in await _listed(place, ctx) if one.subscription.loudness is not Loudness.OFF]
    return list({one.account.id: one.account for one in heard}.values())


async def _listed(place: Conversation, ctx: ChatContext) -> list[Listed]:
    listed = await ctx.store.subscriptions.of_person(ctx.person.id)
    return [one for one in listed if one.conversation.id == place.id]


async def _wake(chosen: Sequence[Account], place: Conversation, ctx: ChatContext) -> None:
    """Make loud again what was switched off here altogether; a yes means that something comes."""
    coming, listed = await _coming(place, ctx), await _listed(place, ctx)
    asleep = [one.subscription.id for one in listed if one.account in chosen and one.account not in coming]
    await ctx.store.subscriptions.set_loudness(ctx.person.id, asleep, Loudness.LOUD)


async def _warn(accounts: Sequence[Account], place: Conversation, ctx: ChatContext) -> None:
    """Tell the owner's other chats: there a yes that was not theirs would be noticed."""
    for account in accounts:
        for sub in await ctx.store.subscriptions.of_account(account.id, Kind.SECURITY):
            if sub.conversation == ctx.conversation.id:
                continue
            t = ctx.translator(sub.reader)
            title = t.say("{account} now goes to {place}", account=account.name, place=t.place(place.place))
            stop = t.say("If that was not you, stop it with /alerts and tell your admin.")
            key = f"target:{account.id}:{place.id}:{sub.conversation}:{ctx.clock.now().isoformat()}"
            await send(ctx.store, ctx, sub, Post(message(bold(title), stop)), key, Promise.ALERT)


async def _place(cmd: Command, ctx: ChatContext) -> Conversation:
    try:
        return await ctx.store.conversations.get(ConversationId(cmd.args[0]))
    except KeyError:
        raise Gone(mark("I am not there any more. Let me in and send /here there again.")) from None


def _state(place: Conversation, coming: Sequence[Account], ctx: ChatContext) -> Message:
    where = ctx.t.place(place.place)
    if not coming:
        return message(ctx.t.say("Nothing of yours goes to {place}.", place=where))
    text = ctx.t.say(
        "Balances and fills of {accounts} go to {place}.", accounts=places.names(coming), place=where
    )
    return message(text, buttons=((Button(ctx.t.say("Stop"), "here.end", (place.id,)),),))


async def _show_there(place: Conversation, shown: Message, ctx: ChatContext) -> None:
    """Bring what the place shows about this person up to date."""
    if place.live:
        post = Post(shown, card=places.told(ctx.person))
        await ctx.store.outbox.put(
            place.id, post, Promise.CARD, ctx.clock.now(), reader=ctx.person.id, locale=ctx.t.locale
        )


async def _note(what: str, place: ConversationId, outcome: str, ctx: ChatContext) -> None:
    now = ctx.clock.now()
    await ctx.store.audit.note(ctx.person.team, str(ctx.person.identity), what, place, outcome, now)
