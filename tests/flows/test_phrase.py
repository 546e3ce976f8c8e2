"""A phrase of one's own and /verify: how a person knows the secure page from a forged one."""

from pathlib import Path

import pytest

from tests.support.bot import TEAM, YOU, Bot, link_of, open_bot
from tests.support.page import token_of
from tests.support.practice import Running
from tests.support.rows import rows


async def test_a_phrase_is_kept_shown_and_dropped(bot: Bot) -> None:
    """What was chosen is shown when asked for, and gone with one button."""
    assert "no phrase" in (await bot.type("/phrase")).text

    assert "three odd words" in (await bot.type("/phrase  three odd\u202e words ")).text
    assert (await rows(bot, "people", user=YOU))[0]["phrase"] == "three odd words"
    assert "three odd words" in (await bot.type("/phrase")).text

    assert "no phrase any more" in (await bot.press("Drop the phrase")).text
    assert (await rows(bot, "people", user=YOU))[0]["phrase"] == ""


async def test_the_page_shows_the_phrase_of_its_owner(bot: Bot) -> None:
    """The page gets the words of whoever asked for the link, and nothing when there are none."""
    before = await bot.desk.open(token_of(await link_of(bot))[0], "en")
    await bot.type("/phrase blue elephant")
    after = await bot.desk.open(token_of(await link_of(bot))[0], "en")

    assert before is not None
    assert after is not None
    assert (before.phrase, after.phrase) == ("", "blue elephant")


async def test_verify_names_address_and_script(tmp_path: Path, bitso: Running) -> None:
    """A person can compare the address bar, and an expert the hash in the page's source."""
    async with open_bot(tmp_path, {"bitso": bitso.origin}, page_hash="sha384-abc") as bot:
        text = (await bot.type("/verify")).text

    assert "https://bot.example.com/key" in text
    assert "sha384-abc" in text
    assert "never ask" in text


async def test_opening_the_page_is_in_the_audit_once(bot: Bot) -> None:
    """The first opening is noted, later ones change nothing, and neither token nor key is in it."""
    token = token_of(await link_of(bot))[0]
    for _ in range(3):
        assert await bot.desk.open(token, "en") is not None

    (entry,) = await rows(bot, "audit", action="open_link")
    assert token not in str(entry)


@pytest.mark.parametrize("command", ["/phrase", "/verify"])
async def test_in_a_group_it_is_answered_in_private(bot: Bot, command: str) -> None:
    """What one's page shows is nobody else's business."""
    await bot.type("/phrase blue elephant")

    await bot.type(command, chat=TEAM)

    assert not any("blue elephant" in text for text in bot.texts(TEAM))
