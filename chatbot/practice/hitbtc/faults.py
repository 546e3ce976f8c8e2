"""Answers no exchange should give and every exchange has given: what a client must survive."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

HTML = "<!DOCTYPE html><html><title>Maintenance</title><h1>We'll be right back</h1></html>"
MEBIBYTE = 1024 * 1024
HUGE_MEBIBYTES = 50
BOMB_MEBIBYTES = 64
DRIP_SECONDS = 60


class _Cut(Response):
    """Promises a body and hangs up in the middle of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  the names are the protocol's
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'[{"currency": "BTC", "avai', "more_body": True})


async def _huge_body() -> AsyncIterator[bytes]:
    yield b'[{"currency": "'
    for _ in range(HUGE_MEBIBYTES):
        yield b"x" * MEBIBYTE
    yield b'"}]'


async def _drops() -> AsyncIterator[bytes]:
    yield b"["
    for _ in range(DRIP_SECONDS):
        yield b" "
        await asyncio.sleep(1)


def _bomb() -> Response:
    packed = gzip.compress(b"[" + b"0" * (BOMB_MEBIBYTES * MEBIBYTE), 9)
    return Response(packed, headers={"Content-Encoding": "gzip"}, media_type="application/json")


def _json_text(text: str) -> Response:
    return Response(text, media_type="application/json")


# `list` and `no-rows` are lists where an object belongs and the other way round: an empty list of balances
# is a good answer here, for an account that holds nothing.
FAULTS: Mapping[str, Callable[[], Response]] = {
    "html": lambda: Response(HTML, media_type="text/html"),
    "html-503": lambda: Response(HTML, 503, media_type="text/html"),
    "empty": lambda: _json_text(""),
    "half": lambda: _json_text('[{"currency": "BTC", "available": "0.5", "rese'),
    "list": lambda: _json_text("[[]]"),
    "types": lambda: JSONResponse([{"currency": 7, "available": []}]),
    "no-rows": lambda: JSONResponse({}),
    "nan": lambda: _json_text('[{"currency": "BTC", "available": 1e2222, "reserved": "0"}]'),
    "deep": lambda: _json_text("[" * 100_000),
    "huge": lambda: StreamingResponse(_huge_body(), media_type="application/json"),
    "bomb": _bomb,
    "drip": lambda: StreamingResponse(_drops(), media_type="application/json"),
    "redirect": lambda: RedirectResponse("/api/3/public/ticker", 302),
    "close": _Cut,
}
