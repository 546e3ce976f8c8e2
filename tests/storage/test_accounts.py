"""Accounts and the work due for them: seen by their team, polled by one worker, safe from late writers."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from chatbot.domain.credentials import CredentialState
from chatbot.errors import Fenced
from chatbot.ports.accounts import Progress, Work
from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from tests.storage.rows import MINUTE, NOW, REPORT, SEALED, SECOND, World, connect, pending


async def test_an_account_is_seen_by_its_team_only_and_once_confirmed(store: UnitOfWork, world: World):
    """Pending accounts are in no list; another team sees nothing."""
    waiting = pending(world.alice, world.chat, "a2")
    await store.accounts.add(waiting, SEALED, b"print", NOW)

    assert await store.accounts.pending(waiting.account.id) == waiting
    assert [a.id for a in await store.accounts.of_person(world.alice.id)] == ["a1"]
    await store.accounts.activate(waiting.account.id, NOW)
    await store.accounts.rename(waiting.account.id, "Savings")
    assert [a.name for a in await store.accounts.of_team(world.alice.team)] == [
        "Main a1 …a1b2",
        "Savings …a1b2",
    ]
    assert await store.accounts.of_team(world.bob.team) == []
    assert await store.accounts.get(waiting.account.id, world.bob.team) is None
    assert await store.accounts.pending(waiting.account.id) is None
    assert (await store.accounts.claim(NOW, NOW + MINUTE, 5))[1].sealed == SEALED


async def test_the_same_key_is_noticed_within_a_team(store: UnitOfWork, world: World):
    """A key that is connected is taken for its team, until it is revoked."""
    taken = await store.accounts.taken(world.alice.team, b"a1")
    assert taken is not None
    assert taken.id == world.account.id
    assert await store.accounts.taken(world.bob.team, b"a1") is None

    await store.accounts.shred(world.account.id, NOW)

    assert await store.accounts.taken(world.alice.team, b"a1") is None
    revoked = await store.accounts.get(world.account.id, world.alice.team)
    assert revoked is not None
    assert revoked.state is CredentialState.REVOKED
    assert await store.accounts.of_person(world.alice.id) == []


async def test_the_same_key_is_stored_once(store: UnitOfWork, world: World):
    """Two that come in at the same moment don't end in an error: the later one learns of it."""
    assert await store.accounts.add(pending(world.alice, world.chat, "a2"), SEALED, b"print", NOW)
    assert not await store.accounts.add(pending(world.alice, world.chat, "a3"), SEALED, b"print", NOW)
    assert await store.accounts.add(pending(world.bob, world.bobs_chat, "b1"), SEALED, b"print", NOW)

    assert [account.id for account in await store.accounts.pending_of(world.alice.id)] == ["a2"]


async def test_an_unconfirmed_account_times_out(store: UnitOfWork, world: World):
    """It is deleted with its secret and returned once, so that its owner can be told."""
    waiting = pending(world.alice, world.chat, "a2")
    await store.accounts.add(waiting, SEALED, b"print", NOW)

    assert await store.accounts.expire_pending(NOW + 9 * MINUTE) == []
    assert await store.accounts.expire_pending(NOW + 10 * MINUTE) == [waiting]
    assert await store.accounts.expire_pending(NOW + 10 * MINUTE) == []
    assert await store.accounts.get(waiting.account.id, world.alice.team) is None


async def test_what_a_person_attests_is_kept(store: UnitOfWork, world: World):
    """A report survives storage whole."""
    assert world.account.report == pending(world.alice, world.chat, "a1").account.report
    said = world.account.report.has({})

    await store.accounts.attest(world.account.id, said, NOW + MINUTE)

    account = await store.accounts.get(world.account.id, world.alice.team)
    assert account is not None
    assert (account.report, account.attested_at) == (said, NOW + MINUTE)


async def _claim(store: UnitOfWork, at=NOW) -> Work:
    (work,) = await store.accounts.claim(at, at + MINUTE, 5)
    return work


async def test_a_claim_brings_all_that_polling_needs(store: UnitOfWork, world: World):
    """Owner, sealed key, cursors and a floor for nonces; claimed once until the lease is over."""
    work = await _claim(store)

    assert (work.account, work.owner, work.sealed) == (world.account, world.alice, SEALED)
    assert (work.cursor, work.history, work.history_pages, work.fills_on) == ("100", "100", 0, True)
    assert (work.balances_at, work.check_at, work.asked_in) == (None, None, None)
    assert (work.deadline, work.failures, work.trouble_told) == (NOW + MINUTE, 0, False)
    assert await store.accounts.claim(NOW, NOW + MINUTE, 5) == []


async def test_without_fills_there_is_no_cursor(store: UnitOfWork, world: World):
    """A key that can't read fills starts without them."""
    waiting = replace(pending(world.alice, world.chat, "a2"), head=None)
    await store.accounts.add(waiting, SEALED, b"a2", NOW)
    assert await store.accounts.pending(waiting.account.id) == waiting
    await store.accounts.activate(waiting.account.id, NOW - SECOND)

    first = (await store.accounts.claim(NOW, NOW + MINUTE, 1))[0]

    assert (first.account.id, first.fills_on, first.cursor) == (waiting.account.id, False, None)


async def test_nonces_rise_whatever_happens(store: UnitOfWork, world: World):
    """Across claims, crashes, and a clock that steps back, no range of nonces comes twice."""
    floors = [(await _claim(store, at)).nonce for at in (NOW, NOW + MINUTE, NOW + MINUTE * 2)]
    work = await _claim(store, NOW + MINUTE * 3)
    beyond = work.nonce + 5 * 10**6
    await store.accounts.finish(work, Progress(due_at=NOW, nonce=beyond))
    floors += [work.nonce, (await _claim(store, NOW + MINUTE * 4)).nonce]
    await store.accounts.release(replace(work, fence=work.fence + 1))
    floors.append((await _claim(store, NOW)).nonce)

    assert all(later >= earlier + 10**6 for earlier, later in pairwise(floors))
    assert floors[0] >= int(NOW.timestamp()) * 10**9
    assert work.nonce < beyond


async def test_a_poll_writes_what_it_found(store: UnitOfWork, world: World):
    """What is None stays; the rest is there at the next claim."""
    work = await _claim(store)
    await store.accounts.finish(
        work,
        Progress(
            due_at=NOW + MINUTE,
            nonce=work.nonce,
            polled_at=NOW,
            cursor="120",
            history="50",
            history_added=25,
            balances_at=NOW + 5 * MINUTE,
            check_at=NOW + 60 * MINUTE,
            report=REPORT.has({}),
        ),
    )

    assert await store.accounts.claim(NOW + MINUTE - SECOND, NOW, 5) == []
    again = await _claim(store, NOW + MINUTE)
    assert (again.cursor, again.history, again.history_pages) == ("120", "50", 1)
    assert (again.account.history_count, again.account.polled_at, again.account.checked_at) == (25, NOW, NOW)
    assert (again.balances_at, again.check_at) == (NOW + 5 * MINUTE, NOW + 60 * MINUTE)
    await store.accounts.finish(
        again, Progress(NOW + MINUTE, again.nonce, history_done=True, state=CredentialState.DEAD)
    )
    assert await store.accounts.claim(NOW, NOW + MINUTE, 5) == []
    (dead,) = await store.accounts.of_person(world.alice.id)
    assert (dead.state, dead.history_done) == (CredentialState.DEAD, True)


async def test_trouble_lasts_from_its_first_poll(store: UnitOfWork, world: World):
    """The same trouble keeps its date, another starts anew, success ends it."""

    async def poll(minute: int, trouble: str) -> object:
        work = await _claim(store, NOW + minute * MINUTE)
        failed = Progress(NOW, work.nonce, failures=minute, trouble=trouble, trouble_told=bool(trouble))
        await store.accounts.finish(work, failed)
        account = await store.accounts.get(world.account.id, world.alice.team)
        assert account is not None
        return account.trouble_since

    assert await poll(1, "maintenance") == NOW + MINUTE
    assert await poll(2, "maintenance") == NOW + MINUTE
    assert await poll(3, "bad_key") == NOW + 3 * MINUTE
    work = await _claim(store, NOW + 4 * MINUTE)
    assert (work.failures, work.trouble_told, work.account.trouble) == (3, True, "bad_key")
    await store.accounts.release(work)
    assert await poll(4, "") is None


async def test_now_means_now(store: UnitOfWork, world: World):
    """A person's refresh makes balances due, a test also the check, and the answer knows where to go."""
    work = await _claim(store)
    later = Progress(NOW + MINUTE, work.nonce, balances_at=NOW + MINUTE, check_at=NOW + MINUTE)
    await store.accounts.finish(work, later)

    await store.accounts.hurry(world.account.id, NOW)
    refreshed = await _claim(store)
    assert (refreshed.balances_at, refreshed.check_at, refreshed.asked_in) == (None, NOW + MINUTE, None)
    await store.accounts.finish(refreshed, later)

    await store.accounts.hurry(world.account.id, NOW, ask_in=world.chat.id)
    asked = await _claim(store)
    assert (asked.balances_at, asked.check_at, asked.asked_in) == (None, None, world.chat.id)
    await store.accounts.finish(asked, replace(later, answered=True))
    assert (await _claim(store, NOW + MINUTE)).asked_in is None


@pytest.mark.parametrize("asks_again", [False, True])
async def test_a_question_during_a_poll_outlives_it(store: UnitOfWork, world: World, asks_again: bool):
    """What is asked for while a poll runs is not swallowed by the end of that poll."""
    await store.accounts.hurry(world.account.id, NOW, ask_in=world.chat.id)
    work = await _claim(store)
    await store.accounts.hurry(world.account.id, NOW, ask_in=world.group.id if asks_again else None)
    done = Progress(NOW + MINUTE, work.nonce, balances_at=NOW + MINUTE, check_at=NOW + MINUTE, answered=True)
    await store.accounts.finish(work, done)

    again = await _claim(store)

    assert again.balances_at is None
    assert (again.check_at, again.asked_in) == (
        (None, world.group.id) if asks_again else (NOW + MINUTE, None)
    )


async def test_who_comes_late_writes_nothing(store: UnitOfWork, world: World):
    """After the lease went to somebody else, or the account was revoked, a result is refused."""
    late = await _claim(store)
    work = await _claim(store, NOW + MINUTE)
    with pytest.raises(Fenced):
        await store.accounts.finish(late, Progress(NOW, late.nonce, cursor="999"))
    await store.accounts.release(late)
    assert await store.accounts.claim(NOW + MINUTE, NOW + 2 * MINUTE, 5) == []

    await store.accounts.shred(world.account.id, NOW)

    with pytest.raises(Fenced):
        await store.accounts.finish(work, Progress(NOW, work.nonce, state=CredentialState.ACTIVE))
    assert await store.accounts.claim(NOW + timedelta(days=1), NOW + timedelta(days=2), 5) == []


async def test_the_longest_due_come_first(store: UnitOfWork, world: World):
    """Under load nobody starves: claims go by due time, not by id."""
    for name, due in (("z", 3), ("m", 2), ("b", 1)):
        await connect(store, world.alice, world.chat, name)
        await store.accounts.hurry(pending(world.alice, world.chat, name).account.id, NOW - due * MINUTE)

    claimed = await store.accounts.claim(NOW, NOW + MINUTE, 3)

    assert [work.account.id for work in claimed] == ["z", "m", "b"]


async def test_workers_claim_different_accounts(database: Database, settled: World):
    """Two workers at once share the due accounts out between them."""
    async with database.uow() as store:
        for number in range(9):
            await connect(store, settled.alice, settled.chat, f"n{number}")
    async with database.uow() as store:
        one = await store.accounts.claim(NOW, NOW + MINUTE, 5)
    async with database.uow() as store:
        two = await store.accounts.claim(NOW, NOW + MINUTE, 10)

    assert len({work.account.id for work in (*one, *two)}) == len(one) + len(two) == 10


async def test_a_dead_key_can_still_be_told(store: UnitOfWork, world: World):
    """The poll that finds a key dead tells so through the account's subscriptions, in any order."""
    await store.subscriptions.ensure(world.account.id, "keys", world.chat.id, NOW)
    work = await _claim(store)
    await store.accounts.finish(work, Progress(NOW, work.nonce, state=CredentialState.DEAD))

    assert len(await store.subscriptions.of_account(world.account.id, "keys")) == 1
    assert await store.subscriptions.claim_due("balances", NOW, NOW + MINUTE, 5) == []
    await store.accounts.shred(world.account.id, NOW)
    assert await store.subscriptions.of_account(world.account.id, "keys") == []
