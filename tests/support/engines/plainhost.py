"""A host that is not loopback and has no https: a proxy on this machine that leads its name back to here.

Browsers are given nothing else to go out by, so a request to anybody else ends here.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

HOST = "keyherald.example"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_NOT_HERE = b"HTTP/1.1 502 Not here\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def proxy() -> AsyncIterator[int]:
    """Run the proxy until the block ends and give its port."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        body = await reader.readexactly(int(length[1])) if length else b""
        writer.write(await _answer(head, body))
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def _answer(head: bytes, body: bytes) -> bytes:
    method, target, rest = head.split(b" ", 2)
    url = urlsplit(target.decode())
    if method == b"CONNECT" or url.hostname not in {HOST, "localhost"}:
        return _NOT_HERE
    path = f"{url.path}?{url.query}" if url.query else url.path
    there, back = await asyncio.open_connection("127.0.0.1", url.port)
    version, headers = rest.split(b"\r\n", 1)
    request = b" ".join((method, path.encode(), version))
    back.write(request + b"\r\nConnection: close\r\n" + headers + body)
    try:
        return await there.read()
    finally:
        back.close()
