"""What deliveries write of themselves, in as few transactions as they come together in.

Each goes on when its own row is on the disk, exactly as with a transaction of its own: a commit is what
costs, not the rows in it. What begins goes at once, for a first byte waits for it, and takes along what was
sent meanwhile.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime

from chatbot.domain.outbox import Delivery
from chatbot.errors import Fenced
from chatbot.ports.mail import Sent
from chatbot.ports.stores import UnitOfWork

# A little longer than a beat of the pacer, shorter than any lease by far.
PATIENCE_SECONDS = 0.15
TAKEN_OVER = "the message was taken over"

UnitOfWorks = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
_Done = asyncio.Future[None]


@dataclass(slots=True)
class _Page:
    begun: list[tuple[Delivery, _Done]] = field(default_factory=list)
    sent: list[tuple[Sent, _Done]] = field(default_factory=list)

    def single(self) -> Iterator["_Page"]:
        """Return a page for each row."""
        yield from (_Page(begun=[row]) for row in self.begun)
        yield from (_Page(sent=[row]) for row in self.sent)


class Ledger:
    """Collects rows until the running transaction is over, and commits them together.

    `expected` holds the ids of those that will begin soon: what was sent waits a moment for them.
    """

    def __init__(self, uow: UnitOfWorks) -> None:
        """Take how a transaction is opened."""
        self.expected: set[str] = set()
        self._uow = uow
        self._page = _Page()
        self._writing: asyncio.Task[None] | None = None
        self._later: asyncio.TimerHandle | None = None

    async def begin(self, delivery: Delivery) -> None:
        """Return when it is on the disk that bytes are about to leave; raises `Fenced`, `StorageError`."""
        self.expected.discard(delivery.id)
        done = asyncio.get_running_loop().create_future()
        self._page.begun.append((delivery, done))
        self._flush()
        await done

    async def sent(self, delivery: Delivery, message_id: str, now: datetime) -> None:
        """Return when it is on the disk that it was sent; raises `Fenced`, `StorageError`."""
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        self._page.sent.append((Sent(delivery, message_id, now), done))
        if not self.expected:
            self._flush()
        elif self._later is None:
            self._later = loop.call_later(PATIENCE_SECONDS, self._flush)
        await done

    async def close(self) -> None:
        """Write what is still waiting and return when all is done."""
        self._flush()
        while self._writing is not None:
            await asyncio.wait({self._writing})

    def _flush(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._writing is None and (self._page.begun or self._page.sent):
            self._writing = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            # Others that wake in the same step of the loop come along.
            await asyncio.sleep(0)
            while self._page.begun or self._page.sent:
                page, self._page = self._page, _Page()
                await self._commit(page)
        finally:
            self._writing = None

    async def _commit(self, page: _Page) -> None:
        try:
            ours = await self._together(page)
        except Exception as error:
            rows = [*page.begun, *page.sent]
            if len(rows) == 1:
                _settle(rows[0][1], error)
                return
            # One that fails takes nobody along, and is told to whose row it is.
            for row in page.single():
                await self._commit(row)
            return
        for delivery, done in page.begun:
            _settle(done, None if delivery.id in ours else Fenced(TAKEN_OVER))
        for sent, done in page.sent:
            _settle(done, None if sent.delivery.id in ours else Fenced(TAKEN_OVER))

    async def _together(self, page: _Page) -> set[str]:
        ours: set[str] = set()
        async with self._uow() as store:
            if page.begun:
                ours.update(await store.outbox.begin_all([delivery for delivery, _ in page.begun]))
            if page.sent:
                ours.update(await store.outbox.sent_all([sent for sent, _ in page.sent]))
        return ours


def _settle(done: _Done, error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)
