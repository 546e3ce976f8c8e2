"""A database that is away, locked, full or damaged: every store says so in one way, and recovers."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, cast, get_type_hints

import pytest
from sqlalchemy import text

from chatbot.errors import ConfigError, StorageError
from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from storage.stores import Stores
from storage.transaction import Transaction
from tests.storage.rows import MINUTE, NOW, World
from tests.storage.storecalls import CALLS, Call


def test_every_method_of_every_store_is_tried_here():
    """A method added to a port is a line in this table."""
    ports = get_type_hints(UnitOfWork)
    methods = {f"{name}.{m}" for name, port in ports.items() for m in vars(port) if not m.startswith("_")}

    assert set(CALLS) == methods


async def test_every_method_reports_a_broken_database_alike(
    database_url: str, database: Database, settled: World
):
    """Whatever is asked while the connection breaks, the answer is `StorageError`; afterwards all works again."""
    other = Database(database_url)
    for name, call in CALLS.items():
        with pytest.raises(StorageError) as broken:
            await _call_broken(database, other, call, settled)
        assert broken.value.retry, name
    await other.close()

    async with database.uow() as store:
        assert await store.people.get(settled.alice.id) == settled.alice


async def _call_broken(database: Database, other: Database, call: Call, world: World) -> None:
    async with database.transaction() as tx:
        if database.is_sqlite:
            await _interrupt(tx, lambda: 1)
        else:
            await _cut(tx, other)
        try:
            await call(Stores(tx), world)
        finally:
            if database.is_sqlite:
                await _interrupt(tx, None)


async def _interrupt(tx: Transaction, handler: Callable[[], int] | None) -> None:
    await tx.call(lambda c: cast("Any", c.connection.driver_connection).set_progress_handler(handler, 1))


async def _cut(tx: Transaction, other: Database) -> None:
    row = await tx.first(text("SELECT pg_backend_pid()"))
    assert row is not None
    # pg_terminate_backend waits for the end of it, so that the next statement surely meets it.
    async with other.transaction() as killer:
        await killer.first(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": row[0]})


async def test_a_transaction_whose_connection_broke_is_over(fresh_postgres: str):
    """Whoever goes on after a broken connection hears of it again, and nothing is half-written."""
    database, other = Database(fresh_postgres), Database(fresh_postgres)
    with pytest.raises(StorageError, match="broke"):
        await _go_on(database, other)
    await database.check()
    await database.close()
    await other.close()


async def _go_on(database: Database, other: Database) -> None:
    async with database.transaction() as tx:
        await _cut(tx, other)
        for _ in range(2):
            with suppress(StorageError):
                await tx.first(text("SELECT 1"))
        await tx.first(text("SELECT 1"))


async def test_a_lock_that_is_held_is_waited_for_and_then_told(database_url: str, database: Database):
    """Another process that holds on too long is a trouble that passes."""
    other = Database(database_url, wait_seconds=0.1)
    async with database.uow() as store:
        await store.leases.take("x", "me", NOW, NOW + MINUTE)
        with pytest.raises(StorageError) as locked:
            await _take(other)

    assert locked.value.retry
    assert not await _take(other)
    await other.close()


async def _take(database: Database) -> bool:
    async with database.uow() as store:
        return await store.leases.take("x", "other", NOW, NOW + MINUTE)


@pytest.mark.parametrize("url", ["postgresql://bot:pass-word@127.0.0.1:1/none", "sqlite:////proc/none/db"])
async def test_a_database_that_is_away_is_told_without_its_password(url: str):
    """The reason is fit for a log."""
    database = Database(url)

    with pytest.raises(StorageError) as away:
        await database.check()

    assert away.value.retry
    assert "pass-word" not in away.value.reason
    await database.close()


async def test_a_full_disk_stops_and_lets_go(fresh_sqlite: str):
    """Nothing half-written stays; once there is room again, work goes on by itself."""
    database = Database(fresh_sqlite)
    await database.migrate()
    await _pragma(database, "PRAGMA max_page_count = 1")
    with pytest.raises(StorageError, match="FULL"):
        await _fill_up(database)
    await _pragma(database, "PRAGMA max_page_count = 1000000")

    async with database.uow() as store:
        assert await store.inbox.claim(NOW, NOW, 5) == []
    await _fill_up(database)
    await database.close()


async def _fill_up(database: Database) -> None:
    async with database.uow() as store:
        for number in range(3):
            await store.inbox.put("web", str(number), {"text": "x" * 50_000}, NOW)


async def _pragma(database: Database, statement: str) -> None:
    async with database.transaction() as tx:
        await tx.first(text(statement))


@pytest.mark.parametrize("damage", ["garbage", "flipped"])
async def test_a_damaged_file_stops_the_start(tmp_path: Path, damage: str):
    """A start on a damaged file is refused with what to do, in one sentence."""
    file = tmp_path / "damaged.sqlite"
    if damage == "garbage":
        file.write_bytes(b"this is not a database " * 500)
    else:
        with closing(sqlite3.connect(file)) as made:
            made.execute("CREATE TABLE a (b TEXT)")
            made.executemany("INSERT INTO a VALUES (?)", [("x" * 500,)] * 200)
            made.commit()
        content = bytearray(file.read_bytes())
        content[8192:8300] = b"\xff" * 108
        file.write_bytes(content)
    database = Database(f"sqlite:///{file}")

    for start in (database.open, database.migrate):
        with pytest.raises(ConfigError, match="damaged") as refused:
            await start()
        assert len(str(refused.value).splitlines()) == 1
    await database.close()
