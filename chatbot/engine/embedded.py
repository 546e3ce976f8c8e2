"""The engine inside the one process: APScheduler's interval ticks, and one loop for each kind of work.

A tick or a nudge only sets a flag that the kind's own loop waits for, so a kind never runs twice at
once, a failure never stops the clock, and nothing is queued. APScheduler holds a handful of ticks in
memory, in UTC; never a job per account, never people's times (those are rows).
"""

import asyncio
from collections.abc import Awaitable, Callable

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from chatbot.ports.context import Clock, Log

# With what closing takes, a stop is over within the twenty seconds that service managers grant.
GRACE_SECONDS = 15


class EmbeddedQueue:
    """Fulfils `Queue` in this process; made anew for each run."""

    def __init__(self, clock: Clock, log: Log) -> None:
        self._clock = clock
        self._log = log
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._kinds: dict[str, _Kind] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.stopping = False

    def every(self, kind: str, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Run the work of a kind on an interval, never twice at once; to be told before `run_until`."""
        if kind in self._kinds:
            raise ValueError(f"the engine knows {kind} already")
        added = self._kinds[kind] = _Kind(kind, work, self._log)
        self._scheduler.add_job(
            added.tick,
            IntervalTrigger(seconds=seconds, timezone="UTC"),
            id=kind,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )

    def nudge(self, kind: str) -> None:
        """Wake a kind at once, from any thread; a nudge during its run makes it run once more."""
        found = self._kinds.get(kind)
        if found is None:
            return
        if self._loop is None:
            found.wanted.set()
        else:
            self._loop.call_soon_threadsafe(found.wanted.set)

    async def run_until(self, stop: Callable[[], Awaitable[None]]) -> None:
        """Run until `stop` returns; then start nothing new, and give running work some seconds to end."""
        self._loop = asyncio.get_running_loop()
        loops = [asyncio.create_task(kind.run(), name=f"engine:{kind.name}") for kind in self._kinds.values()]
        self._scheduler.start()
        try:
            await stop()
        finally:
            self.stopping = True
            self._scheduler.shutdown(wait=False)
            self._loop = None
            await self._wind_down(loops)

    async def _wind_down(self, loops: list[asyncio.Task[None]]) -> None:
        for kind, loop in zip(self._kinds.values(), loops, strict=True):
            kind.stop(loop)
        grace = asyncio.ensure_future(self._clock.sleep(GRACE_SECONDS))
        working = set(loops)
        try:
            while working and not grace.done():
                _, waiting = await asyncio.wait({*working, grace}, return_when=asyncio.FIRST_COMPLETED)
                working = {task for task in waiting if task is not grace}
            for task in working:
                self._log.warning("job_cut_off", kind=task.get_name().partition(":")[2])
        finally:
            for task in {*working, grace}:
                task.cancel()
            await asyncio.gather(*loops, grace, return_exceptions=True)


class _Kind:
    def __init__(self, name: str, work: Callable[[], Awaitable[None]], log: Log) -> None:
        self.name = name
        self.wanted = asyncio.Event()
        self._work = work
        self._log = log
        self._working = False
        self._stopped = False

    async def tick(self) -> None:
        # A tick that comes while the kind is at work is dropped: the next one finds what is due.
        if not self._working:
            self.wanted.set()

    async def run(self) -> None:
        # What fell due while we were down is looked for first, without waiting an interval.
        self.wanted.set()
        while not self._stopped:
            await self.wanted.wait()
            self.wanted.clear()
            self._working = True
            try:
                await self._work()
            except asyncio.CancelledError:
                # Ours only when somebody cancelled this loop; one that leaked out of the work is a bug of it.
                if (me := asyncio.current_task()) is None or me.cancelling():
                    raise
                self._log.error("job_cancelled", kind=self.name)
            except Exception:
                self._log.error("job_failed", kind=self.name)
            finally:
                self._working = False

    def stop(self, loop: asyncio.Task[None]) -> None:
        self._stopped = True
        if not self._working:
            loop.cancel()
