"""Quiet hours: what comes meanwhile is held, and told together once they are over."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chatbot.domain.notices import Kind, Loudness
from handlers.notifications.digests import FILLS_SHOWN
from tests.support.bot import TEAM, Bot
from tests.support.connected import connect, share
from tests.support.quiet import HELD, NIGHT, all_told, evening, make, set_quiet, told, until
from tests.support.rows import rows


async def test_a_night_is_told_in_the_morning_in_one_message(night: Bot, bitso) -> None:
    """Nothing at night; at seven one message that names how many of what, in the order in which it came."""
    said = len(night.texts())
    bitso.state.transfer("deposit", "usd", "100")
    for _ in range(3):
        await night.turn(seconds=121)
    bitso.state.trade("buy", "btc_mxn", "0.01")
    while night.clock.now().hour != 6:
        await night.turn(seconds=1800)
    assert len(night.texts()) == said

    await until(night, 7)

    (digest,) = night.texts()[said:]
    assert digest.startswith(f"{HELD}\nFills: 1 · Deposits and withdrawals: 1\n")
    assert digest.index("came in") < digest.index("Bought")
    assert await rows(night, "held", over_at=None) == []


async def test_after_the_night_everything_is_told_as_it_comes(night: Bot, bitso) -> None:
    """A quiet night without news has no digest."""
    await until(night, 8)
    said = len(night.texts())
    bitso.state.transfer("deposit", "usd", "100")
    for _ in range(3):
        await night.turn(seconds=121)
    assert len(night.texts()) == said + 1
    assert "came in" in night.texts()[-1]
    assert not any(HELD in text for text in night.texts())


async def test_what_is_urgent_breaks_through(night: Bot) -> None:
    """At night, at once; a notification may also say so of itself."""
    said = len(night.texts())
    await told(night, Kind.OUTFLOW, "gone", "1")
    await told(night, Kind.KEYS, "key trouble", "2")
    await told(night, Kind.KEYS, "last warning", "3", urgent=True)
    await night.turn()
    assert night.texts()[said:] == ["gone", "last warning"]


async def test_a_machine_asleep_at_seven_tells_when_it_wakes(night: Bot) -> None:
    """Late rather than never, and once."""
    await told(night, Kind.FILLS, "a fill", "1")
    said = len(night.texts())
    night.clock.advance(hours=15)
    await night.turn()
    await night.turn()
    assert [HELD in text for text in night.texts()[said:]].count(True) == 1


@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 10, 24, 12, tzinfo=UTC)]
)
async def test_a_night_in_which_the_clock_changes_ends_at_seven(tmp_path: Path, bitso, day: datetime) -> None:
    """By the clock of the place; the digest comes once."""
    zone = ZoneInfo("Europe/Madrid")
    async with evening(tmp_path, bitso, day) as bot:
        await set_quiet(bot, NIGHT, "Europe/Madrid")
        while bot.clock.now().astimezone(zone).hour != 23:
            await bot.turn(seconds=900)
        await told(bot, Kind.FILLS, "a fill", "1")
        while HELD not in bot.texts()[-1]:
            await bot.turn(seconds=300, jobs=("post_digests", "deliver_messages"))
        came = bot.clock.now().astimezone(zone)
        for _ in range(24):
            await bot.turn(seconds=300, jobs=("post_digests", "deliver_messages"))
        assert (came.day - day.day, came.hour, came.minute // 10) == (1, 7, 0)
        assert sum(HELD in text for text in bot.texts()) == 1


async def test_a_digest_of_silent_things_makes_no_sound(night: Bot) -> None:
    """Something loud among them makes it heard."""
    await make(night, Kind.FILLS, Loudness.SILENT)
    await told(night, Kind.FILLS, "a fill", "1")
    await until(night, 7)
    await until(night, 23)
    await told(night, Kind.FILLS, "another", "2")
    await told(night, Kind.KEYS, "key trouble", "3")
    await until(night, 7)
    digests = [row for row in await rows(night, "outbox") if (row["key"] or "").startswith("digest:")]
    assert [bool(row["silent"]) for row in digests] == [True, False]


async def test_the_fills_of_one_order_are_held_as_their_newest_state(night: Bot) -> None:
    """Ten fills of an order at night are one line in the morning, and the card above is brought up to date."""
    await set_quiet(night, "")
    await told(night, Kind.FILLS, "order: 1 of 10", "1", card="order:a:7")
    await night.turn()
    await set_quiet(night, NIGHT)
    for number in range(2, 11):
        await told(night, Kind.FILLS, f"order: {number} of 10", str(number), card="order:a:7")
    await until(night, 7)
    (digest,) = [text for text in night.texts() if HELD in text]
    assert digest.endswith("order: 10 of 10")
    assert "Fills: 1\n" in digest
    assert [text for text in night.texts() if text.startswith("order:")] == ["order: 10 of 10"]


async def test_an_edit_without_a_sound_is_no_news_of_the_night(night: Bot) -> None:
    """The card above is brought up to date in the morning; had it been told at night, it would be news."""
    await set_quiet(night, "")
    await told(night, Kind.KEYS, "tried 3 times", "1", card="trouble:a")
    await night.turn()
    await set_quiet(night, NIGHT)
    await told(night, Kind.KEYS, "back to normal", "2", card="trouble:a", silent=True)
    await told(night, Kind.EXCHANGE, "another", "3", card="trouble:b")
    await told(night, Kind.EXCHANGE, "another, 5 times", "4", card="trouble:b", silent=True)
    await until(night, 7)
    (digest,) = [one for one in night.chat.messages if HELD in one.text]
    assert digest.text.endswith("another, 5 times")
    assert "back to normal" not in digest.text
    assert not digest.silent
    assert "back to normal" in night.texts()
    await until(night, 23)
    await told(night, Kind.KEYS, "back again", "5", card="trouble:a", silent=True)
    await until(night, 7)
    assert sum(HELD in text for text in night.texts()) == 1
    assert "back again" in night.texts()


async def test_nothing_overtakes_what_was_held(night: Bot) -> None:
    """What comes in the seconds before the digest is made waits for it; what is urgent does not."""
    await told(night, Kind.FILLS, "first", "1")
    night.clock.advance(hours=8, minutes=1)
    said = len(night.texts())
    await told(night, Kind.KEYS, "second", "2")
    await told(night, Kind.OUTFLOW, "gone", "3")
    await night.turn(jobs=("deliver_messages",))
    assert night.texts()[said:] == ["gone"]
    await night.turn(jobs=("post_digests", "deliver_messages"))
    digest = night.texts()[-1]
    assert digest.index("first") < digest.index("second")


async def test_a_flood_is_cut_to_what_helps(night: Bot) -> None:
    """All are counted, the last hundred are shown, and where the others are is said."""
    many = {str(number): f"fill {number}." for number in range(FILLS_SHOWN + 5)}
    await all_told(night, Kind.FILLS, many)
    await told(night, Kind.TRANSFERS, "a deposit", "x")
    await until(night, 7)
    (digest,) = [text for text in night.texts() if HELD in text]
    assert f"Fills: {FILLS_SHOWN + 5} · Deposits and withdrawals: 1" in digest
    assert "5 earlier fills are left out here: /fills shows the latest." in digest
    assert "fill 4." not in digest.splitlines()
    assert {"fill 5.", f"fill {FILLS_SHOWN + 4}.", "a deposit"} <= set(digest.splitlines())


async def test_one_thing_alone_keeps_its_buttons(night: Bot) -> None:
    """In a digest of several nobody would know whose they are."""
    await told(night, Kind.KEYS, "key trouble", "1", button="Details")
    await until(night, 7)
    (digest,) = [m for m in night.chat.messages if HELD in m.text]
    assert "Details" in digest.labels
    await until(night, 23)
    for number in range(2, 4):
        await told(night, Kind.KEYS, "key trouble", str(number), button="Details")
    await until(night, 7)
    (_, digest) = [m for m in night.chat.messages if HELD in m.text]
    assert "Details" not in digest.labels


async def test_a_group_hears_each_owner_apart(night: Bot, bitso) -> None:
    """Two people's news of one night are two messages, each in its owner's language."""
    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await connect(night, bitso, as_="other", key=key, secret=secret)
    await share(night)
    await share(night, as_="other")
    await set_quiet(night, NIGHT, chat=TEAM)
    bitso.state.transfer("deposit", "usd", "100")
    for _ in range(3):
        await night.turn(seconds=121)
    await until(night, 7)
    assert sum(HELD in text for text in night.texts(TEAM)) == 2
