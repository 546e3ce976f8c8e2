"""A clock that is set back: nobody waits for it to catch up, and what is newest stays newest."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from chatbot.domain.balances import Balance, Prices, Snapshot
from chatbot.ports.accounts import Progress
from chatbot.ports.stores import UnitOfWork
from tests.storage.rows import MINUTE, NOW, SECOND, World

HOUR = timedelta(hours=1)


def holding(amount: int, at: timedelta) -> Snapshot:
    """Describe what is held then."""
    return Snapshot(NOW + at, (Balance("BTC", Decimal(amount), Decimal(amount)),))


async def poll(store: UnitOfWork, at: timedelta) -> None:
    """Read the account once, due again in half a minute."""
    (work,) = await store.accounts.claim(NOW + at, NOW + at + MINUTE, 5)
    later = NOW + at + 30 * SECOND
    await store.accounts.finish(work, Progress(later, work.nonce, polled_at=NOW + at, balances_at=later))


async def test_the_balances_added_last_are_the_newest(store: UnitOfWork, world: World):
    """However far the clock was set back, a change is a change from what was read before it, once."""
    account = world.account.id
    for amount, at in ((1, HOUR), (2, HOUR + MINUTE), (3, timedelta(0)), (3, MINUTE), (4, 2 * MINUTE)):
        await store.balances.add(account, holding(amount, at))
        assert await store.balances.latest(account) == holding(amount, at)
    await store.balances.add(account, holding(4, timedelta(0)))
    assert await store.balances.latest(account) == holding(4, timedelta(0))
    await store.balances.add(account, holding(5, timedelta(0)))
    assert await store.balances.latest(account) == holding(5, timedelta(0))


async def test_accounts_do_not_wait_for_the_old_time(store: UnitOfWork, world: World):
    """An account due in an hour by a clock that was set back is due now, with its balances, and only once."""
    await poll(store, HOUR)

    (work,) = await store.accounts.claim(NOW, NOW + MINUTE, 5)

    assert (work.account.id, work.balances_at) == (world.account.id, None)
    await store.accounts.finish(work, Progress(NOW + 30 * SECOND, work.nonce, polled_at=NOW))
    assert await store.accounts.claim(NOW + SECOND, NOW + MINUTE, 5) == []


async def test_nonces_rise_though_the_clock_was_set_back(store: UnitOfWork, world: World):
    """After a poll that never ended the next floor lies above all that was reserved for it."""
    (first,) = await store.accounts.claim(NOW + HOUR, NOW + HOUR + MINUTE, 5)
    await store.accounts.release(first)

    (second,) = await store.accounts.claim(NOW, NOW + MINUTE, 5)

    assert second.nonce >= first.nonce + 10**6


async def test_a_poll_under_way_is_left_alone(store: UnitOfWork, world: World):
    """While somebody reads an account nobody else does, wherever the clock stands; a long pause is no set-back."""
    (work,) = await store.accounts.claim(NOW + HOUR, NOW + HOUR + MINUTE, 5)
    assert await store.accounts.claim(NOW, NOW + MINUTE, 5) == []
    await store.accounts.finish(work, Progress(NOW + 3 * HOUR, work.nonce))

    assert await store.accounts.claim(NOW + HOUR + MINUTE, NOW + 2 * HOUR, 5) == []
    assert replace(work, balances_at=None) == work


async def test_prices_do_not_stay_in_the_future(store: UnitOfWork):
    """Prices from before the clock was set back give way to those read after it."""
    old, new = Prices(NOW + HOUR, {}), Prices(NOW, {("BTC", "USD"): Decimal(1)})
    for prices in (old, new):
        await store.balances.save_prices("bitso", prices)

    assert await store.balances.prices("bitso") == new
