"""Firefox, told what to do over WebDriver BiDi: its own protocol on a loopback socket, no driver between."""

import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.engines.process import Launched, launched
from tests.support.engines.tab import ActingTab, Action

NAMES = ("firefox-esr", "firefox")
SETTINGS = {
    "network.proxy.type": 1,
    "network.proxy.http": "127.0.0.1",
    "network.proxy.ssl": "127.0.0.1",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "intl.accept_languages": "en",
}
BETWEEN_PAGES = {"no such frame", "unknown error"}
_LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


def find() -> str | None:
    """Return the first Firefox on PATH."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class BidiError(Exception):
    """Firefox refused a command; holds the protocol's name of the error and its message."""


class FirefoxTab(ActingTab):
    """A window of Firefox."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._context = ""

    async def open(self) -> None:
        """Begin the session and find its window."""
        await self._ask("session.new", capabilities={})
        tree = await self._ask("browsingContext.getTree")
        self._context = tree["contexts"][0]["context"]

    async def go(self, url: str) -> None:
        await self._ask("browsingContext.navigate", context=self._context, url=url, wait="none")

    async def run(self, expression: str) -> Any:
        try:
            answer = await self._ask(
                "script.evaluate",
                expression=f"JSON.stringify({expression}) ?? 'null'",
                target={"context": self._context},
                awaitPromise=False,
            )
        except BidiError as error:
            # Asked between two pages there is nothing to answer.
            if error.args[0] in BETWEEN_PAGES:
                return None
            raise
        return json.loads(answer["result"]["value"]) if answer["type"] == "success" else None

    async def act(self, sources: list[Action]) -> None:
        await self._ask("input.performActions", context=self._context, actions=sources)

    async def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            answer = await self._socket.receive_json(timeout=30)
            if answer.get("id") == number:
                break
        if answer["type"] == "error":
            raise BidiError(answer["error"], answer["message"])
        return answer["result"]


@asynccontextmanager
async def window(executable: str, folder: Path, proxy: int) -> AsyncIterator[FirefoxTab]:
    """Run a headless Firefox with a profile of its own until the block ends."""
    profile = folder / "profile"
    profile.mkdir()
    settings = SETTINGS | {"network.proxy.http_port": proxy, "network.proxy.ssl_port": proxy}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()]
    (profile / "user.js").write_text("".join(lines))
    command = [
        executable,
        "--headless",
        "--no-remote",
        "--profile",
        str(profile),
        "--remote-debugging-port=0",
    ]
    async with launched(command, folder) as program, aiohttp.ClientSession() as session:
        address = await _address(program)
        async with session.ws_connect(f"{address}/session", max_msg_size=0) as socket:
            tab = FirefoxTab(socket)
            await tab.open()
            yield tab


async def _address(program: Launched) -> str:
    found = await program.says(_LISTENING)
    return found[1]
