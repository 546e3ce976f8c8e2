"""A TCP server that answers with any bytes a test likes, and `Http` asking it."""

import asyncio

import pytest

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Http

ALLOW = {("GET", "/api/v3/balance/")}


CANARY = "canary-7f3a91"


HEADERS = {"Authorization": f"Bitso k:{CANARY}:s"}


async def raw_server(handle):
    """A TCP server that reads one request head and lets the test write whatever it likes."""

    async def serve(reader, writer):
        try:
            await reader.readuntil(b"\r\n\r\n")
            await handle(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def ask(origin, path="/api/v3/balance/", query="", method="GET"):
    http = Http("https://bitso.com", ALLOW, origin)
    try:
        return await http.request(method, path, query, HEADERS)
    finally:
        await http.close()


async def ask_raw(handle):
    server, origin = await raw_server(handle)
    async with server:
        return await ask(origin)


async def trouble_of(handle):
    with pytest.raises(ExchangeError) as raised:
        await ask_raw(handle)
    assert raised.value.trouble is Trouble.UNREACHABLE
    assert CANARY not in repr(raised.value) + raised.value.reason
    assert raised.value.__cause__ is None
    return raised.value.reason


def reply(body, *headers, status="200 OK", length=True):
    lines = [f"HTTP/1.1 {status}", *headers, *([f"Content-Length: {len(body)}"] if length else []), "", ""]

    async def handle(writer):
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return handle
