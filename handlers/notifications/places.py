"""Places that hear of accounts: the question to an owner, and what is said when a place shuts its door."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chatbot.domain.credentials import Account
from chatbot.domain.messages import Button, Message, Post, bold, message
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Conversation, Person, Place
from chatbot.ports.context import Context
from chatbot.ports.records import Listed
from chatbot.ports.stores import UnitOfWork
from chatbot.text import Translator

WEEK = 7 * 24 * 60


def names(accounts: Iterable[Account]) -> str:
    """Return what accounts are called, for a sentence."""
    return ", ".join(account.name for account in accounts)


def question(accounts: Sequence[Account], place: Conversation, t: Translator) -> Message:
    """Ask an owner whether a place may hear of their accounts."""
    text = t.say(
        "Send balances and fills of {accounts} to {place}?",
        accounts=names(accounts),
        place=t.place(place.place),
    )
    everybody = t.say("Everybody there reads them. You can stop it at any time, there or with /alerts.")
    row = (
        Button(t.say("Yes, send them there"), "here.yes", (place.id,), minutes=WEEK),
        Button(t.say("Keep"), "here.keep", (place.id,), minutes=WEEK),
    )
    return message(bold(text), everybody, buttons=(row,))


def told(person: Person) -> str:
    """Return the card of what a place shows about an owner; it goes when that person is forgotten."""
    return f"here:{person.id}"


def asking(place: Conversation) -> str:
    """Return the card of the question about a place."""
    return f"consent:{place.id}"


def sent(person: Person, accounts: Sequence[Account], t: Translator) -> Message:
    """Say in a place what it hears from now on, with the owner's way to stop it."""
    text = t.say(
        "From now on, fills and daily balances of {name} come here: {accounts}.",
        accounts=names(accounts),
        name=person.name,
    )
    return message(text, buttons=((Button(t.say("Stop"), "here.stop"),),))


@dataclass(frozen=True, slots=True)
class Loss:
    """What an owner's accounts no longer reach: a place, and the accounts that went there."""

    owner: Person
    conversation: Conversation
    accounts: tuple[Account, ...]


async def shut(store: UnitOfWork, ctx: Context, conversation: Conversation) -> None:
    """Stop writing to a place that can't be reached any more, and tell the owners somewhere else.

    What went to a group is kept as a question that is asked when the place opens again.
    """
    losses = _losses(await store.subscriptions.of_channel(conversation.place))
    await store.conversations.leave(conversation.id)
    now = ctx.clock.now()
    for loss in losses:
        if not conversation.place.private:
            ids = [account.id for account in loss.accounts]
            await store.consents.ask(loss.owner.id, loss.conversation, ids, now, asked=False)
        home = await store.conversations.private_of(loss.owner.id)
        if home is None or not loss.conversation.live:
            continue
        hush, t = await store.conversations.hush(home.id), ctx.translator(loss.owner)
        quiet = hush.until(now, loss.owner.timezone) is not None
        await store.outbox.put(
            home.id,
            Post(_stopped(loss, t), silent=quiet),
            Promise.ALERT,
            now,
            key=f"stopped:{loss.conversation.id}:{loss.owner.id}:{now.isoformat()}",
            reader=loss.owner.id,
            locale=t.locale,
        )
        await store.audit.note(
            loss.owner.team, loss.conversation.place.bot, "target_removed", loss.conversation.id, "shut", now
        )


def _losses(listed: Sequence[Listed]) -> list[Loss]:
    found: dict[tuple[str, str], Loss] = {}
    for one in listed:
        owner, place = one.subscription.reader, one.conversation
        before = found.get((owner.id, place.id), Loss(owner, place, ()))
        if one.account not in before.accounts:
            before = Loss(owner, place, (*before.accounts, one.account))
        found[owner.id, place.id] = before
    return list(found.values())


def _stopped(loss: Loss, t: Translator) -> Message:
    place: Place = loss.conversation.place
    title = bold(t.say("I can't write to {place} any more", place=t.place(place)))
    what = t.say("Nothing of {accounts} goes there now.", accounts=names(loss.accounts))
    if place.private:
        return message(title, what, t.say("To go on, unblock me there and send /start."))
    if place.thread:
        return message(
            title, what, t.say("The topic may be gone or closed. To go on, send /here in one that is open.")
        )
    return message(
        title, what, t.say("When somebody lets me in again, I ask you here before anything goes there.")
    )
