"""People who are one on several platforms, on both databases: who is met, who wins, who waits, what follows."""

import asyncio

import pytest
from sqlalchemy import text

from chatbot.domain.credentials import AccountId
from chatbot.domain.people import Identity, Person, PersonId, Place
from chatbot.errors import StorageError
from chatbot.ports.linked import Resealed
from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from tests.storage.rows import MINUTE, NOW, SEALED, World, connect, link, pending, settle

BOB = Identity("slack", "U2", "T1")
HASH = b"#" * 32
LATER = NOW + 10 * MINUTE


async def meet_bob(store: UnitOfWork) -> Person:
    """Let Bob act in his workspace."""
    return await store.people.meet(BOB, "Bob", "es", ("UTC", "MXN"), NOW)


async def test_who_is_linked_is_met_as_the_main_person(store: UnitOfWork, world: World):
    """Their id, team and settings, under the identity and name that act; the main keeps its own."""
    await store.linked.join(world.bob.id, world.alice.id, [], NOW)

    met = await meet_bob(store)
    again = await store.people.meet(BOB, "Robert", "es", ("UTC", "MXN"), NOW)

    assert (met.id, met.team, met.locale, met.currency) == (world.alice.id, "home", "en", "USD")
    assert (met.identity, met.name) == (BOB, "Bob")
    assert again.name == "Robert"
    assert await store.people.get(world.alice.id) == world.alice


async def test_who_joins_brings_those_who_joined_them(store: UnitOfWork, world: World):
    """There is never a chain: everybody hangs from one main person; who leaves takes along whom they brought."""
    web = await store.people.meet(Identity("web", "you"), "You", "en", ("UTC", "USD"), NOW)
    await store.linked.join(world.bob.id, world.alice.id, [AccountId("b1")], NOW)
    await store.linked.join(world.alice.id, web.id, [AccountId("a1"), AccountId("b1")], NOW + MINUTE)

    group = await store.linked.identities(web.id)

    assert [one.id for one in group] == [web.id, world.bob.id, world.alice.id]
    assert (await meet_bob(store)).id == web.id
    assert await store.linked.brought(world.bob.id, web.id) == {"b1"}
    assert await store.linked.brought(world.alice.id, web.id) == {"a1", "b1"}
    assert [one.id for one in await store.linked.company(world.alice.id, web.id)] == [world.bob.id]
    assert await store.linked.company(world.bob.id, web.id) == []
    assert await store.linked.lock(world.alice.id) is False
    assert await store.linked.lock(web.id, PersonId("nobody")) is False
    assert await store.linked.lock(web.id) is True


async def test_a_page_opened_by_any_of_them_is_the_main_persons(store: UnitOfWork, world: World):
    """A link minted for the person opens by whichever identity a platform vouches for."""
    await store.linked.join(world.bob.id, world.alice.id, [], NOW)
    await store.links.mint(link(world.alice, world.chat), NOW)

    assert await store.links.open_of(BOB, NOW) == b"link"
    assert await store.links.open_of(world.alice.identity, NOW) == b"link"


async def test_a_code_is_replaced_swept_and_used_once(store: UnitOfWork, world: World):
    """One per person, for its time, by one conditional delete."""
    await store.linked.show(world.alice.id, b"old" + HASH, LATER, NOW)
    await store.linked.show(world.alice.id, HASH, LATER, NOW)
    await store.linked.show(world.bob.id, b"bob" + HASH, NOW + MINUTE, NOW)

    assert await store.linked.shown_by(b"old" + HASH, NOW) is None
    assert await store.linked.shown_by(HASH, NOW) == world.alice
    assert await store.linked.shown_by(HASH, LATER) is None
    assert await store.linked.take(b"bob" + HASH, NOW + MINUTE) is False
    assert await store.linked.take(HASH, NOW) is True
    assert await store.linked.take(HASH, NOW) is False


async def test_of_forty_who_type_a_code_one_wins(database: Database, settled: World):
    """There is no moment between looking and taking."""
    async with database.uow() as store:
        await store.linked.show(settled.alice.id, HASH, LATER, NOW)

    async def take() -> bool:
        async with database.uow() as store:
            return await store.linked.take(HASH, NOW)

    assert (await asyncio.gather(*(take() for _ in range(40)))).count(True) == 1


async def test_a_join_waits_for_who_is_acting(database: Database, settled: World):
    """A link that somebody mints while they are being joined is ended by the join, not left with nobody."""

    async def join() -> int:
        async with database.uow() as store:
            assert await store.linked.lock(settled.bob.id, settled.alice.id)
            ended = await store.links.revoke_of(settled.bob.id)
            await store.linked.join(settled.bob.id, settled.alice.id, [], NOW)
            return ended

    async with database.uow() as store:
        acting = await meet_bob(store)
        joining = asyncio.create_task(join())
        await _until_it_waits(database, joining)
        await store.links.mint(link(acting, settled.bobs_chat), NOW)

    assert await joining == 1


async def test_who_acts_during_a_join_is_the_main_person(database: Database, settled: World):
    """They wait for its end and are met as who they are then."""

    async def act() -> Person:
        async with database.uow() as store:
            return await meet_bob(store)

    async with database.uow() as store:
        assert await store.linked.lock(settled.bob.id, settled.alice.id)
        acting = asyncio.create_task(act())
        await _until_it_waits(database, acting)
        await store.linked.join(settled.bob.id, settled.alice.id, [], NOW)

    assert (await acting).id == settled.alice.id


async def _until_it_waits(database: Database, task: asyncio.Task[object]) -> None:
    """Return once a task waits for a row of ours; SQLite lets nobody in meanwhile anyhow."""
    for _ in range(500):
        await asyncio.sleep(0.01)
        assert not task.done()
        # In a task of its own: ours is in a unit of work already.
        if database.is_sqlite or await asyncio.create_task(_somebody_waits(database)):
            return
    pytest.fail("it does not wait")


async def _somebody_waits(database: Database) -> bool:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    async with database.transaction() as tx:
        row = await tx.first(waiting)
    return row is not None and row[0] > 0


async def test_two_who_type_each_others_code_are_joined_once(fresh_postgres: str):
    """One of them is put off by the database and finds the code used when tried again."""
    database = Database(fresh_postgres)
    await database.migrate()
    async with database.uow() as store:
        world = await settle(store)
    both = asyncio.Barrier(2)

    async def join(person: Person, main: Person) -> bool:
        async with database.uow() as store:
            await store.people.meet(person.identity, person.name, "en", ("UTC", "USD"), NOW)
            await both.wait()
            if not await store.linked.lock(person.id, main.id):
                return False
            await store.linked.join(person.id, main.id, [], NOW)
        return True

    tries = join(world.alice, world.bob), join(world.bob, world.alice)
    results = await asyncio.gather(*tries, return_exceptions=True)
    await database.close()

    assert results.count(True) == 1
    (other,) = [result for result in results if result is not True]
    assert other is False or (isinstance(other, StorageError) and other.retry)


async def test_all_of_an_account_goes_to_its_new_owner(store: UnitOfWork, world: World):
    """Team, owner and seal change together; polls and posts under way are fenced off, the lease stays."""
    await store.subscriptions.ensure(world.account.id, "balances", world.chat.id, NOW, NOW.date().isoformat())
    (work,) = await store.accounts.claim(NOW, NOW + MINUTE, 5)
    (sub,) = await store.subscriptions.claim_due("balances", NOW, NOW + MINUTE, 5)

    await store.linked.hand_over(world.account.id, world.bob, Resealed(SEALED, b"fresh"))

    moved = await store.accounts.get(world.account.id, world.bob.team)
    assert moved is not None
    assert moved.owner == world.bob.id
    assert await store.accounts.taken(world.bob.team, b"fresh") == moved
    assert await store.accounts.claim(NOW + 0.5 * MINUTE, LATER, 5) == []
    (again,) = await store.accounts.claim(NOW + 2 * MINUTE, LATER, 5)
    (due,) = await store.subscriptions.claim_due("balances", NOW, NOW + MINUTE, 5)
    assert (again.fence, due.fence) == (work.fence + 2, sub.fence + 2)
    assert (again.owner.id, due.reader.id) == (world.bob.id, world.bob.id)


async def test_parting_leaves_each_their_own(store: UnitOfWork, world: World):
    """Places go back; what went to the other's private chat comes home, once; groups of theirs hear no more."""
    theirs = await store.conversations.enter(Place("slack", "C1", "T1", private=False), world.bob.team, None)
    brought = await connect(store, world.bob, world.bobs_chat, "b1")
    await store.linked.hand_over(brought.id, world.alice, Resealed(SEALED, b"b1"))
    await store.linked.join(world.bob.id, world.alice.id, [brought.id], NOW)
    for account in (world.account, brought):
        for place in (world.bobs_chat, theirs, world.group):
            await store.subscriptions.ensure(account.id, "fills", place.id)
    await store.subscriptions.ensure(world.account.id, "keys", world.chat.id)
    await store.subscriptions.ensure(world.account.id, "keys", world.bobs_chat.id)
    assert {one.id for one in await store.conversations.privates_of(world.alice.id)} == {
        world.chat.id,
        world.bobs_chat.id,
    }

    await store.linked.hand_over(brought.id, world.bob, Resealed(SEALED, b"b1"))
    assert await store.linked.part(world.bob, world.alice) is True
    assert await store.linked.part(world.bob, world.alice) is False

    assert (await store.conversations.get(world.bobs_chat.id)).person == world.bob.id
    assert (await store.conversations.get(world.chat.id)).person == world.alice.id
    assert await _targets(store, world.account.id, "fills") == {world.chat.id, world.group.id}
    assert await _targets(store, world.account.id, "keys") == {world.chat.id}
    assert await _targets(store, brought.id, "fills") == {world.bobs_chat.id, theirs.id}
    assert (await meet_bob(store)).id == world.bob.id


async def test_who_was_brought_leaves_with_who_brought_them(store: UnitOfWork, world: World):
    """Both, with their places; nothing of the two goes to where only the third can act, nor the other way round."""
    web = await store.people.meet(Identity("web", "you"), "You", "en", ("UTC", "USD"), NOW)
    home = await store.conversations.enter(Place("web", "you"), web.team, web.id)
    brought = await connect(store, world.bob, world.bobs_chat, "b1")
    kept = await connect(store, web, home, "w1")
    await store.linked.hand_over(brought.id, world.alice, Resealed(SEALED, b"b1"))
    await store.linked.join(world.bob.id, world.alice.id, [brought.id], NOW)
    for account in (world.account, brought):
        await store.linked.hand_over(account.id, web, None)
    await store.linked.join(world.alice.id, web.id, [world.account.id, brought.id], NOW)
    for account in (brought, kept):
        for place in (world.bobs_chat, home):
            await store.subscriptions.ensure(account.id, "fills", place.id)

    for account in (world.account, brought):
        await store.linked.hand_over(account.id, world.alice, None)
    assert await store.linked.part(world.alice, web) is True

    assert [one.id for one in await store.linked.identities(web.id)] == [web.id]
    assert [one.id for one in await store.linked.identities(world.alice.id)] == [world.alice.id, world.bob.id]
    assert (await meet_bob(store)).id == world.alice.id
    assert (await store.conversations.get(world.bobs_chat.id)).person == world.alice.id
    assert await _targets(store, brought.id, "fills") == {world.bobs_chat.id, world.chat.id}
    assert await _targets(store, kept.id, "fills") == {home.id}
    assert await store.linked.brought(world.bob.id, world.alice.id) == {"b1"}


async def _targets(store: UnitOfWork, account: AccountId, kind: str) -> set[str]:
    return {sub.conversation for sub in await store.subscriptions.of_account(account, kind)}


async def test_forgetting_the_main_person_forgets_them_all(store: UnitOfWork, world: World):
    """And nobody else."""
    web = await store.people.meet(Identity("web", "you"), "You", "en", ("UTC", "USD"), NOW)
    await store.linked.join(world.bob.id, world.alice.id, [], NOW)
    await store.people.forget(world.alice.id)

    for gone in (world.alice.id, world.bob.id):
        with pytest.raises(KeyError):
            await store.people.get(gone)
    assert await store.people.get(web.id) == web


async def test_all_accounts_are_held_whatever_their_state(store: UnitOfWork, world: World):
    """Pending and revoked ones go along too, the latter without a secret."""
    await store.accounts.add(pending(world.alice, world.chat, "a2"), SEALED, b"a2", NOW)
    await store.accounts.shred(world.account.id, NOW)

    held = await store.linked.held(world.alice.id)

    assert [(one.account.id, one.sealed) for one in held] == [("a1", None), ("a2", SEALED)]


async def test_acts_of_one_are_counted_for_a_time(store: UnitOfWork, world: World):
    """By who, what and outcome, in one team."""
    for outcome in ("wrong", "wrong", "shown"):
        await store.audit.note(world.alice.team, "telegram:1", "link_code", "", outcome, NOW)
    await store.audit.note(world.alice.team, "telegram:2", "link_code", "", "wrong", NOW)

    counted = [
        await store.audit.count(world.alice.team, "telegram:1", "link_code", "wrong", since)
        for since in (NOW - MINUTE, NOW, NOW + MINUTE)
    ]

    assert counted == [2, 2, 0]
    assert await store.audit.count(world.bob.team, "telegram:1", "link_code", "wrong", NOW) == 0


async def test_near_means_the_same_bot(store: UnitOfWork, world: World):
    """A private answer comes where it was asked for, or not at all."""
    await store.linked.join(world.bob.id, world.alice.id, [], NOW)

    near = await store.conversations.private_of(world.alice.id, Place("slack", "C9", "T1", private=False))
    other = await store.conversations.private_of(world.alice.id, Place("slack", "C9", "T2", private=False))

    assert near is not None
    assert near.id == world.bobs_chat.id
    assert other is None
