"""Clients that mean harm, over real sockets: what they hold is taken from them, and nobody else notices."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from chatbot.web import server
from chatbot.web.keypage import render
from chatbot.web.limits import CALL_BYTES, FailureBudget
from tests.web.test_app import CALL, OPEN
from tests.web.weblink import FakeDesk, echo, served

PATIENCE = 20
HALF = b"GET /key HTTP/1.1\r\nHost: x\r\n"
BIG = 100 * 2**20


@asynccontextmanager
async def line(url: str, *, window: int = 0) -> AsyncIterator[socket.socket]:
    """A connection in our own hands; a small window makes the server notice soon that nobody reads."""
    with socket.socket() as line:
        line.setblocking(False)
        if window:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        await asyncio.get_running_loop().sock_connect(line, ("127.0.0.1", urlsplit(url).port))
        yield line


async def say(line: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(line, data)


async def hear(line: socket.socket) -> bytes:
    """Read to the end, whichever way it ends."""
    heard = b""
    try:
        async with asyncio.timeout(PATIENCE):
            while chunk := await asyncio.get_running_loop().sock_recv(line, 65536):
                heard += chunk
    except ConnectionError:
        pass
    return heard


async def answers(line: socket.socket) -> bytes:
    """Read one answer's head."""
    async with asyncio.timeout(PATIENCE):
        return await asyncio.get_running_loop().sock_recv(line, 65536)


def get(url: str, path: str = "/key") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {url.partition('//')[2]}\r\n\r\n".encode()


def post(url: str, length: int, call: str = "/api/open", kind: str = "application/json") -> bytes:
    lines = [
        f"POST {call} HTTP/1.1",
        f"Host: {url.partition('//')[2]}",
        f"Origin: {url}",
        f"Content-Type: {kind}",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def test_an_answer_nobody_takes_is_cut():
    """Whoever asks again and again and never reads loses the connection; it would be held for ever."""
    async with served(FakeDesk(), receive_seconds=0.5) as url, line(url, window=4096) as greedy:
        cut = False
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    await say(greedy, get(url) * 100)
        except ConnectionError:
            cut = True
        async with httpx.AsyncClient() as web:
            assert (await web.get(f"{url}/key")).status_code == 200

    assert cut


async def test_a_slow_reader_gets_everything():
    """Who does take the answers, with pauses, is not cut: each has its own time."""
    async with served(FakeDesk(), receive_seconds=1) as url, line(url, window=4096) as slow:
        page, count, heard = render("en", echo), 60, b""
        talking = asyncio.create_task(say(slow, get(url) * count))
        async with asyncio.timeout(PATIENCE):
            while heard.count(page) < count:
                heard += await asyncio.get_running_loop().sock_recv(slow, 20_000)
        await talking

    assert heard.count(b"HTTP/1.1 200") == count


@pytest.mark.parametrize("rest", [HALF, HALF + b"Content-Length: 9\r\n\r\n{"], ids=["headers", "body"])
async def test_half_a_request_behind_a_whole_one_is_cut(rest):
    """A good request first buys no time for one that never ends."""
    async with served(FakeDesk(), receive_seconds=0.5) as url, line(url) as slow:
        await say(slow, get(url) + rest)

        assert (await hear(slow)).startswith(b"HTTP/1.1 200")


async def test_a_kept_connection_may_pause_longer_than_a_request():
    """Between two requests of one connection there is no hurry."""
    async with served(FakeDesk(), receive_seconds=0.2) as url, line(url) as kept:
        for _ in range(2):
            await say(kept, get(url, "/healthz"))
            assert (await answers(kept)).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.5)


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
async def test_a_huge_body_is_refused_before_it_comes(kind):
    """Announcing a hundred megabytes is answered at once, and what is sent all the same goes nowhere."""
    sent = 0
    async with served(FakeDesk()) as url, line(url) as bulky:
        await say(bulky, post(url, BIG, kind=kind))
        assert (await answers(bulky)).startswith(b"HTTP/1.1 413")
        try:
            async with asyncio.timeout(PATIENCE):
                while sent < BIG:
                    await say(bulky, bytes(65536))
                    sent += 65536
        except ConnectionError:
            pass

    assert sent < BIG / 2


async def test_a_refused_call_leaves_the_connection_usable():
    """The body of a call that was refused by its headers is passed over, and the next call is answered."""
    async with served(FakeDesk()) as url, line(url) as kept:
        await say(kept, post(url, CALL_BYTES, kind="text/plain"))
        assert (await answers(kept)).startswith(b"HTTP/1.1 415")
        await say(kept, bytes(CALL_BYTES))
        await say(kept, post(url, len(OPEN)) + OPEN.encode())
        assert (await answers(kept)).startswith(b"HTTP/1.1 200")


async def test_too_many_who_wait_cost_the_longest_waiting_its_place():
    """However many connect and stay silent, only so many are held, and a newcomer is always served."""
    async with served(FakeDesk(), most_waiting=20) as url:
        silent = [await asyncio.open_connection("127.0.0.1", urlsplit(url).port) for _ in range(80)]
        for _, writer in silent:
            writer.write(HALF)
        async with httpx.AsyncClient() as web:
            assert (await web.get(f"{url}/key")).status_code == 200
            opened = await web.post(f"{url}/api/open", content=OPEN, headers=CALL | {"Origin": url})
            assert opened.status_code == 200
        ends = [asyncio.create_task(reader.read()) for reader, _ in silent]
        # Two by the honest client's own connection and the last to come.
        await asyncio.wait(ends[:60], timeout=PATIENCE)

        assert [end.done() for end in ends[:60]] == [True] * 60
        assert sum(not end.done() for end in ends) >= 18
        for _, writer in silent:
            writer.close()
        await asyncio.gather(*ends, return_exceptions=True)


async def test_stalled_connections_do_not_hold_up_the_end():
    """A restart waits for nobody who never finishes a request, or never takes an answer."""
    async with asyncio.timeout(PATIENCE):
        async with served(FakeDesk()) as url:
            stalled = [await asyncio.open_connection("127.0.0.1", urlsplit(url).port) for _ in range(20)]
            for _, writer in stalled:
                writer.write(HALF)
        for _, writer in stalled:
            writer.close()


BROKEN: dict[str, Callable[[str], bytes]] = {
    "noise": lambda _: b"\x16\x03\x01\x02\x00\x01\x00 this is no HTTP\r\n\r\n",
    "no host": lambda _: b"GET /key HTTP/1.1\r\n\r\n",
    "two hosts": lambda url: get(url).replace(b"\r\n\r\n", b"\r\nHost: evil.example\r\n\r\n"),
    "foreign host": lambda url: get(url).replace(b"localhost", b"evil.example"),
    "host of an older version": lambda _: b"GET /key HTTP/1.0\r\n\r\n",
    "folded header": lambda url: get(url).replace(b"\r\n\r\n", b"\r\nX-A: b\r\n c\x00\r\n\r\n"),
    "empty name": lambda url: get(url).replace(b"\r\n\r\n", b"\r\n: x\r\n\r\n"),
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_broken_request_is_refused_and_leaves_no_line_in_the_log(broken, caplog):
    """Each gets a bad request, and none a line of its own: that would let anyone fill the disk."""
    with caplog.at_level(logging.DEBUG):
        async with served(FakeDesk()) as url, line(url) as odd:
            await say(odd, BROKEN[broken](url))
            assert (await answers(odd)).startswith(b"HTTP/1.1 400")

    assert [record.name for record in caplog.records if record.name.startswith("uvicorn.requests")] == []
    assert "evil" not in caplog.text


@pytest.mark.parametrize(
    "target", ["http://evil.example/key", "//evil.example/key", "/%2e%2e/key", "/key%00"]
)
async def test_an_odd_target_leads_nowhere(target):
    """An address in absolute form, with dots or with a zero in it, is no page of ours and no redirect."""
    async with served(FakeDesk()) as url, line(url) as odd:
        await say(odd, get(url, target))
        answer = await answers(odd)

    assert answer.startswith(b"HTTP/1.1 404")
    assert b"\r\nlocation:" not in answer.lower()
    assert b"evil" not in answer


async def test_a_wish_for_another_protocol_is_an_ordinary_request(caplog):
    """WebSocket and HTTP/2 upgrades get the page, and no advice about our libraries in the log."""
    with caplog.at_level(logging.DEBUG):
        async with served(FakeDesk()) as url, line(url) as other:
            for wish in ("websocket", "h2c"):
                wishing = get(url).replace(
                    b"\r\n\r\n", f"\r\nConnection: Upgrade\r\nUpgrade: {wish}\r\n\r\n".encode()
                )
                await say(other, wishing)
                assert (await answers(other)).startswith(b"HTTP/1.1 200")

    assert [record.name for record in caplog.records if record.name.startswith("uvicorn.requests")] == []


@pytest.mark.parametrize(("allowed", "most"), [(256, 128), (4096, 512)])
def test_those_who_wait_get_at_most_half_of_our_files(monkeypatch, allowed, most):
    """The database and the exchanges need files too, whatever the system allows."""
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda _: (allowed, allowed))

    assert min(server.MOST_WAITING, server._room()) == most


@pytest.mark.parametrize("trusted", [[], ["127.0.0.1"]])
async def test_a_forged_address_buys_no_more_guesses(trusted):
    """Without a proxy the header counts for nothing, behind one only what the proxy itself wrote last."""
    budget = FailureBudget(each=3, total=1000, clock=lambda: 0.0)
    async with served(FakeDesk(), budget=budget, trusted_proxies=trusted) as url, httpx.AsyncClient() as web:

        async def guess(forwarded: str) -> int:
            headers = {"Origin": url, "X-Forwarded-For": forwarded, "Forwarded": f"for={forwarded}"}
            answer = await web.post(f"{url}/api/open", json={"token": "A" * 43}, headers=headers)
            return answer.status_code

        guesses = [await guess(f"198.51.100.{number}, 203.0.113.6") for number in range(6)]
        neighbour = await guess("203.0.113.6, 203.0.113.7")

    assert guesses == [404] * 3 + [429] * 3
    assert neighbour == (404 if trusted else 429)
