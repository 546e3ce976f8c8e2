"""A whole installation for the rigs: the bot as a process, and around it what outlives every kill.

The fake Bot API and the practice exchange run in the test's own loop. People act as they would: they type
and press in the chat, and their browser's part is done over real HTTP.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from chatbot.domain.links import b64url, fingerprint, from_b64url
from chatbot.ports.desk import OpenedLink
from tests.rig.process import Program, free_port, master_key, running
from tests.support.botapi import BotApi
from tests.support.botapi.server import running as bot_api
from tests.support.botapi.world import Shown
from tests.support.page import seal, token_of
from tests.support.practice import Running, practice

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Installation:
    """The bot, its Telegram and its exchange."""

    program: Program
    api: BotApi
    bitso: Running
    url: str
    database: Path

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the bot's database, without being able to change it."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query).fetchall()

    async def link_of(self, person: int) -> str:
        """Type /connect and press *Next* until a message carries the link; return its address."""
        await self.api.say(person, "/connect bitso")
        await self.api.until(lambda: self.api.shown(person), PATIENCE)
        card = self.api.latest(person)
        for _ in range(9):
            if "Open secure page" in card.buttons:
                return str(card.button("Open secure page")["url"])
            edits = card.edits
            await self.api.press(card, "Next")
            await self.api.until(lambda seen=edits: card.edits > seen, PATIENCE)  # type: ignore[misc]
        raise AssertionError("Next did not lead to the link")

    async def connect(self, person: int) -> None:
        """Connect the practice account of a person, up to *Confirm* and its answer."""
        link = await self.link_of(person)
        answer = await submit(self.url, link, self.bitso.state.key, self.bitso.state.secret)
        assert answer.status_code == 200, answer.text
        await self.api.until(lambda: self._question(person), PATIENCE)
        question = self._question(person)[0]
        assert answer.json()["code"] in question.text
        await self.api.press(question, "Confirm")
        await self.api.until(lambda: "is connected" in question.text, PATIENCE)

    def _question(self, person: int) -> list[Shown]:
        return [shown for shown in self.api.shown(person) if "Confirm" in shown.buttons]


@asynccontextmanager
async def installation(folder: Path, **changed: str) -> AsyncIterator[Installation]:
    """Run all three until the block ends."""
    async with bot_api() as api, practice("bitso") as bitso:
        settings = settings_of(folder, api, bitso.origin) | changed
        async with running("run", folder, settings) as program:
            await program.says("platform_started")
            yield Installation(
                program, api, bitso, settings["PUBLIC_URL"], folder / "var" / "keyherald.sqlite"
            )


def settings_of(folder: Path, api: BotApi, exchange: str) -> dict[str, str]:
    """Return what a bot on Telegram is started with."""
    port = free_port()
    return {
        "TELEGRAM_BOT_TOKEN": api.token, "TELEGRAM_API_URL": api.url, "EXCHANGE_BITSO_URL": exchange,
        "PUBLIC_URL": f"http://127.0.0.1:{port}", "PORT": str(port), "DATA_DIR": str(folder / "var"),
        "MASTER_KEY_FILE": master_key(folder), "MEMBERS": "telegram:*", "POLL_SECONDS": "1",
    }  # fmt: skip


async def submit(url: str, link: str, *values: str) -> httpx.Response:
    """Do what a person's browser does: open the link, seal the values, post them."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
        return await client.post(
            f"{url}/api/submit", json=await sealed(client, url, link, *values), headers={"Origin": url}
        )


async def sealed(client: httpx.AsyncClient, url: str, link: str, *values: str) -> dict[str, str]:
    """Open a link and return the body of its submission."""
    token, mark = token_of(link)
    opened = await client.post(f"{url}/api/open", json={"token": token}, headers={"Origin": url})
    assert opened.status_code == 200, opened.text
    pk, info = (from_b64url(opened.json()[name]) for name in ("pk", "info"))
    assert fingerprint(pk) == mark
    return {"token": token, "sealed": b64url(seal(OpenedLink(pk, "", "", (), info, 0, 0), *values))}
