"""A one-time link is used once: by forty browsers at a time, by two servers, and across a kill.

SQLite is served by `run`, PostgreSQL by two `web` processes that share it.
"""

import asyncio
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from chatbot.domain.links import LEASE
from tests.rig.gate import Gate, gated
from tests.rig.installation import sealed
from tests.rig.minting import Mint, mint
from tests.rig.process import Program, free_port, master_key, running, until

POSTS = 40
USED = "SELECT count(*) FROM links WHERE state = 'used'"
ACCOUNTS = "SELECT count(*) FROM accounts WHERE state = 'pending'"


@dataclass(frozen=True, slots=True)
class Servers:
    """One installation: its processes, their addresses, and the public one that pages were opened under."""

    programs: Sequence[Program]
    addresses: Sequence[str]
    url: str
    mint: Mint
    exchange: Gate
    client: httpx.AsyncClient

    async def post(self, body: dict[str, str], server: int = 0) -> httpx.Response:
        """Submit to one of the servers as if it were the public address."""
        headers = {"Origin": self.url, "Host": self.url.partition("//")[2]}
        return await self.client.post(f"{self.addresses[server]}/api/submit", json=body, headers=headers)

    async def body(self, link: str, key: tuple[str, str] | None = None) -> dict[str, str]:
        """Open a link and seal a key of its own for it."""
        key = key or self.exchange.state.new_key(("account", "balances", "fills"))
        return await sealed(self.client, self.url, link, *key)

    async def race(self, link: str) -> Counter[int]:
        """Let forty browsers submit at once, two different keys among them."""
        keys = [self.exchange.state.new_key(("account", "balances", "fills")) for _ in range(2)]
        bodies = [await self.body(link, keys[number % 2]) for number in range(POSTS)]
        turns = (self.post(body, number % len(self.addresses)) for number, body in enumerate(bodies))
        return Counter(answer.status_code for answer in await asyncio.gather(*turns))

    async def held(self, link: str, server: int = 0) -> asyncio.Task[httpx.Response]:
        """Submit, and return once the claim is made and the exchange is being asked."""
        self.exchange.shut()
        task = asyncio.create_task(self.post(await self.body(link), server))
        await until(lambda: self.exchange.waiting, 10, "the exchange is asked")
        return task


@asynccontextmanager
async def servers(folder: Path, database: str) -> AsyncIterator[Servers]:
    """Run `run` on SQLite or two `web` on PostgreSQL."""
    sqlite = database.startswith("sqlite")
    ports = [free_port() for _ in range(1 if sqlite else 2)]
    url, key = f"http://127.0.0.1:{ports[0]}", master_key(folder)
    shared = {
        "DATABASE_URL": database.replace("+psycopg", ""),
        "MASTER_KEY_FILE": key,
        "PUBLIC_URL": url,
        "MEMBERS": "telegram:*",
    }
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(gated())
        programs = []
        for number, port in enumerate(ports):
            settings = {**shared, "PORT": str(port), "EXCHANGE_BITSO_URL": exchange.origin}
            work = running("run" if sqlite else "web", folder, settings, name=f"server{number}")
            programs.append(await stack.enter_async_context(work))
            await _listening(programs[-1], port)
        limits = httpx.Limits(max_connections=2 * POSTS)
        client = await stack.enter_async_context(
            httpx.AsyncClient(trust_env=False, timeout=30, limits=limits)
        )
        hand = await stack.enter_async_context(mint(database, key, url))
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        yield Servers(programs, addresses, url, hand, exchange, client)


async def _listening(program: Program, port: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(30):
        while True:
            assert program.running, program.err
            try:
                await client.get(f"http://127.0.0.1:{port}/healthz")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


async def _one_each(here: Servers, rounds: int) -> None:
    for number in range(1, rounds + 1):
        assert await here.race(await here.mint.link()) == {200: 1, 404: POSTS - 1}, f"round {number}"
        assert await here.mint.rows(USED) == [(number,)]
        assert await here.mint.rows(ACCOUNTS) == [(number,)]


async def test_forty_posts_at_once_are_one_success(tmp_path, database_url):
    """Exactly one of forty submissions is accepted, whatever server they reach, and one key is kept."""
    async with servers(tmp_path, database_url) as here:
        await _one_each(here, rounds=3)


@pytest.mark.long
async def test_forty_posts_at_once_are_one_success_twenty_times(tmp_path, database_url):
    """The same in twenty rounds."""
    async with servers(tmp_path, database_url) as here:
        await _one_each(here, rounds=20)


async def test_a_kill_between_claim_and_store_leaves_one_later_success(tmp_path, fresh_sqlite):
    """On SQLite the restarted bot knows that it is alone: the person tries again at once, and once."""
    async with servers(tmp_path, fresh_sqlite) as here:
        link = await here.mint.link()
        lost = await here.held(link)
        await here.programs[0].kill()
        with pytest.raises(httpx.TransportError):
            await lost
        here.exchange.opened.set()
        assert await here.mint.rows("SELECT state FROM links") == [("verifying",)]
        await here.programs[0].start()
        await _listening(here.programs[0], int(here.url.rpartition(":")[2]))

        assert await here.race(link) == {200: 1, 404: POSTS - 1}
        assert await here.mint.rows(ACCOUNTS) == [(1,)]


async def _killed(here: Servers) -> str:
    """Kill the second server with a claim in hand, and return the link."""
    link = await here.mint.link()
    lost = await here.held(link, server=1)
    await here.programs[1].kill()
    with pytest.raises(httpx.TransportError):
        await lost
    here.exchange.opened.set()
    assert (await here.post(await here.body(link))).status_code == 404, "the lease stands"
    return link


async def test_a_killed_servers_claim_ends_with_its_lease(tmp_path, fresh_postgres):
    """Until the lease is over the other server says no, then exactly one submission succeeds."""
    async with servers(tmp_path, fresh_postgres) as here:
        body = await here.body(await _killed(here))
        await here.mint.end_leases()

        assert [(await here.post(body, turn % 2)).status_code for turn in (0, 2, 2)] == [200, 404, 404]
        assert await here.mint.rows(ACCOUNTS) == [(1,)]


@pytest.mark.long
async def test_a_killed_servers_claim_ends_by_itself(tmp_path, fresh_postgres):
    """The same with the real wait of a lease."""
    async with servers(tmp_path, fresh_postgres) as here:
        link = await _killed(here)
        body, tried = await here.body(link), Counter[int]()
        async with asyncio.timeout(LEASE.total_seconds() + 5):
            while not tried[200]:
                tried[(await here.post(body)).status_code] += 1
                await asyncio.sleep(0.5)

        assert tried.keys() == {200, 404}
        assert await here.mint.rows(ACCOUNTS) == [(1,)]


async def test_a_frozen_server_that_wakes_up_late_writes_nothing(tmp_path, fresh_postgres):
    """Whoever lost the lease while it slept is fenced off, even with a good answer in hand."""
    async with servers(tmp_path, fresh_postgres) as here:
        link = await here.mint.link()
        late = await here.held(link, server=1)
        here.programs[1].tell(signal.SIGSTOP)
        here.exchange.opened.set()
        await here.mint.end_leases()
        assert (await here.post(await here.body(link))).status_code == 200
        here.programs[1].tell(signal.SIGCONT)

        assert (await late).status_code == 404
        assert await here.mint.rows(ACCOUNTS) == [(1,)]
        assert "Traceback" not in "".join(program.err for program in here.programs)
