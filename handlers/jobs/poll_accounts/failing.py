"""What follows a poll that failed: when to try again, what to tell, and when a key is dead.

A dead key is looked at once a day, and whenever its owner tests it: one success brings it back.
"""

from datetime import datetime, timedelta

from chatbot.domain.credentials import CredentialState
from chatbot.errors import ExchangeError, Trouble
from chatbot.ports.accounts import Progress, Work
from chatbot.ports.context import Context
from chatbot.ports.stores import UnitOfWork
from handlers.jobs.poll_accounts.telling import tell_failure, tell_tested

RECHECK = timedelta(minutes=10)
REVIVE = timedelta(days=1)
SLOWEST = 900
TOLD_AFTER = 3
REFUSALS = 3
FINAL = frozenset({Trouble.BAD_KEY, Trouble.BAD_SECRET, Trouble.KEY_INACTIVE, Trouble.EXPIRED})
# When so many keys are refused alike the exchange is to blame, for a day at most.
ALIKE, ONE_IN = 2, 5
BLAMED = timedelta(days=1)


async def failed(work: Work, error: ExchangeError, nonce: int, ctx: Context) -> None:
    """Record a failure, and tell of it when it is news."""
    now, failures = ctx.clock.now(), _failures(work, error)
    dead = work.account.state is CredentialState.DEAD
    ripe = not error.retry or failures >= TOLD_AFTER
    pause = REVIVE if dead else _pause(error, failures, ctx.options.poll_seconds)
    async with ctx.uow() as store:
        final = not dead and await _is_final(store, work, error, failures, now)
        told = work.trouble_told
        if dead:
            await tell_tested(store, work, error, ctx)
        else:
            told = await tell_failure(store, work, error, ctx, ripe=ripe, final=final)
        await store.accounts.finish(
            work,
            Progress(
                due_at=now + (REVIVE if final else pause), nonce=nonce, failures=failures,
                trouble=work.account.trouble if dead else error.trouble,
                trouble_told=told,
                state=CredentialState.DEAD if final else None, answered=work.asked_in is not None,
            ),
        )  # fmt: skip
    ctx.metrics.polled(work.account.exchange, error.trouble)
    ctx.log.info("poll_failed", account=work.account.id, trouble=error.trouble, failures=failures)
    ctx.queue.nudge("deliver_messages")


def _failures(work: Work, error: ExchangeError) -> int:
    """Count failures in a row, refusals of one kind for themselves; what a person hurried adds none."""
    if error.trouble in FINAL and error.trouble != work.account.trouble:
        return 1
    return work.failures if work.hurried and work.failures else work.failures + 1


async def _is_final(
    store: UnitOfWork, work: Work, error: ExchangeError, failures: int, now: datetime
) -> bool:
    """Three identical refusals ten minutes apart make a key dead, unless many keys fail alike."""
    since = work.account.trouble_since
    if error.trouble not in FINAL or error.trouble != work.account.trouble or since is None:
        return False
    if failures < REFUSALS or now - since < (REFUSALS - 1) * RECHECK:
        return False
    failing, known = await store.accounts.failing(work.account.exchange, error.trouble)
    alike = failing >= ALIKE and failing * ONE_IN > known
    return not alike or now - since >= BLAMED


def _pause(error: ExchangeError, failures: int, poll_seconds: int) -> timedelta:
    if not error.retry:
        return RECHECK
    return timedelta(seconds=max(error.wait, min(SLOWEST, poll_seconds * 2 ** min(failures, 10))))
