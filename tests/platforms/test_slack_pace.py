"""Many messages at once through the real delivery job: storage, leases, pace, and a Slack that holds its limits.

Time is virtual, and the fake Slack measures its second by the same clock.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatbot.domain.messages import Post, message
from chatbot.domain.outbox import OutboxState, Promise
from chatbot.domain.people import Conversation, Identity, Place, team_of
from tests.support import slackapi
from tests.support.rows import rows
from tests.support.slackapi import Answer, SlackApi
from tests.support.slackbot import SlackBot, open_slackbot
from tests.support.slacks import ANA

POST = "chat.postMessage"


@dataclass
class Crowd:
    """A bot with channels to write to."""

    bot: SlackBot
    api: SlackApi

    async def join(self, channel: str, thread: str = "", user: str = "") -> Conversation:
        place = Place("slack", user or channel, "T1", thread, private=bool(user))
        async with self.bot.bot.ctx.uow() as store:
            return await store.conversations.enter(place, team_of(Identity("slack", "", "T1")), None)

    async def tell(self, conversation: Conversation, words: str) -> None:
        now = self.bot.bot.clock.now()
        async with self.bot.bot.ctx.uow() as store:
            await store.outbox.put(conversation.id, Post(message(words)), Promise.ALERT, now, key=words)

    async def work(self, seconds: int) -> None:
        """Let the job run as the engine would, twice a second."""
        for _ in range(2 * seconds):
            await self.bot.bot.turn(seconds=0.5, jobs=("deliver_messages",))

    def told(self, place: str, thread: str = "") -> list[str]:
        return [shown.words.split("\n")[0] for shown in self.api.shown(place, thread)]


@pytest.fixture
async def crowd(tmp_path: Path) -> AsyncIterator[Crowd]:
    """Two channels, and a bot whose clock Slack shares."""
    async with slackapi.running() as api:
        for channel in ("CA", "CB"):
            api.world.channel(channel, members=[ANA])
        async with open_slackbot(tmp_path, {}, api) as bot:
            yield Crowd(bot, api)


async def _twenty_each(crowd: Crowd) -> dict[str, list[str]]:
    meant = {channel: [f"{channel} {number}" for number in range(20)] for channel in ("CA", "CB")}
    for channel, lines in meant.items():
        conversation = await crowd.join(channel)
        for words in lines:
            await crowd.tell(conversation, words)
    return meant


async def test_forty_messages_to_two_channels_at_once_all_arrive(crowd):
    """None is lost, none comes twice, all in order, and Slack never has to say that we are too fast."""
    meant = await _twenty_each(crowd)

    await crowd.work(40)

    assert {channel: crowd.told(channel) for channel in meant} == meant
    assert crowd.api.count(POST) == 40
    assert crowd.api.complaints == []


async def test_nothing_is_lost_when_slack_is_stricter_than_it_says(crowd):
    """With a limit of our pace's half and 429 for everything sooner, all forty arrive once, in order."""
    meant = await _twenty_each(crowd)
    crowd.api.world.pace = 2.0

    await crowd.work(120)

    assert {channel: crowd.told(channel) for channel in meant} == meant
    assert {complaint.split(":")[1].strip() for complaint in crowd.api.complaints} == {"ratelimited"}
    assert await rows(crowd.bot.bot, "outbox", state=OutboxState.PENDING) == []


async def test_a_limited_channel_waits_as_long_as_slack_says_and_the_other_goes_on(crowd):
    """Retry-After moves what is due in that channel; nobody sits and waits for it."""
    meant = await _twenty_each(crowd)
    crowd.api.fail(POST, 429, wait=20)

    await crowd.work(15)
    first, second = sorted(len(crowd.told(channel)) for channel in meant)
    await crowd.work(60)

    assert (first, second >= 10) == (0, True)
    assert {channel: crowd.told(channel) for channel in meant} == meant


async def test_threads_of_a_channel_share_its_one_message_a_second(crowd):
    """Nine conversations in one channel at once: each is told in order, and the channel's limit holds."""
    root = await crowd.join("CA")
    for number in range(8):
        await crowd.tell(root, f"root {number}")
    await crowd.work(10)
    begun = [shown.ts for shown in crowd.api.shown("CA")]
    threads = [await crowd.join("CA", ts) for ts in begun]
    for number in range(4):
        for conversation in (root, *threads):
            await crowd.tell(conversation, f"{conversation.place.thread} {number}")

    await crowd.work(60)

    for ts in begun:
        assert crowd.told("CA", ts) == [f"{ts} {number}" for number in range(4)]
    assert crowd.told("CA")[8:] == [f" {number}" for number in range(4)]
    assert crowd.api.complaints == []


async def test_a_workspace_has_a_cap_of_its_own(crowd):
    """Thirty people at once are not told faster than a workspace takes it."""
    began = crowd.bot.bot.clock.monotonic()
    for number in range(30):
        crowd.api.world.person(f"U{number}")
        await crowd.tell(await crowd.join("", user=f"U{number}"), f"for {number}")

    await crowd.bot.bot.turn(jobs=("deliver_messages",))

    assert [crowd.told(f"U{number}") for number in range(30)] == [[f"for {number}"] for number in range(30)]
    assert crowd.bot.bot.clock.monotonic() - began >= 29 / crowd.bot.slack.pace.per_second


@pytest.mark.parametrize("code", ["is_archived", "not_in_channel", "channel_not_found"])
async def test_a_channel_that_is_gone_ends_quietly_and_alone(crowd, code):
    """Its messages end in a clear state after one try; the other channel hears everything."""
    meant = await _twenty_each(crowd)
    crowd.api.world.channel("CA").refusal = code

    await crowd.work(40)

    assert crowd.told("CB") == meant["CB"]
    assert len(await rows(crowd.bot.bot, "outbox", state=OutboxState.GONE)) == 20
    assert sum(1 for name, params in crowd.api.calls if name == POST and params["channel"] == "CA") == 1


async def test_a_revoked_token_holds_the_workspace_and_loses_nothing(crowd):
    """While Slack refuses the token nothing is hammered; once it is taken again all is told."""
    meant = await _twenty_each(crowd)
    revoked = Answer(200, {"ok": False, "error": "token_revoked"})
    crowd.api.fail(POST, revoked, times=4)

    await crowd.work(30)
    assert crowd.told("CA") == crowd.told("CB") == []
    assert len(crowd.api._faults[POST]) >= 2
    await crowd.work(400)

    assert {channel: crowd.told(channel) for channel in meant} == meant
