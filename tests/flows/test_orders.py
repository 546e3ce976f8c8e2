"""The fills of one order are one message that is edited, and says what a sale realised."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chatbot.errors import SendError, Verdict
from tests.support.bot import Bot, open_bot
from tests.support.connected import connect
from tests.support.orders import part, share_clock, told
from tests.support.practice import practice
from tests.support.rows import rows


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[tuple[Bot, Any]]:
    """A bot and an account that has never filled anything, linked."""
    async with practice("bitso") as bitso, open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
        share_clock(bitso, bot)
        await connect(bot, bitso)
        await bot.turn(seconds=31)
        yield bot, bitso


async def test_the_fills_of_an_order_are_one_message(linked: Bot, bitso) -> None:
    """Three parts over three polls: one message, edited twice, with count, total, average, value and fee."""
    parts = []
    for amount in ("0.001", "0.002", "0.003"):
        parts.append(part(bitso, "whale", amount=amount))
        await linked.turn(seconds=31)
    (shown,) = told(linked, "Sold")
    assert shown.edits == 2
    assert "Sold 0.006 BTC at" in shown.text
    assert "on average" in shown.text
    assert "3 fills" in shown.text
    value = sum(abs(Decimal(row["minor"])) for row in parts)
    paid = sum(Decimal(row["fees_amount"]) for row in parts)
    assert f"value {value:,.2f} MXN" in shown.text
    assert f"fee {paid:,.2f} MXN" in shown.text
    assert f"Bitso …{bitso.state.key[-4:]}" in shown.text


async def test_parts_that_come_together_are_told_as_one(linked: Bot, bitso) -> None:
    """However many fills one order has at once, and whatever comes between them: one message for each order."""
    before = len(linked.texts())
    for number in range(40):
        part(bitso, "whale", amount="0.001")
        if number == 20:
            part(bitso, "minnow", "buy")
    linked.clock.advance(seconds=120)
    await linked.turn(seconds=31)
    assert len(linked.texts()) == before + 1
    for _ in range(40):
        part(bitso, "shark", amount="0.001")
    await linked.turn(seconds=121)
    assert len(linked.texts()) == before + 2
    assert "Sold 0.04 BTC" in linked.last().text
    assert "40 fills" in linked.last().text


async def test_maker_or_taker_is_said_while_all_fills_agree(linked: Bot, bitso) -> None:
    """One of the other kind, and neither word is true any more."""
    part(bitso, "whale")["maker_side"] = "sell"
    await linked.turn(seconds=31)
    assert "· maker" in linked.last().text
    part(bitso, "whale")["maker_side"] = "buy"
    await linked.turn(seconds=31)
    (shown,) = told(linked, "Sold")
    assert "maker" not in shown.text
    assert "taker" not in shown.text


async def test_an_order_goes_on_in_its_message_after_a_restart(tmp_path: Path) -> None:
    """Another process edits the same message, with the fills that the first one had stored."""
    async with practice("bitso") as bitso:
        async with open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
            share_clock(bitso, bot)
            await connect(bot, bitso)
            part(bitso, "whale")
            await bot.turn(seconds=31)
            chat, now = bot.chat.messages, bot.clock.now()
        async with open_bot(tmp_path, {"bitso": bitso.origin}, start=now) as bot:
            bot.chat.messages += chat
            share_clock(bitso, bot)
            part(bitso, "whale")
            await bot.turn(seconds=31)
            await bot.turn(seconds=31)
            (shown,) = told(bot, "Sold 0.002 BTC")
            assert shown.edits == 1
            assert told(bot, "Sold 0.001 BTC") == []


async def test_after_ten_quiet_minutes_an_order_is_told_below(linked: Bot, bitso) -> None:
    """An edit far up is seen by nobody: the same order begins a message anew, with all its fills so far."""
    part(bitso, "whale")
    await linked.turn(seconds=31)
    for _ in range(3):
        await linked.turn(seconds=181)
    part(bitso, "whale")
    await linked.turn(seconds=120)
    first, second = told(linked, "Sold")
    assert "Sold 0.001 BTC" in first.text
    assert "Sold 0.002 BTC" in second.text
    assert linked.last() is second


async def test_an_order_that_fills_for_hours_is_told_below_once_an_hour(linked: Bot, bitso) -> None:
    """A fill every five minutes for three hours is not one message that nobody scrolls back to."""
    for _ in range(36):
        part(bitso, "whale", amount="0.0001")
        await linked.turn(seconds=300)
    shown = told(linked, "Sold")
    assert len(shown) == 3
    assert "36 fills" in shown[-1].text


async def test_a_message_that_is_gone_starts_anew(linked: Bot, bitso) -> None:
    """Whoever deleted it reads the whole order with its next fill."""
    part(bitso, "whale")
    await linked.turn(seconds=31)
    linked.chat.messages.remove(linked.last())
    linked.chat.refuse.append(SendError(Verdict.EDIT_GONE, "message to edit not found"))
    part(bitso, "whale")
    await linked.turn(seconds=31)
    await linked.turn()
    (shown,) = told(linked, "Sold")
    assert "Sold 0.002 BTC" in shown.text


async def test_a_marked_repeat_keeps_its_mark_while_it_is_edited(linked: Bot, bitso) -> None:
    """Nobody knows whether the first one arrived: the second says so, also once it has grown."""
    linked.chat.refuse.append(SendError(Verdict.UNKNOWN, "timed out"))
    part(bitso, "whale")
    await linked.turn(seconds=31)
    await linked.turn(seconds=5)
    (shown,) = told(linked, "Sold")
    assert shown.repeat
    part(bitso, "whale")
    await linked.turn(seconds=31)
    assert "Sold 0.002 BTC" in shown.text
    assert shown.repeat


async def test_a_sale_says_what_it_realised(fresh: tuple[Bot, Any]) -> None:
    """Bought in two orders, a third of it sold: the sale is held against the average cost, fees counted."""
    bot, bitso = fresh
    bought = [part(bitso, order, "buy", "0.003") for order in ("a", "b")]
    await bot.turn(seconds=31)
    sold = part(bitso, "c", "sell", "0.002")
    await bot.turn(seconds=31)
    cost = sum(abs(Decimal(row["minor"])) for row in bought)
    held = sum(Decimal(row["major"]) - Decimal(row["fees_amount"]) for row in bought)
    gain = Decimal(sold["minor"]) - Decimal(sold["fees_amount"]) - cost * Decimal("0.002") / held
    sign = "+" if gain > 0 else "−"
    assert f"Result {sign}MX${abs(gain):,.2f} by average cost" in bot.last().text
    assert not any("Result" in shown.text for shown in told(bot, "Bought"))


async def test_no_result_is_said_of_what_these_fills_did_not_buy(fresh: tuple[Bot, Any]) -> None:
    """More sold than bought: some of it came from elsewhere, and what it had cost is unknown."""
    bot, bitso = fresh
    part(bitso, "a", "buy", "0.001")
    part(bitso, "b", "sell", "0.002")
    await bot.turn(seconds=31)
    (shown,) = told(bot, "Sold")
    assert "Result" not in shown.text


async def test_no_result_is_said_while_history_is_still_read(tmp_path: Path) -> None:
    """What was bought earlier may not be stored yet: the average would be a wrong one."""
    async with practice("bitso") as bitso, open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
        share_clock(bitso, bot)
        bitso.state.seed(5000)
        state: Any = bitso.state
        for row in state.trades:
            row |= {"side": "buy", "major": row["major"].lstrip("-")}
        await connect(bot, bitso)
        for order, done in (("a", False), ("b", True)):
            part(bitso, order, "sell", "0.0001")
            await bot.turn(seconds=31)
            assert bool((await rows(bot, "accounts"))[0]["history_done"]) is done
            assert ("Result" in bot.last().text) is done
            for _ in range(9):
                await bot.turn(seconds=31)
