"""The form of the link page: what pasting does to a key, showing a secret, the time left, the words around it."""

import pytest
from playwright.async_api import Page, expect

from chatbot.domain.credentials import CredentialField
from chatbot.ports.desk import Accepted, Refused, ShownStep
from tests.browser.linkpage import fields, hand_over, state, tab
from tests.web.weblink import FIELDS, FakeDesk, served

pytestmark = pytest.mark.browser
CLEANED = "Removed: spaces, line breaks or a label."
PASSPHRASE = CredentialField("passphrase", "Passphrase", secret=True)
PEM_FIELDS = (
    FIELDS[0],
    CredentialField("api_secret", "Private key", secret=True, multiline=True),
    PASSPHRASE,
)
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB0+/x==\nAb cD\n-----END EC PRIVATE KEY-----"
CLIPBOARD = {"permissions": ["clipboard-write"]}


async def paste(page: Page, css: str, text: str) -> None:
    """Paste as a person does: from the clipboard, with the keyboard."""
    await page.evaluate("text => navigator.clipboard.writeText(text)", text)
    await page.focus(css)
    await page.keyboard.press("Control+V")


def note(page: Page, css: str):
    return page.locator("form div", has=page.locator(css)).locator("[role=status]")


COPIED = [
    "  AbC123key ",
    "AbC1\n23key\n",
    "AbC1\r\n  23key",
    "\ufeffAbC\u200b123\u00a0key",
    "API Key: AbC123key",
    "API Key:\n\nAbC123key",
    "API Key\nAbC123key",
    "Clave de API\tAbC123key",
    "Chave secreta : AbC123key",
    "api_secret=AbC123key",
    "API_KEY='AbC123key';",
    '"apiKey": "AbC123key",',
]
CLEAN = ["AbC123key==", "aB+/xY0=", "organizations/0a1b/apiKeys/2c3d", "a-b_c.d|e", "key", "0xSecret9"]


@pytest.mark.parametrize(
    "meant", [dict.fromkeys(COPIED, ("AbC123key", CLEANED)), {key: (key, "") for key in CLEAN}]
)
async def test_what_was_copied_along_is_left_out_and_said(browser, meant):
    """Blanks, line ends and the key's own label go, at once and in words; a real key stays as it is."""
    desk = FakeDesk()
    found = {}
    async with served(desk) as url, tab(browser, **CLIPBOARD) as page:
        for copied in meant:
            await page.goto(f"{url}/key.css")
            await page.goto(desk.url(url))
            await state(page, "ready")
            await paste(page, "#api_secret", copied)
            # What was pasted is in its place once the keyboard's next stroke is.
            await page.keyboard.press("Tab")
            found[copied] = (
                await page.input_value("#api_secret"),
                await note(page, "#api_secret").inner_text(),
            )

    assert found == meant


async def test_typed_blanks_are_left_out_too(browser):
    """Some keyboards paste as if it was typed: leaving the field cleans it, and a two-part paste stays whole."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser, **CLIPBOARD) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        await page.keyboard.type("API key: AbC 123")
        await page.keyboard.press("Tab")
        await expect(note(page, "#api_key")).to_have_text(CLEANED)
        assert await page.input_value("#api_key") == "AbC123"
        await paste(page, "#api_secret", "one ")
        await paste(page, "#api_secret", " two")
        await page.keyboard.press("Enter")
        await state(page, "done")

    assert fields(desk.plaintexts[0]) == ["AbC123", "onetwo"]


@pytest.mark.parametrize("before", ["", "Private key:\n", '{"privateKey": "'])
async def test_a_pem_block_keeps_its_lines(browser, before):
    """Where the exchange hands out a PEM block it arrives byte for byte, without what stood around it."""
    desk = FakeDesk(fields=PEM_FIELDS)
    copied = before + (PEM.replace("\n", "\\n") + '"}' if before.startswith("{") else PEM)
    async with served(desk) as url, tab(browser, **CLIPBOARD) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        await page.fill("#api_key", "key")
        await page.fill("#passphrase", " two words ")
        await paste(page, "#api_secret", copied)
        assert await note(page, "#api_secret").inner_text() == (CLEANED if before else "")
        await page.click("#submit")
        await state(page, "done")

    assert fields(desk.plaintexts[0]) == ["key", PEM, "two words"]


async def test_a_key_of_one_line_in_a_field_of_many(browser):
    """A field for PEM blocks takes a short key as well, and cleans it as any other."""
    desk = FakeDesk(fields=PEM_FIELDS)
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        await page.fill("#api_secret", "Secret:\nAbC 123\nkey\n")
        await page.fill("#api_key", "key")
        await page.fill("#passphrase", "p")
        await page.click("#submit")
        await state(page, "done")

    assert fields(desk.plaintexts[0]) == ["key", "AbC123key", "p"]


async def test_characters_that_no_key_has_are_said_before_sending(browser):
    """A dash or quote that some program made prettier would only cost a try."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        await hand_over(page, secret="abc–def")
        await expect(page.locator("#status")).to_have_text("Please copy again: API secret")

        assert await page.evaluate("document.activeElement.id") == "api_secret"
    assert desk.plaintexts == []


async def test_a_secret_is_shown_only_while_wanted(browser):
    """The toggle shows and hides one secret and says which; the key itself needs none."""
    desk = FakeDesk(fields=(*FIELDS, PASSPHRASE))
    look = "name => getComputedStyle(document.getElementById(name)).webkitTextSecurity"
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        toggle = page.get_by_role("button", name="Show: API secret", exact=True)
        assert await page.get_by_role("button", name="Show").count() == 2
        assert [await page.evaluate(look, name) for name in ("api_secret", "passphrase")] == ["disc", "disc"]
        await toggle.click()
        assert await toggle.get_attribute("aria-pressed") == "true"
        assert [await page.evaluate(look, name) for name in ("api_secret", "passphrase")] == ["none", "disc"]
        await toggle.click()
        assert await toggle.get_attribute("aria-pressed") == "false"
        assert await page.evaluate(look, "api_secret") == "disc"


async def test_the_time_left_runs_down_and_ends_the_page(browser):
    """Minutes and seconds are shown; at the end what was typed is gone and the page says what to do."""
    desk = FakeDesk(seconds_left=125)
    async with served(desk) as url, tab(browser) as page:
        await page.clock.install()
        await page.goto(desk.url(url))
        await state(page, "ready")
        left = page.locator("#left")
        await expect(left).to_have_text("This page stays open for 02:05.")
        await page.fill("#api_secret", "s3cret")
        await page.clock.run_for(64_000)
        await expect(left).to_have_text("This page stays open for 01:01.")
        await page.clock.run_for(62_000)
        await state(page, "dead")

        assert await page.locator("form, input").count() == 0
    assert desk.plaintexts == []


async def test_the_last_try_says_why_it_was_the_last(browser):
    """The reason of the exchange is read even when the link is over with it."""
    desk = FakeDesk([Refused("Wrong secret. This was the last try.", 0)])
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        await hand_over(page)
        await state(page, "dead")

        assert "Wrong secret. This was the last try." in await page.inner_text("#status")
        assert await page.locator("form, input").count() == 0


@pytest.mark.parametrize("phrase", ["", "blue otter", "<b>{exchange}</b>"])
async def test_the_persons_phrase_is_shown_when_there_is_one(browser, phrase):
    """A page of somebody else's can't know it; without one nothing is said of it."""
    desk = FakeDesk(phrase=phrase)
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")

        said = f"Your phrase: “{phrase}”. If you did not choose it, close this page."
        assert await page.inner_text("#phrase") == (said if phrase else "")


async def test_the_last_steps_stand_beside_the_form(browser):
    """The steps are the desk's words, as text; they go away with the form."""
    steps = (ShownStep("Copy both", "First line.\n\nSecond <b>line</b>."), ShownStep("Then", "A code."))
    desk = FakeDesk([Accepted("2055")], steps=steps)
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        assert await page.locator("aside h2").all_inner_texts() == ["Copy both", "Then"]
        assert await page.locator("aside p").all_inner_texts() == [steps[0].text, "A code."]
        assert await page.locator("aside b").count() == 0
        await hand_over(page)
        await state(page, "done")
        assert await page.locator("aside").count() == 0


async def test_the_page_asks_nobody_but_its_own_server(browser):
    """From the first byte to the code every request goes to the one origin, and there are few."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(desk.url(url))
        await state(page, "ready")
        await hand_over(page)
        await state(page, "done")

    paths = {address.removeprefix(url).partition("#")[0] for address in asked}
    assert paths == {"/key", "/key.css", "/key.js", "/api/open", "/api/submit"}
