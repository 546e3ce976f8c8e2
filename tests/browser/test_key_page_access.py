"""The link page for everybody: axe-core in every look and state, keyboard, zoom, and what a screen reader says."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from chatbot.domain.credentials import CredentialField
from chatbot.ports.desk import Accepted, Refused, ShownStep
from tests.browser.linkpage import STATUS, state, tab
from tests.support.graders import faults
from tests.web.weblink import FakeDesk, served

pytestmark = pytest.mark.browser
STEPS = (
    ShownStep("Create the key", "Press “Add new API key”.\n\nEnter the six digits."),
    ShownStep("What happens next", "Your browser locks the key."),
)
FIELDS = (
    CredentialField("api_key", "API key", secret=False),
    CredentialField("api_secret", "Private key", secret=True, multiline=True),
    CredentialField("passphrase", "Passphrase", secret=True),
)
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "320 px": {"viewport": {"width": 320, "height": 568}},
    "wide and dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
}
READ_OUT = """- main:
  - text: Keyherald
  - heading "Connect Bitso" [level=1]
  - paragraph: Main account
  - paragraph: "Your phrase: “blue otter”. If you did not choose it, close this page."
  - status: Paste the key you made at Bitso.
  - status
  - text: API key
  - textbox "API key"
  - status
  - text: Private key
  - textbox "Private key"
  - 'button "Show: Private key"'
  - status
  - text: Passphrase
  - textbox "Passphrase"
  - 'button "Show: Passphrase"'
  - status
  - button "Lock and send"
  - paragraph: /This page stays open for \\d\\d:\\d\\d\\./
  - complementary:
    - heading "Create the key" [level=2]
    - paragraph: /Press “Add new API key”\\./
    - heading "What happens next" [level=2]
    - paragraph: Your browser locks the key."""


def full_desk(*answers: Refused | Accepted | None) -> FakeDesk:
    return FakeDesk(list(answers), fields=FIELDS, phrase="blue otter", steps=STEPS)


async def fill(page: Page) -> None:
    for name, text in (("api_key", "k"), ("api_secret", "s"), ("passphrase", "two words")):
        await page.fill(f"#{name}", text)


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_in_any_state(browser, look):
    """Loading, ready, cleaned, incomplete, sending, refused, done and dead: 0 violations in every look."""
    desk = full_desk(Refused("The secret does not fit the key.", 2), Accepted("2055"))
    async with served(desk) as url, tab(browser, **LOOKS[look]) as page:
        found = {}
        await page.goto(desk.url(url))
        await state(page, "ready")
        found["ready"] = await faults(page)
        await page.fill("#api_key", "API key: abc def")
        await page.click("[aria-pressed]")
        await page.click("#submit")
        await expect(page.locator("#status")).to_contain_text("Please fill in")
        found["cleaned and incomplete"] = await faults(page)
        await fill(page)
        await page.click("#submit")
        await state(page, "refused")
        found["refused"] = await faults(page)
        desk.pause = 2
        await fill(page)
        await page.click("#submit")
        await state(page, "sending")
        found["sending"] = await faults(page)
        await state(page, "done")
        found["done"] = await faults(page)
        await page.reload()
        await state(page, "dead")
        found["dead"] = await faults(page)

    assert {name: wrong for name, wrong in found.items() if wrong} == {}
    assert len(found) == 6


async def test_axe_would_notice(browser):
    """The tool does look at our page: a field that lost its label is found."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        await page.evaluate("document.querySelector('[for=api_secret]').remove()")

        assert [rule for rule, *_ in await faults(page)] == ["label"]


async def test_a_screen_reader_says_what_everything_is(browser):
    """Headings, fields, buttons and regions have roles and names of their own, in reading order."""
    desk = full_desk(Accepted("2055"))
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")

        await expect(page.locator("body")).to_match_aria_snapshot(READ_OUT)


async def test_the_keyboard_is_enough(browser):
    """Focus begins in the first field; Tab reaches every field and toggle, Space shows, Enter sends."""
    desk = full_desk(Accepted("2055"))
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        await page.keyboard.type("key")
        await page.keyboard.press("Tab")
        await page.keyboard.type("secret")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        assert await page.evaluate("getComputedStyle(api_secret).webkitTextSecurity") == "none"
        await page.keyboard.press("Tab")
        await page.keyboard.type("two words")
        await page.keyboard.press("Enter")
        await state(page, "done")

    assert len(desk.plaintexts) == 1


@pytest.mark.parametrize("width", [320, 640])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_small_phone_and_double_zoom(browser, width, scheme):
    """Nothing scrolls sideways or leaves the page at 320 pixels, at 200 % zoom, or with text twice as large."""
    desk = FakeDesk(label="A" * 64, fields=FIELDS, phrase="W" * 64, steps=STEPS)
    viewport = {"width": width, "height": 568}
    async with served(desk) as url, tab(browser, viewport=viewport, color_scheme=scheme) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        for size in ("100%", "200%"):
            await page.evaluate("size => document.documentElement.style.fontSize = size", size)
            right = await page.evaluate(
                "Math.max(...[...document.querySelectorAll('body *')].map(e => e.getBoundingClientRect().right))"
            )
            assert right <= width
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_the_steps_stand_beside_the_form_where_there_is_room(browser):
    """On a wide screen one looks up a step without scrolling; on a phone the form comes first."""
    desk = full_desk()
    async with served(desk) as url:
        for width, beside in ((1280, True), (360, False)):
            async with tab(browser, viewport={"width": width, "height": 800}) as page:
                await page.goto(desk.url(url))
                await state(page, "ready")
                form = await page.locator("form").bounding_box()
                steps = await page.locator("aside").bounding_box()
                assert form
                assert steps
                assert (steps["x"] >= form["x"] + form["width"]) == beside
                assert (steps["y"] >= form["y"] + form["height"]) != beside


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_state_is_told_by_colour_alone(browser, scheme):
    """Every state has words of its own in the status line, which a screen reader reads out by itself."""
    desk = full_desk(Refused("No.", 1), None)
    async with served(desk) as url, tab(browser, color_scheme=scheme) as page:
        await page.goto(desk.url(url))
        words = []
        for name in ("ready", "refused", "dead"):
            await state(page, name)
            words.append(await page.inner_text(STATUS.format(name)))
            if name != "dead":
                await fill(page)
                await page.click("#submit")

    assert len(set(words)) == 3
    assert all(words)
