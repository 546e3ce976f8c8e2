"""Read every account that is due: one at a time per key, outside any transaction, stored in one.

`reading.py` asks the exchange, `telling.py` turns what was found into messages, `failing.py` judges what
went wrong. New fills, the cursor that says they were seen, and the messages that tell them are written
together, if the fence is ours.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from chatbot.dispatcher.crew import work_off
from chatbot.domain.credentials import CredentialState
from chatbot.domain.people import HOME_TEAM, Role, TeamId
from chatbot.errors import ExchangeError, Fenced, StorageError, VaultError
from chatbot.ports.accounts import Progress, Work
from chatbot.ports.context import Context
from chatbot.ports.stores import UnitOfWork
from chatbot.registry import job
from handlers.jobs.poll_accounts.failing import RECHECK, failed
from handlers.jobs.poll_accounts.reading import Found, read
from handlers.jobs.poll_accounts.telling import tell_found, tell_sealed
from handlers.jobs.poll_accounts.valuing import note_worth

LEASE = timedelta(seconds=90)
AT_ONCE = 50
CHECK_EVERY = timedelta(days=1)
LOOK_AGAIN = timedelta(minutes=1)


@job("poll_accounts", every=1.0)
async def poll_accounts(ctx: Context) -> None:
    """Read due accounts, some at once, until none is left."""

    async def claim(room: int) -> Sequence[Work]:
        now = ctx.clock.now()
        async with ctx.uow() as store:
            return await store.accounts.claim(now, now + LEASE, room)

    await work_off("poll_accounts", claim, lambda work: _poll(work, ctx), ctx, AT_ONCE)


async def _poll(work: Work, ctx: Context) -> None:
    try:
        await _poll_once(work, ctx)
    except (Fenced, StorageError) as lost:
        ctx.log.warning("poll_dropped", account=work.account.id, reason=str(lost))
    except asyncio.CancelledError:
        # Cut off at the end of our time: the next process need not wait for the lease.
        async with ctx.uow() as store:
            await store.accounts.release(work)
        raise


async def _poll_once(work: Work, ctx: Context) -> None:
    account = work.account
    if ctx.roster.role(work.owner.identity) is Role.STRANGER:
        await _suspend(work, "owner_not_listed", ctx)
        return
    if await _thrown_out(account.team, ctx):
        await _suspend(work, "workspace_left", ctx)
        return
    exchange = ctx.exchange_of(account)
    try:
        credentials = ctx.vault.unseal(account.id, account.team, account.exchange, work.sealed)
    except VaultError:
        await _sealed(work, ctx)
        return
    client = exchange.client(credentials, work.nonce)
    try:
        found = await read(work, client, exchange, ctx)
    except ExchangeError as error:
        await failed(work, error, client.last_nonce, ctx)
    else:
        await _store(work, found, client.last_nonce, ctx)
    finally:
        credentials.wipe()


async def _thrown_out(team: TeamId, ctx: Context) -> bool:
    """Tell whether the team's workspace removed the bot; the home team is no workspace."""
    if team == HOME_TEAM:
        return False
    async with ctx.uow() as store:
        return await store.installations.ended(team)


async def _suspend(work: Work, why: str, ctx: Context) -> None:
    """Leave an account alone that must not be read now, and look again later."""
    now, account = ctx.clock.now(), work.account
    dead = account.state is CredentialState.DEAD
    async with ctx.uow() as store:
        await store.accounts.finish(
            work,
            Progress(
                due_at=now + LOOK_AGAIN, nonce=work.nonce, failures=work.failures, trouble=account.trouble,
                trouble_told=work.trouble_told, answered=True,
                state=None if dead else CredentialState.SUSPENDED,
            ),
        )  # fmt: skip
        if account.state is CredentialState.ACTIVE:
            await store.audit.note(account.team, "policy", "suspend", account.id, why, now)


async def _resume(work: Work, store: UnitOfWork, ctx: Context) -> CredentialState | None:
    """Say what a poll makes of a dead key that works, or a suspended one that may be read again."""
    account = work.account
    if account.state is CredentialState.DEAD:
        return CredentialState.ACTIVE
    if account.state is not CredentialState.SUSPENDED:
        return None
    await store.audit.note(account.team, "policy", "resume", account.id, "allowed_again", ctx.clock.now())
    return CredentialState.ACTIVE


async def _sealed(work: Work, ctx: Context) -> None:
    # A key we can't open may be opened again with the right master key: pause, never destroy.
    ctx.log.error("poll_sealed", account=work.account.id)
    async with ctx.uow() as store:
        await tell_sealed(store, work, ctx)
        await store.accounts.finish(
            work,
            Progress(
                due_at=ctx.clock.now() + RECHECK, nonce=work.nonce, failures=work.failures + 1,
                trouble=work.account.trouble, trouble_told=work.trouble_told,
                answered=work.asked_in is not None,
            ),
        )  # fmt: skip
    ctx.queue.nudge("deliver_messages")


async def _store(work: Work, found: Found, nonce: int, ctx: Context) -> None:
    now = ctx.clock.now()
    pause = max(ctx.options.poll_seconds, ctx.exchange_of(work.account).poll_seconds)
    busy = found.history is not None and not found.history_done and found.history_at is None
    async with ctx.uow() as store:
        added = await store.fills.add(work.account.id, found.fills, now)
        earlier = await store.fills.add(work.account.id, found.earlier, now)
        told = await tell_found(store, work, found, added, ctx)
        await note_worth(store, work, found, ctx)
        state = await _resume(work, store, ctx)
        await store.accounts.finish(
            work,
            Progress(
                due_at=now + timedelta(seconds=max(found.wait, 1 if busy or found.more else pause)),
                nonce=nonce, polled_at=now, cursor=found.cursor, history=found.history,
                history_done=found.history_done, history_added=len(earlier),
                history_at=found.history_at, unexplained=found.unexplained,
                balances_at=now + _balances_every(pause) if found.snapshot else None,
                check_at=now + CHECK_EVERY if found.checked else None,
                fills_on=found.fills_on, report=found.report, state=state, answered=work.asked_in is not None,
            ),
        )  # fmt: skip
    ctx.metrics.polled(work.account.exchange, "ok")
    ctx.metrics.told(work.account.exchange, len(added))
    ctx.log.info("polled", account=work.account.id, fills=len(added), history=len(earlier))
    if told:
        ctx.queue.nudge("deliver_messages")


def _balances_every(pause: int) -> timedelta:
    return timedelta(seconds=min(120, pause * 4))
