"""Rotation: everything moves under the newest master key, wherever the run is cut off, and nothing is lost."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, update

from chatbot.errors import ConfigError
from storage.accounts import ACCOUNTS
from storage.database import Database
from storage.keyring import keys_in_use, open_vault
from storage.links import LINKS
from storage.masterkeys import MasterKeys, create_master_key_file, read_master_key_file
from storage.rewrap import rewrap, rotate
from storage.transaction import Transaction
from tests.support.sealed import fill, open_all
from tests.support.sources import ROOT
from tests.support.vaults import key_line, new_keys

ROWS = 4


class Interrupted(Exception):
    """Stands for the end of the process."""


class Cut(Database):
    """A database whose n-th transaction never comes, or is lost before its commit."""

    cut = 0
    late = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        self.cut -= 1
        if self.cut == 0 and not self.late:
            raise Interrupted
        async with super().transaction() as tx:
            yield tx
            if self.cut == 0:
                raise Interrupted


def newer(keys: MasterKeys, name: str) -> MasterKeys:
    return MasterKeys(new_keys(name).keys + keys.keys)


async def in_use(database: Database) -> set[str]:
    async with database.transaction() as tx:
        return set(await keys_in_use(tx))


async def test_everything_moves_under_the_newest_key(database: Database):
    """Credentials, link keys and the keyring open with the new key alone; the report names the old one."""
    old = new_keys("k1")
    await fill(database, old, ROWS)
    both = newer(old, "k2")
    steps: list[tuple[int, int]] = []

    report = await rewrap(database, both, batch=3, progress=lambda *step: steps.append(step))

    assert (report.newest, report.rewrapped, report.broken) == ("k2", ROWS + 4, ())
    assert (report.left, report.retired, report.added) == ({}, ("k1",), False)
    assert steps == [(3, 8), (4, 8), (6, 8), (8, 8)]
    assert await open_all(database, MasterKeys(both.keys[:1])) == (ROWS, 2)


async def test_a_second_run_finds_nothing_to_do(database: Database):
    """Running it again changes nothing and says the same about the old key."""
    both = newer(new_keys("k1"), "k2")
    await fill(database, MasterKeys(both.keys[1:]), ROWS)
    await rewrap(database, both)

    report = await rewrap(database, both)

    assert (report.rewrapped, report.left, report.retired) == (0, {}, ("k1",))


@pytest.mark.parametrize("late", [False, True], ids=["before", "during"])
async def test_a_run_cut_off_anywhere_loses_nothing(database_url: str, late: bool):
    """Ended before or inside any of its transactions, all rows still open, and the next run finishes."""
    database = Cut(database_url)
    await database.migrate()
    keys = new_keys("k0")
    await fill(database, keys, ROWS)
    finished = False
    point = 0
    while not finished:
        point += 1
        keys = newer(keys, f"k{point}")
        database.cut, database.late = point, late
        try:
            await rewrap(database, keys, batch=1)
            finished, database.cut = True, 0
        except Interrupted:
            assert await open_all(database, keys) == (ROWS, 2)
            report = await rewrap(database, keys, batch=1)
            assert (report.left, report.broken) == ({}, ())
        assert await open_all(database, MasterKeys(keys.keys[:1])) == (ROWS, 2)
    await database.close()

    assert point > 2 * ROWS


class Meddled(Database):
    """A database in which somebody else changes an account just before the n-th transaction."""

    before = 0
    row: dict[str, object]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        self.before -= 1
        if self.before == 0:
            async with super().transaction() as tx:
                await tx.run(update(ACCOUNTS).where(ACCOUNTS.c.id == "a00000").values(self.row))
        async with super().transaction() as tx:
            yield tx


async def test_a_credential_revoked_meanwhile_stays_destroyed(database_url: str):
    """Whenever a revocation falls into the run, the rewrap never brings the data key back."""
    database = Meddled(database_url)
    await database.migrate()
    keys = new_keys("k0")
    await fill(database, keys, 2)
    async with database.transaction() as tx:
        whole = (await tx.all(select(ACCOUNTS).where(ACCOUNTS.c.id == "a00000")))[0]
    for point in range(1, 12):
        keys = newer(keys, f"k{point}")
        database.before, database.row = point, {"kek_id": None, "wrapped_dek": None, "box": None}
        await rewrap(database, keys)
        async with database.transaction() as tx:
            row = (await tx.all(select(ACCOUNTS).where(ACCOUNTS.c.id == "a00000")))[0]
            assert (row.kek_id, row.wrapped_dek, row.box) == (None, None, None)
            await tx.run(
                update(ACCOUNTS)
                .where(ACCOUNTS.c.id == "a00000")
                .values(kek_id=whole.kek_id, wrapped_dek=whole.wrapped_dek, box=whole.box)
            )
    await database.close()


async def test_a_damaged_row_is_reported_and_keeps_its_key(database: Database):
    """What doesn't open is named and left alone; the old key is not called unused."""
    both = newer(new_keys("k1"), "k2")
    await fill(database, MasterKeys(both.keys[1:]), ROWS)
    async with database.transaction() as tx:
        await tx.run(update(ACCOUNTS).where(ACCOUNTS.c.id == "a00001").values(box=bytes(60)))
        await tx.run(update(LINKS).where(LINKS.c.id == bytes(32)).values(sealed_private_key=b"damaged"))

    report = await rewrap(database, both)

    assert report.broken == ("accounts a00001", f"links {'00' * 32}")
    assert (report.rewrapped, report.left, report.retired) == (ROWS + 2, {"k1": 1}, ())


async def test_the_wrong_keys_change_nothing(database: Database):
    """A run with keys that are not this database's is refused before the first row."""
    await fill(database, new_keys("k1"), 1)

    with pytest.raises(ConfigError, match="sealed with master key k1"):
        await rewrap(database, new_keys("k2"))
    assert await in_use(database) == {"k1"}


async def test_a_rotation_adds_a_key_and_uses_it(database: Database, tmp_path: Path):
    """Each finished rotation leaves everything under a key of its own, added to the file."""
    path = tmp_path / "master.key"
    first = create_master_key_file(path)
    await fill(database, read_master_key_file(path), ROWS)

    report = await rotate(database, read_master_key_file(path))

    assert report.added
    assert [key.id for key in read_master_key_file(path).keys] == [report.newest, first]
    assert report.retired == (first,)
    assert await in_use(database) == {report.newest}


async def test_an_unfinished_rotation_is_finished_first(database: Database, tmp_path: Path):
    """Run again after a crash it goes on with the key it had added instead of adding one more."""
    path = tmp_path / "master.key"
    path.write_text(key_line("k1"))
    path.chmod(0o600)
    await fill(database, read_master_key_file(path), ROWS)
    path.write_text(key_line("k2") + path.read_text())

    report = await rotate(database, read_master_key_file(path))

    assert (report.added, report.newest, report.retired) == (False, "k2", ("k1",))
    assert len(read_master_key_file(path).keys) == 2


async def test_keys_from_a_setting_are_never_added_to(database: Database):
    """Without a file the operator puts the new key first; until then there is nothing to do."""
    keys = new_keys("k1")
    await fill(database, keys, 1)

    report = await rotate(database, keys)

    assert (report.added, report.rewrapped, report.newest, report.retired) == (False, 0, "k1", ())


async def test_a_running_bot_works_through_a_rotation(database: Database, tmp_path: Path):
    """A vault opened before the rotation opens what was rewrapped and seals under the new key."""
    path = tmp_path / "master.key"
    create_master_key_file(path)
    keys = read_master_key_file(path)
    await fill(database, keys, ROWS)
    running = await open_vault(database, keys)

    report = await rotate(database, keys)
    async with database.transaction() as tx:
        row = (await tx.all(select(LINKS)))[0]
    blob = running.link_keys(b"new").sealed_private
    with pytest.raises(Exception, match="can't be opened"):
        running.open_submission(row.id, row.sealed_private_key, b"", b"")

    assert blob[1 : 1 + len(report.newest)] != report.newest.encode()
    assert report.newest.encode() in running.link_keys(b"new").sealed_private


async def test_ten_thousand_rows_are_rewrapped(database: Database):
    """A big database moves in batches, each row exactly once."""
    both = newer(new_keys("k1"), "k2")
    await fill(database, MasterKeys(both.keys[1:]), 10_000, 0)

    report = await rewrap(database, both)

    assert (report.rewrapped, report.left, report.retired) == (10_002, {}, ("k1",))
    assert await open_all(database, MasterKeys(both.keys[:1])) == (10_000, 0)


CHILD = """
import asyncio, sys
from pathlib import Path
from storage.database import Database
from storage.masterkeys import read_master_key_file
from storage.rewrap import rewrap
async def main():
    database = Database(sys.argv[1])
    keys = read_master_key_file(Path(sys.argv[2]))
    await rewrap(database, keys, batch=1, progress=lambda done, total: print(done, flush=True))
asyncio.run(main())
"""


async def test_a_killed_process_loses_nothing(fresh_sqlite: str, tmp_path: Path):
    """A real process killed in the middle leaves a database that opens, and the next run finishes."""
    path = tmp_path / "master.key"
    create_master_key_file(path)
    database = Database(fresh_sqlite)
    await database.migrate()
    await fill(database, read_master_key_file(path), 60)
    path.write_text(key_line("newest") + path.read_text())
    command = [sys.executable, "-c", CHILD, fresh_sqlite, str(path)]
    for _ in range(3):
        child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=subprocess.PIPE)
        assert child.stdout is not None
        for _ in range(12):
            assert await child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        await child.communicate()
        assert await open_all(database, read_master_key_file(path)) == (60, 2)
        assert len(await in_use(database)) == 2

    report = await rewrap(database, read_master_key_file(path))
    await database.close()

    assert (report.left, report.broken, len(report.retired)) == ({}, (), 1)
