"""Bring the cards of /balances up to date, in place, as soon as a fresh reading is there.

A card that waits longer than a reading takes says what was wrong instead. The wish ends in the transaction
that queues the edit.
"""

from datetime import timedelta

from chatbot.dispatcher.crew import safely
from chatbot.domain.credentials import Account, CredentialState
from chatbot.domain.messages import Message, Post, line
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Role
from chatbot.ports.context import Context
from chatbot.ports.stores import UnitOfWork
from chatbot.ports.worth import Wish, WishKind
from chatbot.registry import job
from chatbot.text import Translator
from handlers.notifications.balances import posted, together
from handlers.notifications.rates import valued
from handlers.notifications.trouble import of_account

BATCH = 100
PATIENCE = timedelta(seconds=60)


@job("refresh_balances", every=1.0)
async def refresh_balances(ctx: Context) -> None:
    """Show every card anew whose accounts were read since it was asked for."""
    async with ctx.uow() as store:
        wishes = await store.wishes.waiting(WishKind.REFRESH, BATCH)
    shown = [await safely(_refresh(wish, ctx), ctx, "refresh_failed", wish=wish.id) for wish in wishes]
    for wish, done in zip(wishes, shown, strict=True):
        if done is None:
            async with ctx.uow() as store:
                await store.wishes.done(wish.id)
    if any(shown):
        ctx.queue.nudge("deliver_messages")


async def _refresh(wish: Wish, ctx: Context) -> bool:
    async with ctx.uow() as store:
        mine = await store.accounts.of_person(wish.person.id)
        wanted = [account for account in mine if account.id in wish.args["accounts"]]
        late = [account for account in wanted if not await _is_fresh(store, account, wish)]
        waiting = any(account.state is CredentialState.ACTIVE for account in late)
        if waiting and ctx.clock.now() - wish.asked_at < PATIENCE:
            return False
        if not await store.wishes.done(wish.id) or ctx.roster.role(wish.person.identity) is Role.STRANGER:
            return True
        shown = await _shown(store, wish, wanted, late, ctx)
        if shown is not None:
            await store.outbox.put(
                wish.conversation, Post(shown, card=wish.args["card"]), Promise.CARD, ctx.clock.now(),
                key=f"refresh:{wish.id}", reader=wish.person.id, locale=wish.person.locale,
            )  # fmt: skip
    return True


async def _is_fresh(store: UnitOfWork, account: Account, wish: Wish) -> bool:
    snapshot = await store.balances.latest(account.id)
    return snapshot is not None and snapshot.at >= wish.asked_at


async def _shown(
    store: UnitOfWork, wish: Wish, wanted: list[Account], late: list[Account], ctx: Context
) -> Message | None:
    t, now, currency = ctx.translator(wish.person), ctx.clock.now(), wish.person.currency
    found = [await valued(store, account, currency, ctx) for account in wanted]
    seen = [one for one in found if one is not None]
    notes = [line(_not_read(account, t, ctx)) for account in late]
    if not seen:
        return Message(tuple(notes)) if notes else None
    if wish.args["together"]:
        shown = together(seen, None, t, now=now) if len(seen) > 1 else None
    else:
        shown = posted(seen[0], None, t, now=now)
    return Message((*shown.body, *notes), shown.buttons) if shown else None


def _not_read(account: Account, t: Translator, ctx: Context) -> str:
    exchange = ctx.exchange_of(account)
    why = of_account(account, exchange, ctx.options.egress, t)
    said = t.say("{account} could not be read anew just now.", account=account.titled(exchange.title))
    return f"{said} {why}".strip()
