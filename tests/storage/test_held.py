"""What is held back: once, in order, the newest state of a card, and nothing of it lost or told twice."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import text

from chatbot.domain.messages import Image, message
from chatbot.domain.notices import Kind, Loudness
from chatbot.domain.outbox import Promise
from chatbot.domain.people import ConversationId, Place
from chatbot.ports.records import Subscription
from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from storage.stores import Stores
from storage.transaction import Transaction
from tests.storage.rows import MINUTE, NOW, World, connect, meet, post, take

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = NOW + HOUR


async def fills_of(store: UnitOfWork, world: World, place: ConversationId | None = None) -> Subscription:
    """Subscribe a place to the account's fills."""
    await store.subscriptions.ensure(world.account.id, Kind.FILLS, place or world.chat.id)
    found = await store.subscriptions.of_account(world.account.id, Kind.FILLS)
    return next(sub for sub in found if sub.conversation == (place or world.chat.id))


async def hold(store: UnitOfWork, sub: Subscription, *keys: str, card: str = "") -> None:
    """Hold a message for each key, for an hour."""
    for key in keys:
        assert await store.held.add(sub, message(f"says {key}"), key, NOW, LATER, card=card)


async def words(store: UnitOfWork, sub: Subscription) -> list[str]:
    """Return what is held for the place."""
    return [held.message.plain() for held in await store.held.open(sub.conversation)]


async def test_what_is_held_comes_back_in_order_when_its_time_has_come(store: UnitOfWork, world: World):
    """Not before; longest waiting first among places; with reader, subscription and time of arrival."""
    sub = await fills_of(store, world)
    await hold(store, sub, "1", "2")

    assert await store.held.due(NOW, 5) == []
    assert not await store.held.waits(sub.conversation, NOW)
    assert await store.held.due(LATER, 5) == [sub.conversation]
    assert await store.held.waits(sub.conversation, LATER)
    first, second = await store.held.open(sub.conversation)
    assert (first.message, second.message) == (message("says 1"), message("says 2"))
    assert (first.reader, first.subscription, first.at) == (world.alice, sub, NOW)

    await store.held.over([first, second], LATER)
    assert await store.held.due(LATER, 5) == []


async def test_a_thing_is_held_or_told_once(store: UnitOfWork, world: World):
    """Its key is known while it is held, after it was told, and where it had been queued before."""
    sub = await fills_of(store, world)
    await hold(store, sub, "1")
    assert not await store.held.add(sub, message("again"), "1", NOW, LATER)
    await store.held.over(await store.held.open(sub.conversation), NOW)
    assert not await store.held.add(sub, message("again"), "1", NOW, LATER)
    assert await store.held.knows("1")

    await store.outbox.put(sub.conversation, post(), Promise.ALERT, NOW, key="2")
    assert not await store.held.add(sub, message("again"), "2", NOW, LATER)
    assert not await store.held.knows("2")
    assert await words(store, sub) == []


async def test_a_card_keeps_its_newest_state(store: UnitOfWork, world: World):
    """The older one is let go, in its place only; another card stays."""
    sub, group = await fills_of(store, world), await fills_of(store, world, world.group.id)
    await hold(store, sub, "1", card="order:7")
    await hold(store, sub, "2", card="order:8")
    await hold(store, group, "3", card="order:7")
    await hold(store, sub, "4", card="order:7")

    assert await words(store, sub) == ["says 2", "says 4"]
    assert await words(store, group) == ["says 3"]
    await store.held.supersede(sub.conversation, "order:8", NOW)
    assert await words(store, sub) == ["says 4"]


async def test_a_card_that_stands_in_the_chat_is_known(store: UnitOfWork, world: World):
    """So that it can be brought up to date where it stands."""
    sub = await fills_of(store, world)
    await store.outbox.put(sub.conversation, post(card="order:7"), Promise.CARD, NOW, key="0")
    (delivery,) = await take(store)
    await store.outbox.begin(delivery)
    await store.outbox.sent(delivery, "m1", NOW)
    await hold(store, sub, "1", card="order:7")
    await hold(store, sub, "2", card="order:8")

    assert [held.shown for held in await store.held.open(sub.conversation)] == [True, False]


async def test_a_picture_is_held_too(store: UnitOfWork, world: World):
    """The balances of a muted morning keep their picture, with its words."""
    sub = await fills_of(store, world)
    shown = replace(message("balances"), image=Image(b"PNG", "what you hold"))
    await store.held.add(sub, shown, "1", NOW, LATER)

    (held,) = await store.held.open(sub.conversation)

    assert held.message == shown


async def test_holding_on_moves_the_time(store: UnitOfWork, world: World):
    """What is still muted is looked at again when that may be over."""
    sub = await fills_of(store, world)
    await hold(store, sub, "1")
    await store.held.keep(await store.held.open(sub.conversation), LATER + HOUR)

    assert await store.held.due(LATER, 5) == []
    assert await store.held.due(LATER + HOUR, 5) == [sub.conversation]


async def test_changed_settings_are_looked_at_at_once(store: UnitOfWork, world: World):
    """A mute that is lifted, quiet hours that are changed: what is held need not wait for the old end."""
    sub = await fills_of(store, world)

    async def due_after(change: object) -> bool:
        await store.held.keep(await store.held.open(sub.conversation), LATER)
        assert await store.held.due(NOW, 5) == []
        await change  # type: ignore[misc]
        return await store.held.due(NOW, 5) == [sub.conversation]

    await hold(store, sub, "1")
    assert await due_after(store.conversations.mute(sub.conversation, None))
    assert await due_after(store.conversations.set_quiet(sub.conversation, "", ""))
    assert await due_after(store.subscriptions.mute(world.alice.id, [sub.id], NOW, NOW))
    assert await due_after(store.subscriptions.set_loudness(world.alice.id, [sub.id], Loudness.OFF))
    assert await due_after(store.conversations.leave(sub.conversation))
    assert not await due_after(store.subscriptions.mute(world.bob.id, [sub.id], NOW, NOW))


async def test_the_settings_of_the_moment_come_along(store: UnitOfWork, world: World):
    """How loud it is now, not when it was held; None once the subscription was ended or the place left."""
    sub, group = await fills_of(store, world), await fills_of(store, world, world.group.id)
    await hold(store, sub, "1")
    await hold(store, group, "2")
    await store.subscriptions.set_loudness(world.alice.id, [sub.id], Loudness.SILENT)
    await store.subscriptions.remove(world.alice.id, group.conversation)

    (mine,), (gone,) = [await store.held.open(place) for place in (sub.conversation, group.conversation)]

    assert mine.subscription == replace(sub, loudness=Loudness.SILENT)
    assert gone.subscription is None
    await store.conversations.leave(sub.conversation)
    assert (await store.held.open(sub.conversation))[0].subscription is None


async def test_what_was_held_by_a_clock_that_was_set_back_is_not_held_for_ever(
    store: UnitOfWork, world: World
):
    """Its end lies further away than any mute may last: looked at now."""
    sub = await fills_of(store, world)
    await hold(store, sub, "1")

    assert await store.held.due(NOW - 7 * DAY, 5) == []
    assert await store.held.due(NOW - 9 * DAY, 5) == [sub.conversation]


async def test_what_is_held_goes_with_its_owner_and_moves_with_its_place(store: UnitOfWork, world: World):
    """A supergroup's digest comes to the new place; of somebody who was forgotten nothing is kept."""
    group = await fills_of(store, world, world.group.id)
    await hold(store, group, "1")
    await store.conversations.move(Place("telegram", "-7", private=False), "-100")
    (held,) = await store.held.open(group.conversation)
    assert held.subscription is not None

    await store.people.forget(world.alice.id)

    assert await store.held.open(group.conversation) == []
    assert not await store.held.knows("1")


async def test_the_words_of_what_was_told_are_not_kept(database: Database, settled: World):
    """The row keeps its key alone."""
    async with database.uow() as store:
        sub = await fills_of(store, settled)
        await hold(store, sub, "1")
        await store.held.over(await store.held.open(sub.conversation), NOW)
    async with database.transaction() as tx:
        (row,) = await tx.all(text("SELECT key, message FROM held"))
    assert tuple(row) == ("1", None)


async def test_a_post_of_several_goes_with_each_of_them(store: UnitOfWork, world: World):
    """While all go on, their owners come along; once one ended it, it is as if it had been ended itself."""
    other = await connect(store, world.bob, world.chat, "a2")
    sub = await fills_of(store, world, world.group.id)
    await store.subscriptions.ensure(other.id, Kind.FILLS, world.group.id)
    (second,) = await store.subscriptions.of_account(other.id, Kind.FILLS)
    await store.held.add(sub, message("both"), "1", NOW, LATER, also=[sub.id, second.id])

    (held,) = await store.held.open(world.group.id)
    assert held.subscription == sub
    assert held.others == (world.alice, world.bob)
    await store.accounts.shred(other.id, NOW)
    (held,) = await store.held.open(world.group.id)
    assert held.subscription is None


async def test_who_is_forgotten_is_unsaid_in_posts_of_several(database: Database, settled: World):
    """Held, waiting or sent: what others read in a group keeps no words; their private chats keep theirs."""
    async with database.uow() as store:
        carol = await meet(store, "3")
        await connect(store, carol, settled.group, "a2")
        sub = await fills_of(store, settled, settled.group.id)
        await store.held.add(sub, message("both"), "together:1", NOW, LATER, also=[sub.id])
        for number, place in ((2, settled.group), (3, settled.group), (4, settled.chat)):
            await store.outbox.put(place.id, post(), Promise.REPORT, NOW, key=f"together:{number}")
        await store.outbox.put(settled.group.id, post(), Promise.ALERT, NOW, key="fill")
        delivery = next(one for one in await take(store) if one.conversation == settled.group.id)
        await store.outbox.begin(delivery)
        await store.outbox.sent(delivery, "m", NOW)
        await store.people.forget(carol.id)
    async with database.transaction() as tx:
        kept = await tx.all(text("SELECT key, state, message IS NOT NULL FROM outbox ORDER BY seq"))
        held = await tx.all(text("SELECT message, over_at FROM held"))
    told = [("together:2", "sent", False), ("together:3", "gone", False), ("together:4", "claimed", True)]
    assert [tuple(row) for row in kept] == [*told, ("fill", "pending", True)]
    assert [row.message for row in held if row.over_at is not None] == [None]


async def test_what_can_not_be_read_can_be_put_off(store: UnitOfWork, world: World):
    """Without looking at it; what was to wait longer anyway still does."""
    sub = await fills_of(store, world)
    await hold(store, sub, "1")
    await store.held.put_off(sub.conversation, LATER + HOUR)
    assert await store.held.due(LATER, 5) == []
    await store.held.put_off(sub.conversation, NOW)
    assert await store.held.due(LATER, 5) == []
    assert await store.held.due(LATER + HOUR, 5) == [sub.conversation]


async def test_two_accounts_share_a_place(store: UnitOfWork, world: World):
    """Each post has the subscription of its own account."""
    other = await connect(store, world.alice, world.chat, "a2")
    sub = await fills_of(store, world)
    await store.subscriptions.ensure(other.id, Kind.FILLS, world.chat.id)
    (second,) = await store.subscriptions.of_account(other.id, Kind.FILLS)
    await hold(store, sub, "1")
    await hold(store, second, "2")

    found = [held.subscription for held in await store.held.open(world.chat.id)]

    assert [one.account for one in found if one] == [world.account.id, other.id]


async def test_two_machines_tell_a_place_once(database_url: str, database: Database, settled: World):
    """Whoever comes second finds nothing left, and what came meanwhile is there for the next digest."""
    async with database.uow() as store:
        sub = await fills_of(store, settled)
        await hold(store, sub, "1", "2")
    other = Database(database_url, wait_seconds=5)

    async def release(machine: Database) -> int:
        async with machine.uow() as store:
            posts = await store.held.open(sub.conversation)
            await asyncio.sleep(0)
            await store.held.over(posts, LATER)
            return len(posts)

    assert sorted(await asyncio.gather(release(database), release(other))) == [0, 2]
    async with other.uow() as store:
        await hold(store, sub, "3")
    assert await release(database) == 1
    await other.close()


async def test_nothing_walks_through_what_is_held_or_scheduled(fresh_sqlite: str):
    """On SQLite every look for what is due goes through an index, however much waits."""
    database = Database(fresh_sqlite)
    await database.migrate()
    asked: list[str] = []
    async with database.transaction() as tx:
        await _listen(tx, asked.append)
        stores = Stores(tx)
        await stores.held.due(NOW, 5)
        await stores.subscriptions.claim_due("balances", NOW, NOW + MINUTE, 5)
        await _listen(tx, None)
        plans = [str(row[-1]) for sql in asked for row in await tx.all(text(f"EXPLAIN QUERY PLAN {sql}"))]
    await database.close()

    assert len(asked) == 4
    assert sum("ix_held_open" in plan for plan in plans) == 2
    assert sum("ix_subscriptions_kind_due_at" in plan for plan in plans) == 2
    assert [plan for plan in plans if plan.startswith("SCAN")] == []


async def _listen(tx: Transaction, listener: Callable[[str], None] | None) -> None:
    await tx.call(lambda c: cast("Any", c.connection.driver_connection).set_trace_callback(listener))
