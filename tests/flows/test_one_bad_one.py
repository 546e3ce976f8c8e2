"""One account, link or page that can't be handled costs nobody else anything; nor does an outage cost keys."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.support.bot import Bot, link_of, open_bot
from tests.support.connected import connect
from tests.support.practice import practice
from tests.support.rows import rows


async def test_an_odd_page_of_history_costs_no_new_fill(tmp_path: Path) -> None:
    """New fills are told once, history is tried again every ten minutes, and goes on when it can be read."""
    async with practice("bitso") as bitso, open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
        state: Any = bitso.state
        state.clock = bot.clock.now
        state.seed(5)
        state.trades[1]["book"], book = "btc_mxn_perp", state.trades[1]["book"]
        await connect(bot, bitso)
        bitso.state.trade("buy", "btc_mxn", "0.0123")
        asked = len(bitso.state.requests)
        for _ in range(40):
            await bot.turn(seconds=31)
        tries = [path for _, path in bitso.state.requests[asked:] if "sort=desc" in path]
        assert sum("Bought 0.0123 BTC" in said for said in bot.texts()) == 1
        assert len(tries) <= 3
        assert any(line[1] == "history_failed" for line in bot.log.lines)
        state.trades[1]["book"] = book
        for _ in range(25):
            await bot.turn(seconds=31)
        assert (await rows(bot, "accounts"))[0]["history_count"] == 5


async def test_one_broken_subscription_starves_nobody(tmp_path: Path) -> None:
    """A reader whose zone is gone gets no post; all others get theirs, each day."""
    start = datetime(2026, 11, 21, 8, tzinfo=UTC)
    async with practice("bitso") as bitso, open_bot(tmp_path, {"bitso": bitso.origin}, start=start) as bot:
        await _two_people(bot, bitso)
        await _change(bot, "UPDATE people SET timezone = 'America/Gone' WHERE name = 'You'")
        before = len(bot.texts("other"))
        for _ in range(60):
            await bot.turn(seconds=1800, jobs=("post_balances", "deliver_messages"))
        assert sum("\nTotal" in said for said in bot.texts("other")[before:]) == 2
        assert sum(line[1] == "post_failed" for line in bot.log.lines) == 2


async def test_a_link_of_an_unknown_exchange_ends_like_any_other(bot: Bot) -> None:
    """It can't be told, and it is over; the others are over and told."""
    await link_of(bot)
    await link_of(bot, as_="other")
    await _change(
        bot, "UPDATE links SET exchange = 'gone' WHERE person IN (SELECT id FROM people WHERE name = 'You')"
    )
    for _ in range(3):
        await bot.turn(seconds=601, jobs=("sweep_links", "deliver_messages"))
    assert {row["state"] for row in await rows(bot, "links")} == {"expired"}
    assert any("is closed now" in said for said in bot.texts("other"))
    assert sum(line[1] == "link_untold" for line in bot.log.lines) == 1


async def test_an_exchange_that_refuses_everybody_kills_no_key(bot: Bot, bitso) -> None:
    """While many keys fail alike none is given up; all go on when the outage is over."""
    await _two_people(bot, bitso)
    bitso.state.fail("", "0201", times=10_000)
    for _ in range(8):
        await bot.turn(seconds=601)
    assert {row["state"] for row in await rows(bot, "accounts")} == {"active"}
    bitso.state.faults.clear()
    bitso.state.trade("buy", "btc_mxn", "0.0123")
    await bot.turn(seconds=601)
    assert any("back to normal" in said for said in bot.texts())
    assert any("Bought 0.0123 BTC" in said for said in bot.texts())


async def test_after_a_day_of_refusals_everybody_is_told(bot: Bot, bitso) -> None:
    """Keys that fail alike for a whole day are dead: their owners have to know."""
    await _two_people(bot, bitso)
    bitso.state.fail("", "0201", times=10_000)
    for _ in range(150):
        await bot.turn(seconds=601, jobs=("poll_accounts",))
    assert "dead" in {row["state"] for row in await rows(bot, "accounts")}


async def test_a_dead_key_comes_back_by_itself_and_by_a_test(linked: Bot, bitso) -> None:
    """Looked at once a day, and whenever its owner asks; a success is told and reading goes on."""
    for test in (False, True):
        bitso.state.fail("", "0201", times=10_000)
        for _ in range(4):
            await linked.turn(seconds=601)
        assert (await rows(linked, "accounts"))[0]["state"] == "dead"
        await linked.type("/balances")
        told, asked = len(linked.texts()), len(bitso.state.requests)
        await linked.turn(seconds=601)
        assert len(bitso.state.requests) == asked
        if test:
            await linked.type("/test")
            await linked.turn(seconds=1)
            assert "does not know this key" in linked.last().text
        bitso.state.faults.clear()
        if test:
            await linked.type("/test")
        await linked.turn(seconds=1 if test else 86_400)
        assert (await rows(linked, "accounts"))[0]["state"] == "active"
        assert any("back to normal" in said for said in linked.texts()[told:])


async def test_a_hurried_failure_raises_no_pause(linked: Bot, bitso) -> None:
    """Whoever asks again and again during a lock-out neither breaks nor lengthens it."""
    bitso.state.fail("", "0801", times=10_000)
    await linked.turn(seconds=31)
    asked = len(bitso.state.requests)
    for _ in range(10):
        await linked.type("/balances")
        await linked.turn(seconds=1)
    assert len(bitso.state.requests) == asked
    bitso.state.faults.clear()
    await linked.turn(seconds=55)
    assert len(bitso.state.requests) > asked
    bitso.state.fail("", "html", times=10_000)
    for _ in range(6):
        await linked.type("/balances")
        await linked.turn()
    assert (await rows(linked, "accounts"))[0]["failures"] == 1


async def test_prices_are_asked_for_once(bot: Bot, bitso) -> None:
    """Fifty accounts that want prices at the same moment are one request, or one failure."""
    from handlers.jobs.poll_accounts import reading

    exchange = bot.ctx.exchange("bitso")
    for fault, count in (("html", 1), ("", 2)):
        if fault:
            bitso.state.fail("ticker", fault, times=10_000)
        await asyncio.gather(*(reading._prices(exchange, bot.ctx) for _ in range(50)))
        assert sum("/ticker/" in path for _, path in bitso.state.requests) == count
        bitso.state.faults.clear()
        bot.clock.advance(seconds=11)


async def test_a_chat_that_hangs_delays_no_other(bot: Bot, bitso) -> None:
    """While the send of one chat hangs, another chat gets what is queued meanwhile."""
    await _two_people(bot, bitso)
    bitso.state.trade("buy", "btc_mxn", "0.0123")
    await bot.turn(seconds=31, jobs=("poll_accounts",))
    deliver, hangs, slow, helped = bot.chat.deliver, asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slowly(delivery: Any) -> str:
        if delivery.place.channel == "you":
            hangs.set()
            await slow.wait()
        sent = await deliver(delivery)
        if "What I can do" in delivery.message.plain():
            helped.set()
        return sent

    same = {name: staticmethod(getattr(bot.chat, name)) for name in ("parse", "standing", "private_place")}
    parts = {"deliver": staticmethod(slowly), "pace": bot.chat.pace, **same}
    vars(bot.ctx.postbox)["_platforms"]["web"] = type("Slow", (), parts)()
    run = asyncio.ensure_future(bot.registry.jobs["deliver_messages"].run(bot.ctx))
    async with asyncio.timeout(10):
        await hangs.wait()
        said = {"kind": "said", "user": "other", "chat": "other", "text": "/help", "id": "u"}
        await bot.inlet.put("web", "late", said)
        await bot.dispatcher.sweep()
        await helped.wait()
        assert not any("Bought 0.0123 BTC" in words for words in bot.texts())
        slow.set()
        await run
    assert any("Bought 0.0123 BTC" in words for words in bot.texts())


async def _two_people(bot: Bot, bitso: Any) -> None:
    await connect(bot, bitso)
    key, secret = bitso.state.new_key()
    await connect(bot, bitso, as_="other", key=key, secret=secret)


async def _change(bot: Bot, statement: str) -> None:
    async with bot.database.transaction() as tx:
        await tx.run(text(statement))
