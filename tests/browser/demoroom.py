"""Being a newcomer at the demo: a real `demo` process, its page in a browser, typing, pressing and reading."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from tests.rig.process import Program, free_port, running

LAST_LINE = "Ctrl-C stops everything."
SECONDS = 20_000  # as Playwright counts
STEP = re.compile(r"step (\d+) of (\d+)")


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo and what it announced."""

    program: Program
    address: str
    key: str
    secret: str

    @property
    def folders(self) -> list[Path]:
        """The temporary folders there are now."""
        return list(self.program.folder.glob("keyherald-demo-*"))


@dataclass(frozen=True, slots=True)
class Room:
    """The chat page of one browser window."""

    page: Page

    async def enter(self, demo: Demo) -> None:
        await self.page.goto(demo.address)
        await expect(self.page.locator("#chats button")).to_have_count(3)

    async def go(self, chat: str) -> None:
        """Change to another chat."""
        await self.page.locator("#chats button", has_text=chat).click()
        await expect(self.page.locator("#name")).to_have_text(chat)

    async def type(self, text: str) -> None:
        """Write something and send it with the keyboard."""
        await self.page.fill("#message", text)
        await self.page.keyboard.press("Escape")
        await self.page.click("#send")

    async def reads(self, text: str) -> Locator:
        """Wait for a message of the bot with these words and return the newest."""
        found = self.page.locator("article[data-from=bot]", has_text=text).last
        await expect(found).to_be_visible(timeout=SECONDS)
        return found

    async def link(self) -> str:
        """Press *Next* until the secure page can be opened, and return its address."""
        await self.type("/connect bitso")
        card = await self.reads("step 1 of")
        for _ in range(9):
            if await card.get_by_text("Open secure page").count():
                return str(await card.get_by_text("Open secure page").get_attribute("href"))
            number, of = await self._step(card)
            await card.get_by_role("button", name="Next").click()
            card = await self.reads(f"step {number + 1} of {of}")
        raise AssertionError("Next did not lead to the link")

    async def _step(self, card: Locator) -> tuple[int, int]:
        found = STEP.search(await card.inner_text())
        assert found is not None
        return int(found[1]), int(found[2])

    async def fits(self, screenshot: Path) -> None:
        """Take a picture and insist that nothing has to be scrolled sideways."""
        await self.page.screenshot(path=screenshot)
        assert await self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), screenshot.name


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[Demo]:
    """Run the demo until the block ends."""
    async with running("demo", folder, {"PORT": str(free_port()), "LOG_LEVEL": "debug"}) as program:
        await program.says(LAST_LINE)
        said = [line.split()[-1] for line in program.out.splitlines() if line.strip()]
        address = next(word for word in said if "/chat#" in word)
        key, secret = (_after(program.out, f"Bitso practice {name}") for name in ("key", "secret"))
        yield Demo(program, address, key, secret)


def _after(text: str, words: str) -> str:
    return next(line.split()[-1] for line in text.splitlines() if words in line)
