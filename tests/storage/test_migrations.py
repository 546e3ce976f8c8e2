"""The schema of the code and the schema of the migrations are the same, and strangers' schemas are refused."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from chatbot.errors import ConfigError
from storage import keyring
from storage.columns import METADATA
from storage.database import Database


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, METADATA))


def _indexes(connection: Connection) -> set[tuple[str, str]]:
    if connection.dialect.name == "sqlite":
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    else:
        query = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename != 'alembic_version'"
    return {(name, " ".join(sql.split())) for name, sql in connection.execute(text(query))}


def _create(connection: Connection) -> None:
    METADATA.create_all(connection)


async def test_a_migrated_schema_is_the_schema_of_the_code(database: Database):
    """Nothing is left to generate after the migrations ran."""
    assert keyring.KEYRING.metadata is METADATA
    async with database.transaction() as tx:
        assert await tx.call(_differences) == []


async def test_migrated_indexes_are_those_of_the_code(database_url: str):
    """Indexes agree with their conditions too, which the comparison above does not see."""
    database = Database(database_url)
    await database.migrate()
    async with database.transaction() as tx:
        migrated = await tx.call(_indexes)
        await tx.call(METADATA.drop_all)
        await tx.call(_create)
        made = await tx.call(_indexes)
    await database.close()

    assert migrated == made


async def test_a_fresh_database_has_no_revision_and_then_the_newest(database_url: str):
    """A database is opened only once it has exactly the schema of this code."""
    database = Database(database_url)

    assert await database.revision() == ""
    with pytest.raises(ConfigError, match="keyherald migrate"):
        await database.open()
    await database.migrate()
    await database.open()
    assert await database.revision() == database.head()
    await database.close()


async def test_two_migrators_at_once_are_one(database_url: str):
    """Whoever comes second finds the work done."""
    first, second = Database(database_url), Database(database_url)

    await asyncio.gather(first.migrate(), second.migrate(), return_exceptions=False)

    assert await first.revision() == await second.revision() == first.head()
    await first.close()
    await second.close()


async def test_a_newer_database_is_refused_in_one_sentence(database: Database):
    """Old code never touches what newer code wrote."""
    async with database.transaction() as tx:
        await tx.run(text("UPDATE alembic_version SET version_num = '9999'"))

    for start in (database.open, database.migrate):
        with pytest.raises(ConfigError, match="newer Keyherald") as refused:
            await start()
        assert len(refused.value.problems) == 1
