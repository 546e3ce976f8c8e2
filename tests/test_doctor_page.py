"""The doctor asks our own page through a real proxy that changes it, and says what was changed and by whom."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatbot.doctor import CheckResult, Shipped, State
from chatbot.doctor.page import _compared, check_pages
from chatbot.text import LOCALES, Translator
from chatbot.web import WebOptions
from chatbot.web.keypage import page_file, shipped
from tests.support.practice import serve
from tests.web.weblink import FakeDesk, build, echo

OURS = [Shipped(*page) for page in shipped(LOCALES, echo)]
CHANGED_POLICY = "script-src 'self' https://cdn.example"


@dataclass(slots=True)
class Passed:
    """An answer of ours on its way through the proxy."""

    path: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


Meddle = Callable[[Passed], None]


@asynccontextmanager
async def behind(meddle: Meddle) -> AsyncIterator[str]:
    """Our page on loopback behind a proxy on loopback; gives the proxy's address, which is the public one."""
    upstream = ""

    async def pass_on(request: Request) -> Response:
        async with httpx.AsyncClient() as client:
            host = {"Host": request.headers["host"]}
            answer = await client.get(f"{upstream}{request.url.path}", headers=host)
        passed = Passed(request.url.path, answer.content, dict(answer.headers))
        meddle(passed)
        passed.headers.pop("content-length", None)
        return Response(passed.body, answer.status_code, passed.headers)

    async with AsyncExitStack() as stack:
        proxy = Starlette(routes=[Route("/{rest:path}", pass_on)])
        public = await stack.enter_async_context(serve(proxy))
        upstream = await stack.enter_async_context(serve(build(FakeDesk(), WebOptions(public))))
        yield public


async def looked(meddle: Meddle, ours: list[Shipped] = OURS) -> list[CheckResult]:
    async with behind(meddle) as public:
        return await check_pages(lambda: httpx.AsyncClient(timeout=20), public, ours, Translator())


async def told(meddle: Meddle) -> str:
    """Return what the doctor says when it finds a problem."""
    results = await looked(meddle)
    assert all(result.todo for result in results if result.state is State.PROBLEM)
    assert any(result.state is State.PROBLEM for result in results), results
    return "\n".join(f"{result.detail} {result.todo}" for result in results)


def on(path: str, change: Meddle) -> Meddle:
    """Meddle with one address only."""
    return lambda passed: change(passed) if passed.path == path else None


def nothing(_: Passed) -> None:
    """Pass everything on."""


def named_by(**headers: str) -> Meddle:
    def change(passed: Passed) -> None:
        passed.headers |= {name.replace("_", "-"): value for name, value in headers.items()}

    return change


def without(name: str) -> Meddle:
    def change(passed: Passed) -> None:
        passed.headers.pop(name, None)

    return change


def both(*changes: Meddle) -> Meddle:
    def change(passed: Passed) -> None:
        for one in changes:
            one(passed)

    return change


async def test_a_proxy_that_changes_nothing_is_fine():
    """Page, Mini App page, script and style come through as we sent them, and one line says so."""
    [result] = await looked(nothing)

    assert result.state is State.OK
    assert result.detail.endswith("/key answers with our headers and our script.")


async def test_a_stripped_header_is_named_with_who_did_it():
    """The header is named once, not for each address, and the proxy by what it says of itself."""
    stripped = both(
        without("referrer-policy"),
        named_by(Via="1.1 shiny-proxy", Server="nginx/1.99"),
    )
    said = await told(stripped)

    assert said.count("(missing: Referrer-Policy)") == 1
    assert "nginx/1.99 (Server), 1.1 shiny-proxy (Via)." in said
    assert "pass the headers on" in said


async def test_a_minified_script_is_named():
    """A script that is other than ours is not run by any browser; the doctor says why before people ask."""

    def minify(passed: Passed) -> None:
        passed.body = passed.body.replace(b"const ", b"let ").replace(b"let ", b"var ")

    said = await told(both(on("/key.js", minify), named_by(CF_Ray="8a1b2c-MEX", Server="cloudflare")))

    assert "/key.js was changed on its way:" in said
    assert f"we sent {len(page_file('key.js'))}." in said
    assert "cloudflare (Server), Cloudflare (CF-Ray)." in said
    assert "minifies" in said


@pytest.mark.parametrize("path", ["/key", "/key-app"])
async def test_a_script_put_into_the_page_is_named(path):
    """Analytics, banners and challenges that a CDN writes into pages are told as what they are."""

    def inject(passed: Passed) -> None:
        passed.body += b'<script src="/cdn-cgi/challenge.js"></script><SCRIPT>1</SCRIPT>'

    said = await told(on(path, inject))

    assert "somebody on the way put scripts into http" in said
    assert f"{path}: 2." in said


async def test_changed_words_of_the_page_are_named():
    """A page with other words, or without a blank, is not ours any more."""

    def change(passed: Passed) -> None:
        passed.body = passed.body.replace(b"Keyherald", b"Keyherold")

    assert "/key was changed on its way: " in await told(on("/key", change))


async def test_a_changed_policy_is_named_rule_by_rule():
    """Not only that the policy differs, but which of its rules."""

    def loosen(passed: Passed) -> None:
        policy = passed.headers["content-security-policy"]
        script = next(rule for rule in policy.split("; ") if rule.startswith("script-src"))
        passed.headers["content-security-policy"] = policy.replace(script, CHANGED_POLICY).replace(
            "; trusted-types 'none'", ""
        )

    said = await told(loosen)

    assert "(changed: Content-Security-Policy (script-src, trusted-types))" in said


@pytest.mark.parametrize(
    ("name", "value"),
    [("Set-Cookie", "__id=1"), ("Access-Control-Allow-Origin", "*"), ("Link", "</x.js>; rel=preload")],
)
async def test_a_dangerous_header_on_top_is_a_problem(name, value):
    """A cookie, an open door for other sites, or a file to load besides ours."""
    said = await told(lambda passed: passed.headers.update({name: value}))

    assert f"(added: {name.lower()})" in said.lower()


def test_a_second_policy_is_a_changed_one():
    """Two headers of one name count as what a browser makes of them."""
    with_two = httpx.Headers([("X-A", "1"), ("X-A", "2")])

    assert _compared(with_two, {"X-A": "1"}) == ([], ["X-A"], [])


async def test_a_mini_app_page_that_may_not_be_framed_is_a_problem():
    """The older header that many proxies add would keep Telegram's web client out."""
    said = await told(on("/key-app", named_by(X_Frame_Options="DENY")))

    assert "key-app are not as we sent them (added: x-frame-options)" in said.lower()


async def test_a_harmless_header_on_top_is_a_note():
    """Somebody's own header is worth a word, and no reason to fail."""
    results = await looked(named_by(X_Shiny="yes", Via="1.1 shiny", Age="3"))

    assert [result.state for result in results] == [State.OK, State.NOTE]
    assert "(added: x-shiny)" in results[1].detail.lower()
    assert "1.1 shiny (Via)" in results[1].detail


async def test_an_old_copy_of_the_page_is_told_apart():
    """A page that names another script is of another version, or kept by somebody; the rest is left out."""
    old = [Shipped(page.path, page.headers, [b"other" + body for body in page.bodies]) for page in OURS]
    results = await looked(nothing, old)

    assert [result.state for result in results] == [State.PROBLEM]
    assert "not the one of this version" in results[0].detail
    assert "Restart" in results[0].todo


async def test_a_strangers_words_do_not_reach_the_terminal_as_they_are():
    """What a proxy says of itself is cut and cleaned."""
    said = await told(both(named_by(Set_Cookie="x=1"), named_by(Via="\x9b31m" + "v" * 500)))

    assert "?31m" + "v" * 20 in said
    assert "v" * 61 not in said
    assert all(line.isprintable() for line in said.splitlines())


async def test_a_missing_file_is_a_problem():
    """A page whose script is not found is told with the address that does not answer."""
    async with behind(nothing) as public:
        wrong = [*OURS[:1], Shipped("/other.js", OURS[0].headers, [b""])]
        results = await check_pages(lambda: httpx.AsyncClient(timeout=20), public, wrong, Translator())

    assert results[-1].detail.startswith(f"{public}/other.js answers with status 404.")


@pytest.mark.parametrize("locale", LOCALES)
async def test_it_speaks_the_operators_language(locale):
    """Every sentence can be said in every language."""
    changed = both(
        named_by(Set_Cookie="x=1", Via="1.1 shiny"),
        without("referrer-policy"),
        lambda passed: passed.headers.update({"x-frame-options": "ALLOW"}),
        on("/key.css", lambda passed: setattr(passed, "body", b"x")),
        on("/key", lambda passed: setattr(passed, "body", passed.body + b"<script></script>")),
    )
    async with behind(changed) as public:
        results = await check_pages(lambda: httpx.AsyncClient(timeout=20), public, OURS, Translator(locale))

    assert len(results) >= 3
    assert all(result.detail for result in results)
