"""A bot and a practice Bitso for every flow, and the bot as it lives on Slack."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import slackapi
from tests.support.bot import Bot, open_bot
from tests.support.connected import connect
from tests.support.practice import Running, practice
from tests.support.quiet import NIGHT, evening, set_quiet, until
from tests.support.slackbot import SlackBot, open_slackbot, people


@pytest.fixture
async def bitso() -> AsyncIterator[Running]:
    """A practice Bitso on loopback with some history."""
    async with practice("bitso") as running:
        running.state.seed(120)
        yield running


@pytest.fixture
async def bot(tmp_path: Path, bitso) -> AsyncIterator[Bot]:
    """A bot that reads the practice Bitso."""
    async with open_bot(tmp_path, {"bitso": bitso.origin}) as opened:
        bitso.state.clock = opened.clock.now
        yield opened


@pytest.fixture
async def linked(bot: Bot, bitso: Running) -> Bot:
    """The bot, with one account connected and read once."""
    await connect(bot, bitso)
    return bot


@pytest.fixture
async def night(tmp_path: Path, bitso: Running) -> AsyncIterator[Bot]:
    """The bot at eleven in the evening, its chat quiet from ten to seven."""
    async with evening(tmp_path, bitso) as opened:
        await set_quiet(opened, NIGHT)
        await until(opened, 23)
        yield opened


@pytest.fixture
async def two(tmp_path: Path, bitso) -> AsyncIterator[Bot]:
    """A bot with accounts at two exchanges."""
    async with (
        practice("kraken") as kraken,
        open_bot(tmp_path, {"bitso": bitso.origin, "kraken": kraken.origin}) as bot,
    ):
        state: Any
        for running in (bitso, kraken):
            state = running.state
            state.clock = bot.clock.now
            await connect(bot, running)
        await bot.turn(seconds=1)
        yield bot


@pytest.fixture
async def slackbot(tmp_path: Path, bitso) -> AsyncIterator[SlackBot]:
    """A bot on Slack that reads the practice Bitso; nothing it sent may be other than documented."""
    async with slackapi.running() as api:
        people(api)
        async with open_slackbot(tmp_path, {"bitso": bitso.origin}, api) as opened:
            bitso.state.clock = opened.bot.clock.now
            yield opened
        assert api.complaints == []
        assert [line for line in opened.bot.log.lines if line[0] == "error"] == []
