"""WebKitGTK, told what to do over W3C WebDriver by its own driver, on a screen that nobody sees."""

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.rig.process import free_port
from tests.support.engines.process import PATIENCE, launched
from tests.support.engines.tab import ActingTab, Action

DRIVER = "WebKitWebDriver"
SCREEN = "Xvfb"
BROWSERS = "webkit*gtk-*/MiniBrowser"
BETWEEN_PAGES = {"javascript error", "no such frame", "unknown error"}
_READY = re.compile(r"^\d+$", re.MULTILINE)


def find() -> str | None:
    """Return the browser that belongs to the driver, None when one of the three is missing."""
    found = [
        str(path) for folder in ("/usr/lib", "/usr/libexec") for path in Path(folder).glob(f"*/{BROWSERS}")
    ]
    return found[0] if found and shutil.which(DRIVER) and shutil.which(SCREEN) else None


class WebKitTab(ActingTab):
    """A window of WebKitGTK's own small browser."""

    def __init__(self, driver: httpx.AsyncClient) -> None:
        self._driver = driver
        self._session = ""

    async def open(self, executable: str, proxy: int) -> None:
        """Begin the session; pages load while we look at them."""
        way_out = f"127.0.0.1:{proxy}"
        wanted = {
            "pageLoadStrategy": "none",
            # No `noProxy`: with two entries in it this browser crashed in one start of three.
            "proxy": {"proxyType": "manual", "httpProxy": way_out, "sslProxy": way_out},
            "webkitgtk:browserOptions": {"binary": executable, "args": ["--automation"]},
        }  # fmt: skip
        begun = await self._driver.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
        assert begun.status_code == 200, begun.text
        self._session = f"/session/{begun.json()['value']['sessionId']}"

    async def close(self) -> None:
        """End the session, and with it the browser."""
        await self._driver.delete(self._session)

    async def go(self, url: str) -> None:
        await self._do("/url", url=url)

    async def run(self, expression: str) -> Any:
        answer = await self._send("/execute/sync", script=f"return {expression}", args=[])
        value = answer.json()["value"]
        if answer.status_code == 200:
            return value
        # Asked between two pages, or before its elements are there, there is nothing to answer.
        assert value["error"] in BETWEEN_PAGES, value
        return None

    async def act(self, sources: list[Action]) -> None:
        await self._do("/actions", actions=sources)

    async def _send(self, path: str, **body: Any) -> httpx.Response:
        return await self._driver.post(self._session + path, json=body)

    async def _do(self, path: str, **body: Any) -> None:
        answer = await self._send(path, **body)
        assert answer.status_code == 200, answer.text


async def _answers(driver: httpx.AsyncClient) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(httpx.TransportError):
                await driver.get("/status")
                return
            await asyncio.sleep(0.05)


@asynccontextmanager
async def window(executable: str, folder: Path, proxy: int) -> AsyncIterator[WebKitTab]:
    """Run a screen, the driver and its browser until the block ends."""
    screen = [SCREEN, "-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
    port = free_port()
    driver = [shutil.which(DRIVER) or DRIVER, "--host=127.0.0.1", f"--port={port}"]
    async with launched(screen, folder) as shown:
        settings = {
            "DISPLAY": f":{(await shown.says(_READY))[0]}",
            "GDK_BACKEND": "x11",
            "GSETTINGS_BACKEND": "memory",
            "NO_AT_BRIDGE": "1",
            "LIBGL_ALWAYS_SOFTWARE": "1",
        }
        async with (
            launched(driver, folder, settings),
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as client,
        ):
            await _answers(client)
            tab = WebKitTab(client)
            await tab.open(executable, proxy)
            try:
                yield tab
            finally:
                await tab.close()
