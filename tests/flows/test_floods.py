"""Many fills: a table for a burst, a summary after a gap, small ones counted."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.bot import Bot, open_bot
from tests.support.connected import connect
from tests.support.orders import part, share_clock, told
from tests.support.practice import practice


async def test_a_burst_over_several_polls_is_one_table(linked: Bot, bitso) -> None:
    """More than ten within a minute: they share one message that grows, and afterwards all is as before."""
    for number in range(6):
        part(bitso, f"a{number}")
    await linked.turn(seconds=31)
    assert len(told(linked, "Sold 0.001 BTC")) == 6
    for poll in range(3):
        for number in range(6):
            part(bitso, f"b{poll}{number}")
        await linked.turn(seconds=31)
    assert len(told(linked, "Sold 0.001 BTC")) == 6
    (table,) = told(linked, "18 fills")
    assert table.edits == 2
    assert table.text.count("0.001 BTC") == 18
    await linked.turn(seconds=120)
    part(bitso, "c")
    await linked.turn(seconds=31)
    assert "Sold 0.001 BTC" in linked.last().text


async def test_after_an_outage_there_is_one_summary(linked: Bot, bitso) -> None:
    """Eight orders filled while nobody looked: what they came to, and each behind *Show all*."""
    before = len(linked.texts())
    for number in range(8):
        part(bitso, f"a{number}", amount=f"0.001{number}")
        linked.clock.advance(seconds=200)
    await linked.turn()
    assert len(linked.texts()) == before + 1
    assert "8 fills after a gap" in linked.last().text
    assert "0.0108 BTC" in linked.last().text
    everything = (await linked.press("Show all")).text
    assert all(f"0.001{number}".rstrip("0") + " BTC" in everything for number in range(8))


async def test_few_orders_after_an_outage_have_their_messages(linked: Bot, bitso) -> None:
    """Five are no flood."""
    for number in range(5):
        part(bitso, f"a{number}")
        linked.clock.advance(seconds=200)
    await linked.turn()
    assert len(told(linked, "Sold 0.001 BTC")) == 5


async def test_fills_that_come_late_in_number_are_summed_up(linked: Bot, bitso) -> None:
    """The exchange shows six orders of an hour ago only now: one summary, and what is of now stands apart."""
    an_hour_ago = linked.clock.now() - timedelta(hours=1)
    for number in range(6):
        part(bitso, f"a{number}", at=an_hour_ago)
    part(bitso, "now", amount="0.005")
    await linked.turn(seconds=31)
    assert len(told(linked, "6 fills after a gap")) == 1
    assert len(told(linked, "Sold 0.005 BTC")) == 1
    assert told(linked, "Sold 0.001 BTC") == []


@pytest.fixture
async def careful(tmp_path: Path) -> AsyncIterator[tuple[Bot, Any]]:
    """A linked bot that tells no fill by itself that is worth less than 50 dollars."""
    async with (
        practice("bitso") as bitso,
        open_bot(tmp_path, {"bitso": bitso.origin}, fills_floor=Decimal(50)) as bot,
    ):
        share_clock(bitso, bot)
        bitso.state.seed(20)
        await connect(bot, bitso)
        yield bot, bitso


async def test_small_fills_are_counted_in_the_next_message(careful: tuple[Bot, Any]) -> None:
    """Not told alone, not lost: the next message has their number, and keeps it when it is edited."""
    bot, bitso = careful
    before = len(bot.texts())
    for number in range(3):
        part(bitso, f"dust{number}", amount="0.00001")
        await bot.turn(seconds=61)
    assert len(bot.texts()) == before
    for count in (1, 2):
        part(bitso, "whale", amount="0.01")
        await bot.turn(seconds=31)
        (shown,) = told(bot, f"Sold 0.0{count} BTC")
        assert "Smaller fills not told by themselves: 3" in shown.text
    part(bitso, "other", amount="0.01")
    await bot.turn(seconds=31)
    assert "Smaller" not in bot.last().text


async def test_an_order_of_small_parts_is_told_once_it_is_worth_it(careful: tuple[Bot, Any]) -> None:
    """It is the order that counts, not how the market cut it up; its parts are not counted as small too."""
    bot, bitso = careful
    before = len(bot.texts())
    while len(bot.texts()) == before:
        part(bitso, "whale", amount="0.0001")
        await bot.turn(seconds=31)
        assert len(bitso.state.trades) < 60
    assert f"{len(bitso.state.trades) - 20} fills" in bot.last().text
    assert "Smaller" not in bot.last().text
