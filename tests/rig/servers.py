"""Several servers of one installation, for races over a one-time link: forty browsers, kills, frozen processes.

SQLite is served by `run`, PostgreSQL by several `web` processes that share it.
"""

import asyncio
import ipaddress
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.rig.gate import Gate, gated
from tests.rig.installation import sealed
from tests.rig.minting import Mint, mint
from tests.rig.process import Program, free_port, master_key, running, until

POSTS = 40
USED = "SELECT count(*) FROM links WHERE state = 'used'"
ACCOUNTS = "SELECT count(*) FROM accounts WHERE state = 'pending'"
_browsers = itertools.count()


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
        """Submit to one of the servers as if through the proxy, each time from another address."""
        # Eight thousand failures of one address would rightly be slowed down.
        address = str(ipaddress.ip_address("198.18.0.0") + next(_browsers))
        headers = {
            "Origin": self.url, "Host": self.url.partition("//")[2], "X-Forwarded-For": address,
        }  # fmt: skip
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
async def servers(folder: Path, database: str, webs: int = 2) -> AsyncIterator[Servers]:
    """Run `run` on SQLite, which one process owns, or some `web` on PostgreSQL."""
    sqlite = database.startswith("sqlite")
    ports = [free_port() for _ in range(1 if sqlite else webs)]
    url, key = f"http://127.0.0.1:{ports[0]}", master_key(folder)
    shared = {
        "DATABASE_URL": database.replace("+psycopg", ""),
        "MASTER_KEY_FILE": key,
        "PUBLIC_URL": url,
        "MEMBERS": "telegram:*",
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    async with AsyncExitStack() as stack:
        exchange = await stack.enter_async_context(gated())
        programs = []
        for number, port in enumerate(ports):
            settings = {**shared, "PORT": str(port), "EXCHANGE_BITSO_URL": exchange.origin}
            work = running("run" if sqlite else "web", folder, settings, name=f"server{number}")
            programs.append(await stack.enter_async_context(work))
            await listening(programs[-1], port)
        limits = httpx.Limits(max_connections=2 * POSTS)
        client = await stack.enter_async_context(
            httpx.AsyncClient(trust_env=False, timeout=30, limits=limits)
        )
        hand = await stack.enter_async_context(mint(database, key, url))
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        yield Servers(programs, addresses, url, hand, exchange, client)


async def listening(program: Program, port: int) -> None:
    """Wait until a process answers."""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(30):
        while True:
            assert program.running, program.err
            try:
                await client.get(f"http://127.0.0.1:{port}/healthz")
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


async def one_each(here: Servers, rounds: int) -> None:
    """Race for a fresh link in each round: one success, one key."""
    for number in range(1, rounds + 1):
        assert await here.race(await here.mint.link()) == {200: 1, 404: POSTS - 1}, f"round {number}"
        assert await here.mint.rows(USED) == [(number,)]
        assert await here.mint.rows(ACCOUNTS) == [(number,)]


async def killed(here: Servers) -> str:
    """Kill the second server with a claim in hand, and return the link."""
    link = await here.mint.link()
    lost = await here.held(link, server=1)
    await here.programs[1].kill()
    with pytest.raises(httpx.TransportError):
        await lost
    here.exchange.opened.set()
    assert (await here.post(await here.body(link))).status_code == 404, "the lease stands"
    return link
