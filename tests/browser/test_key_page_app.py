"""The link page inside a chat's own app: no token anywhere, framed by the one who may, refused to all others."""

from datetime import timedelta
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import Page

from chatbot.domain.people import Identity
from tests.browser.linkpage import fields, hand_over, state, tab
from tests.web.weblink import OWNER, FakeDesk, public_bytes, served

pytestmark = pytest.mark.browser
PROOF = 'user={"id":42}&auth_date=1&hash=2b'
CLIENT = "https://web.telegram.org"
STRANGER = "https://stranger.example"
READY = "#status[data-state=ready]"


def vouch(proof: str, life: timedelta) -> Identity | None:
    assert life
    return OWNER if proof == PROOF else None


def address(desk: FakeDesk, url: str, proof: str = PROOF) -> str:
    """Return the page's address as a chat app opens it."""
    return f"{desk.app_url(url)}#tgWebAppData={quote(proof)}&tgWebAppVersion=8.0&tgWebAppPlatform=ios"


async def framed(page: Page, parent: str, url: str) -> None:
    """Open the page in a frame of somebody's site."""
    await page.route(f"{parent}/**", lambda route: route.fulfill(
        body=f'<!doctype html><title>Parent</title><iframe src="{url}" width=400 height=700></iframe>',
        content_type="text/html",
    ))  # fmt: skip
    await page.goto(f"{parent}/a/")


async def test_the_owner_hands_over_a_key_without_any_token(browser):
    """From the app's proof to the code; the proof leaves the address bar, the key leaves only sealed."""
    desk = FakeDesk()
    async with served(desk, identify=vouch) as url, tab(browser) as page:
        await page.goto(address(desk, url))
        await state(page, "ready")
        assert page.url == f"{url}/key-app"
        await hand_over(page)
        await state(page, "done")
        assert await page.inner_text("#code") == "2055"

    assert fields(desk.plaintexts[0]) == ["AbC123key", "s3cret+/="]


async def test_a_proof_of_somebody_else_opens_nothing(browser):
    """It is the same dead link as any other, and there is no form."""
    desk = FakeDesk()
    async with served(desk, identify=vouch) as url, tab(browser) as page:
        await page.goto(address(desk, url, "hash=forged"))
        await state(page, "dead")
        assert await page.locator("form, input").count() == 0

    assert desk.opened == []


@pytest.mark.parametrize("cut", [False, True])
async def test_a_swapped_or_unnamed_key_is_refused_there_too(browser, cut):
    """Without the mark that the chat brought along the page does not even show a form."""
    desk = FakeDesk(shown_key=b"" if cut else public_bytes(ec.generate_private_key(ec.SECP256R1())))
    async with served(desk, identify=vouch) as url, tab(browser) as page:
        where = address(desk, url)
        await page.goto(where.replace("&k=", "&x=") if cut else where)
        await state(page, "dead")

        assert "does not match" in await page.inner_text("#status")
        assert await page.locator("form, input").count() == 0


async def test_only_telegrams_own_client_may_frame_it(browser):
    """In its frame the page works; in a stranger's frame there is nothing to click on."""
    desk = FakeDesk()
    async with served(desk, identify=vouch) as url:
        # The real one is public; this one is on the machine, which a public page may not look into unasked.
        context = await browser.new_context(permissions=["local-network-access"])
        page = await context.new_page()
        await framed(page, CLIENT, address(desk, url))
        frame = page.frame_locator("iframe")
        await frame.locator(READY).wait_for()
        await frame.locator("#api_key").fill("key")
        await frame.locator("#api_secret").fill("secret")
        await frame.locator("#submit").click()
        await frame.locator("#status[data-state=done]").wait_for()
        opened = len(desk.opened)

        async with page.expect_event("console", lambda line: "frame-ancestors" in line.text):
            await framed(page, STRANGER, address(desk, url))
        assert await page.frames[1].locator("#status").count() == 0
        await context.close()

    assert opened == len(desk.opened) == 1
    assert fields(desk.plaintexts[0]) == ["key", "secret"]
