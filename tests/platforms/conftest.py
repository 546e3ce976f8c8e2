"""A fake Bot API and a Telegram bot on it, a fake Slack and an app on it, for every test of this folder that asks."""

from collections.abc import AsyncIterator

import pytest

from tests.support import botapi, slackapi, slacks, telegrams


@pytest.fixture
async def api() -> AsyncIterator[botapi.BotApi]:
    """A Bot API where one person has opened the private chat; nothing undocumented may be sent to it."""
    async with botapi.running() as api:
        api.world.chat(telegrams.ANA)
        yield api
        assert api.complaints == []


@pytest.fixture
async def bot(api: botapi.BotApi) -> AsyncIterator[telegrams.Rig]:
    """A bot with that API, not started."""
    async with telegrams.rig(api) as rig:
        yield rig


@pytest.fixture
async def slack() -> AsyncIterator[slackapi.SlackApi]:
    """A Slack with one channel; nothing undocumented may be sent to it."""
    async with slackapi.running() as api:
        api.world.channel("CTEAM", members=[slacks.ANA])
        yield api
        assert api.complaints == []


@pytest.fixture
async def app(slack: slackapi.SlackApi) -> AsyncIterator[slacks.Rig]:
    """A started app at that Slack, called without a socket."""
    async with slacks.rig(slack) as rig:
        await rig.start()
        yield rig
