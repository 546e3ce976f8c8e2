"""Listens: uvicorn with what it lacks, a deadline for requests that never finish arriving.

A client that drips its headers or body would hold a connection for ever (encode/uvicorn#157); here it is
cut after `receive_seconds`. Once a request is in, its answer may take as long as it needs.
"""

import asyncio
import contextlib
import socket
from collections.abc import Generator
from functools import partial
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

RECEIVE_SECONDS = 10.0
GRACE_SECONDS = 5


class DeadlineProtocol(H11Protocol):
    """Cuts a connection whose request does not arrive in time."""

    def __init__(self, *args: Any, receive_seconds: float, **kwargs: Any) -> None:
        """Take uvicorn's arguments and the deadline."""
        super().__init__(*args, **kwargs)
        self._receive_seconds = receive_seconds
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock with the connection, before its first byte."""
        super().connection_made(transport)
        self._start()

    def data_received(self, data: bytes) -> None:
        """Stop the clock when the request is whole, keep or start it while it is not."""
        super().data_received(data)
        if self.conn.their_state in {h11.IDLE, h11.SEND_BODY}:
            self._start()
        else:
            self._stop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clock."""
        self._stop()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Leave an idle connection to uvicorn's own keep-alive limit."""
        self._stop()
        super().on_response_complete()

    def _start(self) -> None:
        if self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(self._receive_seconds, self.transport.abort)

    def _stop(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # Signals belong to bootstrap, which stops every role, not only this one.
        yield


def bind(host: str, port: int) -> socket.socket:
    """Return a listening address; raises OSError when it is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024)


async def serve(
    app: ASGIApp, listener: socket.socket, stop: asyncio.Event, *, receive_seconds: float = RECEIVE_SECONDS
) -> None:
    """Serve the app on a bound socket until told to stop; running answers get a few seconds to finish."""
    config = uvicorn.Config(
        app,
        http=partial(DeadlineProtocol, receive_seconds=receive_seconds),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        h11_max_incomplete_event_size=64 * 1024,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = _Server(config)
    waiting = asyncio.create_task(stop.wait())
    waiting.add_done_callback(lambda _: setattr(server, "should_exit", True))
    try:
        await server.serve([listener])
    finally:
        waiting.cancel()
        listener.close()
