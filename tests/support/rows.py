"""What the database holds, table by table, found by reflection: no table can be forgotten."""

from typing import Any

from sqlalchemy import MetaData, Table, inspect, select

from tests.support.bot import Bot


async def everything(bot: Bot) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all tables as the database itself names them."""
    async with bot.database.transaction() as tx:

        def read(connection: Any) -> dict[str, list[dict[str, Any]]]:
            names = inspect(connection).get_table_names()
            tables = [Table(name, MetaData(), autoload_with=connection) for name in names]
            return {t.name: [dict(row._mapping) for row in connection.execute(select(t))] for t in tables}

        return await tx.call(read)


async def tables_naming(bot: Bot, *words: str) -> set[str]:
    """Return the tables in which one of the words stands anywhere."""
    held = await everything(bot)
    return {name for name, rows in held.items() if any(word in repr(row) for row in rows for word in words)}


async def rows(bot: Bot, table: str, **where: Any) -> list[dict[str, Any]]:
    """Return the rows of a table with these values."""
    held = (await everything(bot))[table]
    return [row for row in held if all(row[name] == value for name, value in where.items())]
