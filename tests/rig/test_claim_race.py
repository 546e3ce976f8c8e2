"""Four processes on one database race for each link, forty tries at a time: exactly one uses it.

The web servers' race is in `test_link_race.py`; here nothing stands between the tries and the one
conditional update, on SQLite as on PostgreSQL.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chatbot.domain.links import from_b64url, link_id
from storage.database import Database
from tests.rig.minting import mint
from tests.rig.process import master_key
from tests.support.sources import ROOT

PROCESSES = 4
TRIES = 10


@asynccontextmanager
async def racers(database_url: str) -> AsyncIterator[list[Process]]:
    """Start the processes, and be sure that they are gone at the end."""
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    started = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.rig.claimer", database_url,
            cwd=ROOT, env=environment, stdin=PIPE, stdout=PIPE,
        )
        for _ in range(PROCESSES)
    ]  # fmt: skip
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            await process.communicate()


async def heat(process: Process, link: str, lease: float) -> tuple[int, int, int]:
    """Let one process race for a link, and return how many tries were claimed, used and fenced off."""
    assert process.stdin is not None
    assert process.stdout is not None
    token = link.partition("#")[2].split(".")[0]
    process.stdin.write(f"{link_id(from_b64url(token)).hex()} {TRIES} {lease}\n".encode())
    async with asyncio.timeout(60):
        claimed, used, fenced = (await process.stdout.readline()).split()
    return int(claimed), int(used), int(fenced)


async def run(tmp_path, database_url: str, rounds: int, lease: float) -> list[tuple[int, int, int]]:
    database = Database(database_url)
    await database.migrate()
    await database.close()
    opened = mint(database_url, master_key(tmp_path), "http://127.0.0.1")
    async with opened as hand, racers(database_url) as started:
        return [await _round(started, await hand.link(), lease) for _ in range(rounds)]


async def _round(started: list[Process], link: str, lease: float) -> tuple[int, int, int]:
    heats = await asyncio.gather(*(heat(process, link, lease) for process in started))
    claimed, used, fenced = (sum(column) for column in zip(*heats, strict=True))
    return claimed, used, fenced


async def test_one_of_forty_tries_in_four_processes_uses_the_link(tmp_path, database_url):
    """Whoever claims first uses it, and nobody else even claims."""
    assert await run(tmp_path, database_url, rounds=3, lease=30) == [(1, 1, 0)] * 3


@pytest.mark.long
async def test_one_of_forty_tries_in_two_hundred_rounds(tmp_path, database_url):
    """The same in two hundred rounds."""
    assert await run(tmp_path, database_url, rounds=200, lease=30) == [(1, 1, 0)] * 200


async def check_overrun(tmp_path, database_url, rounds):
    for claimed, used, fenced in await run(tmp_path, database_url, rounds, lease=-1):
        assert used <= 1
        assert claimed == used + fenced
        assert claimed >= 1


async def test_a_lease_that_is_over_lets_the_next_one_in_and_fences_the_first_off(tmp_path, database_url):
    """With leases that are over at once many claim, and still at most one uses the link."""
    await check_overrun(tmp_path, database_url, 3)


@pytest.mark.long
async def test_leases_that_are_over_in_two_hundred_rounds(tmp_path, database_url):
    """The same in two hundred rounds."""
    await check_overrun(tmp_path, database_url, 200)
