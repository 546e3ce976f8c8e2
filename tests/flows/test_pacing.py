"""Many messages at once, against a chat that refuses whatever comes too early by strict windows."""

from dataclasses import replace

from chatbot.domain.messages import Post, message
from chatbot.domain.outbox import OutboxState, Promise
from chatbot.domain.people import ConversationId, Place, TeamId
from chatbot.errors import SendError, Verdict
from chatbot.platforms.telegram import Telegram
from tests.support.bot import YOU, Bot
from tests.support.botapi.windows import Windows

GROUP = "group"


async def chat(bot: Bot, name: str, *, private: bool = True) -> ConversationId:
    """Return the conversation of a chat."""
    async with bot.ctx.uow() as store:
        place = Place(bot.chat.name, name, private=private)
        return (await store.conversations.enter(place, TeamId("t"), None)).id


async def queue(bot: Bot, where: ConversationId, *texts: str, ahead: bool = False) -> None:
    """Queue messages for a chat."""
    async with bot.ctx.uow() as store:
        for text in texts:
            post = Post(message(text))
            await store.outbox.put(where, post, Promise.ALERT, bot.clock.now(), ahead=ahead)


def strict(bot: Bot) -> Windows:
    """Let the chat keep Telegram's windows, and the bot keep Telegram's pace."""
    windows, deliver = Windows(), bot.chat.deliver
    bot.chat.pace = Telegram.pace

    async def judged(delivery):
        number = hash(delivery.place.channel) % 10**9 + 1
        early = windows.take(number if delivery.place.private else -number, bot.clock.monotonic())
        if early:
            raise SendError(Verdict.LIMITED, "too many requests", wait=early)
        return await deliver(delivery)

    platform = type("Strict", (), {"deliver": staticmethod(judged), "pace": bot.chat.pace})()
    vars(bot.ctx.postbox)["_platforms"][bot.chat.name] = platform
    return windows


async def deliver(bot: Bot, *, most_minutes: int) -> None:
    """Run the job every second until nothing waits."""
    for _ in range(60 * most_minutes):
        await bot.turn(seconds=1, jobs=("deliver_messages",))
        async with bot.ctx.uow() as store:
            if not (await store.outbox.counts())[OutboxState.PENDING]:
                return


async def test_two_hundred_messages_to_one_group_meet_no_refusal(bot: Bot) -> None:
    """Twenty a minute and one a second are kept, every message arrives once, in its order."""
    windows = strict(bot)
    texts = [f"message {number}" for number in range(200)]
    await queue(bot, await chat(bot, GROUP, private=False), *texts)
    await deliver(bot, most_minutes=13)
    assert bot.texts(GROUP) == texts
    assert windows.refused == 0


async def test_many_private_chats_meet_no_refusal(bot: Bot) -> None:
    """Two hundred people with two messages each: all of them arrive, each chat's in its order."""
    windows = strict(bot)
    names = [f"person {number}" for number in range(200)]
    for name in names:
        await queue(bot, await chat(bot, name), "first", "second")
    await deliver(bot, most_minutes=2)
    assert windows.refused == 0
    assert all(bot.texts(name) == ["first", "second"] for name in names)


async def test_what_is_urgent_overtakes_other_chats(bot: Bot) -> None:
    """A warning that comes after two hundred daily posts does not wait until all of them are out."""
    strict(bot)
    for number in range(200):
        await queue(bot, await chat(bot, f"person {number}"), "daily post")
    await queue(bot, await chat(bot, "owner"), "money is leaving", ahead=True)
    await deliver(bot, most_minutes=2)
    assert [shown.chat for shown in bot.chat.messages].index("owner") < 3


async def test_what_is_urgent_keeps_its_place_in_its_own_chat(bot: Bot) -> None:
    """What was told before is read before, however urgent the next one is."""
    where = await chat(bot, "owner")
    await queue(bot, where, "first", "second")
    await queue(bot, where, "urgent", ahead=True)
    await deliver(bot, most_minutes=1)
    assert bot.texts("owner") == ["first", "second", "urgent"]


async def test_an_answer_overtakes_a_fan_out(bot: Bot) -> None:
    """Whoever asks during the morning's posts is answered among the first."""
    for number in range(100):
        await queue(bot, await chat(bot, f"person {number}"), "daily post")
    await bot.type("/help")
    assert [shown.chat for shown in bot.chat.messages].index(YOU) < 30


async def test_a_limited_chat_does_not_slow_the_others(bot: Bot) -> None:
    """Retry-After moves the rows of its own chat and no other's."""
    bot.chat.pace = replace(bot.chat.pace, most=30)
    bot.chat.refuse.append(SendError(Verdict.LIMITED, "slow", wait=3600))
    for number in range(20):
        await queue(bot, await chat(bot, f"person {number}"), "hello", "again")
    for _ in range(5):
        await bot.turn(seconds=2, jobs=("deliver_messages",))
    assert sum(bot.texts(f"person {number}") == ["hello", "again"] for number in range(20)) == 19
