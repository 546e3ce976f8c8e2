"""The inbox: what ends its worker is parked alone, what is given back was not taken, what is old goes."""

from datetime import timedelta

from sqlalchemy import select

from chatbot.ports.mail import InboxRow
from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from storage.inbox import INBOX
from tests.storage.rows import MINUTE, NOW

LATER = NOW + timedelta(days=91)


async def put(store: UnitOfWork, *events: str) -> None:
    """Store some updates."""
    for event in events:
        await store.inbox.put("web", event, {"event": event}, NOW)


async def die(store: UnitOfWork, times: int) -> list[InboxRow]:
    """Take all that waits and never come back, so many times; return what was taken last."""
    rows: list[InboxRow] = []
    for number in range(times):
        now = NOW + 2 * number * MINUTE
        rows = list(await store.inbox.claim(now, now + MINUTE, 10))
    return rows


def events(rows: list[InboxRow]) -> list[str]:
    """Name the updates."""
    return [row.raw["event"] for row in rows]


async def test_what_ends_its_worker_is_parked_and_nothing_else(store: UnitOfWork):
    """After five deaths the first of a batch is parked; the ones behind it are as new."""
    await put(store, "deadly", "next", "last")

    assert events(await die(store, 5)) == ["deadly", "next", "last"]
    now = NOW + 20 * MINUTE
    rows = list(await store.inbox.claim(now, now + MINUTE, 10))

    assert [(row.raw["event"], row.attempts) for row in rows] == [("next", 1), ("last", 1)]
    for row in rows:
        await store.inbox.done(row)
    assert await store.inbox.claim(LATER, LATER + MINUTE, 10) == []


async def test_what_is_given_back_counts_as_not_taken(store: UnitOfWork):
    """Released updates come again at once, in order, as often as it takes, and are never parked for it."""
    await put(store, "one", "two")
    for _ in range(9):
        rows = list(await store.inbox.claim(NOW, NOW + MINUTE, 10))
        assert [(row.raw["event"], row.attempts) for row in rows] == [("one", 1), ("two", 1)]
        await store.inbox.release(rows)


async def test_who_comes_late_gives_nothing_back(store: UnitOfWork):
    """An update that somebody else has taken meanwhile, or has handled, is left alone."""
    await put(store, "one")
    (late,) = await store.inbox.claim(NOW, NOW + MINUTE, 10)
    (mine,) = await store.inbox.claim(NOW + 2 * MINUTE, NOW + 3 * MINUTE, 10)

    await store.inbox.release([late])
    await store.inbox.done(mine)
    await store.inbox.release([mine])

    assert await store.inbox.claim(LATER, LATER + MINUTE, 10) == []


async def test_old_updates_go_once_they_are_over(database: Database):
    """What was handled or parked is forgotten; what still waits never is."""
    async with database.uow() as store:
        await put(store, "handled", "parked", "waiting")
        handled, parked, _ = await store.inbox.claim(NOW, NOW + MINUTE, 10)
        await store.inbox.done(handled)
        await store.inbox.fail(parked, "x", park=True)
        assert await store.inbox.prune(NOW) == 0
        assert await store.inbox.prune(NOW + MINUTE) == 2
        assert await store.inbox.prune(NOW + MINUTE) == 0
    async with database.transaction() as tx:
        assert [row.event_id for row in await tx.all(select(INBOX))] == ["waiting"]
