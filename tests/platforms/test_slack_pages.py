"""The pages around an installation: in the browser's language, with nothing of the address, loading nothing."""

import base64
import hashlib
import re

import pytest
from sqlalchemy import text

from chatbot.platforms.slack import pages
from tests.support.slackshop import COOKIE, shop


@pytest.fixture
async def store(slack, tmp_path):
    """An app that many may install."""
    async with shop(slack, tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    "error", ["<script>alert(1)</script>", "invalid_scope", "storage_error%0aforged", "x" * 2000]
)
async def test_nothing_of_the_address_stands_on_the_page(store, error):
    """An error is told in our words, whatever the address says."""
    answer = await store.back(f"/slack/oauth?error={error}")

    assert answer.status_code == 400
    assert error not in answer.text
    assert "script" not in answer.text.replace(pages.STYLE, "")
    assert "forged" not in repr(store.app.notes.lines)


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("pt-BR", "pt"),
        ("de,pt;q=0.5", "pt"),
        ("xx", "en"),
        ("", "en"),
        (",;,", "en"),
    ],
)
async def test_the_pages_speak_the_browsers_language(store, header, locale):
    """English for those we don't speak."""
    answer = await store.back("/slack/oauth", **{"accept-language": header})

    assert f'<html lang="{locale}">' in answer.text


async def test_the_pages_load_nothing_but_their_own_style(store):
    """No script, no frame, no form, no cache, and the one style is allowed by its hash."""
    for answer in (await store.install("T1"), await store.back("/slack/oauth?error=access_denied")):
        policy = answer.headers["content-security-policy"]
        [style] = re.findall(r"<style>(.*?)</style>", answer.text)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()

        assert f"style-src 'sha256-{digest}'" in policy
        assert policy.startswith("default-src 'none'; ")
        assert (answer.headers["cache-control"], answer.headers["x-frame-options"]) == ("no-store", "DENY")
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert "<script" not in answer.text


async def test_the_cookie_goes_when_it_is_of_no_more_use(store, slack):
    """At the end, well or badly."""
    url, cookie = await store.begin()
    for back in (slack.methods.allow(url, "T1", "UADMIN"), "/slack/oauth?error=access_denied"):
        assert (
            f"{COOKIE}=deleted; expires=Thu, 01 Jan 1970"
            in (await store.back(back, cookie)).headers["set-cookie"]
        )


async def test_too_many_at_once_are_slowed(store):
    """Nobody fills the database by reloading; a minute later it goes on."""
    answers = [(await store.browser.get("/slack/install")).status_code for _ in range(61)]
    assert answers == [302] * 60 + [429]
    store.app.clock.passed += 60

    assert (await store.browser.get("/slack/install")).status_code == 302


@pytest.mark.parametrize("path", ["/slack/install", "/slack/oauth"])
async def test_a_look_leaves_nothing(store, path):
    """HEAD, as link checkers send it, begins nothing; other methods are refused."""
    answer = await store.browser.head(path)
    async with store.database.transaction() as tx:
        states = await tx.all(text("SELECT * FROM installation_states"))

    assert (answer.status_code, states) == (200, [])
    assert (await store.browser.post(path)).status_code == 405
