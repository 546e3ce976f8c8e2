"""When an account is worked on: waits that hold for everybody, dead keys, and what a poll leaves to the next."""

from decimal import Decimal

from chatbot.domain.balances import Gap
from chatbot.domain.credentials import CredentialState
from chatbot.ports.accounts import Progress, Work
from chatbot.ports.stores import UnitOfWork
from tests.storage.rows import MINUTE, NOW, World, connect


async def test_nobody_hurries_past_a_wait_the_exchange_asked_for(store: UnitOfWork, world: World):
    """Neither before the refused poll ends nor after it; what was asked for is read once the wait is over."""
    work = await _claim(store)
    await store.accounts.hurry(world.account.id, NOW)
    await store.accounts.finish(work, Progress(NOW + MINUTE, work.nonce, failures=1, trouble="rate_limit"))
    await store.accounts.hurry(world.account.id, NOW, ask_in=world.chat.id)
    assert await store.accounts.claim(NOW, NOW + MINUTE, 5) == []

    asked = await _claim(store, NOW + MINUTE)

    assert (asked.hurried, asked.balances_at, asked.asked_in) == (True, None, world.chat.id)


async def test_a_dead_key_is_tested_and_not_read(store: UnitOfWork, world: World):
    """A look at balances leaves a dead key alone, a test does not, and it can come back to life."""
    work = await _claim(store)
    await store.accounts.finish(work, Progress(NOW + MINUTE, work.nonce, state=CredentialState.DEAD))
    await store.accounts.hurry(world.account.id, NOW)
    assert await store.accounts.claim(NOW, NOW + MINUTE, 5) == []
    await store.accounts.hurry(world.account.id, NOW, ask_in=world.chat.id)
    again = await _claim(store)
    await store.accounts.finish(again, Progress(NOW, again.nonce, state=CredentialState.ACTIVE))

    (alive,) = await store.accounts.of_person(world.alice.id)
    assert alive.state is CredentialState.ACTIVE


async def test_keys_that_fail_alike_are_counted(store: UnitOfWork, world: World):
    """Of one exchange, active ones only, and with this very trouble."""
    for name in ("b", "c"):
        await connect(store, world.alice, world.chat, name)
    for work in await store.accounts.claim(NOW, NOW + MINUTE, 5):
        trouble = {"a1": "bad_key", "b": "maintenance", "c": ""}[work.account.id]
        await store.accounts.finish(work, Progress(NOW, work.nonce, trouble=trouble))

    assert await store.accounts.failing("bitso", "bad_key") == (1, 3)
    assert await store.accounts.failing("kraken", "bad_key") == (0, 0)


async def test_what_no_fill_explains_is_remembered(store: UnitOfWork, world: World):
    """Gaps and the time of the next try at history survive from poll to poll, to the last digit."""
    gaps = {"BTC": Gap(Decimal("-0.70000001"), Decimal("-0.7"), Decimal("0.0001"))}
    work = await _claim(store)
    assert (work.unexplained, work.history_at) == ({}, None)
    await store.accounts.finish(
        work, Progress(NOW, work.nonce, unexplained=gaps, history_at=NOW + 10 * MINUTE)
    )
    again = await _claim(store)
    await store.accounts.finish(again, Progress(NOW, again.nonce))
    last = await _claim(store)

    assert (last.unexplained, last.history_at) == (gaps, NOW + 10 * MINUTE)
    await store.accounts.finish(last, Progress(NOW, last.nonce, unexplained={}))
    assert (await _claim(store)).unexplained == {}


async def _claim(store: UnitOfWork, at=NOW) -> Work:
    (work,) = await store.accounts.claim(at, at + MINUTE, 5)
    return work
