"""Who acts, when a platform answers slowly or not at all: others are served, and nobody's words change places."""

import asyncio

import pytest

from chatbot.dispatcher import door
from chatbot.domain.people import Standing
from chatbot.domain.updates import Sender
from chatbot.errors import SendError, Verdict
from tests.support.bot import STRANGER, TEAM, YOU, Bot
from tests.support.chat import Chat
from tests.support.rows import rows

SORRY = "Something went wrong on our side"


class Gate:
    """Answers nothing about those it holds, until it is opened; refuses while it is away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *held: str) -> None:
        self.held = set(held)
        self.opened = asyncio.Event()
        self.away = False
        self.asked: list[str] = []
        monkeypatch.setattr(Chat, "standing", self.standing)
        monkeypatch.setattr(door, "MOMENT", 0.02)

    async def standing(self, who: Sender, *, chief: bool) -> Standing:
        del chief
        self.asked.append(who.user)
        if self.away:
            raise SendError(Verdict.UNSENT, "away")
        if who.user in self.held:
            await self.opened.wait()
        return Standing.PERSON


async def put(bot: Bot, *said: tuple[str, str], chat: str = "") -> None:
    """Store updates without handling them."""
    for user, text in said:
        raw = {"kind": "said", "user": user, "chat": chat or user, "text": text, "id": "1"}
        await bot.inlet.put("web", f"d{next(bot.events)}", raw)


async def turn(bot: Bot, seconds: float = 0) -> None:
    """Handle what may be handled, and send what came of it."""
    bot.clock.advance(seconds=seconds)
    await bot.dispatcher.sweep()
    await bot.turn(jobs=("deliver_messages",))


async def test_slow_ones_hold_up_nobody_else(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty updates of a workspace that does not answer stand before yours: you are answered at once."""
    slow = [f"slow{number}" for number in range(60)]
    gate = Gate(monkeypatch, *slow)
    await put(bot, *((user, "/help") for user in slow), (YOU, "/help"))
    async with asyncio.timeout(20):
        await turn(bot)
    assert "What I can do" in bot.last().text
    gate.opened.set()
    await turn(bot, 4)
    assert [len(bot.texts(user)) for user in slow] == [1] * 60


async def test_what_one_person_says_keeps_its_order(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes while an earlier word of theirs waits, waits behind it, also once it could be told."""
    gate = Gate(monkeypatch, YOU)
    await put(bot, (YOU, "/currency EUR"))
    await turn(bot)
    gate.opened.set()
    await put(bot, (YOU, "/currency MXN"))
    await turn(bot, 1)
    assert bot.texts() == []
    await turn(bot, 3)
    assert (await rows(bot, "people"))[0]["currency"] == "MXN"
    assert {row["state"] for row in await rows(bot, "inbox")} == {"done"}


async def test_half_a_minute_of_trouble_costs_nobody_a_command(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is answered when the platform is back, without an apology."""
    gate = Gate(monkeypatch)
    gate.away = True
    await put(bot, (YOU, "/help"))
    for _ in range(30):
        await turn(bot, 1)
    assert bot.texts() == []
    gate.away = False
    for _ in range(10):
        await turn(bot, 1)
    assert ["What I can do" in text for text in bot.texts()] == [True]
    assert len(gate.asked) <= 5


async def test_an_hour_of_trouble_is_told_once_for_each_word(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is on the list reads that nothing was done, in the order of what they wrote; others read nothing."""
    gate = Gate(monkeypatch)
    gate.away = True
    await put(bot, (YOU, "/help"), (YOU, "/balances"), (STRANGER, "/help"))
    for _ in range(120):
        await turn(bot, 1)
    assert [SORRY in text for text in bot.texts()] == [True, True]
    assert bot.texts(STRANGER) == []
    assert {row["state"] for row in await rows(bot, "inbox")} == {"parked"}


async def test_who_typed_in_a_group_is_told_in_private(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the bot may write unasked; the group hears nothing."""
    gate = Gate(monkeypatch)
    gate.away = bot.chat.reaches_out = True
    await put(bot, (YOU, "/help"), chat=TEAM)
    for _ in range(60):
        await turn(bot, 1)
    assert [SORRY in text for text in bot.texts()] == [True]
    assert bot.texts(TEAM) == []


async def test_a_platform_that_is_slow_to_take_a_toast_holds_up_nobody(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a press is answered with is small: the next update does not wait for it."""
    taken = asyncio.Event()

    async def answer(*_: object) -> None:
        await taken.wait()

    monkeypatch.setattr(Chat, "answer", answer)
    monkeypatch.setattr("chatbot.dispatcher.MOMENT", 0.02)
    await bot.inlet.put("web", "p1", {"kind": "pressed", "user": YOU, "chat": YOU, "button": "x", "id": "m"})
    await put(bot, (YOU, "/help"))
    async with asyncio.timeout(20):
        await turn(bot)
    assert "What I can do" in bot.last().text
    bot.dispatcher.close()
