"""Much work at once, each piece on its own: slow ones hold nobody up, and a bug in one stays with it.

For jobs that work off rows. A row's result is written by its own work; what is left after a bug comes
back when its lease has run out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from chatbot.errors import Fenced, StorageError
from chatbot.ports.context import Context

Item = TypeVar("Item")
Result = TypeVar("Result")

LOOK_AGAIN = 0.25


async def work_off(
    kind: str,
    claim: Callable[[int], Awaitable[Sequence[Item]]],
    work: Callable[[Item], Awaitable[None]],
    ctx: Context,
    limit: int,
) -> None:
    """Work on at most `limit` claimed rows at once until nothing is due and all have ended.

    What falls due meanwhile is claimed too, so a piece of work that hangs takes one place and no more.
    """
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            room = 0 if ctx.queue.stopping else limit - len(running)
            for item in await claim(room) if room else ():
                task = asyncio.create_task(_alone(kind, work, item, ctx))
                running.add(task)
                task.add_done_callback(running.discard)
            if not running:
                return
            await asyncio.wait(tuple(running), timeout=LOOK_AGAIN)
    except asyncio.CancelledError:
        for task in running:
            task.cancel()
        raise
    finally:
        await asyncio.gather(*running, return_exceptions=True)


class Aside:
    """Small work beside the main one, which waits for it for a moment and no longer."""

    def __init__(self, ctx: Context) -> None:
        """Start with nothing."""
        self._ctx = ctx
        self._running: set[asyncio.Task[object]] = set()

    def start(self, work: Awaitable[object], action: str, **ids: object) -> None:
        """Begin a piece; a bug in it is logged."""
        task: asyncio.Task[object] = asyncio.create_task(safely(work, self._ctx, action, **ids))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def settle(self, seconds: float) -> None:
        """Wait until all is done, so long at most."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    def close(self) -> None:
        """Let go of what is not done."""
        for task in self._running:
            task.cancel()


async def safely(work: Awaitable[Result], ctx: Context, action: str, **ids: object) -> Result | None:
    """Return what the work does, or None after a bug, which is logged; trouble of the storage rises."""
    try:
        return await work
    except (Fenced, StorageError):
        raise
    except Exception:
        ctx.log.error(action, **ids)  # noqa: TRY400  our log adds the traceback itself
        return None


async def _alone(kind: str, work: Callable[[Item], Awaitable[None]], item: Item, ctx: Context) -> None:
    try:
        await work(item)
    except Exception:
        ctx.log.error("work_failed", kind=kind)  # noqa: TRY400  as above
