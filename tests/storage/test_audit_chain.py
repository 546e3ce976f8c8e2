"""The audit is a chain: whatever is changed, removed, added or moved behind its back is found."""

import asyncio

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url, text

from chatbot.domain.people import TeamId
from storage.audit import verify
from storage.chain import START, Entry, Head, check, link
from storage.database import Database
from tests.storage.rows import NOW

COPY = """INSERT INTO audit (team, at, actor, action, subject, outcome)
    SELECT team, at, actor, action, subject, outcome FROM audit WHERE number = 1"""
HOME, OTHER = TeamId("home"), TeamId("slack:T1")


async def note(database: Database, count: int, team: TeamId = HOME):
    for number in range(count):
        async with database.uow() as store:
            await store.audit.note(team, "telegram:1", "revoke", f"account{number}", "destroyed", NOW)


async def found(database: Database):
    async with database.transaction() as tx:
        return await tx.call(verify)


async def tamper(database: Database, statement: str):
    async with database.transaction() as tx:
        assert await tx.run(text(statement)) >= 1


async def test_a_whole_audit_is_whole(database: Database):
    """Each team has a chain of its own, and entries of one transaction keep their order."""
    await note(database, 3)
    await note(database, 2, OTHER)
    async with database.uow() as store:
        await store.audit.note(OTHER, "a", "first", "x", "y", NOW)
        await store.audit.note(HOME, "a", "second", "x", "y", NOW)
        await store.audit.note(OTHER, "a", "third", "x", "y", NOW)

    assert await found(database) == (8, [])


async def test_nothing_noted_is_whole(database: Database):
    """A fresh installation has nothing to complain about."""
    assert await found(database) == (0, [])


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE audit SET outcome = 'kept' WHERE number = 3", "entry 3 was changed"),
        ("UPDATE audit SET at = at + 1 WHERE number = 1", "entry 1 was changed"),
        ("UPDATE audit SET actor = 'telegram:2' WHERE number = 5", "entry 5 was changed"),
        ("DELETE FROM audit WHERE number = 2", "entry 2 is missing"),
        ("DELETE FROM audit WHERE number = 5", "entry 5 is missing"),
        ("DELETE FROM audit", "entry 1 is missing"),
        ("UPDATE audit SET number = -number WHERE number IN (2, 3)", "entry 1 is missing"),
        ("UPDATE audit SET hash = NULL WHERE number = 4", "entry 4 was changed"),
        ("DELETE FROM audit_heads", "entry 1 was added"),
        (COPY, "an entry was added"),
    ],
)
async def test_tampering_is_found(database: Database, statement: str, fault: str):
    """A changed, removed, added or unhashed entry is named by its number."""
    await note(database, 5)

    await tamper(database, statement)

    _, broken = await found(database)
    assert len(broken) == 1
    assert broken[0].startswith("home: ")
    assert fault in broken[0]


async def test_a_smuggled_entry_is_never_taken_into_the_chain(database: Database):
    """What was added behind the chain's back stays foreign to it, whatever is noted afterwards."""
    await note(database, 2)
    await tamper(database, COPY)

    await note(database, 2)

    assert (await found(database))[1] == ["home: an entry was added behind the chain's back"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_heads",
        "UPDATE audit_heads SET number = 3, hash = (SELECT hash FROM audit WHERE number = 3)",
        "UPDATE audit_heads SET number = 9",
        "UPDATE audit_heads SET hash = (SELECT hash FROM audit WHERE number = 2)",
        "UPDATE audit SET number = 40 WHERE number = 5",
    ],
)
async def test_a_damaged_end_stops_nobody_and_stays_visible(database: Database, statement: str):
    """People can still revoke their keys; the break is not healed by what is noted after it."""
    await note(database, 5)
    await tamper(database, statement)

    await note(database, 3)

    count, broken = await found(database)
    assert (count, len(broken)) == (8, 1)


async def test_two_entries_that_change_places_are_found(database: Database):
    """The order of what happened can't be turned round."""
    await note(database, 4)

    await tamper(database, "UPDATE audit SET number = 99 WHERE number = 2")
    await tamper(database, "UPDATE audit SET number = 2 WHERE number = 3")
    await tamper(database, "UPDATE audit SET number = 3 WHERE number = 99")

    assert (await found(database))[1] == ["home: entry 2 was changed, or what stood before it"]


async def test_a_rolled_back_act_leaves_no_entry_and_no_gap(database: Database):
    """An entry belongs to its act: when that fails the chain goes on without it."""
    await note(database, 1)

    async def fails():
        async with database.uow() as store:
            await store.audit.note(HOME, "a", "b", "c", "d", NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fails()

    await note(database, 1)

    assert await found(database) == (2, [])


async def test_many_at_once_make_one_chain(database: Database):
    """Acts of two teams at the same time wait for each other only at the end, and none is lost."""

    async def both(number: int):
        async with database.uow() as store:
            for team in (HOME, OTHER) if number % 2 else (OTHER, HOME):
                await store.audit.note(team, "a", "act", str(number), "done", NOW)

    await asyncio.gather(*(both(number) for number in range(24)))

    assert await found(database) == (48, [])


async def test_a_servers_stricter_habit_changes_nothing(fresh_postgres: str):
    """Acts at once get through on a PostgreSQL that would isolate them more than we need by itself."""
    parsed = make_url(fresh_postgres)
    with psycopg.connect(parsed.set(drivername="postgresql").render_as_string(False), autocommit=True) as raw:
        raw.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_isolation = 'repeatable read'").format(
                sql.Identifier(str(parsed.database))
            )
        )
    database = Database(fresh_postgres, wait_seconds=5)
    await database.migrate()

    await asyncio.gather(*(note(database, 3) for _ in range(8)))

    assert await found(database) == (24, [])
    await database.close()


def test_a_text_can_not_move_from_one_field_into_the_next():
    """Two entries that read the same when joined have different hashes."""
    one = Entry("home", 1, 7, "ab", "c", "", "")

    assert link(START, one) != link(START, Entry("home", 1, 7, "a", "bc", "", ""))
    assert check([(one, link(START, one))], Head(1, link(START, one))) == ""
