"""What one poll has to tell, and to whom; written in the same transaction as what it found."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from chatbot.domain.balances import Move, expect, moves
from chatbot.domain.fills import Fill
from chatbot.domain.messages import Message, Post
from chatbot.domain.notices import Kind
from chatbot.domain.outbox import Promise
from chatbot.errors import ExchangeError
from chatbot.ports.accounts import Work
from chatbot.ports.context import Context
from chatbot.ports.stores import UnitOfWork
from handlers.jobs.poll_accounts.fills_told import tell_fills
from handlers.jobs.poll_accounts.reading import Found
from handlers.jobs.poll_accounts.troubles_told import tell_trouble, tell_well
from handlers.notifications import balances, keys, trouble
from handlers.notifications.telling import Render, tell

CLOCKS_DIFFER = timedelta(minutes=10)


async def tell_found(
    store: UnitOfWork, work: Work, found: Found, added: Sequence[Fill], ctx: Context
) -> bool:
    """Queue all that a good poll has to tell; say whether there was anything."""
    told = False
    say = _teller(store, work, ctx)
    exchange = ctx.exchange_of(work.account)
    name = work.account.titled(exchange.title)
    told |= await tell_fills(store, work, added, ctx)
    fills_on = work.fills_on if found.fills_on is None else found.fills_on
    changed = await _moves(store, work, found, added)
    if changed:
        told |= await say(
            Kind.TRANSFERS,
            lambda t: balances.moved(name, changed, t, fills=fills_on),
            f"moved:{work.account.id}:{work.fence}",
        )
    if work.fills_on and found.fills_on is False:
        told |= await say(
            Kind.KEYS,
            lambda t: trouble.fills_off(name, exchange, t),
            f"fills_off:{work.account.id}:{work.fence}",
        )
    if fills_on and not work.fills_on:
        told |= await say(
            Kind.KEYS,
            lambda t: trouble.fills_on(name, t),
            f"fills_on:{work.account.id}:{work.fence}",
        )
    told |= await tell_well(store, work, ctx)
    if work.asked_in is not None:
        await _answer(store, work, found, ctx)
        told = True
    return told


async def tell_failure(
    store: UnitOfWork, work: Work, error: ExchangeError, ctx: Context, *, ripe: bool, final: bool
) -> bool:
    """Queue what a failed poll has to tell, and the answer to who asked; say whether its trouble is told."""
    told = await tell_trouble(store, work, error, ctx, ripe=ripe, final=final)
    await tell_tested(store, work, error, ctx)
    return told


async def tell_tested(store: UnitOfWork, work: Work, error: ExchangeError, ctx: Context) -> None:
    """Answer who asked for a test with what is the matter."""
    if work.asked_in is not None:
        exchange, t = ctx.exchange_of(work.account), ctx.translator(work.owner)
        sentence = trouble.explain(error, exchange, ctx.options.egress, t)
        await _put_answer(store, work, keys.failed(work.account, sentence, t), ctx)


async def tell_sealed(store: UnitOfWork, work: Work, ctx: Context) -> None:
    """Answer a test of a key that can't be opened here."""
    t = ctx.translator(work.owner)
    await _put_answer(store, work, keys.failed(work.account, trouble.sealed(t), t), ctx)


def _teller(store: UnitOfWork, work: Work, ctx: Context) -> Callable[[Kind, Render, str], Awaitable[bool]]:
    return partial(tell, store, ctx, work.account.id, work.owner)


async def _moves(store: UnitOfWork, work: Work, found: Found, added: Sequence[Fill]) -> tuple[Move, ...]:
    """Return what neither a fill nor an earlier message explains; what stays open is noted in `found`."""
    before = await store.balances.latest(work.account.id) if added or found.snapshot else None
    if found.snapshot is not None:
        await store.balances.add(work.account.id, found.snapshot)
    if before is None or work.account.polled_at is None:
        return ()
    # What filled while fills were off was told as a move then; and clocks may differ a little.
    since = before.at - CLOCKS_DIFFER if work.fills_on else before.at
    counted = [fill for fill in added if fill.at >= since]
    found.unexplained = expect(work.unexplained, counted)
    if found.snapshot is None:
        return ()
    fills_on = work.fills_on if found.fills_on is None else found.fills_on
    told, found.unexplained = moves(before, found.snapshot, found.unexplained, counted, hold=fills_on)
    return told


async def _answer(store: UnitOfWork, work: Work, found: Found, ctx: Context) -> None:
    account = replace(work.account, report=found.report or work.account.report)
    exchange, t = ctx.exchange_of(account), ctx.translator(work.owner)
    shown = keys.proven(account, exchange, ctx.options, t, ctx.clock.now())
    await _put_answer(store, work, shown, ctx)


async def _put_answer(store: UnitOfWork, work: Work, shown: Message, ctx: Context) -> None:
    if work.asked_in is None:
        return
    await store.outbox.put(
        work.asked_in, Post(shown, card=f"test:{work.account.id}"), Promise.CARD, ctx.clock.now(),
        key=f"test:{work.account.id}:{work.fence}", reader=work.owner.id, locale=work.owner.locale,
    )  # fmt: skip
