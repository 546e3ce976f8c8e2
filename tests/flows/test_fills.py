"""A fill becomes a message: within one poll, once, in order; history is stored and never told."""

from pathlib import Path

import pytest

from tests.support.bot import YOU, Bot, open_bot
from tests.support.connected import connect
from tests.support.practice import practice
from tests.support.rows import rows


async def test_a_fill_is_told_within_one_poll_with_all_that_matters(linked: Bot, bitso) -> None:
    """Side, quantity, price, value, fee, label and last four characters."""
    trade = bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    text = linked.last().text
    assert "Bought 0.01 BTC at" in text
    assert "Value" in text
    assert "fee" in text
    assert f"{abs(float(trade['minor'])):,.2f} MXN" in text
    assert f"Bitso …{bitso.state.key[-4:]}" in text


async def test_each_fill_is_told_once_and_in_order(linked: Bot, bitso) -> None:
    """Twenty polls, a fill or two between them: every one told once, oldest first."""
    sizes = [f"0.0{number:03d}1" for number in range(1, 21)]
    for start in range(0, 20, 2):
        for size in sizes[start : start + 2]:
            bitso.state.trade("sell", "btc_mxn", size)
        await linked.turn(seconds=31)
        await linked.turn(seconds=31)
    told = "\n".join(linked.texts())
    places = [told.index(f"Sold {size} BTC") for size in sizes]
    assert places == sorted(places)
    assert [told.count(f"Sold {size} BTC") for size in sizes] == [1] * 20


async def all_pages(bot: Bot, chat: str = YOU) -> str:
    """Press *Show all* and *Next* to the end, and return what was read."""
    page = await bot.press("Show all", chat=chat)
    read = [page.text]
    while "Next" in page.labels:
        page = await bot.press("Next", on=page)
        read.append(page.text)
    return "\n".join(read)


async def test_ten_orders_have_a_message_each_and_more_become_a_table(linked: Bot, bitso) -> None:
    """Ten orders in one poll are ten messages; eleven a few minutes later are one with eleven rows."""
    before = len(linked.texts())
    for _ in range(10):
        bitso.state.trade("sell", "btc_mxn", "0.001")
    await linked.turn(seconds=31)
    assert [text.count("Sold 0.001 BTC") for text in linked.texts()[before:]] == [1] * 10
    linked.clock.advance(seconds=300)
    for _ in range(11):
        bitso.state.trade("sell", "btc_mxn", "0.001")
    await linked.turn(seconds=31)
    assert len(linked.texts()) == before + 11
    assert "11 fills" in linked.last().text
    assert linked.last().text.count("0.001 BTC") == 11


async def test_more_fills_than_a_page_are_all_read_and_told(linked: Bot, bitso) -> None:
    """130 fills between two polls: one message that counts them, and behind it each in one row, in order."""
    before = len(linked.texts())
    for number in range(130):
        bitso.state.trade("sell", "btc_mxn", f"0.0001{number:03d}1")
    await linked.turn(seconds=31)
    assert len(linked.texts()) == before + 1
    assert "130 fills" in linked.last().text
    told = await all_pages(linked)
    places = [told.index(f"0.0001{number:03d}1 BTC") for number in range(130)]
    assert places == sorted(places)


async def test_a_flood_of_fills_is_folded(linked: Bot, bitso) -> None:
    """400 fills at once are one message that says what they came to; all are stored."""
    before = len(linked.texts())
    for _ in range(400):
        bitso.state.trade("sell", "btc_mxn", "0.0001")
    await linked.turn(seconds=31)
    assert len(linked.texts()) == before + 1
    assert "400 fills" in linked.last().text
    assert "0.04 BTC" in linked.last().text
    assert "Show all" in linked.last().labels
    ids = {row["id"] for row in await rows(linked, "fills")}
    assert set(bitso.state.fill_ids()[-400:]) <= ids


async def test_the_first_sync_never_floods(linked: Bot, bitso) -> None:
    """120 fills of before the connection are stored, and none is told."""
    for _ in range(6):
        await linked.turn(seconds=31)
    assert not any("Bought" in text or "Sold" in text or "fills\n" in text for text in linked.texts())
    assert {row["id"] for row in await rows(linked, "fills")} == set(bitso.state.fill_ids())


async def test_history_is_read_to_its_start_while_new_fills_are_told(tmp_path: Path) -> None:
    """2,300 old fills page by page; a fill of now does not wait for them, and the count is right."""
    async with practice("bitso") as bitso, open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
        bitso.state.seed(2300)
        await connect(bot, bitso)
        bitso.state.trade("sell", "btc_mxn", "0.00777")
        assert "reading history" in (await bot.type("/status")).text
        await bot.turn(seconds=31)
        assert "Sold 0.00777 BTC" in bot.last().text
        for _ in range(5):
            await bot.turn(seconds=31)
        assert "history complete: 2300 earlier" in (await bot.type("/status")).text
        assert len(await rows(bot, "fills")) == 2301
        assert sum("Sold" in text for text in bot.texts()) == 1


async def test_history_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The cursor is a row: another process reads on where the first one stopped."""
    async with practice("bitso") as bitso:
        bitso.state.seed(2500)
        async with open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
            await connect(bot, bitso)
            stored = len(await rows(bot, "fills"))
            assert 0 < stored < 2500
        async with open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
            bot.clock.advance(minutes=5)
            for _ in range(5):
                await bot.turn(seconds=31)
            assert {row["id"] for row in await rows(bot, "fills")} == set(bitso.state.fill_ids())
            assert (await rows(bot, "accounts"))[0]["history_count"] == 2500


async def test_an_account_without_any_fill_tells_its_first(tmp_path: Path) -> None:
    """Nothing to begin from is a beginning too."""
    async with practice("bitso") as bitso, open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
        await connect(bot, bitso)
        await bot.turn(seconds=31)
        bitso.state.trade("buy", "btc_mxn", "0.01")
        await bot.turn(seconds=31)
        assert "Bought 0.01 BTC" in bot.last().text
        assert "history complete: 0 earlier" in (await bot.type("/status")).text


async def test_fills_off_is_told_once_and_fills_on_again_too(linked: Bot, bitso) -> None:
    """0202 on fills: balances go on, the toggle is named, tried daily; nothing between is lost."""
    bitso.state.permit(bitso.state.key, ("account", "balances"))
    await linked.turn(seconds=31)
    assert "fills can't be read" in linked.last().text
    assert "View account information" in linked.last().text
    assert "don't need to allow orders" in linked.last().text
    assert "fills can't be read with this key" in (await linked.type("/status")).text
    asked = len(bitso.state.requests)
    for _ in range(10):
        await linked.turn(seconds=3600)
    assert not any("user_trades" in path for _, path in bitso.state.requests[asked:])
    bitso.state.trade("buy", "btc_mxn", "0.04321")
    bitso.state.permit(bitso.state.key, ("account", "balances", "fills"))
    await linked.turn(seconds=15 * 3600)
    assert sum("fills can't be read\n" in text for text in linked.texts()) == 1
    assert any("fills can be read now" in text for text in linked.texts())
    assert sum("Bought 0.04321 BTC" in text for text in linked.texts()) == 1


@pytest.mark.parametrize("path", ["user_trades", "balance"])
async def test_a_poll_that_fails_in_the_middle_loses_and_repeats_nothing(
    linked: Bot, bitso, path: str
) -> None:
    """Whichever request fails, the fill is told once by a later poll."""
    bitso.state.trade("buy", "btc_mxn", "0.0567")
    bitso.state.fail(path, "html", times=2)
    for _ in range(8):
        await linked.turn(seconds=121)
    assert sum("Bought 0.0567 BTC" in text for text in linked.texts()) == 1


async def test_two_polls_at_once_tell_a_fill_once(linked: Bot, bitso) -> None:
    """One key is read by one worker at a time."""
    import asyncio

    bitso.state.trade("buy", "btc_mxn", "0.0432")
    linked.clock.advance(seconds=31)
    poll = linked.registry.jobs["poll_accounts"].run
    await asyncio.gather(poll(linked.ctx), poll(linked.ctx), poll(linked.ctx))
    await linked.turn()
    assert sum("Bought 0.0432 BTC" in text for text in linked.texts()) == 1


async def test_a_fill_that_becomes_visible_late_is_told(linked: Bot, bitso) -> None:
    """A fill whose id lies below one told already is stored and told like any other, once."""
    bitso.state.next_id += 1  # the id below must be free
    first = bitso.state.trade("buy", "btc_mxn", "0.00111")
    await linked.turn(seconds=31)
    late = bitso.state.trade("sell", "eth_mxn", "0.0222")
    bitso.state.trades.insert(-1, bitso.state.trades.pop() | {"tid": str(int(first["tid"]) - 1)})
    for _ in range(4):
        await linked.turn(seconds=31)
    told = "\n".join(linked.texts())
    assert (told.count("0.00111 BTC"), told.count("Sold 0.0222 ETH")) == (1, 1)
    assert late["tid"] not in told


async def test_both_sides_of_a_trade_with_oneself_are_told_wherever_a_page_ends(linked: Bot, bitso) -> None:
    """One id with two sides, the first the last row of a full page, is two fills."""
    for _ in range(99):
        bitso.state.trade("sell", "btc_mxn", "0.0001")
    bought = bitso.state.trade("buy", "btc_mxn", "0.000777")
    bitso.state.trades.append(bought | {"side": "sell", "major": "-" + bought["major"]})
    for _ in range(3):
        await linked.turn(seconds=31)
    stored = [row["side"] for row in await rows(linked, "fills", id=bought["tid"])]
    assert sorted(stored) == ["buy", "sell"]
    assert (await all_pages(linked)).count("0.000777 BTC") == 2


async def test_both_sides_of_a_trade_with_oneself_are_told_when_they_come_apart(linked: Bot, bitso) -> None:
    """The second side, visible one poll later, is another message and not a repeat of the first."""
    bought = bitso.state.trade("buy", "btc_mxn", "0.000777")
    await linked.turn(seconds=31)
    bitso.state.trades.append(bought | {"side": "sell", "major": "-" + bought["major"]})
    await linked.turn(seconds=31)
    told = "\n".join(linked.texts())
    assert (told.count("Bought 0.000777 BTC"), told.count("Sold 0.000777 BTC")) == (1, 1)
