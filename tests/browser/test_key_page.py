"""The link page in a real browser, as a person meets it: from paste to code, and what may go wrong."""

import pytest
from playwright.async_api import expect

from chatbot.ports.desk import Accepted, Refused
from tests.browser.linkpage import STATUS, fields, hand_over, state, tab
from tests.web.weblink import FakeDesk, served

pytestmark = pytest.mark.browser


async def test_a_key_goes_from_paste_to_code(browser):
    """Stray blanks are dropped, the secret leaves only sealed, and the page ends with the code and nothing else."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser) as page:
        sent: list[str] = []
        page.on("request", lambda request: sent.append(f"{request.url} {request.post_data}"))
        await page.goto(desk.url(url))
        await state(page, "ready")
        assert page.url == f"{url}/key"
        assert await page.inner_text("h1") == "Connect Bitso"
        await hand_over(page, "  AbC 123\u200bkey ", "\ts3cret+/= ")
        await state(page, "done")

        assert await page.inner_text("#code") == "2055"
        assert await page.locator("form, input").count() == 0

    assert fields(desk.plaintexts[0]) == ["AbC123key", "s3cret+/="]
    assert not any("s3cret" in line or "AbC123key" in line for line in sent)


async def test_a_refused_key_can_be_tried_again(browser):
    """The reason and the tries left are shown, secrets are wiped, and the next try works."""
    desk = FakeDesk([Refused("The secret does not fit the key.", 2), Accepted("0042")])
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        await hand_over(page)
        await state(page, "refused")

        assert await page.inner_text("#status") == "The secret does not fit the key. Tries left: 2"
        assert await page.input_value("#api_key") == "AbC123key"
        assert await page.input_value("#api_secret") == ""
        await hand_over(page)
        await state(page, "done")
        assert await page.inner_text("#code") == "0042"


async def test_an_empty_field_is_named(browser):
    """Nothing is sent while a field is empty."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        await hand_over(page, secret="   ")
        await expect(page.locator("#status")).to_have_text("Please fill in: API secret")

    assert desk.plaintexts == []


async def test_a_dead_link_says_one_thing(browser):
    """A link that can't be used, at open or at submit, gives the same plain answer and no form."""
    desk = FakeDesk([None])
    answer = "This link can't be used any more. Ask for a new one in the chat."
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url).replace("#AAEC", "#BBBB"))
        await state(page, "dead")
        assert await page.inner_text("#status") == answer
        await page.goto(desk.url(url))
        await state(page, "ready")
        await hand_over(page)
        await state(page, "dead")
        assert await page.inner_text("#status") == answer
        assert await page.locator("form").count() == 0


async def test_a_lost_connection_keeps_what_was_typed(browser):
    """The page stays ready, and the person may press again."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        await page.route("**/api/submit", lambda route: route.abort())
        await hand_over(page)
        await expect(page.locator(STATUS.format("ready"))).to_contain_text("Press the button again")
        await page.unroute("**/api/submit")
        await page.click("#submit")
        await state(page, "done")


async def test_a_reloaded_page_says_where_to_go(browser):
    """The link is gone from the address bar, so a reload can't use it; the sentence says what to do."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser) as page:
        await page.goto(desk.url(url))
        await state(page, "ready")
        await page.reload()
        await state(page, "dead")

        assert "from the chat again" in await page.inner_text("#status")


async def test_the_chats_language_wins(browser):
    """The language in the fragment beats the browser's, and reaches the desk."""
    desk = FakeDesk()
    async with served(desk) as url, tab(browser, locale="pt-BR") as page:
        await page.goto(desk.url(url, "es"))
        await state(page, "ready")

        assert await page.get_attribute("html", "lang") == "es"
        assert page.url == f"{url}/key"
    assert desk.opened == ["es"]
