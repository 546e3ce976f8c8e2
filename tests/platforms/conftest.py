"""A fake Bot API and a Telegram bot on it, for every test of this folder that asks."""

from collections.abc import AsyncIterator

import pytest

from tests.support import botapi, telegrams


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
