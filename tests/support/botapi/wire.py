"""HTTP/1.1 by hand, so that a test can cut the wire at any point of an exchange.

`server` hands over a coroutine that turns a request into an `Answer`; how the answer ends is part of it.
"""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email.parser import BytesParser
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl


class Fault(StrEnum):
    """What may go wrong between a bot and Telegram; all but the first two take the request first."""

    CLOSE_EARLY = "close_early"
    BAD_GATEWAY = "bad_gateway"
    CLOSE = "close"
    RESET = "reset"
    HANG = "hang"
    CUT = "cut"
    GARBAGE = "garbage"
    CLOSE_IDLE = "close_idle"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def params(self) -> dict[str, Any]:
        """Return the parameters of a Bot API call, JSON values decoded, files as bytes."""
        kind = self.headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            return _multipart(kind, self.body)
        if kind.startswith("application/json"):
            decoded: dict[str, Any] = json.loads(self.body)
            return decoded
        return {k: _decoded(k, v) for k, v in parse_qsl(self.body.decode(), keep_blank_values=True)}


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back, and how the exchange ends."""

    status: int
    body: Any
    end: Fault | None = field(default=None)

    def wire(self) -> bytes:
        """Return the bytes of the whole answer."""
        html = isinstance(self.body, str)
        payload = self.body.encode() if html else json.dumps(self.body).encode()
        kind = "text/html" if html else "application/json"
        head = f"HTTP/1.1 {self.status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(payload)}\r\n\r\n"
        return head.encode() + payload


# Texts stay as they were sent; everything else is JSON or a plain word.
_TEXTS = frozenset({"text", "caption", "callback_query_id", "url", "secret_token", "parse_mode"})


def _decoded(name: str, value: str) -> Any:
    if name in _TEXTS:
        return value
    with suppress(ValueError):
        return json.loads(value)
    return value


def _multipart(kind: str, body: bytes) -> dict[str, Any]:
    message = BytesParser().parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + body)
    params: dict[str, Any] = {}
    for part in message.get_payload():
        name = part.get_param("name", header="content-disposition")  # type: ignore[union-attr]
        data = part.get_payload(decode=True)  # type: ignore[union-attr]
        assert isinstance(name, str)
        assert isinstance(data, bytes)
        params[name] = data if part.get_filename() else _decoded(name, data.decode())  # type: ignore[union-attr]
    return params


class Wire:
    """A listening socket that can vanish and come back on the same port."""

    def __init__(self, answer: Callable[[Asked], Awaitable[Answer]]) -> None:
        self._answer = answer
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0

    async def listen(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._start, "127.0.0.1", port or self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def vanish(self) -> None:
        """Refuse connections from now on and drop those that are open."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._open):
            writer.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._server = None

    def _start(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        asked = await _read(reader)
        if asked is None:
            return False
        answer = await self._answer(asked)
        if answer.end in {Fault.CLOSE, Fault.CLOSE_EARLY}:
            return False
        if answer.end is Fault.RESET:
            _linger_nothing(writer)
            return False
        if answer.end is Fault.HANG:
            await reader.read()
            return False
        payload = answer.wire()
        writer.write(payload[: len(payload) - 5] if answer.end is Fault.CUT else payload)
        await writer.drain()
        return answer.end is None


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readexactly(1)
    if head == b"\x16":  # somebody tries TLS
        return None
    head += await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(first.split()[1], headers, body)


def _linger_nothing(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
