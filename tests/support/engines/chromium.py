"""Chromium by Playwright, with the same few verbs as the other engines."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Error, Page, ProxySettings

from tests.support import browser

find = browser.find_chromium


class ChromiumTab:
    """A window of Chromium."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def go(self, url: str) -> None:
        await self._page.goto(url, wait_until="commit")

    async def run(self, expression: str) -> Any:
        try:
            return await self._page.evaluate(f"() => {expression}")
        except Error as error:
            # Asked between two pages, or before its elements are there, there is nothing to answer.
            if "context was destroyed" in error.message or "TypeError" in error.message:
                return None
            raise

    async def type(self, css: str, text: str) -> None:
        await self._page.focus(css)
        await self._page.keyboard.type(text)

    async def press(self, *keys: str) -> None:
        await self._page.keyboard.press("+".join(keys))

    async def click(self, css: str) -> None:
        await self._page.click(css)


@asynccontextmanager
async def window(executable: str, folder: Path, proxy: int) -> AsyncIterator[ChromiumTab]:
    """Run a headless Chromium until the block ends."""
    del folder  # Playwright makes its own
    async with browser.running(executable) as running:
        way_out = ProxySettings(server=f"http://127.0.0.1:{proxy}", bypass="localhost")
        yield ChromiumTab(await running.new_page(proxy=way_out))
