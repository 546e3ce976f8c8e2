"""Who may come in to the web chat, and what the page is allowed: session, place, sizes and headers."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from chatbot.platforms.webchat import WebChat
from chatbot.platforms.webchat.door import BODY_BYTES
from chatbot.platforms.webchat.routes import FILES, TEXT_CHARS
from tests.support.webchat import TOKEN, FakeInlet, asking, running_chat

ORIGIN = "http://localhost:8080"
CALLS = (
    ("GET", "/chat/about"),
    ("GET", "/chat/messages"),
    ("GET", "/chat/image/x"),
    ("GET", "/chat/file/x"),
    ("POST", "/chat/say"),
    ("POST", "/chat/press"),
)
PAGE = ("/chat", *(f"/chat/{name}" for name in FILES))
SVG = "http://www.w3.org/2000/svg"
FOREIGN = re.compile(r"(https?:|[\"'(=])//\w|@import|url\(")
UNSAFE = re.compile(
    r"<script(?! type=\"module\" src)|<style| style=| on\w+=\"|(inner|outer|adjacent)HTML|\.write\(|eval|Storage",
    re.IGNORECASE,
)
HELLO = {"text": "hello", "chat": "you"}


@pytest.fixture
async def room() -> AsyncIterator[tuple[WebChat, FakeInlet]]:
    """A started web chat and its inlet."""
    chat, inlet = await running_chat()
    yield chat, inlet
    await chat.stop()


@pytest.fixture
async def page(room) -> AsyncIterator[httpx.AsyncClient]:
    """Calls with the session's token."""
    async with asking(room[0]) as client:
        yield client


@pytest.fixture
async def stranger(room) -> AsyncIterator[httpx.AsyncClient]:
    """Calls without any token."""
    async with asking(room[0], token=None) as client:
        yield client


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer ", "Bearer x", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"]
)
async def test_without_the_session_there_is_nothing(room, stranger, method, path, sent):
    """No call answers without the very token, and the answer says what to do."""
    answer = await stranger.request(
        method, path, json=HELLO, headers={"Authorization": sent, "Origin": ORIGIN}
    )

    assert answer.status_code == 401
    assert "printed in the terminal" in answer.json()["reason"]
    assert room[1].stored == []


async def test_a_program_sends_the_token_itself(room, page):
    """The bearer token is enough for every call, with no Origin."""
    assert (await page.get("/chat/about")).status_code == 200
    assert (await page.post("/chat/say", json=HELLO)).status_code == 200
    assert len(room[1].stored) == 1


async def test_a_token_that_is_not_ascii_is_refused(stranger):
    """It is compared as bytes, so nothing breaks."""
    answer = await stranger.get("/chat/about", headers={"Authorization": "Bearer ñ".encode()})

    assert answer.status_code == 401


async def test_the_page_exchanges_the_token_for_a_cookie(room, page, stranger):
    """The cookie is out of reach of scripts and of other sites, and is not the token."""
    answer = await page.post("/chat/session", headers={"Origin": ORIGIN})
    cookie = answer.headers["set-cookie"]
    pair = cookie.partition(";")[0]

    assert answer.status_code == 204
    assert re.match(r"keyherald_chat_8080=[\w-]{43};", cookie)
    assert {part.strip() for part in cookie.split(";")[1:]} == {"HttpOnly", "Path=/chat", "SameSite=strict"}
    assert TOKEN not in cookie
    assert (await stranger.get("/chat/about", headers={"Cookie": pair})).status_code == 200
    said = await stranger.post("/chat/say", json=HELLO, headers={"Cookie": pair, "Origin": ORIGIN})
    assert said.status_code == 200
    assert len(room[1].stored) == 1


async def test_the_cookie_is_not_given_away(stranger):
    """Nobody gets one without the token, and no invented one works."""
    answer = await stranger.post("/chat/session")
    guess = await stranger.get("/chat/about", headers={"Cookie": f"keyherald_chat_8080={TOKEN}"})

    assert (answer.status_code, guess.status_code) == (401, 401)
    assert "set-cookie" not in answer.headers


async def test_the_cookie_alone_can_not_write(room, page, stranger):
    """A write by cookie must come from our own page, which always names its origin."""
    pair = (await page.post("/chat/session")).headers["set-cookie"].partition(";")[0]
    answer = await stranger.post("/chat/say", json=HELLO, headers={"Cookie": pair})

    assert answer.status_code == 403
    assert room[1].stored == []


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost:9999",
        "https://localhost:8080",
        "http://127.0.0.1:8080",
    ],
)
@pytest.mark.parametrize(("method", "path"), [*CALLS, ("POST", "/chat/session"), ("GET", "/chat")])
async def test_other_sites_are_turned_away(room, page, method, path, origin):
    """Another origin gets nothing even with the token."""
    answer = await page.request(method, path, json=HELLO, headers={"Origin": origin})

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers
    assert room[1].stored == []


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "localhost", "localhost:9999", "127.0.0.2:8080", ""]
)
@pytest.mark.parametrize("path", ["/chat", "/chat/chat.js", "/chat/about"])
async def test_a_rebound_name_is_turned_away(page, host, path):
    """A foreign name that points at this machine is not ours (DNS rebinding)."""
    assert (await page.get(path, headers={"Host": host})).status_code == 403


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:8080"])
async def test_each_own_name_works(room, host):
    """However this machine calls itself."""
    async with asking(room[0], host=host) as page:
        answer = await page.post("/chat/say", json=HELLO, headers={"Origin": f"http://{host}".lower()})

    assert answer.status_code == 200


async def test_the_default_port_is_not_spelled_out():
    """On port 80 a browser sends the bare name."""
    chat, _ = await running_chat("http://localhost")
    async with asking(chat, host="localhost") as page:
        assert (await page.get("/chat/about")).status_code == 200
        assert "127.0.0.1" in chat.hosts


@pytest.mark.parametrize(
    ("peer", "status"), [("127.0.0.1", 200), ("::1", 200), ("192.0.2.7", 403), ("", 403)]
)
async def test_another_machine_is_turned_away(room, peer, status):
    """Even should the port be reachable from outside, and the token be known."""
    async with asking(room[0], peer=peer) as page:
        assert (await page.get("/chat/about")).status_code == status


@pytest.mark.parametrize("path", ["/chat/say", "/chat/press"])
@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"text"', b"null", b"\xff\xfe", b"[" * 10_000, b"{}", b'{"text": 1, "button": []}',
     b'{"text": " ", "chat": "you", "button": "\\n"}', b'{"text": "a\\u0000", "chat": "you", "button": "\\u0000"}',
     b'{"text": "\\ud800", "chat": "you", "button": "\\udfff"}', b'{"text": "no chat"}'],
)  # fmt: skip
async def test_a_body_that_makes_no_sense_is_refused(room, page, path, body):
    """Broken JSON, no object, missing, empty or unstorable texts: one plain answer, nothing stored."""
    answer = await page.post(path, content=body)

    assert answer.status_code == 400
    assert answer.json()["reason"]
    assert room[1].stored == []


async def test_bodies_are_capped(room, page):
    """Too many bytes are not read to the end, too many characters not stored."""
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 1024
            yield b" " * 1024

    assert (await page.post("/chat/say", content=endless())).status_code == 413
    assert read <= BODY_BYTES + 2048
    long = {"text": "a" * (TEXT_CHARS + 1), "chat": "you"}
    assert (await page.post("/chat/say", json=long)).status_code == 413
    assert (await page.post("/chat/press", json={"button": "b" * 257})).status_code == 413
    assert room[1].stored == []
    assert (await page.post("/chat/say", json={**long, "text": "漢" * TEXT_CHARS})).status_code == 200


@pytest.mark.parametrize("path", [*PAGE, "/chat/about", "/chat/image/x", "/chat/file/x"])
async def test_every_answer_wears_the_policy(page, path):
    """Nothing but the page's own files may load; nobody may frame it, cache it or learn its address."""
    headers = (await page.get(path)).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))

    assert policy["default-src"] == "'none'"
    assert {policy[f"{kind}-src"] for kind in ("script", "style", "img", "connect")} == {"'self'"}
    assert {policy[name] for name in ("base-uri", "form-action", "frame-ancestors")} == {"'none'"}
    assert policy["require-trusted-types-for"] == "'script'"
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")


async def test_the_page_names_no_third_party_and_holds_no_secret(stranger):
    """It comes to whoever asks from this machine: no foreign address, no inline code, no token."""
    for path in PAGE:
        answer = await stranger.get(path)
        assert answer.status_code == 200
        assert TOKEN not in answer.text
        assert not FOREIGN.search(answer.text.replace(SVG, ""))
        assert not UNSAFE.search(answer.text)


async def test_the_address_is_for_the_terminal(room, stranger):
    """The token is in the fragment, which no browser sends."""
    assert room[0].address == f"{ORIGIN}/chat#{TOKEN}"
    assert TOKEN not in (await stranger.get("/chat")).text


async def test_the_page_learns_who_sits_where(page):
    """Each chat lists the commands its person may use there; the channel none of the private ones."""
    about = (await page.get("/chat/about")).json()
    commands = {chat["id"]: [command["name"] for command in chat["commands"]] for chat in about["chats"]}

    assert commands == {
        "you": ["balances", "connect", "fills", "help", "here", "start"],
        "team": ["help", "here"],
        "admin": ["balances", "connect", "fills", "help", "here", "revoke", "start"],
    }
    assert [button["url"] for button in about["practice"]] == ["/practice/buy", "/practice/withdraw"]
    assert about["notes"][0] == {"text": "Practice key", "code": "practiceKEY0a1b2", "group": ""}
