"""All accounts of a place as one post: it shows nobody's balances who ended that since."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from chatbot.domain.pictures import Picture
from tests.flows.test_off_the_list import relist
from tests.support.bot import TEAM, YOU, Bot
from tests.support.connected import connect, share
from tests.support.daily import sketches
from tests.support.quiet import evening, set_quiet, until
from tests.support.rows import rows, tables_naming

OTHER = "other"
TOGETHER = "All together"


@pytest.fixture
async def team(tmp_path: Path, bitso):
    """A group that is sent the balances of two people, at eight in the evening."""
    async with evening(tmp_path, bitso) as bot:
        key, secret = bitso.state.new_key(("account", "balances", "fills"))
        await connect(bot, bitso, as_=OTHER, key=key, secret=secret)
        await share(bot)
        await share(bot, as_=OTHER)
        yield bot


@dataclass(frozen=True)
class Waiting:
    """The bot, who reads what is held, and the other one, whose balances stand in it too."""

    bot: Bot
    reader: str
    other: str


@pytest.fixture
async def held(team: Bot) -> Waiting:
    """The group at eleven in the morning, quiet until noon, with the posts of nine o'clock held."""
    await set_quiet(team, "22:00-12:00", chat=TEAM)
    await until(team, 11)
    (waits,) = [row for row in await rows(team, "held", over_at=None) if row["key"].startswith("together")]
    assert waits["message"]
    (reader,) = await rows(team, "people", id=waits["reader"])
    return Waiting(team, reader["user"], ({YOU, OTHER} - {reader["user"]}).pop())


async def test_what_was_held_is_told_together_at_noon(held: Waiting) -> None:
    """Nobody ended anything, so nothing is left out."""
    await until(held.bot, 12)
    assert sum(TOGETHER in text for text in held.bot.texts(TEAM)) == 1


async def test_who_disconnects_meanwhile_is_not_shown(held: Waiting) -> None:
    """The other one's own balances are told, the sum of both is not."""
    await held.bot.type("/disconnect", as_=held.other)
    await held.bot.press("Yes, do it", as_=held.other)
    await until(held.bot, 12)
    assert not any(TOGETHER in text for text in held.bot.texts(TEAM))
    assert sum("\nTotal" in text for text in held.bot.texts(TEAM)) == 1


async def test_who_was_forgotten_meanwhile_leaves_nothing_behind(held: Waiting) -> None:
    """Neither in the group at noon nor in any table at once, though the other one reads the post."""
    (person,) = await rows(held.bot, "people", user=held.other)
    (account,) = await rows(held.bot, "accounts", owner=person["id"])
    await _forget(held.bot, held.other)
    await held.bot.turn(jobs=("forget_places",))
    assert await tables_naming(held.bot, person["id"], account["id"], f"…{account['last4']}") <= {"audit"}
    await until(held.bot, 12)
    assert not any(TOGETHER in text for text in held.bot.texts(TEAM))


async def test_what_was_told_together_goes_with_who_is_forgotten(team: Bot) -> None:
    """Also what was posted already, or waits to be sent, keeps no words about them here."""
    await until(team, 10)
    (post,) = [row for row in await rows(team, "outbox") if (row["key"] or "").startswith("together")]
    (person,) = [row for row in await rows(team, "people") if row["id"] != post["reader"]]
    (account,) = await rows(team, "accounts", owner=person["id"])
    assert "outbox" in await tables_naming(team, f"…{account['last4']}")
    await _forget(team, person["user"])
    await team.turn(jobs=("forget_places",))
    assert await tables_naming(team, person["id"], account["id"], f"…{account['last4']}") <= {"audit"}


async def test_who_was_taken_off_the_list_meanwhile_is_not_shown(held: Waiting) -> None:
    """Nothing of theirs is told any more, by nobody's post."""
    relist(held.bot, f"web:{held.reader}")
    await until(held.bot, 12)
    assert not any(TOGETHER in text for text in held.bot.texts(TEAM))
    assert sum("\nTotal" in text for text in held.bot.texts(TEAM)) == 1


async def test_who_disconnects_while_it_is_drawn_is_not_shown(team: Bot, monkeypatch) -> None:
    """The picture takes its time, and the answer is looked at again before it goes out."""
    charts = sketches(team)
    draw, drawn = charts.draw, list[Picture]()

    async def slowly(picture: Picture) -> bytes | None:
        if picture.title.startswith(TOGETHER) and not drawn:
            drawn.append(picture)
            await team.type("/disconnect", as_=OTHER)
            await team.press("Yes, do it", as_=OTHER)
        return await draw(picture)

    monkeypatch.setattr(charts, "draw", slowly)
    await until(team, 10)
    assert drawn
    assert not any(TOGETHER in text for text in team.texts(TEAM))


async def _forget(bot: Bot, who: str) -> None:
    await bot.type("/privacy", as_=who)
    await bot.press("Delete everything of mine", as_=who)
    await bot.press("Yes, do it", as_=who)
