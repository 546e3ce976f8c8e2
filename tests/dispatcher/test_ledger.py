"""Rows of many deliveries in one transaction: each is told of its own, and only when it is on the disk."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chatbot.dispatcher.ledger import Ledger
from chatbot.domain.messages import Post, message
from chatbot.domain.outbox import LEASE, Delivery, OutboxState, Promise
from chatbot.domain.people import Place, TeamId
from chatbot.errors import Fenced, StorageError
from storage.delivery import OutboxStore
from tests.support.bot import Bot
from tests.support.rows import rows


class Counted:
    """Opens the bot's units of work and counts them."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self.number = 0

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Any]:
        self.number += 1
        async with self._bot.ctx.uow() as store:
            yield store


async def claimed(bot: Bot, number: int) -> Sequence[Delivery]:
    """Queue a message in each of so many chats and claim them all."""
    now = bot.clock.now()
    async with bot.ctx.uow() as store:
        for chat in range(number):
            place = await store.conversations.enter(Place("web", f"chat {chat}"), TeamId("t"), None)
            await store.outbox.put(place.id, Post(message("hello")), Promise.ALERT, now)
        return await store.outbox.claim(now, now + LEASE, number, [], ["web"])


async def states(bot: Bot) -> list[str]:
    """Return the state of every row, in order."""
    return [row["state"] for row in await rows(bot, "outbox")]


async def test_what_comes_together_is_one_transaction(bot: Bot) -> None:
    """Thirty messages that begin at the same moment cost one commit, and all of them are begun."""
    found, uow = await claimed(bot, 30), Counted(bot)
    ledger = Ledger(uow)
    await asyncio.gather(*map(ledger.begin, found))
    assert uow.number == 1
    assert await states(bot) == [OutboxState.BEGUN] * 30


async def test_begun_is_on_the_disk_before_the_sender_goes_on(bot: Bot) -> None:
    """The first byte may leave only after that."""
    (delivery,) = await claimed(bot, 1)
    await Ledger(bot.ctx.uow).begin(delivery)
    assert await states(bot) == [OutboxState.BEGUN]


async def test_what_was_sent_goes_along_with_what_begins(bot: Bot) -> None:
    """A result waits for the next message, and is written in its transaction."""
    (first, second), uow = await claimed(bot, 2), Counted(bot)
    ledger = Ledger(uow)
    ledger.expected = {first.id, second.id}
    await ledger.begin(first)
    result = asyncio.create_task(ledger.sent(first, "m1", bot.clock.now()))
    await asyncio.sleep(0)
    await ledger.begin(second)
    await result
    assert uow.number == 2
    assert await states(bot) == [OutboxState.SENT, OutboxState.BEGUN]


async def test_the_last_result_waits_for_nobody(bot: Bot) -> None:
    """When no other message is to follow, what was sent is written at once."""
    (delivery,), uow = await claimed(bot, 1), Counted(bot)
    ledger = Ledger(uow)
    await ledger.begin(delivery)
    writing = asyncio.create_task(ledger.sent(delivery, "m1", bot.clock.now()))
    await asyncio.sleep(0)
    assert ledger._later is None
    await writing
    assert await states(bot) == [OutboxState.SENT]


async def test_a_message_that_was_taken_over_stops_nobody_else(bot: Bot) -> None:
    """Whose lease went to another worker sends nothing; the others of the same moment do."""
    mine, lost = await claimed(bot, 2)
    async with bot.ctx.uow() as store:
        later = bot.clock.now() + 2 * LEASE
        await store.outbox.claim(later, later + LEASE, 0, [], ["web"])
        (again,) = await store.outbox.claim(later, later + LEASE, 1, [], ["web"])
    ledger = Ledger(bot.ctx.uow)
    told = await asyncio.gather(*map(ledger.begin, (again, lost)), return_exceptions=True)
    assert mine.id == again.id
    assert [type(each) for each in told] == [type(None), Fenced]


async def test_one_row_that_fails_takes_nobody_along(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the database refuses is told to whose it is; the others are written one by one."""
    good, bad = await claimed(bot, 2)
    begin = OutboxStore.begin_all

    async def refuse(self: OutboxStore, deliveries: Sequence[Delivery]) -> Any:
        if bad in deliveries:
            raise StorageError("SQLITE_FULL", retry=True)
        return await begin(self, deliveries)

    monkeypatch.setattr(OutboxStore, "begin_all", refuse)
    ledger = Ledger(bot.ctx.uow)
    told = await asyncio.gather(*map(ledger.begin, (good, bad)), return_exceptions=True)
    assert [type(each) for each in told] == [type(None), StorageError]
    assert await states(bot) == [OutboxState.BEGUN, OutboxState.CLAIMED]


async def test_closing_writes_what_still_waits(bot: Bot) -> None:
    """At the end of a round nothing that was sent is left unwritten."""
    (delivery,) = await claimed(bot, 1)
    ledger = Ledger(bot.ctx.uow)
    await ledger.begin(delivery)
    ledger.expected = {"somebody who never comes"}
    writing = asyncio.create_task(ledger.sent(delivery, "m1", bot.clock.now()))
    await asyncio.sleep(0)
    await ledger.close()
    await writing
    assert await states(bot) == [OutboxState.SENT]
