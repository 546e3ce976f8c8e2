"""/here: a place hears of accounts once their owner said yes in private, and of nobody else's."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from chatbot.domain.people import Roster, Standing
from chatbot.domain.updates import Incoming, Pressed, Said
from tests.support.bot import STRANGER, TEAM, YOU, Bot
from tests.support.chat import Chat
from tests.support.connected import connect, share
from tests.support.practice import Running
from tests.support.rows import rows

QUESTION = "Send balances and fills of"


async def test_nothing_comes_before_the_yes(linked: Bot, bitso: Running) -> None:
    """The group sees that it waits, names no account, and hears nothing; the owner is asked by name of place."""
    shown = await linked.type("/here", chat=TEAM)
    assert shown.text == "I asked You in private. Nothing comes here before the yes."
    assert linked.last().text.startswith(f"{QUESTION} Bitso …{bitso.state.key[-4:]} to “Team”?")
    assert linked.last().labels == ["Yes, send them there", "Keep"]
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert linked.texts(TEAM) == [shown.text]
    assert await heard(linked) == []


async def test_yes_starts_it_and_the_group_is_told(linked: Bot, bitso: Running) -> None:
    """From the yes on, and what the group read before is brought up to date in place."""
    await share(linked)
    (shown,) = [m for m in linked.chat.messages if m.chat == TEAM]
    assert shown.text.startswith("From now on, fills and daily balances of You come here: Bitso")
    assert linked.last().text.startswith("Balances and fills of Bitso")
    assert await heard(linked) == ["balances", "fills", "transfers"]
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert "Bought" in linked.last(TEAM).text


async def test_keep_keeps_it(linked: Bot) -> None:
    """Nothing goes there, both chats say so, and pressing *Yes* on an old copy afterwards changes nothing."""
    await linked.type("/here", chat=TEAM)
    yes = linked.button("Yes", YOU)
    await linked.press("Keep")
    assert linked.last().text == "Nothing of yours goes to “Team”."
    assert linked.last(TEAM).text == "You keeps them private."
    await press(linked, yes.action)
    assert linked.last().text == "You answered that already. To be asked again, send /here there."
    assert await heard(linked) == []


async def test_pressed_twice_is_pressed_once(linked: Bot) -> None:
    """Two presses on *Yes*: the same answer, one entry in the audit; *Keep* after it takes nothing back."""
    await linked.type("/here", chat=TEAM)
    yes, keep = linked.button("Yes", YOU), linked.button("Keep", YOU)
    for button in (yes, yes, keep):
        await press(linked, button.action)
        assert linked.last().text.startswith("Balances and fills of Bitso")
    assert await heard(linked) == ["balances", "fills", "transfers"]
    assert len(await rows(linked, "audit", action="target_added")) == 1
    assert await rows(linked, "consents") == []


async def test_stop_works_in_both_chats(linked: Bot) -> None:
    """In the group, and below the answer in private; each is in the audit once."""
    await share(linked)
    await linked.press("Stop", on=linked.last())
    assert linked.last().text == "Nothing of yours goes to “Team”."
    assert "Stopped" in linked.last(TEAM).text
    await share(linked)
    await linked.press("Stop", chat=TEAM)
    assert await heard(linked) == []
    assert len(await rows(linked, "audit", action="target_removed")) == 2


async def test_only_the_account_that_was_named(two: Bot, bitso: Running) -> None:
    """`/here main` asks for one account; another name is refused without telling the group what there is."""
    shown = await two.type("/here nonsense", chat=TEAM)
    assert "No account of yours is called “nonsense”. Send /here alone" in shown.text
    assert shown.labels == []
    await share(two, words=f"/here {bitso.state.key[-4:]}")
    accounts = {row["account"] for row in await rows(two, "subscriptions") if row["loudness"] == "loud"}
    (team,) = await rows(two, "conversations", channel=TEAM)
    shared = {row["account"] for row in await rows(two, "subscriptions", conversation=team["id"])}
    assert (len(accounts), len(shared)) == (2, 1)


async def test_who_owns_none_offers_nothing_of_others(linked: Bot) -> None:
    """An admin of the group without accounts only opens the way: each owner presses, and is asked."""
    shown = await linked.type("/here", chat=TEAM, as_="other")
    assert "nothing of yours to send" in shown.text
    assert "Each owner presses the button" in shown.text
    assert await rows(linked, "consents") == []
    await linked.press("Send mine here", chat=TEAM)
    assert QUESTION in linked.last().text
    await linked.press("Yes")
    assert await heard(linked) == ["balances", "fills", "transfers"]


async def test_a_member_who_is_no_admin_of_the_group_offers_by_the_button(linked: Bot) -> None:
    """The command is refused with the reason; the button below an admin's /here is for every member."""
    linked.chat.standings[YOU] = Standing.PERSON
    refused = await linked.type("/here", chat=TEAM)
    assert "Only an admin of this group or channel may send /here in it." in refused.text
    await linked.type("/here", chat=TEAM, as_="other")
    await linked.press("Send mine here", chat=TEAM)
    await linked.press("Yes")
    assert await heard(linked) == ["balances", "fills", "transfers"]


async def test_a_stranger_offers_nothing(linked: Bot) -> None:
    """Neither by typing nor by pressing."""
    await linked.type("/here", chat=TEAM)
    assert "Only members" in (await linked.type("/here", chat=TEAM, as_=STRANGER)).text
    before = await rows(linked, "consents")
    await linked.press("Send mine here", chat=TEAM, as_=STRANGER)
    assert linked.chat.toasts[-1] == "Only members of this bot may press its buttons."
    assert await rows(linked, "consents") == before


async def test_nobody_says_yes_for_somebody_else(linked: Bot, bitso: Running) -> None:
    """The button is the owner's, in their own chat; copied elsewhere it does nothing."""
    await linked.type("/here", chat=TEAM)
    yes = linked.button("Yes", YOU)
    await press(linked, yes.action, as_="other", chat=TEAM)
    assert "isn't yours" in linked.chat.toasts[-1]
    assert await heard(linked) == []


async def test_somebody_the_bot_cannot_write_to_opens_the_chat(bot: Bot, bitso: Running) -> None:
    """The group's answer is a button that opens the private chat; there the question waits."""
    await connect(bot, bitso)
    await bot.happens("left", chat=YOU)
    shown = await bot.type("/here", chat=TEAM)
    assert "I can't write to you yet" in shown.text
    (door,) = [b for b in shown.buttons if b.url]
    assert (door.text, door.url) == ("Open private chat", "https://chat.example/?start=alerts")
    await bot.type("/start alerts")
    await bot.press("Answer: “Team”")
    assert QUESTION in bot.last().text
    await bot.press("Yes")
    assert await heard(bot) == ["balances", "fills", "transfers"]


async def test_start_asks_what_waited(linked: Bot) -> None:
    """Whoever comes by a plain /start is asked as well."""
    await linked.happens("left", chat=YOU)
    await linked.type("/here", chat=TEAM)
    assert QUESTION in (await linked.type("/start")).text


async def test_a_topic_is_a_target_of_its_own(linked: Bot, bitso: Running) -> None:
    """What goes to one topic does not go to the group, nor to another topic."""
    read = linked.chat.parse

    def in_topic(self: Chat, raw: Mapping[str, Any]) -> Incoming | None:
        heard = read(raw)
        if not isinstance(heard, Said | Pressed) or heard.who.channel != TEAM:
            return heard
        return replace(heard, who=replace(heard.who, thread="9"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Chat, "parse", in_topic)
        await share(linked)
    assert "to “Team”, topic 9" in linked.last().text
    targets = {row["conversation"] for row in await rows(linked, "subscriptions")}
    places = [row for row in await rows(linked, "conversations", channel=TEAM) if row["id"] in targets]
    assert [row["thread"] for row in places] == ["9"]


async def test_an_account_that_went_meanwhile_goes_nowhere(linked: Bot) -> None:
    """Asked, disconnected, then *Yes*: a sentence, and nothing starts."""
    await linked.type("/here", chat=TEAM)
    yes = linked.button("Yes", YOU)
    await linked.type("/disconnect")
    await linked.press("Yes, do it")
    await press(linked, yes.action)
    assert "no longer connected" in linked.last().text
    assert await heard(linked) == []


async def test_whoever_left_the_list_gets_no_target(linked: Bot) -> None:
    """Rights are asked at the press, not when the button was made."""
    await linked.type("/here", chat=TEAM)
    yes = linked.button("Yes", YOU)
    vars(linked.dispatcher)["_ctx"] = type(linked.ctx)(
        **{**vars(linked.ctx), "roster": Roster(frozenset(), frozenset())}
    )
    await press(linked, yes.action)
    assert linked.chat.toasts[-1] == "Only members of this bot may press its buttons."
    assert await heard(linked) == []


async def press(bot: Bot, button: str, *, as_: str = YOU, chat: str = YOU) -> None:
    """Press a button by its id, whatever the chat shows by now."""
    raw = {"kind": "pressed", "user": as_, "chat": chat, "button": button, "id": "m"}
    await bot.inlet.put("web", f"p{next(bot.events)}", raw)
    await bot._handled()


async def heard(bot: Bot) -> list[str]:
    """Return the kinds that go to the team's chat."""
    team = {row["id"] for row in await rows(bot, "conversations", channel=TEAM)}
    return sorted(row["kind"] for row in await rows(bot, "subscriptions") if row["conversation"] in team)
