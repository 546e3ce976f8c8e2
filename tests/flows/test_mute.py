"""/mute for a whole place, and *Mute 2 h* under each message for one kind of one account there."""

from typing import Any

import pytest

from chatbot.domain.people import Standing
from tests.support.bot import STRANGER, TEAM, YOU, Bot
from tests.support.connected import share
from tests.support.practice import Running
from tests.support.rows import rows

HELD = "What came while it was quiet"
HOUR = 3600


async def test_a_muted_chat_hears_it_together_afterwards(linked: Bot, bitso: Running) -> None:
    """Nothing for two hours, then one message; it says when that will be, and by which clock."""
    shown = await linked.type("/mute 2h")
    assert shown.text.startswith("Muted here until ")
    assert "(UTC)" in shown.text
    said = len(linked.texts())
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert len(linked.texts()) == said
    await linked.turn(seconds=2 * HOUR)
    assert any(text.startswith(HELD) for text in linked.texts()[said:])


@pytest.mark.parametrize("way", ["typed", "pressed"])
async def test_a_mute_is_lifted(linked: Bot, bitso: Running, way: str) -> None:
    """By /mute off or *Unmute*: what came meanwhile follows at once; a second time nothing changes."""
    await linked.type("/mute 1d")
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    unmute = linked.button("Unmute", YOU)
    for _ in range(2):
        if way == "typed":
            shown = await linked.type("/mute off")
        else:
            await press(linked, unmute.action)
            shown = linked.last()
        assert shown.text.startswith("It isn't muted here.")
    await linked.turn(jobs=("post_digests", "deliver_messages"))
    assert any(text.startswith(HELD) for text in linked.texts())
    assert [row["outcome"] for row in await rows(linked, "audit", action="mute")][1:] == ["off"]


async def test_without_words_it_shows_and_offers(linked: Bot) -> None:
    """A press sets it in the same message."""
    shown = await linked.type("/mute")
    assert shown.labels == ["Mute 30 min", "Mute 2 h", "Mute 8 h", "Mute 1 day"]
    messages = len(linked.chat.messages)
    await linked.press("Mute 8 h", on=shown)
    assert len(linked.chat.messages) == messages
    assert shown.text.startswith("Muted here until ")
    assert shown.labels == ["Unmute"]


@pytest.mark.parametrize("words", ["-3", "forever", "0m", "8d", "2", "h", "²h", "99999999h"])
async def test_what_cannot_be_read_changes_nothing(linked: Bot, words: str) -> None:
    """A sentence with an example that works."""
    shown = await linked.type(f"/mute {words}")
    assert (
        shown.text == f"“{words}” is no time I can mute for: a minute to 7 days. Write it like this: /mute 2h"
    )
    assert [row["muted_until"] for row in await rows(linked, "conversations")] == [None]
    assert await rows(linked, "audit", action="mute") == []


async def test_a_group_is_muted_by_its_admins_only(linked: Bot) -> None:
    """A member without that standing is told so; everybody there sees who may lift it and until when it is."""
    linked.chat.standings["other"] = Standing.PERSON
    refused = await linked.type("/mute 2h", chat=TEAM, as_="other")
    assert "Only an admin of this group or channel may send /mute in it." in refused.text
    shown = await linked.type("/mute 2h", chat=TEAM)
    assert "Muted here until" in shown.text
    await linked.press("Unmute", chat=TEAM, as_="other")
    assert linked.chat.toasts[-1] == "Only an admin of this group or channel may do that."
    assert "Muted here until" in shown.text
    linked.chat.standings["other"] = Standing.CHIEF
    await linked.press("Unmute", chat=TEAM, as_="other")
    assert "It isn't muted here." in shown.text


async def test_each_message_can_be_muted_for_two_hours(linked: Bot, bitso: Any) -> None:
    """The button mutes that kind of that account in that chat, says until when, and offers the way back."""
    fill = await bought(linked, bitso)
    assert fill.labels == ["Details", "Mute 2 h"]
    await linked.press("Mute 2 h", on=fill)
    shown = linked.last()
    assert shown.text.startswith(f"Fills of Bitso …{bitso.state.key[-4:]}: muted here until ")
    assert shown.labels == ["Unmute"]
    assert linked.chat.toasts[-1].startswith("Muted until ")
    said = len(linked.texts())
    bitso.state.transfer("deposit", "usd", "100")
    await linked.turn(seconds=121)
    bitso.state.trade("sell", "btc_mxn", "0.01")
    await linked.turn(seconds=121)
    assert ["came in" in text for text in linked.texts()[said:]] == [True]
    await linked.press("Unmute", on=shown)
    assert "not muted any more" in shown.text
    await linked.turn(jobs=("post_digests", "deliver_messages"))
    assert HELD in linked.last().text


async def test_muting_twice_is_muting_once(linked: Bot, bitso: Running) -> None:
    """A second press, also by somebody else, changes nothing and says until when it is muted already."""
    await share(linked)
    await bought(linked, bitso)
    for who in (YOU, "other", YOU):
        await linked.press("Mute 2 h", chat=TEAM, as_=who)
    assert "already" in linked.chat.toasts[-1]
    assert len(await rows(linked, "audit", action="mute")) == 1
    assert sum("muted here until" in text for text in linked.texts(TEAM)) == 1
    button = linked.button("Unmute", TEAM)
    for who in ("other", YOU):
        await press(linked, button.action, as_=who, chat=TEAM)
        assert linked.chat.toasts[-1] == "Not muted."
    assert [row["muted_until"] for row in await rows(linked, "subscriptions") if row["muted_until"]] == []


async def test_a_mute_in_the_group_leaves_the_owners_chat_alone(linked: Bot, bitso: Running) -> None:
    """Any member may press it there; a stranger may not."""
    await share(linked)
    await bought(linked, bitso)
    await linked.press("Mute 2 h", chat=TEAM, as_=STRANGER)
    assert "Only members" in linked.chat.toasts[-1]
    await linked.press("Mute 2 h", chat=TEAM, as_="other")
    said = len(linked.texts(TEAM))
    bitso.state.trade("sell", "btc_mxn", "0.01")
    await linked.turn(seconds=121)
    assert "Sold" in linked.last(YOU).text
    assert len(linked.texts(TEAM)) == said


async def test_a_longer_mute_is_not_cut_short(linked: Bot, bitso: Running) -> None:
    """Muted for a day in /alerts: *Mute 2 h* leaves it so."""
    fill = await bought(linked, bitso)
    await linked.press("Mute 2 h", on=fill)
    linked.clock.advance(hours=1)
    await linked.press("Mute 2 h", on=fill)
    (muted,) = {row["muted_until"] for row in await rows(linked, "subscriptions") if row["muted_until"]}
    assert "muted here until" in linked.last().text
    assert (muted / 1e6 - linked.clock.now().timestamp()) == pytest.approx(2 * HOUR, abs=60)


async def test_a_button_of_what_no_longer_comes_says_so(linked: Bot, bitso: Running) -> None:
    """The account was disconnected since: a word, and nothing changes."""
    fill = await bought(linked, bitso)
    await linked.type("/disconnect")
    await linked.press("Yes, do it")
    await linked.press("Mute 2 h", on=fill)
    assert linked.chat.toasts[-1] == "Nothing of this comes here any more."


async def bought(bot: Bot, bitso: Running):
    """Let a fill be told, and return its message in your chat."""
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await bot.turn(seconds=31)
    return next(m for m in reversed(bot.chat.messages) if m.chat == YOU and "Bought" in m.text)


async def press(bot: Bot, button: str, *, as_: str = YOU, chat: str = YOU) -> None:
    """Press a button by its id, whatever the chat shows by now."""
    raw = {"kind": "pressed", "user": as_, "chat": chat, "button": button, "id": "m"}
    await bot.inlet.put("web", f"p{next(bot.events)}", raw)
    await bot._handled()
