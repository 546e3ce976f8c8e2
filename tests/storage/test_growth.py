"""A table that has grown for years: old content goes, keys stay, and nothing walks through what is over."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import select, text

from chatbot.domain.outbox import Next, OutboxState, Promise
from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from storage.outbox import OUTBOX
from storage.stores import Stores
from storage.transaction import Transaction
from tests.storage.rows import MINUTE, NOW, World, post, take

DAY = timedelta(days=1)


async def send(store: UnitOfWork, world: World, key: str) -> None:
    """Queue and send one message."""
    await store.outbox.put(world.chat.id, post(key), Promise.ALERT, NOW, key=key)
    (delivery,) = await take(store)
    await store.outbox.begin(delivery)
    await store.outbox.sent(delivery, "m1", NOW)


async def test_old_messages_lose_their_content_and_keep_their_key(database: Database, settled: World):
    """A week after it was sent nobody can read it here any more, and it is still not told twice."""
    async with database.uow() as store:
        await send(store, settled, "k1")
        await store.outbox.put(settled.chat.id, post("waits"), Promise.ALERT, NOW, key="k2")
        (waiting,) = await take(store)
        await store.outbox.failed(waiting, Next(OutboxState.PENDING, 10 * DAY.total_seconds()), "x", NOW)

        assert await store.outbox.prune(NOW) == 0
        assert await store.outbox.prune(NOW + MINUTE) == 1
        assert await store.outbox.prune(NOW + 9 * DAY) == 0
        assert not await store.outbox.put(settled.chat.id, post("again"), Promise.ALERT, NOW, key="k1")
        assert (await take(store, NOW + 11 * DAY))[0].message == post("waits").message
    async with database.transaction() as tx:
        kept = await tx.all(select(OUTBOX.c.key, OUTBOX.c.message.is_(None).label("bare")))
        assert {row.key: bool(row.bare) for row in kept} == {"k1": True, "k2": False}


async def test_what_was_for_a_place_that_was_left_is_pruned_too(database: Database, settled: World):
    """A message that could never be sent does not stay for ever."""
    async with database.uow() as store:
        await store.conversations.leave(settled.group.id)
        await store.outbox.put(settled.group.id, post("x"), Promise.ALERT, NOW, key="k")

        assert await store.outbox.prune(NOW + MINUTE) == 1


async def test_repeats_are_counted_by_their_mark(store: UnitOfWork, world: World):
    """The gauge shows every state, and how many messages were marked."""
    await send(store, world, "k1")
    await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW)
    (delivery,) = await take(store)
    await store.outbox.failed(delivery, Next(OutboxState.PENDING, repeat=True), "x", NOW)

    counts = await store.outbox.counts()

    assert (counts["sent"], counts["pending"], counts["gone"], counts["marked"]) == (1, 1, 0, 1)


async def test_nothing_walks_through_what_is_over(fresh_sqlite: str):
    """On SQLite every look at the outbox goes through an index, however many rows it keeps."""
    database = Database(fresh_sqlite)
    await database.migrate()
    asked: list[str] = []
    async with database.transaction() as tx:
        await _listen(tx, asked.append)
        outbox = Stores(tx).outbox
        await outbox.claim(NOW, NOW + MINUTE, 10, (), ("web",))
        await outbox.counts()
        await outbox.prune(NOW)
        await _listen(tx, None)
        plans = [
            str(row[-1])
            for sql in asked
            for row in await tx.all(text("EXPLAIN QUERY PLAN " + sql.replace(":", "\\:")))
        ]
    await database.close()

    assert any("outbox" in plan for plan in plans)
    assert [p for p in plans if p.startswith(("SCAN outbox", "SCAN other")) and "INDEX" not in p] == []


async def _listen(tx: Transaction, listener: Callable[[str], None] | None) -> None:
    await tx.call(lambda c: cast("Any", c.connection.driver_connection).set_trace_callback(listener))
