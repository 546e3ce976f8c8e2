"""One transaction as the stores see it: statements go to the database's own thread, rows come back.

`Database.uow` makes one for each unit of work. Statements of one transaction never run at the same time,
and a cancelled caller waits until the running one is over, so that the connection is free to roll back.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine, Executable, Row, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from storage.failures import guarded

Result = TypeVar("Result")
Record: TypeAlias = Row[*tuple[Any, ...]]
Aftercare: TypeAlias = Callable[[Connection], bool]
Params = dict[str, Any] | list[dict[str, Any]] | None


class Transaction:
    """Runs statements on one connection, from `begin` to `end`."""

    def __init__(self, engine: Engine, threads: Executor, owed: list[Aftercare]) -> None:
        self._engine = engine
        self._threads = threads
        self._owed = owed
        self._before: list[Callable[[Connection], None]] = []
        self._after: list[Aftercare] = []
        self._connection: Connection | None = None
        self._open = False

    async def all(self, statement: Executable, params: Params = None) -> Sequence[Record]:
        """Run a statement and return its rows."""
        return await self._execute(lambda c: c.execute(statement, params).all())

    async def first(self, statement: Executable, params: Params = None) -> Record | None:
        """Run a statement and return its first row, or None."""
        return await self._execute(lambda c: c.execute(statement, params).first())

    async def run(self, statement: Executable, params: Params = None) -> int:
        """Run a statement, once for each set of parameters, and return how many rows it changed."""
        return await self._execute(lambda c: int(getattr(c.execute(statement, params), "rowcount", 0)))

    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """Start an insert that knows this database's ON CONFLICT."""
        return postgresql.insert(table) if self._engine.dialect.name == "postgresql" else sqlite.insert(table)

    def before_commit(self, work: Callable[[Connection], None]) -> None:
        """Have work done as the last of the transaction; when it fails nothing is committed."""
        self._before.append(work)

    def after_commit(self, work: Aftercare) -> None:
        """Have work done once the commit is safe; it says whether it is done or must be tried again."""
        self._after.append(work)

    def wipe_log(self) -> None:
        """Empty SQLite's log after the commit, so that no old copy of a destroyed secret stays there."""
        if self._engine.dialect.name == "sqlite":
            self.after_commit(truncate_log)

    def begin(self) -> None:
        """Let statements come: the first one opens the transaction, which saves a trip to the thread."""
        self._open = True

    async def end(self, *, commit: bool) -> None:
        """Commit or roll back, and give the connection back."""
        self._open = False
        await in_thread(self._threads, self._commit if commit else self._roll_back)

    async def call(self, work: Callable[[Connection], Result]) -> Result:
        """Run work of several statements in the database's thread."""
        return await self._execute(work)

    async def _execute(self, work: Callable[[Connection], Result]) -> Result:
        if not self._open:
            raise RuntimeError("this unit of work is over")
        return await in_thread(self._threads, lambda: work(self._begun()))

    def _begun(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            self._connection.begin()
        return self._connection

    def _commit(self) -> None:
        if self._connection is None and not (self._before or self._after):
            return
        connection = self._begun()
        try:
            for work in self._before:
                work(connection)
            connection.commit()
            wanted = list(dict.fromkeys((*self._owed, *self._after)))
            self._owed[:] = [work for work in wanted if not work(connection)]
        finally:
            self._close()

    def _roll_back(self) -> None:
        # A connection that can't even roll back is dead: the database undoes what it had begun.
        self._close()

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except SQLAlchemyError:
            connection.invalidate()


def truncate_log(connection: Connection) -> bool:
    """Move SQLite's log into the database file and cut it to nothing; false while somebody reads it."""
    raw: Any = connection.connection.driver_connection
    (patience,) = raw.execute("PRAGMA busy_timeout").fetchone()
    # The commit is done: whoever asked for it must not wait for a stranger's backup.
    raw.execute("PRAGMA busy_timeout = 100")
    try:
        (busy, *_) = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.Error:
        return False
    finally:
        raw.execute(f"PRAGMA busy_timeout = {patience}")
    return not busy


async def in_thread(threads: Executor, work: Callable[[], Result]) -> Result:
    """Run blocking work in one of the threads; a cancelled caller is let go only when the work is over."""
    future = asyncio.get_running_loop().run_in_executor(threads, guarded, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                continue
        if not future.cancelled():
            future.exception()
        raise
