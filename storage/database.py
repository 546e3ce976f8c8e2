"""The database: opened by bootstrap, asked for units of work by everybody else.

    database = Database(url)
    await database.migrate()            # or `open()` where another process migrates
    async with database.uow() as store: ...
    await database.close()

A unit of work commits when its block ends cleanly and rolls back on anything else, cancellation included.
SQLite has one thread with one connection; units of work take turns in the order they came.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, text

from chatbot.errors import ConfigError, StorageError
from storage import migrator
from storage.engines import make_engine, parse_url
from storage.stores import Stores
from storage.transaction import Aftercare, Transaction, in_thread

Result = TypeVar("Result")


class Database:
    """One database, SQLite or PostgreSQL, behind an async face."""

    def __init__(self, url: str, *, connections: int = 8, wait_seconds: float = 15) -> None:
        parsed = parse_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.file = Path(str(parsed.database)) if self.is_sqlite else None
        size = 1 if self.is_sqlite else connections
        self._engine = make_engine(parsed, size, wait_seconds)
        # As many turns as threads and connections: nobody holds one of them while waiting for another.
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="database")
        self._turns = asyncio.Semaphore(size)
        self._owed: list[Aftercare] = []
        self._holders: set[asyncio.Task[object] | None] = set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a bare transaction; commits on a clean end, rolls back on anything else."""
        task = asyncio.current_task()
        if task in self._holders:
            raise RuntimeError("a unit of work inside a unit of work would wait for itself")
        async with self._turns:
            self._holders.add(task)
            tx = Transaction(self._engine, self._threads, self._owed)
            clean = False
            try:
                tx.begin()
                yield tx
                clean = True
            finally:
                self._holders.discard(task)
                await tx.end(commit=clean)

    @asynccontextmanager
    async def uow(self) -> AsyncIterator[Stores]:
        """Open a unit of work: all stores in one transaction."""
        async with self.transaction() as tx:
            yield Stores(tx)

    async def open(self) -> None:
        """Make sure the database is sound and has exactly the schema of this code; raises `ConfigError`."""
        await self._quick_check()
        if await self._in_transaction(migrator.refuse_newer) != self.head():
            raise ConfigError("The database is not up to date: run `keyherald migrate` first.")

    async def migrate(self) -> None:
        """Bring the schema to this code's; raises `ConfigError` when the database is newer or damaged."""
        await self._quick_check()
        await self._in_transaction(migrator.upgrade)

    async def revision(self) -> str:
        """Return the schema revision of the database; empty for a new one."""
        return await self._in_transaction(migrator.revision)

    def head(self) -> str:
        """Return the schema revision of this code."""
        return migrator.head()

    async def check(self) -> None:
        """Raise `StorageError` unless the database can be written to now."""
        await self._in_transaction(lambda connection: connection.execute(text("SELECT 1")).all())

    async def close(self) -> None:
        """Close every connection; open units of work must be over."""
        await in_thread(self._threads, self._engine.dispose)
        self._threads.shutdown()

    async def _quick_check(self) -> None:
        if not self.is_sqlite:
            return
        try:
            found = await self._in_transaction(
                lambda connection: connection.execute(text("PRAGMA quick_check(1)")).scalar()
            )
        except StorageError as error:
            if error.retry:
                raise
            found = error.reason
        if found != "ok":
            what = str(found).strip().splitlines()[-1]
            raise ConfigError(f"The database file is damaged ({what}): restore a backup.")

    async def _in_transaction(self, work: Callable[[Connection], Result]) -> Result:
        async with self.transaction() as tx:
            return await tx.call(work)
