"""The whole product in one process, as a person and an attacker meet it: bot, database, and a real server.

`house` puts the bot's own desk behind the real ASGI server on loopback; the exchange is the practice server.
People act in the chat, browsers over HTTP; nothing of ours is replaced.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette

from chatbot.domain.links import b64url, from_b64url, link_id
from chatbot.metrics import Metrics
from chatbot.ports.context import Log
from chatbot.text import Translator
from chatbot.web import WebOptions, create_app
from chatbot.web.server import bind, serve
from tests.rig.installation import sealed
from tests.support.bot import YOU, Bot, link_of, open_bot
from tests.support.page import token_of
from tests.support.practice import Running, practice
from tests.support.rows import rows

Body = dict[str, str]


@dataclass(frozen=True, slots=True)
class House:
    """A bot with its web page, its exchange, and a client of our own that asks it."""

    bot: Bot
    exchange: Running
    url: str
    app: Starlette
    web: httpx.AsyncClient

    @property
    def port(self) -> int:
        """Where the server listens."""
        return urlsplit(str(self.web.base_url)).port or 0

    @property
    def host(self) -> str:
        """The host of our public address, as a browser names it."""
        return self.url.partition("//")[2]

    @property
    def good(self) -> tuple[str, str]:
        """The key and secret of the practice account."""
        return self.exchange.state.key, self.exchange.state.secret

    async def link(self, exchange: str = "", *, as_: str = YOU) -> str:
        """Walk through the guide to a link."""
        return await link_of(self.bot, exchange or self.exchange.name, as_=as_)

    async def post(self, call: str, body: Any, **headers: str) -> httpx.Response:
        """Call the page's API as our page does, with some headers changed."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.web.post(f"/api/{call}", json=body, headers={"Origin": self.url} | changed)

    async def open(self, link: str, **headers: str) -> httpx.Response:
        """Open a link by its address."""
        return await self.post("open", {"token": token_of(link)[0]}, **headers)

    async def sealed(self, link: str, *values: str) -> Body:
        """Return the body of a submission; the practice account's key where no values are given."""
        return await sealed(self.web, self.url, link, *(values or self.good))

    async def submit(self, link: str, *values: str) -> httpx.Response:
        """Do what a person's browser does."""
        return await self.post("submit", await self.sealed(link, *values))

    async def state(self, link: str) -> tuple[str, int]:
        """Return the state of a link and how many tries it had."""
        (row,) = await rows(self.bot, "links", id=link_id(from_b64url(token_of(link)[0])))
        return row["state"], row["attempts"]

    async def accounts(self) -> list[str]:
        """Return the state of every account there is."""
        return [row["state"] for row in await rows(self.bot, "accounts")]

    async def connect(self, *values: str, as_: str = YOU) -> None:
        """Hand a key in over the page and confirm it in the chat."""
        answer = await self.submit(await self.link(as_=as_), *values)
        assert answer.status_code == 200, answer.text
        await self.bot.turn()
        await self.bot.press("Confirm", as_=as_)
        for _ in range(2):
            await self.bot.turn(seconds=1)


@asynccontextmanager
async def house(
    folder: Path,
    exchange: str = "bitso",
    *,
    database: str = "",
    receive_seconds: float = 10.0,
    behind: str = "",
    log: Log | None = None,
    **web: Any,
) -> AsyncIterator[House]:
    """Run everything until the block ends; `behind` is the public address of a proxy in front of us."""
    listener = bind("127.0.0.1", 0)
    own = f"http://localhost:{listener.getsockname()[1]}"
    url, stop = behind or own, asyncio.Event()
    async with (
        practice(exchange) as running,
        open_bot(folder, {exchange: running.origin}, database, public_url=url) as bot,
        httpx.AsyncClient(base_url=own, trust_env=False, timeout=30) as client,
    ):
        setattr(running.state, "clock", bot.clock.now)  # noqa: B010  every practice account has one
        client.headers["Host"] = url.partition("//")[2]
        metrics = cast("Metrics", bot.ctx.metrics)
        options = WebOptions(
            url, metrics=metrics.render, identify=bot.chat.identify, **web
        )  # fmt: skip
        app = create_app(bot.desk, _say, _ready, log or bot.log, options)
        serving = asyncio.create_task(serve(app, listener, stop, receive_seconds=receive_seconds))
        try:
            yield House(bot, running, url, app, client)
        finally:
            stop.set()
            await serving


def _say(locale: str, msgid: str) -> str:
    return Translator(locale).say(msgid)


async def _ready() -> dict[str, bool]:
    return {"database": True}


def random_token() -> str:
    """Return what somebody who guesses would send."""
    return b64url(secrets.token_bytes(32))


async def exchange_bytes(port: int, sent: bytes, patience: float = 2) -> bytes:
    """Send bytes as they are and return all that comes back until the server closes or stays silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        writer.write(sent)
        await writer.drain()
        async with asyncio.timeout(patience):
            while chunk := await reader.read(65536):
                answer += chunk
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answer
