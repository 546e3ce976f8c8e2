"""The link page in three engines under its full header set: from paste to code, and every way it refuses."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.browser.linkpage import fields
from tests.support import skips
from tests.support.engines import ENGINES, plainhost
from tests.support.engines.tab import Tab, copy, paste, state, until
from tests.web.weblink import FakeDesk, public_bytes, served

pytestmark = [pytest.mark.browser, pytest.mark.parametrize("tab", ENGINES, indirect=True)]
DEAD = "This link can't be used any more. Ask for a new one in the chat."
INPUTS = "document.querySelectorAll('input, textarea, form').length"
# The policy's answer to each; an engine may refuse a string as code by either of two directives.
ATTACKS = {
    "setTimeout('window.hurt = 1')": "script-src require-trusted-types-for",
    "document.body.innerHTML = '<b id=hurt>x</b>'": "require-trusted-types-for",
    "fetch('http://127.0.0.1:9/x').catch(() => 0)": "connect-src",
    "new Image().src = 'http://127.0.0.1:9/x'": "img-src",
}
WATCH = (
    "(window.blocked = [], document.addEventListener('securitypolicyviolation',"
    " (event) => window.blocked.push(event.effectiveDirective)), true)"
)


@pytest.fixture
async def tab(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Tab]:
    """A window of one engine."""
    engine = ENGINES[request.param]
    executable = engine.find() or skips.missing(request.param)
    async with plainhost.proxy() as port, engine.run(executable, tmp_path, port) as opened:
        yield opened


async def test_a_pasted_key_ends_in_a_code_and_the_link_is_dead(tab):
    """Open, paste with a label and line breaks, send, compare the code; after that the link is worth nothing."""
    desk = FakeDesk()
    async with served(desk) as url:
        await copy(tab, f"{url}/key.css", "API Key:\n AbC 123\nkey ")
        await tab.go(desk.url(url))
        assert await state(tab, "ready") == "Paste the key you made at Bitso."
        assert await tab.run("location.href") == f"{url}/key"
        await paste(tab, "#api_key")
        assert await until(tab, "document.querySelector('form div [role=status]').textContent") == (
            "Removed: spaces, line breaks or a label."
        )
        await tab.type("#api_secret", "s3cret+/=")
        await tab.click("#submit")
        await state(tab, "done")

        assert await tab.run("document.querySelector('#code').textContent") == "2055"
        assert await tab.run(INPUTS) == 0
        assert fields(desk.plaintexts[0]) == ["AbC123key", "s3cret+/="]

        # The desk has no more answers: to it the link is used.
        await tab.go(desk.url(url))
        await state(tab, "ready")
        await tab.type("#api_key", "again")
        await tab.type("#api_secret", "again\n")
        assert await state(tab, "dead") == DEAD
        assert await tab.run(INPUTS) == 0


async def test_a_link_that_is_no_more_and_one_that_was_tampered_with(tab):
    """An unknown token gives the one dead answer; a swapped public key is caught before anything is typed."""
    desk = FakeDesk(shown_key=public_bytes(ec.generate_private_key(ec.SECP256R1())))
    async with served(desk) as url:
        await tab.go(desk.url(url).replace("#AAEC", "#BBBB"))
        assert await state(tab, "dead") == DEAD
        assert await tab.run(INPUTS) == 0
        await tab.go(f"{url}/key.css")
        await until(tab, "location.pathname === '/key.css'")
        await tab.go(desk.url(url))
        assert "does not match" in await state(tab, "dead")
        assert await tab.run(INPUTS) == 0
    assert desk.plaintexts == []


async def test_no_form_without_a_secure_context(tab):
    """Over plain http to anything but loopback the page says so, and asks neither for a key nor for the link."""
    desk = FakeDesk()
    async with served(desk, host=plainhost.HOST) as url:
        await tab.go(desk.url(url))
        assert "only over https" in await state(tab, "insecure")

        assert await tab.run("[isSecureContext, typeof crypto.subtle]") == [False, "undefined"]
        assert await tab.run(INPUTS) == 0
    assert desk.opened == []


async def test_injected_code_gets_nowhere(tab):
    """Evaluated strings, markup, calls and pictures to strangers are blocked by the policy of the page."""
    desk = FakeDesk()
    async with served(desk) as url:
        await tab.go(desk.url(url))
        await state(tab, "ready")
        assert await tab.run(WATCH)
        for attack, directives in ATTACKS.items():
            await tab.run(f"(setTimeout(() => {{ {attack} }}), true)")
            assert await until(tab, "window.blocked.pop()") in directives.split()

        assert await tab.run("[typeof window.hurt, document.querySelectorAll('#hurt').length]") == [
            "undefined",
            0,
        ]
