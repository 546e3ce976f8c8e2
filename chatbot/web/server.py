"""Listens: uvicorn with what it lacks, an end to everything that waits for a client without end.

A client that drips its headers or body, or never takes its answer, would hold a connection for ever
(encode/uvicorn#157); here it is cut after `receive_seconds`. When too many wait, the one that has waited
longest goes first, so a newcomer always finds a place. An answer may take us as long as it needs.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

RECEIVE_SECONDS = 10.0
GRACE_SECONDS = 5
# Each is an open file; the database and the exchanges need theirs too.
MOST_WAITING = 512
# What a refused request may still send before nobody listens any more, and how long its answer has then.
UNWANTED_BYTES = 64 * 1024
LINGER_SECONDS = 1.0
SEND_BYTES = 64 * 1024
REQUESTS = "uvicorn.requests"


class _Clock:
    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, end: Callable[[], None]) -> None:
        self._loop, self._seconds, self._end = loop, seconds, end
        self._handle: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        return self._handle is not None

    def start(self) -> None:
        if self._handle is None:
            self._handle = self._loop.call_later(self._seconds, self._end)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class Crowd:
    """The connections that wait for their client, longest first; one too many costs the first its place."""

    def __init__(self, most: int) -> None:
        """Let so many wait."""
        self._most = most
        self._waiting: dict[DeadlineProtocol, None] = {}

    def join(self, one: "DeadlineProtocol") -> None:
        """Let a connection wait; one that waits already keeps its place."""
        self._waiting.setdefault(one)
        if len(self._waiting) > self._most:
            longest = next(iter(self._waiting))
            self.leave(longest)
            longest.transport.abort()

    def leave(self, one: "DeadlineProtocol") -> None:
        """Forget a connection that has our attention, or is gone."""
        self._waiting.pop(one, None)


class DeadlineProtocol(H11Protocol):
    """Cuts a connection whose request does not arrive, or whose answer is not taken, in time."""

    def __init__(self, *args: Any, receive_seconds: float, crowd: Crowd, **kwargs: Any) -> None:
        """Take uvicorn's arguments, the deadline, and the others that wait."""
        super().__init__(*args, **kwargs)
        self.logger = logging.getLogger(REQUESTS)
        self._crowd = crowd
        self._unwanted = 0
        self._receiving = _Clock(self.loop, receive_seconds, self._abort)
        self._sending = _Clock(self.loop, receive_seconds, self._abort)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock with the connection, before its first byte."""
        super().connection_made(transport)
        # So that `pause_writing` means: there is something the client has not taken.
        transport.set_write_buffer_limits(high=0)
        self._look()

    def data_received(self, data: bytes) -> None:
        """Stop the clock when the request is whole, keep or start it while it is not."""
        if self.conn.our_state is h11.DONE and self.conn.their_state is h11.SEND_BODY:
            self._unwanted += len(data)
            if self._unwanted > UNWANTED_BYTES:
                # Cut at once, the answer could be lost on its way.
                self.transport.pause_reading()
                self.loop.call_later(LINGER_SECONDS, self._abort)
                return
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of this one."""
        self._unwanted = 0
        super().on_response_complete()
        self._look()

    def pause_writing(self) -> None:
        """Start the answer's clock; connections that are being closed have it too."""
        super().pause_writing()
        self._sending.start()
        self._crowd.join(self)

    def resume_writing(self) -> None:
        """Stop the answer's clock."""
        super().resume_writing()
        self._sending.stop()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the clocks."""
        self._receiving.stop()
        self._sending.stop()
        self._crowd.leave(self)
        super().connection_lost(exc)

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        waits = self.conn.their_state in {h11.IDLE, h11.SEND_BODY}
        # Between two requests uvicorn has a limit of its own.
        begun = self.conn.their_state is h11.SEND_BODY or self.conn.trailing_data[0]
        idle = not begun and self.timeout_keep_alive_task is not None
        if waits and not idle:
            self._receiving.start()
        else:
            self._receiving.stop()
        if waits or self._sending.running:
            self._crowd.join(self)
        else:
            self._crowd.leave(self)

    def _abort(self) -> None:
        self.transport.abort()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        # Signals belong to bootstrap, which stops every role, not only this one.
        yield


def bind(host: str, port: int) -> socket.socket:
    """Return a listening address; raises OSError when it is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=1024)
    # Each connection inherits it; by itself the system would keep megabytes of answers nobody takes.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
    # asyncio does so only for a socket that names its protocol; an answer would take 40 ms longer.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    stop: asyncio.Event,
    *,
    receive_seconds: float = RECEIVE_SECONDS,
    most_waiting: int = MOST_WAITING,
) -> None:
    """Serve the app on a bound socket until told to stop; running answers get a few seconds to finish."""
    crowd = Crowd(min(most_waiting, _room()))
    # A line for each broken request would let anyone fill the disk.
    logging.getLogger(REQUESTS).setLevel(logging.ERROR)
    config = uvicorn.Config(
        app,
        http=partial(DeadlineProtocol, receive_seconds=receive_seconds, crowd=crowd),  # type: ignore[arg-type]
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


def _room() -> int:
    """Return half of the files this process may open."""
    try:
        import resource  # noqa: PLC0415  Windows has none
    except ImportError:
        return MOST_WAITING
    allowed: int = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_WAITING if allowed == resource.RLIM_INFINITY else allowed // 2
