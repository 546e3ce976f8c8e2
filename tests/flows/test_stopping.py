"""A process that was told to stop finishes what it has begun and takes nothing new."""

from typing import Any, cast

from tests.support.bot import JOBS, YOU, Bot


async def test_nothing_is_claimed_any_more(bot: Bot) -> None:
    """Updates, messages, accounts and posts wait for the next process; it finds them all."""
    queue = cast("Any", bot.ctx.queue)
    await bot.inlet.put("web", "e1", {"kind": "said", "user": YOU, "chat": YOU, "text": "/help", "id": "u1"})
    queue.stopping = True
    await bot.dispatcher.sweep()
    assert bot.chat.messages == []
    queue.stopping = False
    await bot.dispatcher.sweep()
    queue.stopping = True
    await bot.turn(jobs=JOBS)
    assert bot.chat.messages == []

    queue.stopping = False
    await bot.turn(jobs=JOBS)
    assert len(bot.chat.messages) == 1
