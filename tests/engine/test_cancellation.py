"""A cancellation that nobody asked the engine for: it is the work's own bug and ends nothing."""

import asyncio

from tests.engine.test_embedded import SOON, Rig


async def test_a_cancellation_that_leaks_out_of_the_work_ends_nothing():
    """Work that awaited what somebody else cancelled is logged, and runs again at the next tick."""
    rig, runs = Rig(), []
    again = asyncio.Event()

    async def work():
        runs.append(1)
        if len(runs) == 1:
            raise asyncio.CancelledError
        again.set()

    rig.queue.every("poll", SOON, work)
    async with rig.running(), asyncio.timeout(10):
        await again.wait()

    assert ("job_cancelled", {"kind": "poll"}) in rig.log.lines
