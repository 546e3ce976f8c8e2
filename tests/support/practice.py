"""A practice exchange as a real server on a free loopback port, for tests that want true sockets."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import uvicorn

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.exchanges import build
from chatbot.exchanges._http import Http
from chatbot.ports.exchanges import Exchange
from chatbot.practice import Practice, open_practice


class MachineClock:
    """The machine's own time, as a `Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Running:
    """A practice exchange that answers at `origin`, and its state to look at and to play with."""

    name: str
    origin: str
    state: Practice

    def credentials(self, key: str = "", secret: str = "") -> Credentials:
        """The first key of the practice exchange, or another; with its third part where it has one."""
        third = Secret(self.state.passphrase) if self.state.passphrase else None
        return Credentials(Secret(key or self.state.key), Secret(secret or self.state.secret), third)


@asynccontextmanager
async def practice(name: str) -> AsyncIterator[Running]:
    """Run the practice exchange of that name until the block ends."""
    state, app = open_practice(name)
    async with serve(app) as origin:
        yield Running(name, origin, state)


@asynccontextmanager
async def serve(app: Any) -> AsyncIterator[str]:
    """Serve an ASGI application on a free loopback port and give its origin."""
    # With the protocol named, asyncio switches Nagle's delay off for every connection.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:  # noqa: ASYNC110  uvicorn offers no event
            await asyncio.sleep(0.001)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave Ctrl-C to pytest."""
        yield


def unpaced(exchange: Exchange) -> Exchange:
    """Take an exchange's pace off: a practice server bans nobody, and the tests need not wait."""
    for part in vars(exchange).values():
        for http in part if isinstance(part, list | tuple) else [part]:
            if isinstance(http, Http):
                http._meter = None
    return exchange


@asynccontextmanager
async def connected(name: str, history: int = 0) -> AsyncIterator[tuple[Exchange, Running]]:
    """The exchange, talking to its own practice server."""
    async with practice(name) as running:
        running.state.seed(history)
        exchange = unpaced(build({name: running.origin}, MachineClock())[name])
        try:
            yield exchange, running
        finally:
            await exchange.close()
