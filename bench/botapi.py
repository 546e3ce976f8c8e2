"""A Bot API as a process of its own that refuses whatever comes too early, by strict sliding windows.

It answers as Telegram does, with the message it took or a 429, and counts both. Its clock is the time at
which a request has been read.
"""

import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any
from urllib.parse import parse_qsl

import uvloop
from aiohttp import web

from tests.support.botapi.windows import Windows

LOOPBACK = "127.0.0.1"
COUNTS = "/bench/counts"
ME = {"id": 4242, "is_bot": True, "first_name": "Keyherald", "username": "keyherald_bot"}
JSON_FIELDS = frozenset({"entities", "reply_markup", "link_preview_options", "chat_id"})


@dataclass(slots=True)
class Counts:
    """What a sender has caused: messages taken and refused, when the first and the last was taken."""

    taken: int = 0
    refused: int = 0
    first: float = 0.0
    last: float = 0.0
    connections: int = 0
    texts: set[str] = field(default_factory=set)

    def told(self) -> dict[str, Any]:
        """Return them for the bench."""
        return {**asdict(self), "texts": len(self.texts)}


class BotApi:
    """Takes messages while the windows have room."""

    def __init__(self) -> None:
        self._begin()

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answer one request."""
        if request.path == COUNTS:
            told = self._counts.told()
            self._begin()
            return web.json_response(told)
        body = await request.read()
        method = request.path.rpartition("/")[2]
        if method == "getMe":
            return web.json_response({"ok": True, "result": ME})
        return self._take(_fields(body)) if method == "sendMessage" else web.json_response({}, status=404)

    def accepted(self) -> None:
        """Count a connection."""
        self._counts.connections += 1

    def _begin(self) -> None:
        self._counts, self._windows = Counts(), Windows()

    def _take(self, fields: dict[str, Any]) -> web.Response:
        now = time.monotonic()
        early = self._windows.take(int(fields["chat_id"]), now)
        if early:
            self._counts.refused += 1
            words = f"Too Many Requests: retry after {ceil(early)}"
            no = {"ok": False, "error_code": 429, "description": words}
            return web.json_response(no | {"parameters": {"retry_after": ceil(early)}}, status=429)
        counts = self._counts
        counts.taken += 1
        counts.first, counts.last = counts.first or now, now
        counts.texts.add(f"{fields['chat_id']} {fields['text']}")
        chat = {"id": int(fields["chat_id"]), "type": "private", "first_name": "Person"}
        shown = {name: fields[name] for name in ("text", "entities", "reply_markup") if name in fields}
        told = {"message_id": 100 + counts.taken, "from": ME, "chat": chat, "date": int(time.time())} | shown
        return web.json_response({"ok": True, "result": told})


def _fields(body: bytes) -> dict[str, Any]:
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    return {name: json.loads(value) if name in JSON_FIELDS else value for name, value in pairs}


async def serve() -> None:
    """Serve until standard input ends; the first line printed says where."""
    api = BotApi()
    protocol = web.Server(api.handle, access_log=None, keepalive_timeout=600)

    def accept() -> asyncio.Protocol:
        api.accepted()
        return protocol()

    listener = await asyncio.get_running_loop().create_server(accept, LOOPBACK, 0, backlog=1024)
    origin = f"http://{LOOPBACK}:{listener.sockets[0].getsockname()[1]}"
    print(json.dumps({"origin": origin}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    # Open connections need no farewell.
    os._exit(0)


if __name__ == "__main__":
    uvloop.run(serve())
