"""Answers no exchange should give and every exchange has given: what a client must survive."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

HTML = "<!DOCTYPE html><html><title>Just a moment...</title><h1>Checking your browser</h1></html>"
MEBIBYTE = 1024 * 1024
HUGE_MEBIBYTES = 50
BOMB_MEBIBYTES = 64
DRIP_SECONDS = 60

Faults = Mapping[str, Callable[[], Response]]


class _Cut(Response):
    """Promises a body and hangs up in the middle of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  the names are the protocol's
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(self.body), "more_body": True})


async def _huge_body() -> AsyncIterator[bytes]:
    yield b'{"result": "'
    for _ in range(HUGE_MEBIBYTES):
        yield b"x" * MEBIBYTE
    yield b'"}'


async def _drops() -> AsyncIterator[bytes]:
    for _ in range(DRIP_SECONDS):
        yield b" "
        await asyncio.sleep(1)


def _bomb() -> Response:
    packed = gzip.compress(b"[" + b"0" * (BOMB_MEBIBYTES * MEBIBYTE), 9)
    return Response(packed, headers={"Content-Encoding": "gzip"}, media_type="application/json")


def _text(text: str, status: int = 200) -> Callable[[], Response]:
    return lambda: Response(text, status, media_type="application/json")


def outages(balances: Any, *, empty: Any, elsewhere: str) -> Faults:
    """Return every kind of bad answer, made from a good answer to *balances* whose first amount is 0.5.

    `empty` is a good envelope in which the balances are missing; `elsewhere` the path a redirect leads to.
    """
    good = json.dumps(balances)
    if good.count('"0.5"') != 1:
        raise ValueError('the sample must hold the amount "0.5" once')
    half = good[: good.index('"0.5"') + 3]
    return {
        "html": lambda: Response(HTML, media_type="text/html"),
        "html-503": lambda: Response(HTML, 503, media_type="text/html"),
        "empty": _text(""),
        "half": _text(half),
        "list": _text("[[]]"),
        "types": _text(good.replace('"0.5"', "[]")),
        "no-rows": _text(json.dumps(empty)),
        "nan": _text(good.replace('"0.5"', "1e2222")),
        "deep": _text("[" * 100_000),
        "huge": lambda: StreamingResponse(_huge_body(), media_type="application/json"),
        "bomb": _bomb,
        "drip": lambda: StreamingResponse(_drops(), media_type="application/json"),
        "redirect": lambda: RedirectResponse(elsewhere, 302),
        "close": lambda: _Cut(half),
    }
