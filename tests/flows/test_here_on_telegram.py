"""/here, *Mute 2 h* and a place that shuts its door, through the real Telegram client at a strict Bot API."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from chatbot.dispatcher import Dispatcher
from chatbot.domain.people import Roster
from chatbot.platforms.telegram import Telegram
from tests.support import botapi
from tests.support.bot import YOU, Bot, open_bot
from tests.support.botapi import BotApi
from tests.support.connected import connect
from tests.support.practice import Running
from tests.support.rows import rows
from tests.support.telegrams import ANA, GROUP, PUBLIC_URL

BEN, TOPIC = 78, 9
KNOWN = Roster(frozenset({f"telegram:{ANA}"}), frozenset({"telegram:*", f"web:{YOU}"}))


@dataclass(slots=True)
class Line:
    """A bot on Telegram, and what reaches it."""

    bot: Bot
    api: BotApi
    read: int = 0

    async def handle(self) -> None:
        """Take in all that happened on Telegram, and send the answers."""
        for update in self.api.updates[self.read :]:
            await self.bot.inlet.put("telegram", str(update["update_id"]), update)
        self.read = len(self.api.updates)
        await self.bot.dispatcher.sweep()
        await self.pass_time()

    async def say(self, words: str, chat: int = 0, thread: int = 0, user: int = ANA) -> None:
        await self.api.say(user, words, chat, thread)
        await self.handle()

    async def press(self, label: str, chat: int, user: int = ANA) -> str:
        """Press the newest button with these words and return the toast."""
        shown = next(m for m in reversed(self.all(chat)) if label in m.buttons)
        query = await self.api.press(shown, label, user)
        await self.handle()
        return self.api.answers.get(query, "")

    def all(self, chat: int) -> list[botapi.Shown]:
        return [m for m in self.api.world.messages.values() if m.by_bot and m.chat == chat]

    async def pass_time(self) -> None:
        for _ in range(4):
            await self.bot.turn(seconds=4)


@pytest.fixture
async def line(tmp_path: Path, bitso: Any) -> AsyncIterator[Line]:
    """Ana's account, her chat, and a forum in which she is an admin and Ben is not."""
    async with botapi.running() as api, open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
        bitso.state.clock = bot.clock.now
        await connect(bot, bitso)
        telegram = Telegram(
            token=api.token, public_url=PUBLIC_URL, clock=bot.clock, log=bot.log, api_url=api.url
        )
        post = vars(bot.ctx.postbox)
        post["_platforms"]["telegram"] = telegram
        post["_started"].add("telegram")
        await telegram.check()
        ctx = replace(bot.ctx, roster=KNOWN)
        found = Line(replace(bot, ctx=ctx, dispatcher=Dispatcher(bot.registry, ctx, ctx.postbox.parse)), api)  # type: ignore[attr-defined]
        api.world.chat(GROUP, "supergroup", title="Desk", forum=True, topics={TOPIC}, admins={ANA})
        api.world.chat(ANA)
        await found.say("/start")
        await _hers(found)
        yield found
        await telegram.stop()
        assert api.complaints == []


async def test_a_group_hears_after_the_yes_and_is_muted_by_a_member(line: Line, bitso: Running) -> None:
    """Asked by the group's title, edited in place, muted by Ben who is no admin there, with a toast."""
    await line.say("/here", GROUP)
    waiting = line.all(GROUP)[-1]
    assert "I asked Person 77 in private" in waiting.text
    assert "to “Desk”?" in line.api.latest(ANA).text
    await line.press("Yes, send them there", ANA)
    assert "From now on, fills and daily balances of Person 77 come here" in waiting.text
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await line.bot.turn(seconds=31)
    await line.pass_time()
    assert line.all(GROUP)[-1].buttons == ["Details", "Mute 2 h"]
    assert (await line.press("Mute 2 h", GROUP, BEN)).startswith("Muted until ")
    bitso.state.trade("sell", "btc_mxn", "0.01")
    await line.bot.turn(seconds=31)
    await line.pass_time()
    assert "Sold" not in "".join(m.text for m in line.all(GROUP))


async def test_a_member_who_is_no_admin_there_settles_nothing(line: Line) -> None:
    """Telegram itself is asked, for commands and for buttons."""
    await line.say("/here", GROUP, user=BEN)
    assert "Only an admin of this group or channel may send /here in it." in line.all(GROUP)[-1].text
    await line.say("/quiet", GROUP)
    toast = await line.press("22:00–07:00, every day", GROUP, BEN)
    assert toast == "Only an admin of this group or channel may do that."
    await line.press("22:00–07:00, every day", GROUP, ANA)
    assert "Quiet hours here: 22:00–07:00" in line.all(GROUP)[-1].text


async def test_a_topic_that_was_deleted_stops_alone_and_is_told_of(line: Line, bitso: Running) -> None:
    """The group itself goes on; the owner reads where, and what to press."""
    for thread in (0, TOPIC):
        await line.say("/here", GROUP, thread)
        await line.press("Yes, send them there", ANA)
    line.api.world.chats[GROUP].topics.clear()
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await line.bot.turn(seconds=31)
    await line.pass_time()
    told = "\n".join(m.text for m in line.all(ANA))
    assert "I can't write to “Desk”, topic 9 any more" in told
    assert "To go on, send /here in one that is open." in told
    assert "Bought" in line.all(GROUP)[-1].text
    live = {
        row["thread"]: bool(row["live"]) for row in await rows(line.bot, "conversations", channel=str(GROUP))
    }
    assert live == {"": True, str(TOPIC): False}


async def test_thrown_out_and_let_in_again_by_its_owner(line: Line, bitso: Running) -> None:
    """Told in private at once; added again by Ana, the group hears again."""
    await line.say("/here", GROUP)
    await line.press("Yes, send them there", ANA)
    await line.api.membership(BEN, GROUP, "member", "kicked")
    await line.handle()
    assert "I can't write to “Desk” any more" in line.api.latest(ANA).text
    await line.api.membership(ANA, GROUP, "left", "member")
    await line.handle()
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await line.bot.turn(seconds=31)
    await line.pass_time()
    assert "Bought" in line.all(GROUP)[-1].text


async def _hers(line: Line) -> None:
    """Make the account that was connected Ana's."""
    async with line.bot.database.transaction() as tx:
        await tx.run(text("UPDATE accounts SET owner = (SELECT id FROM people WHERE platform = 'telegram')"))
