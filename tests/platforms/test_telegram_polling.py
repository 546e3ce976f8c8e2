"""Long polling: stored before confirmed, in every weather."""

import asyncio

import pytest

from chatbot.errors import Fenced, SendError, Verdict
from tests.support.botapi import Answer, Fault
from tests.support.telegrams import ANA, GROUP, WEBHOOK_URL, rig

TERMINATED = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)


async def test_updates_are_stored_whole_and_in_order(bot):
    """Every update that waited is stored as it came, then the next ones as they arrive."""
    await bot.api.say(ANA, "/start")
    await bot.start()
    await bot.until_stored(1)
    await bot.api.say(ANA, "/help")
    rows = await bot.until_stored(2)

    assert [row["message"]["text"] for row in rows] == ["/start", "/help"]
    assert list(bot.shelf.rows) == [str(row["update_id"]) for row in rows]
    assert bot.telegram.state == "receiving"


async def test_the_poll_asks_for_what_we_read(bot):
    """The kinds of update are named, the poll is long, nothing pending is dropped."""
    await bot.start()
    await bot.api.until(lambda: bot.api.count("getUpdates"))

    wish = next(params for method, params in bot.api.calls if method == "getUpdates")
    assert wish == {
        "timeout": 50,
        "limit": 100,
        "allowed_updates": ["message", "callback_query", "my_chat_member"],
    }


async def test_an_update_is_confirmed_only_after_it_was_stored(bot):
    """While the database is away updates stay at Telegram; nothing is skipped, order is kept."""
    for text in ("one", "two", "three"):
        await bot.api.say(ANA, text)
    bot.shelf.away = 2
    await bot.start()
    rows = await bot.until_stored(3)

    assert [row["message"]["text"] for row in rows] == ["one", "two", "three"]
    assert bot.shelf.puts[0] == bot.shelf.puts[1] == bot.shelf.puts[2]
    await bot.api.until(lambda: not bot.api.updates)


async def test_a_killed_bot_gets_its_updates_again(api):
    """An update that was fetched and not stored comes to the next process."""
    await api.say(ANA, "/start")
    async with rig(api) as first:
        first.shelf.broken = asyncio.CancelledError
        await first.start()
        await api.until(lambda: api.count("getUpdates"))
    async with rig(api) as second:
        await second.start()
        [row] = await second.until_stored(1)

    assert row["message"]["text"] == "/start"


async def test_numbers_may_start_again_below(bot):
    """After a quiet week Telegram numbers updates from anywhere; a lower number is heard too."""
    bot.api._faults["getUpdates"].append(None)
    bot.api.fail("getUpdates", Answer(200, {"ok": True, "result": []}))
    await bot.api.say(ANA, "one")
    await bot.start()
    await bot.until_stored(1)
    bot.api._number = 5
    await bot.api.say(ANA, "two")

    assert [row["update_id"] for row in await bot.until_stored(2)] == [1001, 6]


async def test_unreadable_updates_do_not_block(bot):
    """Odd updates are stored like any other, and one no database takes is left behind with a note."""
    await bot.api.push(message={"date": "not a date"})
    await bot.api.push(message=["not", "an", "object"])
    await bot.api.say(ANA, "/start")
    await bot.start()

    assert len(await bot.until_stored(3)) == 3


async def test_an_update_no_database_takes_is_passed_over(bot):
    """What can never be stored is noted and does not hold up the ones behind it."""
    bot.shelf.broken = UnicodeError
    await bot.api.say(ANA, "one")
    await bot.start()
    await bot.api.until(lambda: "telegram_update_unstorable" in bot.notes.actions())
    bot.shelf.broken = None
    await bot.api.say(ANA, "two")

    [row] = await bot.until_stored(1)
    assert row["message"]["text"] == "two"


@pytest.mark.parametrize(
    "trouble",
    [
        Fault.BAD_GATEWAY,
        Fault.CLOSE,
        Fault.GARBAGE,
        Answer(200, {"ok": True, "result": "odd"}),
        Answer(200, {"ok": True, "result": ["odd"]}),
        Answer(429, {"ok": False, "description": "Too Many Requests", "parameters": {"retry_after": 33}}),
    ],
)
async def test_polling_survives(bot, trouble):
    """Bad answers are waited out with growing pauses, and the update still arrives."""
    bot.api.fail("getUpdates", trouble, times=3)
    await bot.api.say(ANA, "/start")
    await bot.start()

    [row] = await bot.until_stored(1)
    assert row["message"]["text"] == "/start"
    assert all(pause <= 60 for pause in bot.clock.slept)


async def test_a_limit_on_polling_is_kept(bot):
    """A 429 says how long to wait, and that is waited."""
    bot.api.refuse("getUpdates", 429, "Too Many Requests: retry after 33", retry_after=33)
    await bot.start()
    await bot.api.until(lambda: bot.api.count("getUpdates"))

    assert bot.clock.slept == [33]


async def test_a_second_poller_is_told_once_and_waited_for(bot):
    """A conflict is explained once, the pauses grow from ten seconds to a minute, then it goes on."""
    bot.api.refuse("getUpdates", 409, TERMINATED, times=5)
    await bot.api.say(ANA, "/start")
    await bot.start()
    await bot.until_stored(1)

    assert bot.clock.slept == [10, 20, 40, 60, 60]
    assert bot.notes.actions().count("telegram_conflict") == 1
    assert bot.telegram.state in {"conflict", "receiving"}


async def test_two_bots_with_one_token_lose_nothing(api):
    """Should the lease ever fail, updates may split between two bots but each is stored."""
    async with rig(api) as one, rig(api) as two:
        await one.start()
        await two.start()
        for number in range(20):
            await api.say(ANA, f"n{number}")
        await api.until(lambda: len(one.shelf.rows.keys() | two.shelf.rows.keys()) == 20)


async def test_a_refused_token_stops_without_a_crash(bot):
    """A revoked token is said in one log line; nothing is polled, nothing loops."""
    bot.api.token = "4242:another"
    await bot.start()
    await asyncio.wait({bot.telegram._receiving})

    assert bot.telegram.state == "token refused"
    assert bot.notes.actions() == ["telegram_token_refused"]
    with pytest.raises(SendError) as raised:
        await bot.telegram.check()
    assert raised.value.verdict is Verdict.UNAUTHORISED


async def test_a_token_revoked_while_polling_stops_it(bot):
    """The same holds when it happens later."""
    bot.api.refuse("getUpdates", 401, "Unauthorized")
    await bot.start()
    await asyncio.wait({bot.telegram._receiving})

    assert bot.telegram.state == "token refused"
    assert bot.api.count("getUpdates") == 0


async def test_an_unreachable_telegram_does_not_stop_the_start(bot):
    """Without a network the bot starts, waits, and introduces itself once it can."""
    await bot.api.wire.vanish()
    await bot.start()
    assert bot.telegram.private_url("x") == ""
    await bot.api.wire.listen()
    await bot.api.say(ANA, "/start")
    await bot.until_stored(1)

    assert bot.telegram.username == "keyherald_bot"
    assert "telegram_unreachable" in bot.notes.actions()


@pytest.mark.parametrize("bug", [ZeroDivisionError, KeyError, RecursionError, ValueError, Fenced])
async def test_a_bug_in_the_inlet_ends_nothing(bot, bug):
    """An update is tried again for a while and then passed over; what comes behind it is heard."""
    bot.shelf.broken = bug
    await bot.api.say(ANA, "one")
    await bot.start()
    await bot.api.until(lambda: "telegram_update_unstorable" in bot.notes.actions())
    bot.shelf.broken = None
    await bot.api.say(ANA, "two")

    [row] = await bot.until_stored(1)
    assert row["message"]["text"] == "two"
    assert len(bot.shelf.puts) == 6
    assert bot.notes.actions().count("telegram_poll_stumbled") == 4


@pytest.mark.parametrize("odd", [asyncio.CancelledError, type("Odd", (Exception,), {})])
async def test_receiving_that_ended_shows_and_can_be_started_again(bot, odd):
    """What nobody foresaw ends receiving visibly instead of looking healthy; a new start hears again."""
    bot.shelf.broken = odd
    await bot.api.say(ANA, "/start")
    await bot.start()
    await asyncio.wait({bot.telegram._receiving})
    await asyncio.sleep(0)
    stopped = bot.telegram.state
    bot.shelf.broken = None
    await bot.telegram.stop()
    await bot.start()
    await bot.until_stored(1)

    assert stopped == "stopped"
    assert bot.notes.actions() == ["telegram_receiving_stopped"]
    assert bot.telegram.state != "stopped"


async def test_our_own_webhook_is_taken_down_to_poll(bot):
    """Going back from webhook to polling needs nothing by hand, and keeps what waits."""
    bot.api.webhook = {"url": WEBHOOK_URL}
    await bot.start()
    await bot.api.until(lambda: bot.api.count("getUpdates"))

    assert ("deleteWebhook", {"drop_pending_updates": False}) in bot.api.calls


async def test_somebody_elses_webhook_is_named_and_left(bot):
    """A webhook that is not ours stays; the log says where it points, without the token."""
    bot.api.webhook = {"url": f"https://other.example/{bot.api.token}"}
    await bot.start()
    await bot.api.until(lambda: bot.api.count("getUpdates") > 1)

    told = [ids for _, action, ids in bot.notes.lines if action == "telegram_webhook_of_another"]
    assert [ids["url"] for ids in told] == ["https://other.example/…"]
    assert bot.api.count("deleteWebhook") == 0
    assert "telegram_conflict" in bot.notes.actions()


async def test_a_group_moves(bot):
    """A group that becomes a supergroup tells where it went, once."""
    bot.api.world.chat(GROUP, "group", title="Desk")
    await bot.start()
    await bot.api.migrate(GROUP, -100500, ANA)
    rows = await bot.until_stored(2)

    told = [bot.telegram.parse(row) for row in rows]
    assert [happened.detail for happened in told if happened] == ["-100500"]
