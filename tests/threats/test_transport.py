"""Threats from the wire: cross-site calls, forged hosts, big and broken requests, and connections that stall."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx

from tests.support.page import token_of
from tests.threats.house import House, exchange_bytes, house

JSON = "application/json"
# Name: the header changed, and the answer.
CROSS_SITE = {
    "a form": ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
    "plain text": ({"Content_Type": "text/plain"}, 415),
    "another origin": ({"Origin": "https://evil.example"}, 403),
    "a nameless origin": ({"Origin": "null"}, 403),
    "no origin": ({"Origin": ""}, 403),
    "another site": ({"Sec_Fetch_Site": "cross-site"}, 403),
    "a sibling site": ({"Sec_Fetch_Site": "same-site"}, 403),
}
POST = (
    "POST /api/open HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Type: application/json\r\n"
)
STALLS = (
    "",
    "GET /key HT",
    "GET /key HTTP/1.1\r\nHost: {host}\r\nX-A: ",
    POST + "Content-Length: 100\r\n\r\n{{",
)
HOSTILE = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Prefix": "/evil",
    "X-Original-Host": "evil.example",
    "Forwarded": "host=evil.example;proto=http",
}
MEGABYTE = 2**20


async def test_15_no_other_site_can_call_in_a_persons_name(home: House) -> None:
    """Forms, other types, other origins and cross-site calls are refused, and there is no cookie to ride on."""
    link = await home.link()
    for call in ("open", "submit"):
        body = {"token": token_of(link)[0], "sealed": "AAAA"}
        for name, (headers, status) in CROSS_SITE.items():
            answer = await home.post(call, body, **{"Content_Type": JSON, **headers})
            assert (name, answer.status_code) == (name, status)
            assert not {"set-cookie", "access-control-allow-origin"} & set(answer.headers)
    preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = await home.web.options("/api/submit", headers=preflight)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert await home.state(link) == ("open", 0)


async def test_19_a_forged_host_redirects_nobody(home: House) -> None:
    """An address with a slash too many is no redirect, and a foreign Host is no host of ours."""
    hosts = ((home.host, b"404"), ("evil.example", b"400"), ("evil.example:80", b"400"), ("", b"400"))
    for path in ("/key/", "/", "/api/open/", "//evil.example/key", "/key-app/"):
        for host, status in hosts:
            asked = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            answer = await exchange_bytes(home.port, asked.encode())

            assert (path, host, answer[9:12]) == (path, host, status)
            assert b"location:" not in answer.lower()
            assert b"evil" not in answer


async def test_20_no_request_changes_the_address_in_a_link(home: House) -> None:
    """While hostile headers come in, a link begins with the configured address, and no answer repeats them."""
    looks = [
        await home.web.get(path, headers=HOSTILE) for path in ("/key", "/key-app", "/healthz", "/nothing")
    ]
    refused = await home.web.get("/key", headers={"Host": "evil.example"} | HOSTILE)
    link = await home.link()
    opened = await home.open(link, **{name.replace("-", "_"): value for name, value in HOSTILE.items()})

    assert link.startswith(f"{home.url}/key#")
    assert (opened.status_code, refused.status_code) == (200, 400)
    for answer in (*looks, refused, opened):
        assert "evil" not in answer.text + repr(answer.headers)
    shown = [button.url for message in home.bot.chat.messages for button in message.buttons]
    assert not any("evil" in url for url in shown)


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


async def test_30_a_huge_or_deep_body_ends_early(home: House) -> None:
    """What is too long is refused after eight kilobytes and kept nowhere; deep nesting is a bad request."""
    head = POST.format(host=home.host)
    early = f"{head}Content-Length: {100 * MEGABYTE}\r\n\r\n" + "x" * 9000
    assert (await exchange_bytes(home.port, early.encode(), patience=0.5))[9:12] == b"413"

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1600):
            yield b"x" * 65536

    headers = {"Origin": home.url, "Content-Type": JSON}
    before = _resident()
    # It may be hung up on while it is still talking: refused all the same.
    with contextlib.suppress(httpx.TransportError):
        assert (await home.web.post("/api/open", content=endless(), headers=headers)).status_code == 413
    assert _resident() - before < 32 * MEGABYTE

    for deep in ("[" * 8000, '{"token":' * 800, '{"token":' + "[" * 4000 + "]" * 4000 + "}"):
        assert (await home.web.post("/api/open", content=deep, headers=headers)).status_code == 400
    whole = json.dumps({"token": "A" * 9000})
    assert (await home.web.post("/api/open", content=whole, headers=headers)).status_code == 413
    assert (await home.open(await home.link())).status_code == 200


@asynccontextmanager
async def _stalled(home: House, count: int) -> AsyncIterator[list[asyncio.StreamReader]]:
    """Hold so many connections that never finish a request."""
    async with AsyncExitStack() as stack:
        readers = []
        for number in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
            stack.callback(writer.close)
            writer.write(STALLS[number % len(STALLS)].format(host=home.host).encode())
            readers.append(reader)
        yield readers


async def test_31_a_request_that_never_arrives_is_cut(tmp_path: Path) -> None:
    """Silence, half a line, half the headers and half a body all end at the deadline; a slow exchange does not."""
    async with house(tmp_path, receive_seconds=0.5) as home:
        link = await home.link()
        async with _stalled(home, 8) as readers, asyncio.timeout(20):
            ends = await asyncio.gather(*(reader.read() for reader in readers), return_exceptions=True)
        assert all(end == b"" or isinstance(end, ConnectionError) for end in ends)

        client = home.bot.ctx.exchanges["bitso"].client

        def slow(credentials, nonce):
            made = client(credentials, nonce)
            prove = made.prove

            async def late():
                await asyncio.sleep(1.2)
                return await prove()

            made.prove = late  # type: ignore[method-assign]
            return made

        home.bot.ctx.exchanges["bitso"].client = slow  # type: ignore[method-assign]
        assert (await home.submit(link)).status_code == 200


async def test_32_stalled_connections_keep_nobody_out(home: House) -> None:
    """With four hundred connections that say nothing, an honest person opens the page and hands in a key."""
    link = await home.link()
    async with _stalled(home, 400) as readers:
        assert (await home.web.get("/key")).status_code == 200
        assert (await home.submit(link)).status_code == 200
        assert len(readers) == 400


async def test_33_oversized_headers_are_refused(home: House) -> None:
    """Seventy kilobytes of headers, in one piece or in many, never reach the page."""
    lines = "".join(f"X-{number}: {'a' * 700}\r\n" for number in range(100))
    for long in (f"X-A: {'a' * 70_000}\r\n", lines):
        sent = f"GET /key HTTP/1.1\r\nHost: {home.host}\r\nConnection: close\r\n{long}\r\n"
        answer = await exchange_bytes(home.port, sent.encode())
        assert answer[:12] in {b"HTTP/1.1 431", b"HTTP/1.1 400"}, answer[:60]
    assert (await home.web.get("/key")).status_code == 200


async def test_34_two_lengths_smuggle_nothing(home: House) -> None:
    """Two lengths for one body end the connection, whichever two; what hides behind them is never answered."""
    hidden = f"GET /healthz HTTP/1.1\r\nHost: {home.host}\r\n\r\n"
    head = POST.format(host=home.host)
    ambiguous = (
        f"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{{}}{hidden}",
        f"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
        f"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n{hidden}",
        f"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n{hidden}",
        f"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{hidden}",
        f"Content-Length: +2\r\n\r\n{{}}{hidden}",
    )
    for rest in ambiguous:
        answer = await exchange_bytes(home.port, (head + rest).encode())
        assert answer.count(b"HTTP/1.1") == 1, rest
        assert answer[9:12] in {b"400", b"501"}, answer[:60]
