"""The process that draws: started with the first picture, let go when idle, replaced when it dies."""

import asyncio
import logging
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection, wait

from chatbot.domain.pictures import Picture
from chatbot.ports.context import Log

# The first picture also starts the process and loads the library, on a busy machine for seconds.
LIMIT_SECONDS = 15.0
IDLE_SECONDS = 300.0
# After a process that hung, or two that died: whatever is wrong, posts are not held up for it each time.
PAUSE_SECONDS = 60.0
_KEPT = frozenset({"HOME", "LANG", "PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR"})


class ProcessCharts:
    """Implements `ports.charts.Charts` with one worker process."""

    def __init__(self, log: Log, *, limit_seconds: float = LIMIT_SECONDS) -> None:
        """Start nothing yet."""
        self._log = log
        self._limit = limit_seconds
        self._pool: ProcessPoolExecutor | None = None
        self._leash: Connection | None = None
        self._turn = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._resting_until = 0.0

    async def draw(self, picture: Picture) -> bytes | None:
        """Draw in the other process; one that died is replaced once."""
        async with self._turn:
            if time.monotonic() < self._resting_until:
                return None
            png = await self._try(picture, again=True)
            self._rest_later()
            return png

    async def close(self) -> None:
        """End the process; what it was drawing is let go."""
        if self._idle is not None:
            self._idle.cancel()
        pool, self._pool = self._pool, None
        self._let_go()
        if pool is not None:
            await asyncio.to_thread(pool.shutdown)

    async def _try(self, picture: Picture, *, again: bool) -> bytes | None:
        # Starting the process blocks for some milliseconds.
        future = asyncio.wrap_future(await asyncio.to_thread(self._submit, picture))
        try:
            await asyncio.wait([future], timeout=self._limit)
        finally:
            late = future.cancel()
        if late:
            self._drop("picture_too_slow")
            return None
        error = future.exception()
        if isinstance(error, BrokenProcessPool):
            if again:
                self._let_go()
                return await self._try(picture, again=False)
            self._drop("picture_process_died")
            return None
        if error is not None:
            self._log.warning("picture_failed", reason=type(error).__name__)
            return None
        return future.result()

    def _submit(self, picture: Picture) -> "Future[bytes]":
        if self._pool is None:
            spawn = multiprocessing.get_context("spawn")
            reader, self._leash = spawn.Pipe(duplex=False)
            self._pool = ProcessPoolExecutor(1, spawn, _begin, (reader,))
        try:
            return self._pool.submit(_draw, picture, self._limit)
        except (BrokenProcessPool, OSError) as gone:
            failed: Future[bytes] = Future()
            failed.set_exception(BrokenProcessPool(str(gone)))
            return failed

    def _drop(self, action: str) -> None:
        self._let_go()
        self._resting_until = time.monotonic() + PAUSE_SECONDS
        self._log.warning(action, seconds=self._limit)

    def _let_go(self) -> None:
        pool, leash, self._pool, self._leash = self._pool, self._leash, None, None
        if leash is not None:
            leash.close()
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    def _rest_later(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._let_go)


def _begin(leash: Connection) -> None:
    """Make a worker of the new process: deaf to the terminal, without our settings, gone with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in os.environ.keys() - _KEPT:
        del os.environ[name]
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    threading.Thread(target=_end_with, args=(leash,), daemon=True).start()


def _end_with(leash: Connection) -> None:
    # The other end closes when we are let go, and when the parent dies, however it does.
    wait([leash])
    os._exit(0)


def _draw(picture: Picture, limit_seconds: float) -> bytes:
    from chatbot.charts.drawing import compose  # noqa: PLC0415  the library is loaded in this process alone
    from chatbot.charts.sheet import png  # noqa: PLC0415  as above

    if hasattr(signal, "setitimer"):
        # The kernel ends what hangs, even inside the library's C code.
        signal.setitimer(signal.ITIMER_REAL, limit_seconds)
    try:
        return png(compose(picture))
    finally:
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)
