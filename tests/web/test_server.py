"""The listening side: slow clients are cut, big bodies end early, honest answers take their time."""

import asyncio
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

from chatbot.web.server import bind
from tests.web.test_app import OPEN, submission
from tests.web.weblink import FakeDesk, served

DRIPS = {
    "silence": b"",
    "request line": b"GET /key HT",
    "headers": b"GET /key HTTP/1.1\r\nHost: x\r\nX-A: ",
    "body": b"POST /api/open HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
}


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a plain connection to the server."""
    port = urlsplit(url).port
    return await asyncio.open_connection("127.0.0.1", port)


@pytest.mark.parametrize("drip", DRIPS)
async def test_a_request_that_never_arrives_is_cut(drip):
    """A connection that drips a byte now and then ends at the deadline, wherever it stopped."""
    async with served(FakeDesk(), receive_seconds=0.4) as url:
        reader, writer = await connect(url)
        writer.write(DRIPS[drip])
        began = time.monotonic()
        reading = asyncio.create_task(reader.read())
        while not reading.done() and time.monotonic() - began < 5:
            if drip != "silence" and not writer.is_closing():
                writer.write(b" ")
            await asyncio.wait({reading}, timeout=0.1)
        took = time.monotonic() - began
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        writer.close()

    assert 0.3 < took < 2


async def test_a_slow_exchange_is_not_cut():
    """Once the request is in, its answer may take longer than the deadline."""
    desk = FakeDesk(pause=0.8)
    async with served(desk, receive_seconds=0.3) as url, httpx.AsyncClient() as web:
        headers = {"Origin": url, "Content-Type": "application/json"}
        answer = await web.post(f"{url}/api/submit", content=submission(desk), headers=headers)

        assert answer.status_code == 200
        assert (await web.get(f"{url}/key")).status_code == 200


async def test_stalled_connections_do_not_keep_an_honest_person_waiting():
    """With 300 connections stalled, the page comes long before the first of them is cut."""
    async with served(FakeDesk(), receive_seconds=60) as url, httpx.AsyncClient() as web:
        stalled = [await connect(url) for _ in range(300)]
        for _, writer in stalled:
            writer.write(b"GET /key HTTP/1.1\r\n")
        async with asyncio.timeout(30):
            answer = await web.get(f"{url}/key")
        for _, writer in stalled:
            writer.close()

    assert answer.status_code == 200


async def test_an_endless_body_ends_early():
    """A chunked body without end is refused after 8 KiB."""

    async def endless():
        for _ in range(10_000):
            yield b"x" * 1024

    async with served(FakeDesk()) as url, httpx.AsyncClient() as web:
        headers = {"Origin": url, "Content-Type": "application/json"}
        try:
            status = (await web.post(f"{url}/api/open", content=endless(), headers=headers)).status_code
        except httpx.TransportError:
            status = 413  # the connection was closed while we were still talking
        assert status == 413
        assert (await web.post(f"{url}/api/open", content=OPEN, headers=headers)).status_code == 200


async def test_the_answer_names_no_software():
    """No Server header tells what listens."""
    async with served(FakeDesk()) as url, httpx.AsyncClient() as web:
        assert "server" not in (await web.get(f"{url}/key")).headers


def test_an_answer_leaves_at_once():
    """Its body doesn't wait in the system until the client has confirmed its headers."""
    with (
        bind("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
