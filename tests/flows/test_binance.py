"""Binance through the whole bot: history, fills of a symbol nobody asked for, and a key that is refused."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatbot.practice.binance import PracticeBinance
from tests.support.bot import Bot, open_bot
from tests.support.connected import connect
from tests.support.practice import practice
from tests.support.rows import rows

HISTORY = 40


@pytest.fixture
async def binance(tmp_path: Path) -> AsyncIterator[tuple[Bot, PracticeBinance]]:
    """A bot with one connected Binance account, its history read."""
    async with practice("binance") as running, open_bot(tmp_path, {"binance": running.origin}) as bot:
        assert isinstance(running.state, PracticeBinance)
        running.state.clock = bot.clock.now
        running.state.seed(HISTORY)
        await connect(bot, running)
        for _ in range(4):
            await bot.turn(seconds=3)
        yield bot, running.state


async def test_history_is_read_without_a_word_and_fills_are_told(
    binance: tuple[Bot, PracticeBinance],
) -> None:
    """All that was traded before is stored; what is traded now is told once, with its fee in what paid it."""
    bot, account = binance
    assert {row["id"] for row in await rows(bot, "fills")} == set(account.fill_ids())
    assert not any("Bought" in text or "Sold" in text for text in bot.texts())

    account.trade("buy", "XRPUSDT", "12.5")
    for _ in range(4):
        await bot.turn(seconds=40)

    told = [text for text in bot.texts() if "Bought 12.5 XRP" in text]
    assert len(told) == 1
    assert not any("No fill explains" in text for text in bot.texts())


async def test_a_key_without_the_tick_for_fills_is_told_and_one_refused_altogether_is_not_taken_for_it(
    binance: tuple[Bot, PracticeBinance],
) -> None:
    """A refusal of balances says nothing of fills: they go on as soon as the key works again."""
    bot, account = binance
    account.keys[account.key].addresses = ("203.0.113.9",)
    await bot.turn(seconds=31)
    assert "I can't read this account now" in bot.last().text
    assert "Enable Reading" in bot.last().text
    account.trade("buy", "SOLUSDT", "1.5")
    account.keys[account.key].addresses = ()
    await bot.turn(seconds=700)

    assert any("Bought 1.5 SOL" in text for text in bot.texts())
    assert not any("fills can't be read" in text for text in bot.texts())
    account.permit(account.key, {"account", "balances"})
    account.trade("buy", "SOLUSDT", "1.25")
    await bot.turn(seconds=31)
    assert any("fills can't be read" in text for text in bot.texts())


async def test_a_withdrawal_is_told_as_a_move_and_no_fill(binance: tuple[Bot, PracticeBinance]) -> None:
    """What left without a fill is told with its amount, once."""
    bot, account = binance

    account.transfer("withdrawal", "xrp", "100")
    for _ in range(12):
        await bot.turn(seconds=40)

    told = [text for text in bot.texts() if "100 XRP" in text]
    assert len(told) == 1
