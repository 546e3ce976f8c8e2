"""Socket Mode from Slack's side: tickets, hello, envelopes that want an answer, pings, and every way to fall silent."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from aiohttp import web

from tests.support.slackapi.world import APP_ID

MOST = 10


class Sockets:
    """The open sockets of one app, at most ten; each payload goes to one of them."""

    def __init__(self, note: Callable[[], Awaitable[None]]) -> None:
        self.open: list[web.WebSocketResponse] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.complaints: list[str] = []
        self.opened = 0
        self.pings = 0
        self.mute = False
        self.deaf = False
        self._tickets: set[str] = set()
        self._note = note
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def listen(self) -> None:
        app = web.Application()
        app.router.add_get("/link/", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        await self.cut()
        if self._runner is not None:
            await self._runner.cleanup()

    def ticket(self) -> str:
        """Return an address that opens one socket, once."""
        if len(self.open) >= MOST:
            self.complaints.append(f"more than {MOST} sockets")
        ticket = secrets.token_hex(8)
        self._tickets.add(ticket)
        return f"ws://127.0.0.1:{self._port}/link/?ticket={ticket}&app_id={APP_ID}"

    async def send(self, kind: str, payload: dict[str, Any], **more: Any) -> str:
        """Send an envelope down the newest socket and return its id."""
        envelope = {"envelope_id": secrets.token_hex(16), "type": kind, "payload": payload, **more}
        envelope["accepts_response_payload"] = kind != "events_api"
        await self.open[-1].send_str(json.dumps(envelope))
        return str(envelope["envelope_id"])

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Say goodbye on every socket; Slack closes soon after unless it is only a `warning`."""
        for socket in list(self.open):
            told = {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-1"}}
            await socket.send_str(json.dumps(told))
            if reason != "warning":
                await socket.close()

    async def ping(self) -> None:
        """Ping every socket as Slack does."""
        for socket in self.open:
            await socket.ping(b"Ping from applink-1")

    async def cut(self) -> None:
        """Drop every socket without a goodbye."""
        for socket in list(self.open):
            transport = socket._req.transport if socket._req else None
            if transport is not None:
                transport.abort()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("ticket", "") not in self._tickets:
            return web.Response(status=403)
        self._tickets.discard(request.query["ticket"])
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.open.append(socket)
        self.opened += 1
        try:
            await self._greet(socket)
            async for message in socket:
                await self._heard(socket, message)
        finally:
            self.open.remove(socket)
            with contextlib.suppress(asyncio.CancelledError):
                await self._note()
        return socket

    async def _greet(self, socket: web.WebSocketResponse) -> None:
        if not self.mute:
            debug = {"host": "applink-1", "build_number": 1, "approximate_connection_time": 18060}
            hello = {"type": "hello", "num_connections": len(self.open), "debug_info": debug}
            await socket.send_str(json.dumps(hello | {"connection_info": {"app_id": APP_ID}}))
        await self._note()

    async def _heard(self, socket: web.WebSocketResponse, message: aiohttp.WSMessage) -> None:
        if message.type is aiohttp.WSMsgType.PING:
            self.pings += 1
            if not self.mute:
                await socket.pong(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT and not self.deaf:
            said = json.loads(message.data)
            if "envelope_id" not in said:
                self.complaints.append(f"socket: no envelope in {message.data[:200]}")
                return
            self.answers[said["envelope_id"]] = said.get("payload", {})
        await self._note()
