"""The race for a one-time link: however many try at once, from however many processes, one wins."""

import asyncio
import sys
from pathlib import Path

import pytest

from chatbot.errors import Fenced
from storage.database import Database
from tests.storage.rows import MINUTE, NOW, World, link, meet, settle

ROOT = Path(__file__).parents[2]
ROUNDS = 5
# A process of its own: opens the database, waits for the start sign, tries every link, prints what it won.
RACER = """
import asyncio, sys
from datetime import datetime, timedelta
from storage.database import Database

async def main(url, rounds, now):
    database = Database(url)
    await database.check()
    print("ready", flush=True)
    sys.stdin.readline()

    async def attempt(number):
        async with database.uow() as store:
            return await store.links.claim(b"link%d" % number, now, now + timedelta(minutes=1)) is not None

    for number in range(rounds):
        print(sum(await asyncio.gather(*(attempt(number) for _ in range(10)))), flush=True)
    await database.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2]), datetime.fromisoformat(sys.argv[3])))
"""


async def test_forty_at_once_have_one_winner(database: Database, settled: World):
    """A claim is one conditional update: there is no moment between looking and taking."""
    for number in range(ROUNDS):
        name = b"link%d" % number
        async with database.uow() as store:
            await store.links.mint(link(settled.alice, settled.chat, name), NOW)

        won = await asyncio.gather(*(_claim(database, name) for _ in range(40)))

        assert won.count(True) == 1


async def _claim(database: Database, name: bytes) -> bool:
    async with database.uow() as store:
        return await store.links.claim(name, NOW, NOW + MINUTE) is not None


async def test_several_processes_have_one_winner(database_url: str):
    """The database decides, not a lock inside one process."""
    database = Database(database_url)
    await database.migrate()
    async with database.uow() as store:
        world = await settle(store)
        people = [world.alice, world.bob]
        for number in range(ROUNDS):
            # One open link a person: the others are minted for people of their own.
            while len(people) <= number:
                people.append(await meet(store, f"stranger{len(people)}"))
            await store.links.mint(link(people[number], world.chat, b"link%d" % number), NOW)
    await database.close()

    racers = [await _racer(database_url) for _ in range(4)]
    for racer in racers:
        assert racer.stdout is not None
        assert await racer.stdout.readline() == b"ready\n"
    results = await asyncio.gather(*(racer.communicate(b"go\n") for racer in racers))

    assert [racer.returncode for racer in racers] == [0] * 4
    per_round = zip(*([int(line) for line in out.split()] for out, _ in results), strict=True)
    assert [sum(won) for won in per_round] == [1] * ROUNDS


async def _racer(url: str) -> asyncio.subprocess.Process:
    arguments = ("-c", RACER, url, str(ROUNDS), NOW.isoformat())
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, stdin=pipe, stdout=pipe)


async def test_a_claim_after_a_crash_fences_the_first(database: Database, settled: World):
    """A process that froze during the try finds its link taken over."""
    async with database.uow() as store:
        await store.links.mint(link(settled.alice, settled.chat), NOW)
        frozen = await store.links.claim(b"link", NOW, NOW + MINUTE)
        assert await store.links.claim(b"link", NOW + MINUTE, NOW + 2 * MINUTE) is None
        winner = await store.links.claim(b"link", NOW + 1.1 * MINUTE, NOW + 3 * MINUTE)
    assert frozen is not None
    assert winner is not None

    with pytest.raises(Fenced):
        async with database.uow() as store:
            await store.links.use(frozen)
    async with database.uow() as store:
        await store.links.use(winner)


async def test_minting_twice_at_once_leaves_one_open_link(database: Database, settled: World):
    """Two presses of *New link* at the same moment don't leave two doors open."""

    async def mint(number: int) -> None:
        async with database.uow() as store:
            await store.links.mint(link(settled.alice, settled.chat, b"link%d" % number), NOW)

    await asyncio.gather(*(mint(number) for number in range(8)))

    async with database.uow() as store:
        seen = [await store.links.look(b"link%d" % number, NOW) for number in range(8)]
    assert len([one for one in seen if one]) == 1
