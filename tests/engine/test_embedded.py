"""The embedded engine: ticks and nudges wake a kind, never twice at once, and a stop has its deadline.

Deadlines run on a clock turned by hand; the ticks themselves are APScheduler's, a few milliseconds long.
"""

import asyncio
import threading
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from chatbot.engine.clock import SystemClock
from chatbot.engine.embedded import GRACE_SECONDS, EmbeddedQueue
from chatbot.ports.context import Clock, Queue

NEVER = 1_000_000
SOON = 0.005


class HandClock:
    """Time that passes only when told."""

    def __init__(self):
        self.passed = 0.0
        self.sleepers = []

    def now(self):
        return datetime(2026, 11, 20, tzinfo=UTC)

    def monotonic(self):
        return self.passed

    async def sleep(self, seconds):
        waiter = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.passed + seconds, waiter))
        await waiter

    def turn(self, seconds):
        self.passed += seconds
        for due, waiter in self.sleepers:
            if due <= self.passed and not waiter.done():
                waiter.set_result(None)


class KeptLog:
    """A log that keeps its lines."""

    def __init__(self):
        self.lines = []

    def info(self, action, **ids):
        self.lines.append((action, ids))

    warning = error = info


class Work:
    """Work that counts its runs, and can be held up."""

    def __init__(self):
        self.runs = self.at_once = self.most_at_once = 0
        self.changed = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.cut_off = False

    async def __call__(self):
        self.runs += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.changed.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cut_off = True
            raise
        finally:
            self.at_once -= 1

    async def reaches(self, runs):
        async with asyncio.timeout(10):
            while self.runs < runs:
                await self.changed.wait()
                self.changed.clear()


class Rig:
    """An engine with its hand clock and kept log; `stop` ends it."""

    def __init__(self):
        self.clock, self.log = HandClock(), KeptLog()
        self.queue = EmbeddedQueue(self.clock, self.log)
        self._stop = asyncio.Event()

    @asynccontextmanager
    async def running(self):
        running = asyncio.create_task(self.queue.run_until(self._wait))
        yield running
        self._stop.set()
        async with asyncio.timeout(10):
            await running

    async def _wait(self):
        await self._stop.wait()

    def stop(self):
        self._stop.set()


@pytest.fixture
async def rig():
    return Rig()


async def settle():
    """Let everything run that can run without time passing."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_it_fulfils_the_port(rig):
    """Engine and clock are what the context asks for."""
    queue: Queue = rig.queue
    clock: Clock = SystemClock()

    assert queue is not None
    assert clock.now().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()
    await clock.sleep(0)


async def test_what_fell_due_while_down_is_looked_for_at_once(rig):
    """Every kind runs once at the start, without waiting for its first tick."""
    work = Work()
    rig.queue.every("poll", NEVER, work)
    async with rig.running():
        await work.reaches(1)


async def test_ticks_come_again_and_again(rig):
    """A kind is woken on its interval."""
    work = Work()
    rig.queue.every("poll", SOON, work)
    async with rig.running():
        await work.reaches(4)


async def test_a_kind_never_runs_twice_at_once(rig):
    """Ticks during a run are dropped, and the same kind is never at work twice."""
    work, other = Work(), Work()
    work.may_end.clear()
    rig.queue.every("poll", SOON, work)
    rig.queue.every("other", SOON, other)
    async with rig.running():
        await work.reaches(1)
        await other.reaches(5)
        assert work.runs == 1
        work.may_end.set()
        await work.reaches(2)

    assert work.most_at_once == 1


async def test_a_nudge_wakes_at_once(rig):
    """A nudge does not wait for the interval, also when it comes from another thread."""
    work = Work()
    rig.queue.every("deliver", NEVER, work)
    async with rig.running():
        await work.reaches(1)
        rig.queue.nudge("deliver")
        await work.reaches(2)
        thread = threading.Thread(target=rig.queue.nudge, args=["deliver"])
        thread.start()
        await work.reaches(3)
        thread.join()


async def test_nudges_during_a_run_cause_one_more_run(rig):
    """However often a kind is nudged while at work, it looks once more afterwards."""
    work = Work()
    rig.queue.every("deliver", NEVER, work)
    async with rig.running():
        await work.reaches(1)
        await settle()
        work.may_end.clear()
        rig.queue.nudge("deliver")
        await work.reaches(2)
        for _ in range(5):
            rig.queue.nudge("deliver")
        await settle()
        work.may_end.set()
        await work.reaches(3)
        await settle()

    assert (work.runs, work.most_at_once) == (3, 1)


async def test_a_nudge_may_be_lost(rig):
    """A nudge for a kind that is not run here, or after the end, does nothing."""
    work = Work()
    rig.queue.every("deliver", NEVER, work)
    rig.queue.nudge("unknown")
    rig.queue.nudge("deliver")
    async with rig.running():
        await work.reaches(1)
    rig.queue.nudge("deliver")

    assert work.runs == 1


async def test_a_failure_is_logged_and_the_clock_goes_on(rig):
    """An exception in one kind's work stops neither that kind nor another."""
    other = Work()

    async def fails():
        raise RuntimeError("a bug")

    rig.queue.every("bad", SOON, fails)
    rig.queue.every("good", SOON, other)
    async with rig.running():
        await other.reaches(3)
        async with asyncio.timeout(10):
            while len(rig.log.lines) < 3:
                await other.reaches(other.runs + 1)

    assert set(map(str, rig.log.lines)) == {"('job_failed', {'kind': 'bad'})"}


async def test_one_name_means_one_kind(rig):
    """Two kinds of one name are a mistake."""
    rig.queue.every("poll", 1, Work())
    with pytest.raises(ValueError, match="poll"):
        rig.queue.every("poll", 1, Work())


async def test_a_stop_lets_running_work_end(rig):
    """Work that ends within the grace is not cut off, and nothing new begins."""
    work, idle = Work(), Work()
    rig.queue.every("poll", NEVER, work)
    rig.queue.every("idle", NEVER, idle)
    work.may_end.clear()
    async with rig.running() as running:
        await work.reaches(1)
        await idle.reaches(1)
        rig.queue.nudge("poll")
        rig.stop()
        await settle()
        rig.clock.turn(GRACE_SECONDS - 1)
        await settle()
        assert not running.done()
        work.may_end.set()

    assert (work.runs, work.cut_off, idle.runs, rig.log.lines) == (1, False, 1, [])


async def test_a_stop_ends_after_twenty_seconds(rig):
    """Work that does not end is cut off when the grace is over, and that is logged."""
    work = Work()
    work.may_end.clear()
    rig.queue.every("poll", NEVER, work)
    async with rig.running() as running:
        await work.reaches(1)
        rig.stop()
        await settle()
        rig.clock.turn(GRACE_SECONDS)
        async with asyncio.timeout(10):
            await running

    assert work.cut_off
    assert rig.log.lines == [("job_cut_off", {"kind": "poll"})]


async def test_being_cancelled_leaves_nothing_behind(rig):
    """When the whole process is told to go at once, no task stays."""
    work = Work()
    work.may_end.clear()
    rig.queue.every("poll", NEVER, work)
    running = asyncio.create_task(rig.queue.run_until(asyncio.Event().wait))
    await work.reaches(1)
    running.cancel()
    await settle()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert work.cut_off
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("engine:")] == []


async def test_ticks_are_set_as_agreed(rig):
    """Late ticks are folded into one and never skipped; one instance; UTC."""
    rig.queue.every("poll", 30, Work())
    rig.queue._scheduler.start(paused=True)
    [job] = rig.queue._scheduler.get_jobs()
    rig.queue._scheduler.shutdown(wait=False)
    await settle()

    assert (job.max_instances, job.coalesce, job.misfire_grace_time) == (1, True, None)
    assert str(job.trigger.timezone) == "UTC"
