"""The demo from its first line to Ctrl-C, as a newcomer goes through it: a real process, a real browser."""

import re
import signal
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.demoroom import LAST_LINE, SECONDS, Demo, Room, demo
from tests.browser.linkpage import hand_over, state, tab
from tests.rig.process import until

pytestmark = pytest.mark.browser
PHONE = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}


async def _connect(room: Room, browser: Browser, here: Demo) -> str:
    """Go through guide, secure page and code; return the link."""
    link = await room.link()
    async with tab(browser) as page:
        await page.goto(link)
        await state(page, "ready")
        await hand_over(page, here.key, here.secret)
        await state(page, "done")
        code = await page.inner_text("#code")
    question = await room.reads(code)
    await question.get_by_role("button", name="Confirm").click()
    await room.reads("is connected")
    return link


async def _press_practice(page: Page, label: str) -> None:
    if not await page.locator("#doings").is_visible():
        await page.click("#practice summary")
    box = page.locator("#doings details", has=page.locator("summary", has_text=re.compile("^Bitso$")))
    await box.locator("button", has_text=label).first.click()


async def _told_of(room: Room, label: str, words: str) -> None:
    """Press a practice button and read of it in the chat."""
    messages = room.page.locator("article[data-from=bot]", has_text=words)
    before = await messages.count()
    await _press_practice(room.page, label)
    await expect(messages).not_to_have_count(before, timeout=SECONDS)


def _nothing_leaked(here: Demo, link: str) -> None:
    after = here.program.out.partition(LAST_LINE)[2] + here.program.err
    token = link.partition("#")[2].partition(".")[0]
    session = here.address.partition("#")[2]
    files = [path for folder in here.folders for path in folder.glob("keyherald.sqlite*")]
    assert {path.name for path in files} >= {"keyherald.sqlite", "keyherald.sqlite-wal"}
    for secret in (here.key, here.secret, token, session):
        assert secret not in after
        assert [path.name for path in files if secret.encode() in path.read_bytes()] == []


async def test_the_demo_from_connect_to_ctrl_c(tmp_path: Path, browser: Browser) -> None:
    """Connect, balances, a fill, /here, /revoke; no secret is left anywhere; Ctrl-C leaves nothing behind."""
    async with demo(tmp_path) as here, tab(browser) as page:
        room = Room(page)
        await room.enter(here)
        link = await _connect(room, browser, here)
        await room.reads("Total $")
        await _told_of(room, "Buy", "Bought")
        await room.go("Team")
        await room.type("/here")
        await room.reads("before the yes")
        await page.locator('#chats [data-chat="you"]').click()
        question = await room.reads("Everybody there reads them")
        await question.get_by_role("button", name="Yes, send them there").click()
        await page.locator('#chats [data-chat="team"]').click()
        await room.reads("come here")
        await _told_of(room, "Sell", "Sold")
        _nothing_leaked(here, link)
        await _revoke(room, here)
        _nothing_leaked(here, link)

        here.program.tell(signal.SIGINT)
        assert await here.program.ended() == 0
        assert here.folders == []
        assert "Traceback" not in here.program.out + here.program.err


async def _revoke(room: Room, here: Demo) -> None:
    await room.go("Admin")
    await room.type("/revoke")
    question = await room.reads("Which account")
    await question.get_by_role("button", name="Bitso").click()
    sure = await room.reads("can't be undone")
    await sure.get_by_role("button", name="Yes, do it").click()
    await room.reads("is revoked")
    await room.go("You")
    await room.reads("An admin revoked")
    assert here.key[-4:] in await room.page.locator("#messages").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_demo_fits_a_phone(tmp_path: Path, browser: Browser, scheme: str) -> None:
    """Chat and link page need no sideways scrolling on a small screen, in either colour scheme."""
    async with demo(tmp_path) as here, tab(browser, color_scheme=scheme, **PHONE) as page:
        room = Room(page)
        await room.enter(here)
        await room.fits(tmp_path / "start.png")
        link = await room.link()
        await room.fits(tmp_path / "guide.png")
        await _press_practice(page, "Buy")
        await room.fits(tmp_path / "practice.png")
        async with tab(browser, color_scheme=scheme, **PHONE) as form:
            await form.goto(link)
            await state(form, "ready")
            await Room(form).fits(tmp_path / "form.png")
            await hand_over(form, here.key, here.secret)
            await state(form, "done")
            await Room(form).fits(tmp_path / "code.png")


async def test_a_signal_ends_the_demo_while_its_page_is_open(tmp_path: Path, browser: Browser) -> None:
    """A page that waits for messages holds nothing up, and a service manager's signal tidies up as well."""
    async with demo(tmp_path) as here, tab(browser) as page:
        await Room(page).enter(here)
        await until(lambda: here.folders, 5, "the folder is there")
        here.program.tell(signal.SIGTERM)

        assert await here.program.ended(10) == 0
        assert here.folders == []
