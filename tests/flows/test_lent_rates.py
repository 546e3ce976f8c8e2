"""An account whose exchange has no dollar market: valued by a rate that another exchange lends, and told so."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chatbot.practice import Practice
from chatbot.text import Translator
from tests.support.bot import Bot, open_bot
from tests.support.connected import connect
from tests.support.practice import Running, practice

START = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
NAMES = ("hitbtc", "bitstamp", "bitso")


@dataclass(frozen=True, slots=True)
class Scene:
    """A bot with a HitBTC account, and the practice exchanges around it."""

    bot: Bot
    hitbtc: Running
    bitstamp: Practice
    bitso: Practice

    async def read(self, seconds: float = 121) -> str:
        """Let the balances be read anew and return what /balances says then."""
        await self.bot.turn(seconds=seconds)
        return (await self.bot.type("/balances")).text


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Nobody has an account at Bitstamp or Bitso: they are known by their public prices only."""
    async with AsyncExitStack() as stack:
        running = {name: await stack.enter_async_context(practice(name)) for name in NAMES}
        origins = {name: one.origin for name, one in running.items()}
        bot = await stack.enter_async_context(open_bot(tmp_path, origins, start=START))
        for one in running.values():
            one.state.clock = bot.clock.now  # type: ignore[attr-defined]
        yield Scene(bot, running["hitbtc"], running["bitstamp"].state, running["bitso"].state)


def _asked(state: Practice) -> int:
    return sum("/ticker" in path for _, path in state.requests)


def _total(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("Total"))


async def test_the_dollar_value_names_who_lent_the_rate(scene: Scene) -> None:
    """The first post has a value already, and says whose rate it is and as of when."""
    await connect(scene.bot, scene.hitbtc)
    first = next(text for text in scene.bot.texts() if "Total" in text)
    assert "$" in _total(first)
    assert "no price" not in first
    assert "USDT to USD by Bitstamp, " in first
    shown = await scene.read()
    assert "No price for" not in shown
    assert f"USDT to USD by Bitstamp, {Translator('en', ZoneInfo('UTC')).time(START)}" in shown


async def test_pesos_are_lent_by_who_trades_them(scene: Scene) -> None:
    """Another currency finds another lender with the next reading, which it hurries; until then none is claimed."""
    await connect(scene.bot, scene.hitbtc)
    await scene.bot.type("/currency MXN")
    before = (await scene.bot.type("/balances")).text
    assert "no price" in _total(before)
    shown = await scene.read(seconds=1)
    assert "MX$" in _total(shown)
    assert "USDT to MXN by Bitso, " in shown


async def test_own_prices_need_no_lender(scene: Scene) -> None:
    """Who counts in USDT is told nothing of other exchanges, and none is asked."""
    await scene.bot.type("/currency USDT")
    await connect(scene.bot, scene.hitbtc)
    shown = await scene.read()
    assert " by " not in shown
    assert (_asked(scene.bitstamp), _asked(scene.bitso)) == (0, 0)


async def test_a_lender_is_asked_for_all_accounts_together(scene: Scene) -> None:
    """Two accounts, many readings: one question in ten minutes."""
    await connect(scene.bot, scene.hitbtc)
    key, secret = scene.hitbtc.state.new_key({"balances", "fills"})
    await connect(scene.bot, scene.hitbtc, as_="other", key=key, secret=secret)
    for _ in range(3):
        await scene.read()
    assert _asked(scene.bitstamp) == 1
    await scene.read(601)
    assert _asked(scene.bitstamp) == 2


async def test_a_lender_out_of_reach_is_left_alone_and_the_next_one_asked(scene: Scene) -> None:
    """A failure costs no balances; the poll after it asks somebody else."""
    scene.bitstamp.fail("ticker", "html", times=10_000)
    await connect(scene.bot, scene.hitbtc)
    for _ in range(4):
        shown = await scene.read()
    assert "USDT to USD by Bitso, " in shown
    assert _asked(scene.bitstamp) == 1


async def test_a_rate_of_more_than_an_hour_ago_is_no_rate(scene: Scene) -> None:
    """When nobody lends any more, the value is gone rather than wrong; the balances stay."""
    await connect(scene.bot, scene.hitbtc)
    for state in (scene.bitstamp, scene.bitso):
        state.fail("ticker", "html", times=10_000)
    assert "by Bitstamp" in await scene.read(1800)
    late = await scene.read(1860)
    assert "no price" in _total(late)
    assert "No price for " in late
    assert "BTC" in late
