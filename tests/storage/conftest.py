"""A migrated database of each kind for every storage test, and the rows most of them start from."""

from collections.abc import AsyncIterator

import pytest

from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from tests.storage.rows import World, settle


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database, once on SQLite and once on PostgreSQL."""
    opened = Database(database_url, wait_seconds=5)
    await opened.migrate()
    yield opened
    await opened.close()


@pytest.fixture
async def store(database: Database) -> AsyncIterator[UnitOfWork]:
    """One open unit of work, for tests that need no second one."""
    async with database.uow() as stores:
        yield stores


@pytest.fixture
async def world(store: UnitOfWork) -> World:
    """Two people, three conversations and an active account, inside the open unit of work."""
    return await settle(store)


@pytest.fixture
async def settled(database: Database) -> World:
    """The same world, committed."""
    async with database.uow() as store:
        return await settle(store)
