"""What a browser keeps of a key that was refused once and then taken: its whole profile is searched.

The search is tried first on a page that does keep things, in each of the places a browser has for them.
"""

from pathlib import Path

import pytest
from playwright.async_api import Request
from starlette.applications import Starlette
from starlette.requests import Request as Asked
from starlette.responses import HTMLResponse
from starlette.routing import Route

from chatbot.ports.desk import Accepted, Refused
from tests.browser.linkpage import hand_over, state
from tests.support import leaks
from tests.support.practice import serve
from tests.threats.test_traces import profile
from tests.web.weblink import FakeDesk, served

pytestmark = pytest.mark.browser
KEY, SECRET, WRONG = "CanaryKey0a1b2c3d", "canarySecret4e5f6a7b8c9d", "canaryWrong9d8c7b6a5f4e"
# Each keeps its canary in one place. Cookies and the session's storage are looked at while the page is open:
# the first are encrypted on the disk, the second may never get there.
KEEPS = {
    "Local Storage": "localStorage.setItem('k', canary)",
    "IndexedDB": """await new Promise((done) => {
        const wish = indexedDB.open("k");
        wish.onupgradeneeded = () => wish.result.createObjectStore("s");
        wish.onsuccess = () => {
            const change = wish.result.transaction("s", "readwrite");
            change.objectStore("s").put(canary, 1);
            change.oncomplete = done;
        };
    })""",
    "CacheStorage": "await (await caches.open('k')).put('/k', new Response(canary))",
    "History": "history.replaceState(0, '', '?' + canary)",
}


async def test_the_search_finds_what_a_browser_keeps(chromium: str, tmp_path: Path):
    """Storage, databases, caches and history: a canary in each is found in its file."""

    async def page(_: Asked) -> HTMLResponse:
        return HTMLResponse("<title>kept</title>")

    canaries = {place: f"{SECRET}{number}" for number, place in enumerate(KEEPS)}
    site = Starlette(routes=[Route("/", page)])
    async with serve(site) as origin, profile(chromium, tmp_path) as context:
        tab = await context.new_page()
        await tab.goto(origin)
        for place, keep in KEEPS.items():
            await tab.evaluate(f"async (canary) => {{ {keep} }}", canaries[place])
        await tab.goto(origin)
    found = {place: leaks.in_files(tmp_path, canary) for place, canary in canaries.items()}

    assert [place for place, files in found.items() if not files] == []


async def test_a_browser_keeps_nothing_of_a_key(chromium: str, tmp_path: Path):
    """Neither of two tries leaves key or secret in the profile, in an address, a header, or in clear on the wire."""
    desk = FakeDesk([Refused("Wrong secret.", 2), Accepted("2055")])
    asked: list[Request] = []
    async with served(desk) as url:
        async with profile(chromium, tmp_path) as context:
            page = await context.new_page()
            page.on("request", lambda request: asked.append(request))  # noqa: PLW0108  it can't mark a builtin
            await page.goto(desk.url(url))
            await state(page, "ready")
            await hand_over(page, KEY, WRONG)
            await state(page, "refused")
            await hand_over(page, KEY, SECRET)
            await state(page, "done")
            sent = [f"{request.url} {await request.all_headers()} {request.post_data}" for request in asked]
            assert await context.cookies() == []
            assert await page.evaluate("sessionStorage.length") == 0
            assert await page.evaluate("document.documentElement.outerHTML.includes('anary')") is False
        after = [path for path in tmp_path.rglob("*") if path.is_file()]

    assert len(desk.plaintexts) == 2
    assert len(after) > 10
    for secret in (KEY, SECRET, WRONG):
        assert leaks.in_files(tmp_path, secret) == []
        assert not any(leaks.in_text(text, secret) for text in sent)
    assert not any("referer" in text.lower() and "#" in text for text in sent)
