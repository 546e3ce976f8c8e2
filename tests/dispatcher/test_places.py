"""Who may act where: what a platform says of a person, answers in private, words for one person alone."""

import pytest

from chatbot.domain.outbox import Delivery
from chatbot.domain.people import Standing
from chatbot.domain.updates import Happened, Sender
from chatbot.errors import SendError, Verdict
from tests.support.bot import TEAM, YOU, Bot
from tests.support.chat import Chat


async def test_guests_bots_and_people_of_elsewhere_are_not_heard(bot: Bot):
    """Whoever has no standing on the platform gets no word, not even a refusal."""
    bot.chat.standings[YOU] = Standing.NONE
    before = len(bot.chat.messages)
    await bot.inlet.put("web", "x1", {"kind": "said", "user": YOU, "chat": YOU, "text": "/start", "id": "1"})
    await bot.dispatcher.sweep()
    await bot.turn(jobs=["deliver_messages"])

    assert len(bot.chat.messages) == before


async def test_only_an_admin_of_the_group_may_make_it_a_target(bot: Bot):
    """`/here` asks the platform as well; our own role alone does not do."""
    bot.chat.standings[YOU] = Standing.PERSON
    shown = await bot.type("/here", chat=TEAM)

    assert "Only an admin of this group or channel may send /here in it." in shown.text


async def test_what_is_personal_is_answered_in_private_where_the_bot_may_write_there(bot: Bot):
    """A private command typed in a group is answered at once, and the group only learns that it was."""
    bot.chat.reaches_out = True
    pointer = await bot.type("/connect bitso", chat=TEAM)

    assert pointer.text == "I answered you in private."
    assert "Bitso" in bot.last(YOU).text


async def test_an_update_waits_when_the_platform_cannot_say_who_somebody_is(bot: Bot, monkeypatch):
    """It is tried again, and after that the person is told that it went wrong."""

    async def away(*_: object, **__: object) -> Standing:
        raise SendError(Verdict.UNSENT, "away")

    monkeypatch.setattr(bot.chat.__class__, "standing", away)
    await bot.inlet.put("web", "x2", {"kind": "said", "user": YOU, "chat": YOU, "text": "/start", "id": "1"})
    for _ in range(3):
        await bot.dispatcher.sweep()
        assert bot.texts() == []
        bot.clock.advance(seconds=21)
    await bot.dispatcher.sweep()
    await bot.turn(jobs=["deliver_messages"])

    assert "Something went wrong on our side" in bot.last().text


async def test_what_happens_to_a_whole_workspace_makes_nobody_a_person(bot: Bot, monkeypatch):
    """It goes to its own event, and without one it is only done."""
    heard = []

    async def left(happened: Happened, platform: str, store: object, ctx: object) -> None:
        del store, ctx
        heard.append((platform, happened.who.workspace))

    gone = Happened(Sender("", "", "", workspace="T1"), "left")
    monkeypatch.setattr(bot.dispatcher, "_parse", lambda *_: gone)
    monkeypatch.setitem(bot.registry.events, "workspace_left", left)
    await bot.inlet.put("web", "x3", {})
    await bot.dispatcher.sweep()

    assert heard == [("web", "T1")]


@pytest.mark.parametrize(("text", "whispered"), [("/help", [YOU]), ("/nonsense", [YOU]), ("hello there", [])])
async def test_answers_to_one_person_are_whispered_in_a_group(
    bot: Bot, text: str, whispered: list[str], monkeypatch
):
    """What only concerns who asked is marked so, for platforms that can show it to them alone."""
    seen = []
    deliver = bot.chat.__class__.deliver

    async def noting(chat: Chat, delivery: Delivery) -> str:
        seen.append(delivery.whisper)
        return await deliver(chat, delivery)

    monkeypatch.setattr(bot.chat.__class__, "deliver", noting)
    await bot.inlet.put("web", "x4", {"kind": "said", "user": YOU, "chat": TEAM, "text": text, "id": "1"})
    await bot.dispatcher.sweep()
    await bot.turn(jobs=["deliver_messages"])

    assert seen == whispered
