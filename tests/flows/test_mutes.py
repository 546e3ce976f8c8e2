"""Mutes, loudness, and the promise that what is held is told once, or not at all when it is not wanted."""

from dataclasses import replace
from pathlib import Path

import pytest

from chatbot.domain.notices import Kind, Loudness
from chatbot.domain.people import Roster
from chatbot.errors import StorageError
from tests.support.bot import Bot
from tests.support.quiet import HELD, dying, evening, make, mute_chat, mute_kind, told, until
from tests.support.rows import rows


async def test_a_mute_that_is_lifted_early_tells_at_once(linked: Bot) -> None:
    """Muted for two hours, lifted after one: what came meanwhile is there with the next turn."""
    await mute_chat(linked, hours=2)
    await told(linked, Kind.FILLS, "a fill", "1")
    await linked.turn(seconds=3600)
    assert "a fill" not in linked.texts()[-1]
    await mute_chat(linked, hours=0)
    await linked.turn(jobs=("post_digests", "deliver_messages"))
    assert linked.texts()[-1].startswith(HELD)


async def test_a_muted_kind_waits_alone(linked: Bot) -> None:
    """Other kinds go on; when the mute is over, what it held comes."""
    await mute_kind(linked, Kind.FILLS, hours=2)
    await told(linked, Kind.FILLS, "a fill", "1")
    await told(linked, Kind.KEYS, "key trouble", "2")
    await linked.turn()
    assert linked.texts()[-1] == "key trouble"
    await linked.turn(seconds=7201)
    assert any(text.startswith(f"{HELD}\nFills: 1") for text in linked.texts())


async def test_security_is_muted_for_hours_but_not_for_ever(linked: Bot) -> None:
    """A mute of a month is over after a day."""
    await mute_kind(linked, Kind.SECURITY, hours=24 * 30)
    await told(linked, Kind.SECURITY, "new link", "1")
    await linked.turn(seconds=3600)
    assert "new link" not in "\n".join(linked.texts())
    await linked.turn(seconds=23 * 3600 + 10)
    assert any("new link" in text for text in linked.texts())


async def test_silent_is_silent_and_off_is_off(linked: Bot) -> None:
    """One is sent without a sound, the other not at all, and neither comes later."""
    await make(linked, Kind.FILLS, Loudness.SILENT)
    await make(linked, Kind.KEYS, Loudness.OFF)
    await told(linked, Kind.FILLS, "a fill", "1")
    await told(linked, Kind.KEYS, "key trouble", "2")
    await make(linked, Kind.KEYS, Loudness.LOUD)
    await linked.turn(seconds=10)
    assert linked.texts()[-1] == "a fill"
    assert "key trouble" not in "\n".join(linked.texts())
    (row,) = [row for row in await rows(linked, "outbox") if (row["key"] or "").startswith("1:")]
    assert row["silent"]


async def test_what_was_switched_off_meanwhile_is_not_told(night: Bot) -> None:
    """Ended, switched off, disconnected: it was held, and is given up."""
    await told(night, Kind.FILLS, "a fill", "1")
    await told(night, Kind.KEYS, "key trouble", "2")
    await make(night, Kind.FILLS, Loudness.OFF)
    await until(night, 7)
    assert "a fill" not in "\n".join(night.texts())
    assert f"{HELD}\nKey trouble: 1" in "\n".join(night.texts())
    assert await rows(night, "held", over_at=None) == []


async def test_whoever_was_taken_off_the_list_hears_nothing_more(night: Bot) -> None:
    """Not even what was held for them."""
    await told(night, Kind.FILLS, "a fill", "1")
    night.clock.advance(hours=9)
    off = replace(night.ctx, roster=Roster(frozenset(), frozenset()))
    await night.registry.jobs["post_digests"].run(off)
    await night.turn(jobs=("post_digests", "deliver_messages"))
    assert "a fill" not in "\n".join(night.texts())


async def test_the_same_thing_is_told_once(night: Bot) -> None:
    """Found again the next day, after it was held and told, it is no news."""
    await told(night, Kind.FILLS, "a fill", "1")
    await told(night, Kind.FILLS, "a fill", "1")
    await until(night, 7)
    await told(night, Kind.FILLS, "a fill", "1")
    await until(night, 23)
    await told(night, Kind.FILLS, "a fill", "1")
    await until(night, 8)
    assert sum(text.count("a fill") for text in night.texts()) == 1


async def test_a_crash_loses_and_doubles_nothing(night: Bot) -> None:
    """The digest is queued and what was held let go of in one transaction, or neither."""
    await told(night, Kind.FILLS, "a fill", "1")
    night.clock.advance(hours=9)
    for cut in range(1, 4):
        with pytest.raises(StorageError):
            await night.registry.jobs["post_digests"].run(replace(night.ctx, uow=dying(night, cut)))
        if cut < 3:
            assert len(await rows(night, "held", over_at=None)) == 1
    await night.turn(jobs=("post_digests", "deliver_messages"))
    await night.turn(jobs=("post_digests", "deliver_messages"))
    assert sum(text.count("a fill") for text in night.texts()) == 1


async def test_holding_is_part_of_what_is_told(night: Bot) -> None:
    """When the poll that found something is rolled back, nothing of it is held."""
    with pytest.raises(StorageError):
        await told(replace(night, ctx=replace(night.ctx, uow=dying(night, 1))), Kind.FILLS, "a fill", "1")
    assert await rows(night, "held") == []


async def test_the_daily_post_waits_for_the_end_of_a_mute(tmp_path: Path, bitso) -> None:
    """Due at nine, muted until ten: it comes with the digest, once, and counts as posted."""
    async with evening(tmp_path, bitso) as bot:
        await until(bot, 8)
        said = sum("\nTotal" in text for text in bot.texts())
        await mute_chat(bot, hours=2)
        await until(bot, 9)
        await until(bot, 12)
        posts = [text for text in bot.texts() if "\nTotal" in text][said:]
        assert len(posts) == 1
        assert posts[0].startswith(f"{HELD}\nBalances: 1")
        await until(bot, 9)
        assert "\nTotal" in bot.texts()[-1]
        assert "left out" not in bot.texts()[-1]
