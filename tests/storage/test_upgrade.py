"""A database of every earlier release comes up to this code's schema with all its rows."""

from typing import Any

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Integer, LargeBinary, MetaData, Table, select

from storage import migrator
from storage.audit import verify
from storage.database import Database

OLDER = ["0001", "0002", "0003", "0004", "0005", "0006", "0007"]


def upgrade_to(revision: str):
    def work(connection: Connection) -> None:
        config = migrator._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)

    return work


def fill(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """Put two rows into every table, and return them by table."""
    metadata = MetaData()
    metadata.reflect(connection)
    rows: dict[str, list[dict[str, Any]]] = {}
    for table in metadata.sorted_tables:
        if table.name == "alembic_version":
            continue
        rows[table.name] = [_row(table, number, rows) for number in (1, 2)]
        connection.execute(table.insert(), rows[table.name])
    return rows


def _row(table: Table, number: int, rows: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column in table.columns:
        key = next(iter(column.foreign_keys), None)
        if key is not None:
            row[column.name] = rows[key.column.table.name][number - 1][key.column.name]
        elif isinstance(column.type, LargeBinary):
            row[column.name] = bytes([number]) * 8
        elif column.type.python_type is bool:
            row[column.name] = False
        elif isinstance(column.type, Integer) or column.type.python_type is int:
            row[column.name] = number
        else:
            row[column.name] = f"{column.name} {number}"
    return row


def read(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    metadata = MetaData()
    metadata.reflect(connection)
    return {
        name: [dict(row._mapping) for row in connection.execute(select(table))]
        for name, table in metadata.tables.items()
    }


@pytest.mark.parametrize("revision", OLDER)
async def test_every_row_of_an_older_release_is_still_there(database_url: str, revision: str):
    """Whatever was stored before the upgrade is stored after it, and the audit's chain begins whole."""
    database = Database(database_url)
    async with database.transaction() as tx:
        await tx.call(upgrade_to(revision))
        before = await tx.call(fill)

    await database.migrate()

    assert await database.revision() == database.head()
    async with database.transaction() as tx:
        after = await tx.call(read)
        if revision == "0001":  # it had no chain yet: what stands there now is ours to vouch for
            assert await tx.call(verify) == (2, [])
    for name, rows in before.items():
        kept = [{column: row[column] for column in rows[0]} for row in after[name]]
        assert sorted(kept, key=repr) == sorted(rows, key=repr), name
    await database.close()


def test_every_older_revision_is_tried():
    """A new migration adds the release before it to this file."""
    known = [s.revision for s in ScriptDirectory.from_config(migrator._config()).walk_revisions()]

    assert sorted(known)[:-1] == OLDER
