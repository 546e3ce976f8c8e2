"""Forty messages at once to two channels on Slack: each at its pace, in order, none lost and none twice unmarked."""

from collections.abc import Sequence

import pytest

from chatbot.domain.messages import Post, message
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Place, TeamId
from tests.support.rows import rows
from tests.support.slackapi import Fault
from tests.support.slackbot import ANA, SlackBot

CHANNELS = (("CTEAM", ""), ("COTHER", ""))


async def fill(bot: SlackBot, promise: Promise, places: Sequence[tuple[str, str]] = CHANNELS) -> None:
    """Put twenty messages for each place into the outbox, in turns."""
    bot.api.world.channel("COTHER")
    async with bot.bot.ctx.uow() as store:
        for number in range(20):
            for channel, thread in places:
                place = Place("slack", channel, "T1", thread, private=False)
                where = await store.conversations.enter(place, TeamId("slack:T1"), None)
                shown = Post(message(f"{channel} no. {number}."))
                now = bot.bot.clock.now()
                await store.outbox.put(where.id, shown, promise, now, key=f"{channel}{thread}{number}")


async def sent(bot: SlackBot) -> None:
    """Let time pass until nothing waits."""
    for _ in range(12):
        await bot.turn(seconds=5)
        if not [row for row in await rows(bot.bot, "outbox") if row["state"] in {"pending", "claimed"}]:
            return


async def test_forty_messages_to_two_channels_all_arrive_in_order(slackbot: SlackBot) -> None:
    """The fake refuses the second message within a second, and would complain."""
    await fill(slackbot, Promise.REPORT)
    await sent(slackbot)
    for channel, _ in CHANNELS:
        assert slackbot.words(channel) == [f"{channel} no. {number}." for number in range(20)]


async def test_a_thread_shares_the_pace_of_its_channel(slackbot: SlackBot) -> None:
    """To us they are two places, to Slack one channel with one message a second."""
    parent = await slackbot.api.mention(ANA, "help", "CTEAM")
    await slackbot.handled()
    assert parent.shown is not None
    await fill(slackbot, Promise.REPORT, [("CTEAM", ""), ("CTEAM", parent.shown.ts)])
    await sent(slackbot)
    for thread in ("", parent.shown.ts):
        assert slackbot.words("CTEAM", thread) == [f"CTEAM no. {number}." for number in range(20)]


@pytest.mark.parametrize("what", [429, "ratelimited", 503, "service_unavailable", Fault.CLOSE_EARLY])
async def test_what_was_not_taken_is_sent_later(slackbot: SlackBot, what) -> None:
    """A limit of a whole minute, or Slack being away, loses nothing and repeats nothing that is sure."""
    await fill(slackbot, Promise.ALERT)
    slackbot.api.fail("chat.postMessage", what, times=5, wait=30 if what == 429 else 0)
    await sent(slackbot)
    for channel, _ in CHANNELS:
        told = "\n".join(slackbot.words(channel))
        numbers = [told.index(f"{channel} no. {number}.") for number in range(20)]
        assert numbers == sorted(numbers)
        assert len(slackbot.words(channel)) == 20


async def test_a_cut_answer_is_repeated_with_a_mark(slackbot: SlackBot) -> None:
    """Taken but unanswered: an alert comes a second time, and says that it may be the same."""
    await fill(slackbot, Promise.ALERT)
    slackbot.api.fail("chat.postMessage", Fault.CLOSE, times=3)
    await sent(slackbot)
    told = slackbot.words("CTEAM") + slackbot.words("COTHER")
    assert len(told) == 43
    assert sum("may be a repeat" in words for words in told) == 3
