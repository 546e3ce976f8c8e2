"""Opening the link page in a browser, for its tests: a watched tab, its states, and the form.

A tab fails its test when the console complains.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page

STATUS = "#status[data-state={}]"


@asynccontextmanager
async def tab(browser: Browser, **options) -> AsyncIterator[Page]:
    """Open a window of its own and insist that the console stays silent."""
    context = await browser.new_context(**options)
    page = await context.new_page()
    complaints: list[str] = []
    page.on(
        "console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        yield page
        # An answer of 4xx is a line in the console whatever the page does about it.
        assert [line for line in complaints if not line.startswith("Failed to load resource")] == []
    finally:
        await context.close()


async def state(page: Page, name: str) -> None:
    """Wait until the page is in a state."""
    await page.wait_for_selector(STATUS.format(name))


async def hand_over(page: Page, key: str = "AbC123key", secret: str = "s3cret+/=") -> None:
    """Fill in the form and press the button."""
    await page.fill("#api_key", key)
    await page.fill("#api_secret", secret)
    await page.click("#submit")


def fields(plain: bytes) -> list[str]:
    """Read what the page sealed."""
    found, at = [], 1
    for _ in range(plain[0]):
        size = int.from_bytes(plain[at : at + 4], "big")
        found.append(plain[at + 4 : at + 4 + size].decode())
        at += 4 + size
    assert len(plain) % 512 == 0
    assert not any(plain[at:])
    return found
