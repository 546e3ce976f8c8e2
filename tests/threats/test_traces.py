"""Threats from what stays behind: in proxies, logs, browser profiles, caches, clipboards, and on other sites.

`tests/flows/test_no_leaks.py` searches after every way to fail; here the whole way is walked once by a real
browser, and each place is looked at by itself.
"""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import BrowserContext, Page, Response, async_playwright

from chatbot.errors import StorageError, VaultError
from chatbot.logs import configure, get_log
from chatbot.web.server import bind
from tests.browser.linkpage import hand_over, state, tab
from tests.support import leaks
from tests.support.browser import ARGUMENTS
from tests.support.page import token_of
from tests.threats.house import House, house
from tests.threats.test_page import stranger

# Where Chromium keeps the addresses it was at: a token may stand there, and is worth nothing by then.
ADDRESSES = ("History", "Session", "Tabs", "Favicons", "Visited Links", "Top Sites", "Shortcuts", "ukm_db")


@dataclass
class Tee:
    """Everything that went through a proxy between browser and server."""

    port: int
    up: bytearray = field(default_factory=bytearray)
    down: bytearray = field(default_factory=bytearray)


@asynccontextmanager
async def tee() -> AsyncIterator[tuple[Tee, list[int]]]:
    """Run a proxy that keeps a copy of all bytes; the list takes the port it leads to."""
    target: list[int] = []
    listener = bind("127.0.0.1", 0)
    kept = Tee(listener.getsockname()[1])

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, copy: bytearray) -> None:
        try:
            while chunk := await reader.read(65536):
                copy.extend(chunk)
                writer.write(chunk)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", target[0])
        await asyncio.gather(pump(reader, back, kept.up), pump(there, writer, kept.down))

    server = await asyncio.start_server(serve, sock=listener)
    async with server:
        yield kept, target


@asynccontextmanager
async def profile(chromium: str, folder: Path) -> AsyncIterator[BrowserContext]:
    """Run Chromium with a profile that stays on the disk, as a person's does."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder, executable_path=chromium, args=list(ARGUMENTS)
        )
        try:
            yield context
        finally:
            await context.close()


async def visit(page: Page, home: House, link: str) -> None:
    """Open a link, hand the key in and see the code."""
    await page.goto(link)
    await state(page, "ready")
    await hand_over(page, *home.good)
    await state(page, "done")


async def test_05_no_other_site_learns_of_a_link(home: House, browser) -> None:
    """A click that leads away carries no Referer, and until then no other site is asked for anything."""
    link = await home.link()
    async with stranger("<p>elsewhere</p>") as (evil, seen):
        context = await browser.new_context()
        page = await context.new_page()
        await visit(page, home, link)
        assert seen == []
        leave = "url => document.body.append(Object.assign(document.createElement('a'), {href: url, textContent: 'away', id: 'away'}))"
        await page.evaluate(leave, f"{evil}/")
        await page.click("#away")
        await page.wait_for_url(f"{evil}/")
        referrer = await page.evaluate("document.referrer")
        await context.close()
    (request,) = [text for text in seen if text.startswith("GET / ")]
    assert "referer" not in request.lower()
    assert (referrer, token_of(link)[0] in "".join(seen)) == ("", False)


async def test_06_what_the_history_keeps_is_worth_nothing(home: House, chromium: str, tmp_path: Path) -> None:
    """The address bar is clean at once; a token left in the browser's history opens nothing any more."""
    link = await home.link()
    folder = tmp_path / "profile"
    async with profile(chromium, folder) as context:
        page = await context.new_page()
        await page.goto(link)
        await state(page, "ready")
        assert page.url == f"{home.url}/key"
        await hand_over(page, *home.good)
        await state(page, "done")
    found = leaks.in_files(folder, token_of(link)[0])

    assert [name for name in found if not name.startswith(ADDRESSES)] == []
    assert (await home.open(link)).status_code == 404
    assert (await home.post("submit", {"token": token_of(link)[0], "sealed": "AAAA"})).status_code == 404


async def test_07_a_proxy_that_keeps_every_byte_reads_no_key(browser, tmp_path: Path) -> None:
    """All that passes between browser and server holds neither key nor secret, and no address in it a token."""
    async with tee() as (kept, target), house(tmp_path, behind=f"http://localhost:{kept.port}") as home:
        target.append(home.port)
        link = await home.link()
        async with tab(browser) as page:
            await visit(page, home, link)
        assert await home.accounts() == ["pending"]

        wire = bytes(kept.up + kept.down)
        assert b"POST /api/submit" in wire
        assert not any(form in wire for secret in home.good for form in leaks.forms(secret))
        asked = set(re.findall(rb"(?:GET|POST) (\S+) HTTP/1\.1\r\n", wire))
        assert asked - {b"/favicon.ico"} == {b"/key", b"/key.css", b"/key.js", b"/api/open", b"/api/submit"}
        assert leaks.in_files(tmp_path, token_of(link)[0]) == []


async def _no_storage(*_: object) -> None:
    raise StorageError("disk full", retry=True)


def _no_vault(*_: object) -> None:
    raise VaultError("no master key")


async def test_28_no_failure_writes_a_secret_down(home: House, monkeypatch, capsys) -> None:
    """Whatever breaks between page and database, the answer, the real log, the metrics and all files are clean."""
    configure("debug", json=True)
    object.__setattr__(home.bot.ctx, "log", get_log())

    def bug(credentials: object, nonce: int) -> None:
        raise ZeroDivisionError(repr(credentials), home.good)

    answers = []
    for owner, name, broken in (
        (home.bot.ctx.exchanges["bitso"], "client", bug),
        (home.bot.ctx.vault, "seal", _no_vault),
        (home.bot.ctx.vault, "fingerprint", _no_vault),
        ("storage.accounts.Credentials", "add", _no_storage),
        ("storage.links.LinkStore", "use", _no_storage),
    ):
        link = await home.link()
        with monkeypatch.context() as patch:
            if isinstance(owner, str):
                patch.setattr(f"{owner}.{name}", broken)
            else:
                patch.setattr(owner, name, broken)
            answers.append(await home.submit(link))
    said = capsys.readouterr()
    read = "".join(answer.text + repr(answer.headers) for answer in answers) + said.out + said.err
    metrics = (await home.web.get("/metrics")).text

    assert {answer.status_code for answer in answers} == {500}
    assert not any(leaks.in_text(read + metrics, secret) for secret in home.good)
    assert await home.accounts() == []


async def test_29_no_address_that_is_logged_has_a_token(home: House, caplog, monkeypatch) -> None:
    """Even with the server's own access log on and every logger at its most talkative, no line names a token."""
    # As if somebody switched it on: ours is off, so that not even addresses of people are written down.
    monkeypatch.setattr(logging.getLogger("uvicorn.access"), "propagate", True)
    for name in ("", "uvicorn", "uvicorn.access", "uvicorn.error", "asyncio"):
        caplog.set_level(logging.DEBUG, logger=name or None)
    link = await home.link()
    await home.web.get("/key")
    assert (await home.open(link)).status_code == 200
    assert (await home.submit(link)).status_code == 200
    assert (await home.open(link)).status_code == 404

    token, said = token_of(link)[0], caplog.text + repr(home.bot.log.lines)
    assert '"POST /api/submit HTTP/1.1" 200' in said
    assert not leaks.in_text(said, token)


async def test_46_no_password_manager_keeps_a_secret(home: House, chromium: str, tmp_path: Path) -> None:
    """The fields have no name to be kept under, ask to be left alone, and the profile holds no key afterwards."""
    link = await home.link()
    folder = tmp_path / "profile"
    async with profile(chromium, folder) as context:
        page = await context.new_page()
        await page.goto(link)
        await state(page, "ready")
        for name in ("api_key", "api_secret"):
            found = page.locator(f"#{name}")
            wanted = {"name": None, "data-lpignore": "true", "data-1p-ignore": "true"}
            assert {key: await found.get_attribute(key) for key in wanted} == wanted
            assert await found.get_attribute("type") != "password"
        await hand_over(page, *home.good)
        await state(page, "done")
        assert await page.locator("form, input, textarea").count() == 0
    assert sum(1 for path in folder.rglob("*") if path.is_file()) > 10
    assert [leaks.in_files(folder, secret) for secret in home.good] == [[], []]


async def test_47_the_clipboard_is_named_and_never_read(home: House, browser) -> None:
    """When all is done the page says that the key may still be in the clipboard; it offers nothing to copy."""
    link = await home.link()
    watch = """for (const name of ["read", "readText", "write", "writeText"])
        navigator.clipboard[name] = () => { window.touched = name; return Promise.reject(); };"""
    async with tab(browser) as page:
        await page.add_init_script(watch)
        await visit(page, home, link)
        assert "still be in your clipboard" in await page.inner_text("#place")
        assert await page.locator("button").count() == 0
        assert await page.evaluate("typeof window.touched") == "undefined"


async def test_48_nothing_is_kept_for_later(home: House, browser) -> None:
    """No service worker, no cache, no storage and no cookie, during and after; every answer forbids keeping it."""
    link = await home.link()
    look = """async () => [(await caches.keys()).length, (await indexedDB.databases()).length,
        (await navigator.serviceWorker.getRegistrations()).length, localStorage.length, sessionStorage.length,
        document.cookie]"""
    nothing = [0, 0, 0, 0, 0, ""]
    async with tab(browser) as page:
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108  it can't mark a builtin
        await page.goto(link)
        await state(page, "ready")
        assert await page.evaluate(look) == nothing
        await hand_over(page, *home.good)
        await state(page, "done")
        assert await page.evaluate(look) == nothing
        assert await page.context.cookies() == []
        kept = {answer.url.removeprefix(home.url): await answer.all_headers() for answer in answers}

    assert {headers["cache-control"] for headers in kept.values()} == {"no-store"}
    assert kept["/api/submit"]["clear-site-data"] == '"cache", "storage"'
    assert "clear-site-data" not in kept["/api/open"]
