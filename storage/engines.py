"""SQLAlchemy engines, set up so that a commit is on the disk and nothing prints a parameter.

SQLite: one connection with a write-ahead log; every transaction takes the write lock when it begins,
because a reader that turns writer fails at once instead of waiting. PostgreSQL: a small pool over psycopg 3.
"""

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from chatbot.errors import ConfigError

_POSTGRES = {"postgres", "postgresql", "postgresql+psycopg"}


def parse_url(url: str) -> URL:
    """Return the address of a database with the driver we use; raises `ConfigError`."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = URL.create("unknown")
    if parsed.drivername in _POSTGRES:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        return parsed
    raise ConfigError("DATABASE_URL must look like sqlite:///path/to/file or postgresql://user@host/name.")


def make_engine(url: URL, connections: int, wait_seconds: float) -> Engine:
    """Return an engine for SQLite or PostgreSQL; nothing is opened yet."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, wait_seconds)
    return _postgres(url, connections, wait_seconds)


def _sqlite(url: URL, wait_seconds: float) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=1,
        max_overflow=0,
        connect_args={"timeout": wait_seconds, "isolation_level": None, "check_same_thread": False},
    )
    file = Path(str(url.database))

    @event.listens_for(engine, "do_connect")
    def _private(*_: Any) -> None:
        # SQLite gives its log the rights of the database file.
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgres(url: URL, connections: int, wait_seconds: float) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=connections,
        max_overflow=0,
        # Our conditional updates wait for each other and then look again; what is stricter would fail them.
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        pool_timeout=wait_seconds,
        connect_args={"connect_timeout": max(2, int(wait_seconds)), "application_name": "keyherald"},
    )

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, _: Any) -> None:
        connection.execute(f"SET lock_timeout = {int(wait_seconds * 1000)}")
        connection.commit()

    return engine
