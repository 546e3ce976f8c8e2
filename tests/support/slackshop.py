"""An app that many workspaces install: the real platform, real OAuth at a fake Slack, tokens sealed in SQLite."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from chatbot.dispatcher.installs import StoredInstalls
from chatbot.domain.people import TeamId
from storage.database import Database
from storage.keyring import open_vault
from storage.vault import Vault
from tests.support.slackapi import SlackApi
from tests.support.slackapi.methods import CLIENT
from tests.support.slackapi.people import SIGNING_SECRET
from tests.support.slacks import PUBLIC_URL, Rig, rig
from tests.support.vaults import new_keys

COOKIE = "__Host-keyherald-install"
MANY = {"token": "", "client_id": CLIENT[0], "client_secret": CLIENT[1], "signing_secret": SIGNING_SECRET}


@dataclass
class Shop:
    """The app, its database, and a browser in front of it."""

    api: SlackApi
    app: Rig
    database: Database
    vault: Vault
    installs: StoredInstalls
    browser: httpx.AsyncClient

    async def begin(self, **headers: str) -> tuple[str, str]:
        """Begin an installation; return Slack's address and the cookie that binds the browser."""
        answer = await self.browser.get("/slack/install", headers=headers)
        assert answer.status_code == 302, answer.text
        # Which browser comes back is the test's to say.
        self.browser.cookies.clear()
        return answer.headers["location"], answer.headers["set-cookie"].partition(";")[0]

    async def back(self, url: str, cookie: str = "", **headers: str) -> httpx.Response:
        """Come back from Slack."""
        return await self.browser.get(url, headers={**({"cookie": cookie} if cookie else {}), **headers})

    async def install(self, team: str = "T2", *, wide: bool = False) -> httpx.Response:
        """Install from end to end."""
        url, cookie = await self.begin()
        return await self.back(self.api.methods.allow(url, team, "UADMIN", wide=wide), cookie)

    async def end(self, at: datetime | None = None) -> None:
        """Remove the app from T1, now or at a time that is past."""
        async with self.database.uow() as stores:
            await stores.installations.end(TeamId("slack:T1"), at or self.app.clock.now())

    def other_process(self, owner: str) -> StoredInstalls:
        """Return the same installations as another process sees them."""
        return StoredInstalls("slack", self.database.uow, self.vault, self.app.clock, owner)


@asynccontextmanager
async def shop(api: SlackApi, folder: Path, **settings: Any) -> AsyncIterator[Shop]:
    """Open one, started."""
    database = Database(f"sqlite:///{folder / 'bot.sqlite'}")
    await database.migrate()
    vault = await open_vault(database, new_keys("k1"))
    installs = StoredInstalls("slack", database.uow, vault, None, "us")  # type: ignore[arg-type]
    try:
        async with rig(api, **(MANY | {"installs": installs} | settings)) as app:
            installs._clock = app.clock
            await app.start()
            transport = httpx.ASGITransport(Starlette(routes=list(app.slack.routes())))
            async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as browser:
                yield Shop(api, app, database, vault, installs, browser)
    finally:
        await database.close()
