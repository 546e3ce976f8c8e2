"""Units of work: one transaction each, rolled back on anything but a clean end, one after the other on SQLite."""

import asyncio
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from chatbot.errors import ConfigError, StorageError
from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from storage.transaction import Transaction
from tests.storage.rows import MINUTE, NOW, World, fill


async def _audited(database: Database) -> int:
    async with database.transaction() as tx:
        row = await tx.first(text("SELECT count(*) FROM audit"))
        assert row is not None
        return int(row[0])


async def _note(store: UnitOfWork, world: World) -> None:
    await store.audit.note(world.alice.team, "me", "test", "it", "done", NOW)


async def test_a_clean_end_commits_and_an_error_rolls_back(database: Database, settled: World):
    """All stores of a unit of work share its fate."""
    async with database.uow() as store:
        await _note(store, settled)
    with pytest.raises(ZeroDivisionError):
        await _fail_after_forgetting(database, settled)

    assert await _audited(database) == 1
    async with database.uow() as store:
        assert await store.people.get(settled.alice.id) == settled.alice


async def _fail_after_forgetting(database: Database, world: World) -> None:
    async with database.uow() as store:
        await _note(store, world)
        await store.people.forget(world.alice.id)
        raise ZeroDivisionError


async def test_a_cancelled_unit_of_work_rolls_back(database: Database, settled: World):
    """Wherever the cancellation strikes, nothing of the unit stays and the next one works."""
    for pause in range(12):
        task = asyncio.create_task(_interrupted(database, settled))
        for _ in range(pause):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert await _audited(database) == 0


async def _interrupted(database: Database, world: World) -> None:
    async with database.uow() as store:
        for _ in range(5):
            await _note(store, world)
        await asyncio.sleep(3600)


async def test_cancelling_during_a_statement_frees_the_connection(database: Database, settled: World):
    """A caller that goes away while the database works leaves no transaction behind."""
    began = asyncio.Event()

    async def slow() -> None:
        async with database.transaction() as tx:
            await tx.run(text("INSERT INTO leases (name, owner, until) VALUES ('a', 'b', 1)"))
            began.set()
            await tx.first(text(_SLOW["sqlite" if database.is_sqlite else "postgresql"]))

    task = asyncio.create_task(slow())
    await began.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with database.uow() as store:
        assert await store.leases.take("a", "c", NOW, NOW + MINUTE)


_SLOW = {
    "sqlite": "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300000) SELECT max(n) FROM c",
    "postgresql": "SELECT pg_sleep(0.2)",
}


async def test_many_units_of_work_at_once_lose_nothing(database: Database, settled: World):
    """Each of many writers finds its turn, and each sees the others whole."""

    async def write(number: int) -> None:
        async with database.uow() as store:
            await store.fills.add(settled.account.id, [fill(str(number))], NOW)
            await _note(store, settled)

    await asyncio.gather(*(write(number) for number in range(60)))

    assert await _audited(database) == 60
    async with database.uow() as store:
        assert len(await store.fills.recent([settled.account.id], 100)) == 60


async def test_units_of_work_come_in_order_on_sqlite(fresh_sqlite: str):
    """Whoever asked first is served first; nobody starves behind a busy loop."""
    database = Database(fresh_sqlite)
    await database.migrate()
    served: list[int] = []

    async def ask(number: int) -> None:
        async with database.transaction() as tx:
            await tx.first(text("SELECT 1"))
            served.append(number)

    await asyncio.gather(*(ask(number) for number in range(20)))
    await database.close()

    assert served == list(range(20))


async def test_a_unit_inside_a_unit_is_refused(database: Database):
    """It would wait for itself for ever; better an error at once."""
    async with database.uow():
        with pytest.raises(RuntimeError, match="inside a unit of work"):
            async with database.uow():
                pass


async def test_a_finished_unit_of_work_does_nothing_more(database: Database):
    """A store kept beyond its unit of work is a bug, and says so."""
    async with database.uow() as store:
        pass

    with pytest.raises(RuntimeError, match="over"):
        await store.outbox.counts()


async def test_work_after_the_commit_is_done_once_and_only_then(database: Database):
    """A hook runs once for its commit; one that could not finish runs again after the next."""
    done: list[str] = []

    def hook(_: object) -> bool:
        done.append("done")
        return len(done) > 1

    async def hooked(divisor: int) -> None:
        async with database.transaction() as tx:
            tx.after_commit(hook)
            tx.after_commit(hook)
            assert 1 // divisor == 1
            assert done == []

    await hooked(1)
    assert done == ["done"]
    with pytest.raises(ZeroDivisionError):
        await hooked(0)
    assert done == ["done"]
    await database.check()
    await database.check()
    assert done == ["done", "done"]


async def test_our_own_bugs_stay_what_they_are(database: Database):
    """A wrong statement must not look like a database that is away."""
    for bug in ("SELECT no_such_column FROM people", "SELECT FROM WHERE", "SELECT * FROM no_such_table"):
        with pytest.raises(Exception) as caught:  # noqa: PT011  whatever it is, it is not translated
            async with database.transaction() as tx:
                await tx.first(text(bug))
        assert not isinstance(caught.value, StorageError)


async def test_a_refused_row_names_no_value(database: Database, settled: World):
    """The reason of a failure may be logged: it holds the rule, never the data."""
    same = text("INSERT INTO leases (name, owner, until) VALUES ('secret-name', 'b', 1)")
    async with database.transaction() as tx:
        await tx.run(same)

    with pytest.raises(StorageError) as refused:
        async with database.transaction() as tx:
            await tx.run(same)

    assert refused.value.retry is False
    assert "secret-name" not in refused.value.reason
    assert refused.value.__cause__ is None


async def test_check_is_quiet_while_all_is_well(database: Database):
    """What /readyz asks."""
    await database.check()


async def test_sqlite_keeps_its_word(fresh_sqlite: str):
    """Write-ahead log, every commit on the disk, deleted content overwritten, references enforced."""
    database = Database(fresh_sqlite)
    async with database.transaction() as tx:
        found = [
            await _pragma(tx, name)
            for name in ("journal_mode", "synchronous", "secure_delete", "foreign_keys")
        ]
    await database.close()

    assert found == ["wal", 2, 1, 1]


async def _pragma(tx: Transaction, name: str) -> object:
    row = await tx.first(text(f"PRAGMA {name}"))
    return row[0] if row else None


async def test_only_its_owner_can_read_an_sqlite_file(tmp_path: Path):
    """The file, its log and a folder we made are closed to others."""
    file = tmp_path / "made" / "keyherald.sqlite"
    database = Database(f"sqlite:///{file}")
    await database.migrate()

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (file.parent, *file.parent.iterdir())}
    await database.close()

    assert modes.pop("made") == 0o700
    assert set(modes.values()) == {0o600}
    assert "keyherald.sqlite-wal" in modes


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
def test_an_address_we_cannot_use_is_refused_in_one_sentence(url: str):
    """DATABASE_URL is SQLite in a file, or PostgreSQL."""
    with pytest.raises(ConfigError, match="DATABASE_URL"):
        Database(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
async def test_every_spelling_of_postgresql_is_the_same(scheme: str, fresh_postgres: str):
    """Platforms hand out `postgres://`; we always speak psycopg 3."""
    database = Database(fresh_postgres.replace("postgresql+psycopg", scheme))

    assert database.is_sqlite is False
    await database.check()
    await database.close()
