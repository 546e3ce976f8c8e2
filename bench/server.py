"""One practice exchange as a process of its own: it counts, can delay its answers and can speak TLS.

aiohttp's server carries it instead of uvicorn, because that one would be the slowest part of the bench.
"""

import argparse
import asyncio
import json
import os
import ssl
import sys
import time
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bench.certificate import CERTIFICATE, KEY
from chatbot.practice import Practice, open_practice
from chatbot.practice.bitso import wire as bitso

LOOPBACK = "127.0.0.1"
FILLS = 25
# These list every asset they know, held or not: forty here, of which twelve are held.
LISTING, ASSETS, HELD = frozenset({"bitso", "bitstamp"}), 40, 12
KEEP_OPEN_SECONDS = 600
COUNTS = "/bench/counts"
BOOKS = {
    "bitso": "btc_mxn",
    "bitstamp": "btc_usd",
    "hitbtc": "btc_usdt",
    "binance": "btc_usdt",
    "kraken": "btc_usd",
    "okx": "btc_usdt",
}


@dataclass(slots=True)
class Counts:
    """What a client has to have caused: connections accepted, answers given, answers that were no success."""

    connections: int = 0
    answers: int = 0
    refused: int = 0


class Delayed:
    """ASGI middleware: an answer leaves when the latency is over, its making included, and is counted."""

    def __init__(self, app: ASGIApp, seconds: float, counts: Counts) -> None:
        self._app, self._seconds, self._counts = app, seconds, counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begin = time.monotonic()
        messages: list[MutableMapping[str, Any]] = []

        async def keep(message: MutableMapping[str, Any]) -> None:
            messages.append(message)

        await self._app(scope, receive, keep)
        self._counts.answers += 1
        self._counts.refused += messages[0]["status"] != 200
        if self._seconds:
            await asyncio.sleep(begin + self._seconds - time.monotonic())
        for message in messages:
            await send(message)


async def through(app: ASGIApp, request: web.BaseRequest) -> web.Response:
    """Carry one request from aiohttp's server through an ASGI application."""
    path, _, query = request.raw_path.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.raw_headers],
        "client": (LOOPBACK, 0),
        "server": (LOOPBACK, 0),
    }
    body = await request.read()
    answered: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        answered.append(message)

    await app(scope, receive, send)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answered[0]["headers"]}
    whole = b"".join(message.get("body", b"") for message in answered[1:])
    return web.Response(status=answered[0]["status"], headers=headers, body=whole)


def furnish(name: str, clients: int, keys: int) -> tuple[ASGIApp, list[list[list[str]]]]:
    """Return the practice exchange with 25 fills of one book, and so many keys for each client."""
    state, app = open_practice(name)
    ledger: Any = state
    if name in LISTING:
        for number in range(len(ledger.balances), ASSETS):
            ledger.balances[f"coin{number}"] = Decimal("12.34567891") * (number < HELD)
    begin = datetime.now(UTC) - timedelta(days=1)
    for step in range(FILLS):
        side, at = "sell" if step % 2 else "buy", begin + timedelta(minutes=step)
        ledger.trade(side, BOOKS[name], "0.001", at=at)
    return app, [[_key(state) for _ in range(keys)] for _ in range(clients)]


def remember() -> None:
    """Let the practice Bitso build each answer once; keys, nonces and signatures are checked each time."""
    respond, known = bitso._respond, dict[tuple[bytes, bytes], bytes]()  # noqa: SLF001

    def again(build: Any, practice: Any, request: Request) -> Response:
        place = request.scope["raw_path"], request.scope["query_string"]
        if place not in known:
            known[place] = bytes(respond(build, practice, request).body)
        return Response(known[place], media_type="application/json")

    setattr(bitso, "_respond", again)  # noqa: B010  what the module calls, and no part of its interface


def _key(state: Practice) -> list[str]:
    ledger: Any = state
    key, secret = state.new_key(ledger.reads)
    return [key, secret, ledger.keys[key].passphrase]


async def serve(given: argparse.Namespace) -> None:
    """Serve until standard input ends; the first line printed says where, and with which keys."""
    if given.remember:
        remember()
    app, keys = furnish(given.exchange, given.clients, given.keys)
    counts = Counts()
    delayed = Delayed(app, given.delay_ms / 1000, counts)

    async def handle(request: web.BaseRequest) -> web.Response:
        if request.path == COUNTS:
            return web.json_response(asdict(counts))
        return await through(delayed, request)

    protocol = web.Server(handle, access_log=None, keepalive_timeout=KEEP_OPEN_SECONDS)

    def accept() -> asyncio.Protocol:
        counts.connections += 1
        return protocol()

    loop = asyncio.get_running_loop()
    listener = await loop.create_server(accept, LOOPBACK, 0, ssl=_tls(given.tls), backlog=1024)
    scheme = "https" if given.tls else "http"
    origin = f"{scheme}://{LOOPBACK}:{listener.sockets[0].getsockname()[1]}"
    told = {"exchange": given.exchange, "origin": origin, "book": BOOKS[given.exchange], "keys": keys}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    # Open connections need no farewell.
    os._exit(0)


def _tls(folder: str) -> ssl.SSLContext | None:
    if not folder:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(folder) / CERTIFICATE, Path(folder) / KEY)
    return context


def main() -> None:
    """Serve what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("exchange", choices=sorted(BOOKS))
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--keys", type=int, default=100)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--remember", action="store_true", help="build each answer once (Bitso only)")
    parser.add_argument("--tls", default="", help="folder that holds the test certificate")
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
