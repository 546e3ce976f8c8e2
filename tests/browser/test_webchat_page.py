"""The web chat's page in a real browser: typing, pressing, reading, on a desk and on a phone."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, expect

from chatbot.domain.messages import Button, Line, Look, Message, Piece, Table, bold, code, line, message
from chatbot.domain.outbox import Promise
from chatbot.domain.updates import Pressed
from chatbot.platforms.webchat import WebChat
from tests.browser.linkpage import tab
from tests.support.webchat import HIDDEN, SECRET, FakeInlet, delivery, serving

pytestmark = pytest.mark.browser
NEXT = ((Button("Next", "id-next"), Button("Back", "id-back")),)
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>&amp;*_`"
FITS = "document.documentElement.scrollWidth <= innerWidth"


@asynccontextmanager
async def room(browser, practised=None, **options) -> AsyncIterator[tuple[WebChat, FakeInlet, Page]]:
    """Serve a chat and open its page with the address for the terminal."""
    async with (
        serving([] if practised is None else practised) as (chat, inlet),
        tab(browser, **options) as page,
    ):
        await page.goto(chat.address)
        await expect(page.locator("#state")).to_have_attribute("data-state", "")
        yield chat, inlet, page


def bubbles(page: Page):
    return page.locator("article")


async def test_what_is_typed_is_sent_and_shown(browser):
    """Enter sends, Shift+Enter makes a line; the echo is scrubbed, the field empty again."""
    async with room(browser) as (_, inlet, page):
        await page.focus("#message")
        await page.keyboard.type("hello")
        await page.keyboard.press("Shift+Enter")
        await page.keyboard.type(SECRET)
        await page.keyboard.press("Enter")
        await expect(bubbles(page).locator("p")).to_have_text(["hello", HIDDEN])
        await page.fill("#message", "again")
        await page.click("#send")
        await expect(bubbles(page)).to_have_count(2)

        assert [raw["text"] for raw in inlet.stored] == [f"hello\n{HIDDEN}", "again"]
        assert await page.input_value("#message") == ""
        first = bubbles(page).first
        assert await first.get_attribute("data-from") == "you"
        assert await first.get_attribute("data-id") == inlet.stored[0]["message"]


async def test_the_token_is_kept_nowhere(browser):
    """It leaves the address bar, is in no web storage, and a reload works by the cookie."""
    async with room(browser) as (chat, _, page):
        assert page.url == chat.address.partition("#")[0]
        assert await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [
            0,
            0,
            "",
        ]
        await page.reload()
        await expect(page.locator("#state")).to_have_attribute("data-state", "")


async def test_without_the_token_the_page_says_where_it_is(browser):
    """Whoever opens the bare address is told what to do."""
    async with serving([]) as (chat, _), tab(browser) as page:
        await page.goto(chat.address.partition("#")[0])
        await expect(page.locator("#state[data-state=out]")).to_contain_text("printed in the terminal")


async def test_a_press_waits_for_its_answer_and_the_card_changes_in_place(browser):
    """The button is busy until the toast; the edit keeps place, id and the keyboard's place."""
    async with room(browser) as (chat, inlet, page):
        sent = await chat.deliver(delivery(message("step 1", buttons=NEXT)))
        await chat.deliver(delivery(message("below")))
        button = page.get_by_role("button", name="Next")
        await button.focus()
        await page.keyboard.press("Enter")
        await expect(button).to_have_attribute("data-press", re.compile("."))
        pressed = chat.parse(inlet.stored[0])
        assert isinstance(pressed, Pressed)
        await chat.answer(pressed, "One moment")
        await expect(page.locator("#toast.shown")).to_have_text("One moment")
        await expect(button).not_to_have_attribute("aria-busy", "true")
        await chat.deliver(delivery(message("step 2", buttons=NEXT[:1]), edit=sent))
        await expect(bubbles(page).first.locator("p")).to_have_text("step 2")

        assert (pressed.button, pressed.message_id) == ("id-next", sent)
        assert await bubbles(page).first.get_attribute("data-id") == sent
        assert "edited" in await bubbles(page).first.inner_text()
        assert await page.evaluate("document.activeElement.textContent") == "Next"
        assert await bubbles(page).count() == 2


async def test_a_button_that_is_gone_says_so(browser):
    """A press that finds nothing is told, and may be tried again."""
    async with room(browser) as (chat, _, page):
        await chat.deliver(delivery(message("pick", buttons=NEXT)))
        await page.route("**/chat/press", lambda route: route.fulfill(status=404, json={"reason": ""}))
        await page.get_by_role("button", name="Back").click()
        await expect(page.locator("#toast.shown")).to_have_text("This button is no longer there.")
        await expect(page.get_by_role("button", name="Back")).not_to_have_attribute("aria-busy", "true")


async def test_an_erased_message_leaves_the_page(browser):
    """What was pasted by mistake is gone without a reload, and the starters come back."""
    async with room(browser) as (chat, _, page):
        sent = await chat.deliver(delivery(message("secret")))
        await expect(bubbles(page)).to_have_count(1)
        await chat.deliver(delivery(Message(), erase=sent))
        await expect(bubbles(page)).to_have_count(0)
        await page.locator(".empty button", has_text="/help").click()
        await expect(bubbles(page)).to_contain_text("/help")


async def test_every_kind_of_piece_has_its_look(browser):
    """Bold, code, link, table, reference and repeat mark are real elements, not characters."""
    link = Piece("the page", Look.LINK, "https://a.example/b?c=1")
    table = Table((("asset", "total"), ("BTC", "0.5")))
    async with room(browser) as (chat, _, page):
        alert = message(line(bold("Sold"), " ", code("a1b2"), " ", link), table)
        await chat.deliver(delivery(alert, promise=Promise.ALERT))
        await chat.deliver(delivery(alert, promise=Promise.ALERT, repeat=True))
        first, again = bubbles(page).nth(0), bubbles(page).nth(1)

        await expect(first.locator("b")).to_have_text("Sold")
        await expect(first.locator("p a")).to_have_attribute("href", link.url)
        await expect(first.locator("p a")).to_have_attribute("rel", "noopener noreferrer")
        await expect(first.locator("th")).to_have_text(["asset", "total"])
        await expect(first.locator("td")).to_have_text(["BTC", "0.5"])
        await expect(first.locator("footer .note")).to_have_text("ref 7K2Q")
        await expect(again.locator(".note")).to_have_text("↻ may be a repeat · ref 7K2Q")


async def test_code_is_copied_by_a_click(browser):
    """Keys and codes are long; nobody should have to mark them."""
    permissions = ["clipboard-read", "clipboard-write"]
    async with room(browser, permissions=permissions) as (chat, _, page):
        await chat.deliver(delivery(message(line("Address ", code("203.0.113.7")))))
        await bubbles(page).locator(".code").click()
        await expect(page.locator("#toast.shown")).to_have_text("Copied")

        assert await page.evaluate("navigator.clipboard.readText()") == "203.0.113.7"
        await page.locator("#notes .code").first.click()
        await page.wait_for_function(
            "async () => await navigator.clipboard.readText() === 'practiceKEY0a1b2'"
        )


async def test_an_address_opens_in_a_tab_of_its_own(browser):
    """The new page can't reach back, and the chat stays where it is."""
    async with room(browser) as (chat, inlet, page):
        url = chat.address.partition("#")[0] + "/icon.svg#x"
        await chat.deliver(delivery(message("Once", buttons=((Button("Open secure page", url=url),),))))
        opens = page.get_by_role("link", name="Open secure page")
        assert "noopener" in str(await opens.get_attribute("rel"))
        async with page.context.expect_page() as opened:
            await opens.click()
        other = await opened.value
        await other.wait_for_url(url)

        assert await other.evaluate("window.opener") is None
        assert page.url.endswith("/chat")
        assert inlet.stored == []


async def test_a_private_address_changes_the_chat(browser):
    """In the channel the button leads to the person's own chat and starts there."""
    async with room(browser) as (chat, inlet, page):
        button = Button("Continue in private", url=chat.private_url("connect_bitso"))
        await chat.deliver(delivery(message("Not here", buttons=((button,),)), "team"))
        await page.locator("#chats button", has_text="Team").click()
        await page.get_by_role("button", name="Continue in private").click()
        await expect(page.locator("#name")).to_have_text("You")
        await expect(bubbles(page).locator("p")).to_have_text("/start connect_bitso")

        assert (inlet.stored[0]["chat"], inlet.stored[0]["text"]) == ("you", "/start connect_bitso")


async def test_a_practice_button_makes_it_happen(browser):
    """It posts to its address and says so."""
    practised: list[str] = []
    async with room(browser, practised) as (_, _, page):
        await page.locator("#doings button", has_text="Withdraw").click()
        await expect(page.locator("#toast.shown")).to_have_text("Done: Withdraw")

    assert practised == ["withdraw"]


async def test_another_chat_counts_what_was_not_read(browser):
    """The badge and the title count until the chat is looked at; silent messages don't."""
    async with room(browser) as (chat, _, page):
        for number in range(2):
            await chat.deliver(delivery(message(f"news {number}"), "team"))
        await chat.deliver(delivery(message("quietly"), "team", silent=True))
        team = page.locator("#chats button[data-chat=team]")
        await expect(team.locator(".last")).to_have_text("quietly")
        await expect(team.locator(".badge")).to_have_text("2")
        await expect(page).to_have_title("(2) Keyherald")
        await team.click()
        await expect(team.locator(".badge")).to_have_text("")
        await expect(page).to_have_title("Keyherald")
        await expect(bubbles(page)).to_have_count(3)


async def test_commands_are_offered_and_chosen_by_keyboard(browser):
    """A slash lists what may be done here; arrows and Enter choose, Escape closes."""
    async with room(browser) as (_, inlet, page):
        await page.focus("#message")
        await page.keyboard.type("/h")
        await expect(page.locator("#commands b")).to_have_text(["/help", "/here"])
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("Enter")
        assert await page.input_value("#message") == "/here "
        await expect(page.locator("#commands")).to_be_hidden()
        await page.fill("#message", "/")
        await page.keyboard.press("Escape")
        await expect(page.locator("#commands")).to_be_hidden()
        assert inlet.stored == []


async def test_hostile_text_stays_text(browser):
    """Whatever stands in labels, cells, codes and buttons is shown as its characters, and no script runs."""
    async with room(browser) as (chat, _, page):
        pieces = tuple(Piece(HOSTILE, look) for look in (Look.PLAIN, Look.BOLD, Look.CODE))
        bad = Piece("click", Look.LINK, "javascript:alert(3)")
        buttons = ((Button(HOSTILE, "id"), Button("Bad", url="javascript:alert(4)")),)
        meant = Message((Line((*pieces, bad)), Table(((HOSTILE,), (HOSTILE,)))), buttons)
        await chat.deliver(delivery(meant))
        await page.fill("#message", HOSTILE)
        await page.keyboard.press("Enter")
        await expect(bubbles(page).nth(1).locator("p")).to_have_text(HOSTILE)
        first = bubbles(page).first

        assert await first.locator("p").inner_text() == HOSTILE * 3 + "click"
        assert await first.locator("th").inner_text() == await first.locator("td").inner_text() == HOSTILE
        assert await first.locator(".rows button").inner_text() == HOSTILE
        assert await page.locator("article img, article script, [href^=javascript]").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_fits_a_phone(browser, scheme):
    """At 360 pixels long words wrap, a wide table scrolls in its own frame, and text has contrast."""
    wide = Table((tuple(f"column {n}" for n in range(9)), tuple("1,234,567.00000000" for _ in range(9))))
    async with room(browser, color_scheme=scheme, **PHONE) as (chat, _, page):
        buttons = ((Button("Mute 2 h", "m"), Button("Details", "d"), Button("x" * 80, "r")),)
        await chat.deliver(delivery(message("a" * 300, line(code("b" * 300)), wide, buttons=buttons)))
        await expect(bubbles(page)).to_have_count(1)
        await page.tap("#practice summary")
        await expect(page.locator("#doings")).to_be_visible()

        assert await page.evaluate(FITS)
        assert await page.evaluate("messages.scrollWidth <= messages.clientWidth")
        assert await page.locator(".table").evaluate("frame => frame.scrollWidth > frame.clientWidth")
        assert await page.locator("#send").evaluate(
            "send => send.getBoundingClientRect().right <= innerWidth"
        )
        ink, card = await page.locator(".bubble").evaluate(
            "bubble => [getComputedStyle(bubble).color, getComputedStyle(bubble).backgroundColor]"
        )
        assert (brightness(ink) > brightness(card)) == (scheme == "dark")
        assert abs(brightness(ink) - brightness(card)) > 150


def brightness(colour: str) -> float:
    parts = [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    return sum(parts) / 3


async def test_a_lost_connection_is_told_and_mended(browser):
    """The page says that the bot is away, and goes on by itself."""
    async with room(browser) as (chat, _, page):
        await page.route("**/chat/messages*", lambda route: route.abort())
        await chat.deliver(delivery(message("first")))
        await expect(page.locator("#state")).to_have_attribute("data-state", "offline")
        await page.unroute("**/chat/messages*")
        await expect(page.locator("#state")).to_have_attribute("data-state", "")
        await chat.deliver(delivery(message("second")))
        await expect(bubbles(page).locator("p")).to_have_text(["first", "second"])
