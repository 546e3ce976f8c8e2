"""What an account is worth, noted when its balances are read, at most four times an hour, for pictures."""

from datetime import timedelta

from chatbot.ports.accounts import Work
from chatbot.ports.context import Context
from chatbot.ports.stores import UnitOfWork
from handlers.jobs.poll_accounts.reading import Found
from handlers.notifications.rates import valued

EVERY = timedelta(minutes=15)
# By older prices the curve would show a value that never was.
PRICED_WITHIN = timedelta(hours=1)


async def note_worth(store: UnitOfWork, work: Work, found: Found, ctx: Context) -> None:
    """Note what was read, unless that was done a moment ago."""
    if found.snapshot is None:
        return
    at, currency = found.snapshot.at, work.owner.currency
    last = await store.valuations.last_at(work.account.id, currency)
    # After a clock was set back the last one lies ahead.
    if last is not None and abs(at - last) < EVERY:
        return
    seen = await valued(store, work.account, currency, ctx)
    if seen is not None and seen.worth.priced and abs(at - seen.rates.own.at) < PRICED_WITHIN:
        await store.valuations.add(work.account.id, at, seen.worth.total, currency)
