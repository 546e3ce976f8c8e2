"""HitBTC through the whole bot: guide, link, key, Confirm, balances, a fill; and keys that may do too much."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chatbot.ports.desk import Accepted, Refused
from tests.support.bot import YOU, Bot, link_of, open_bot
from tests.support.page import submit
from tests.support.practice import Running, practice


@pytest.fixture
async def hitbtc() -> AsyncIterator[Running]:
    """A practice HitBTC on loopback with some history."""
    async with practice("hitbtc") as running:
        running.state.seed(12)
        yield running


@pytest.fixture
async def trader(tmp_path: Path, hitbtc) -> AsyncIterator[Bot]:
    """A bot that reads the practice HitBTC."""
    async with open_bot(tmp_path, {"hitbtc": hitbtc.origin}) as opened:
        hitbtc.state.clock = opened.clock.now
        yield opened


async def test_a_key_is_taken_and_its_fills_are_told(trader: Bot, hitbtc) -> None:
    """From the link to the first fill, once."""
    url = await link_of(trader, "hitbtc")
    answer = await submit(trader.desk, url, hitbtc.state.key, hitbtc.state.secret)
    assert isinstance(answer, Accepted), answer
    await trader.turn()
    assert answer.code in trader.last(YOU).text
    assert "“Order book, History, Trading (Spot) balance”" in trader.last(YOU).text
    await trader.press("Confirm")
    for _ in range(3):
        await trader.turn(seconds=1)
    hitbtc.state.trade("buy", "ETHBTC", "0.5")
    for _ in range(4):
        await trader.turn(seconds=40)

    told = [text for text in trader.texts() if "0.5 ETH" in text]
    assert len(told) == 1


@pytest.mark.parametrize(
    ("extra", "label"), [("transfer", "“Payment information”"), ("trade", "“Place/cancel orders”")]
)
async def test_a_key_that_may_do_more_is_told_by_the_tick(
    trader: Bot, hitbtc, extra: str, label: str
) -> None:
    """A key that moves money is refused, one that trades is warned about, each by HitBTC's own label."""
    keys = hitbtc.state.new_key({"balances", "fills", extra})

    answer = await submit(trader.desk, await link_of(trader, "hitbtc"), *keys)
    await trader.turn()

    if extra == "transfer":
        assert isinstance(answer, Refused)
        assert label in answer.reason
    else:
        assert label in trader.last(YOU).text


async def test_all_our_addresses_are_shown_to_copy(tmp_path: Path, hitbtc) -> None:
    """HitBTC names no limit for its white list, so the step shows every address, and none is left out."""
    egress = tuple(f"192.0.2.{number}" for number in range(1, 8))
    async with open_bot(tmp_path, {"hitbtc": hitbtc.origin}, egress=egress) as bot:
        await bot.type("/connect hitbtc")
        while "New IP" not in bot.last(YOU).text:
            await bot.press("Next")

        assert [address for address in egress if address not in bot.last(YOU).text] == []
