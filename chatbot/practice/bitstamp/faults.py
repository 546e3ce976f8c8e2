"""Answers no exchange should give and every exchange has given: what a client must survive."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

HTML = "<!DOCTYPE html><html><title>Just a moment...</title><h1>Checking your browser</h1></html>"
MEBIBYTE = 1024 * 1024
HUGE_MEBIBYTES = 50
BOMB_MEBIBYTES = 64
DRIP_SECONDS = 60


class _Cut(Response):
    """Promises a body and hangs up in the middle of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  the names are the protocol's
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b'[{"currency": "btc", "tot', "more_body": True})


async def _huge_body() -> AsyncIterator[bytes]:
    yield b'["'
    for _ in range(HUGE_MEBIBYTES):
        yield b"x" * MEBIBYTE
    yield b'"]'


async def _drops() -> AsyncIterator[bytes]:
    for _ in range(DRIP_SECONDS):
        yield b" "
        await asyncio.sleep(1)


def _bomb() -> Response:
    packed = gzip.compress(b"[" + b"0" * (BOMB_MEBIBYTES * MEBIBYTE), 9)
    return Response(packed, headers={"Content-Encoding": "gzip"}, media_type="application/json")


def _json_text(text: str) -> Response:
    return Response(text, media_type="application/json")


FAULTS: Mapping[str, Callable[[], Response]] = {
    "html": lambda: Response(HTML, media_type="text/html"),
    "html-503": lambda: Response(HTML, 503, media_type="text/html"),
    "empty": lambda: _json_text(""),
    "half": lambda: _json_text('[{"currency": "btc", "total": "0.5", "avai'),
    "list": lambda: _json_text("[[]]"),
    "types": lambda: JSONResponse([{"currency": 7, "total": []}]),
    "no-rows": lambda: JSONResponse([]),
    "nan": lambda: _json_text('[{"currency": "btc", "available": "1", "total": 1e2222, "reserved": "0"}]'),
    "deep": lambda: _json_text("[" * 100_000),
    "huge": lambda: StreamingResponse(_huge_body(), media_type="application/json"),
    "bomb": _bomb,
    "drip": lambda: StreamingResponse(_drops(), media_type="application/json"),
    "redirect": lambda: RedirectResponse("/api/v2/ticker/", 302),
    "close": _Cut,
}
