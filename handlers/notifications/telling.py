"""How every notification goes out: now, silently, later with others, or not at all, for each subscription.

Whatever notifies calls `tell` in the transaction of what it tells. A post is queued or held there, so that
nothing is told that did not happen, and nothing that happened goes untold.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from chatbot.domain.credentials import AccountId
from chatbot.domain.messages import Button, Message, Post, line
from chatbot.domain.notices import URGENT, Kind, Way, decide
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Person
from chatbot.ports.context import Context
from chatbot.ports.records import Subscription
from chatbot.ports.stores import UnitOfWork
from chatbot.text import Translator

Render = Callable[[Translator], Message]


async def tell(  # noqa: PLR0913  what is told, of whom, and how
    store: UnitOfWork, ctx: Context, account: AccountId, owner: Person, kind: Kind, render: Render, key: str,
    *, card: str = "", fresh: bool = False, silent: bool = False, promise: Promise = Promise.ALERT,
    urgent: bool | None = None,
) -> bool:  # fmt: skip
    """Tell something of an account wherever its kind goes; say whether anything was queued or held.

    `key` names the thing, so that it is told once in each place. `urgent` says whether it breaks through
    quiet hours; without it the kind decides. What is `silent` makes no sound anywhere.
    """
    shown = render(ctx.translator(owner))
    post, told = Post(shown, card=card, fresh=fresh, silent=silent), False
    for sub in await store.subscriptions.of_account(account, kind):
        told |= await send(store, ctx, sub, post, f"{key}:{sub.conversation}", promise, urgent=urgent)
    return told


async def send(  # noqa: PLR0913  what is sent, for whom, and how
    store: UnitOfWork, ctx: Context, sub: Subscription, post: Post, key: str, promise: Promise,
    *, urgent: bool | None = None, also: Sequence[Subscription] = (),
) -> bool:  # fmt: skip
    """Queue a post for one subscription, or hold it back, or leave it, as its settings say at this moment.

    `also` are the subscriptions of other accounts that it shows: held, it goes with any of them.
    """
    now, locale = ctx.clock.now(), sub.reader.locale
    urgent = sub.kind in URGENT if urgent is None else urgent
    what = decide(sub.kind, sub.loudness, sub.muted_until, sub.hush, sub.reader.timezone, now, urgent=urgent)
    if what.way is Way.OFF:
        return False
    # Once the quiet is over, what came meanwhile goes first.
    if what.until is None and not urgent and await store.held.waits(sub.conversation, now):
        what = replace(what, until=now)
    shown = _with_mute(post.message, sub, ctx.translator(sub.reader))
    if what.until is not None:
        return await store.held.add(
            sub, shown, key, now, what.until, card=post.card, locale=locale, urgent=urgent,
            silent=post.silent,
            also=[other.id for other in also],
        )  # fmt: skip
    if await store.held.knows(key):
        return False
    if post.card:
        await store.held.supersede(sub.conversation, post.card, now)
    # A card is edited, and what it offers would be gone with its next state.
    lost = None if post.card else await store.outbox.lost_report(sub.conversation)
    if lost:
        shown = _with_lost(shown, lost, ctx.translator(sub.reader))
    quiet = replace(post, message=shown, silent=post.silent or what.way is Way.SILENT)
    queued = await store.outbox.put(
        sub.conversation, quiet, promise, now, key=key, reader=sub.reader.id, locale=locale, ahead=urgent
    )
    if queued and lost:
        await store.outbox.offered(lost)
    return queued


def _with_lost(shown: Message, lost: str, t: Translator) -> Message:
    again = Button(t.say("Show again"), "status.again", (lost,), anyone=True)
    said = line(t.say("The post before this one may not have arrived."))
    return replace(shown, body=(*shown.body, said), buttons=((again,), *shown.buttons))


def _with_mute(shown: Message, sub: Subscription, t: Translator) -> Message:
    # Everybody who reads it may press it: the button acts on this kind of this account in this place alone.
    mute = Button(t.say("Mute 2 h"), "mute.kind", (sub.account, sub.kind), anyone=True)
    *rows, last = shown.buttons or ((),)
    beside = (*rows, (*last, mute)) if len(last) < 2 else (*rows, last, (mute,))
    return replace(shown, buttons=beside)
