"""Who may do what on Slack: strangers, guests, forged presses, admins of the workspace, and repeats."""

import asyncio
from pathlib import Path

import pytest

from tests.support import slackapi
from tests.support.rows import rows
from tests.support.slackbot import ANA, BEN, CHIEF, GUEST, STRANGER, SlackBot, open_slackbot, people

NOT_YOURS = "This button isn't yours, or its time is over."


async def test_a_stranger_reads_their_id_and_nothing_else(slackbot: SlackBot) -> None:
    """The id is what an admin needs; in a channel not even that is said aloud."""
    shown = await slackbot.say(STRANGER, "balances")
    assert f"slack:T1/{STRANGER}" in shown.words
    await slackbot.slash(STRANGER, "/connect", "bitso", "CTEAM")
    assert slackbot.words("CTEAM") == []
    assert "Only members of this bot" in slackbot.api.whispers(STRANGER)[-1].words
    assert await rows(slackbot.bot, "guides") == []


@pytest.mark.parametrize(
    "flags",
    [
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"is_bot": True},
        {"deleted": True},
        {"is_stranger": True},
        {"team_id": "T9"},
    ],
)
async def test_guests_and_people_of_elsewhere_see_nothing(slackbot: SlackBot, flags) -> None:
    """On the list or not: what they type is taken, and answered by nothing at all."""
    slackbot.api.world.person(GUEST, **flags)
    sent = await slackbot.api.say(GUEST, "help")
    await slackbot.slash(GUEST, "/balances", "", "CTEAM")
    assert sent.status == 200
    assert (slackbot.words(GUEST), slackbot.words("CTEAM"), slackbot.api.whispers(GUEST)) == ([], [], [])
    assert await rows(slackbot.bot, "people") == []


async def test_people_of_a_shared_channel_see_nothing(slackbot: SlackBot) -> None:
    """Over Slack Connect another company reads along; what its people write is not ours to answer."""
    await slackbot.api.mention("UBEN", "help", "CTEAM", user_team="T9", team="T9", source_team="T9")
    await slackbot.handled()
    assert (slackbot.words("CTEAM"), slackbot.api.whispers("UBEN")) == ([], [])


async def test_bots_and_edits_are_not_answered(slackbot: SlackBot) -> None:
    """Our own words come back to us as events; answering them would never end."""
    for fields in (
        {"bot_id": "BBOT", "user": slackapi.BOT},
        {"subtype": "message_changed"},
        {"bot_id": "B9"},
    ):
        await slackbot.api.say(ANA, "help", **fields)
    await slackbot.handled()
    assert slackbot.words(ANA) == []


async def test_a_group_conversation_is_a_group(slackbot: SlackBot) -> None:
    """Several people with the bot: what is personal goes to who asked alone."""
    slackbot.api.world.channel("GTHREE", members=[ANA, BEN], kind="mpim")
    await slackbot.slash(ANA, "/connect", "bitso", "GTHREE")
    assert "step 1 of" in slackbot.api.latest(ANA).words
    assert slackbot.words("GTHREE") == []


async def test_a_forged_button_does_nothing(slackbot: SlackBot) -> None:
    """An id nobody was given is told so, to who pressed it alone."""
    shown = await slackbot.say(ANA, "help")
    element = {"type": "button", "action_id": "f0r9ed", "text": {"type": "plain_text", "text": "Confirm"}}
    sent = await slackbot.api.press_element(shown, element, ANA)
    await slackbot.handled()
    assert sent.status == 200
    assert slackbot.api.whispers(ANA)[-1].words == NOT_YOURS


async def agreed(slackbot: SlackBot, channel: str, thread: str = "") -> slackapi.Shown:
    """/here in a channel and the owner's yes in private; returns what the channel then shows."""
    await slackbot.say(CHIEF, "here", channel, thread)
    await slackbot.press(slackbot.api.latest(CHIEF), "Yes, send them there", CHIEF)
    return slackbot.api.latest(channel, thread)


async def test_another_persons_button_does_nothing(slackbot: SlackBot, bitso) -> None:
    """Whoever sees a button in a channel can press it; only whom it is for gets an effect."""
    await slackbot.connect(CHIEF, bitso)
    shown = await agreed(slackbot, "CTEAM")
    subscribed = len(await rows(slackbot.bot, "subscriptions"))
    await slackbot.press(shown, "Stop", BEN)
    assert slackbot.api.whispers(BEN)[-1].words == NOT_YOURS
    assert len(await rows(slackbot.bot, "subscriptions")) == subscribed
    assert "Stopped" in (await slackbot.press(shown, "Stop", CHIEF)).words


async def test_a_guest_may_not_press_either(slackbot: SlackBot) -> None:
    """What Slack says of somebody counts on every press, also after it has changed."""
    shown = await slackbot.say(BEN, "connect")
    slackbot.api.world.person(BEN, is_restricted=True)
    slackbot.bot.clock.advance(minutes=6)
    await slackbot.press(shown, "Bitso", BEN)
    assert await rows(slackbot.bot, "guides") == []
    assert len(slackbot.words(BEN)) == 1


async def test_here_needs_an_admin_of_the_workspace(slackbot: SlackBot, bitso) -> None:
    """A member with an account is refused; Slack's admin flag alone is no role of ours either."""
    await slackbot.connect(ANA, bitso)
    before = len(await rows(slackbot.bot, "subscriptions"))
    await slackbot.slash(ANA, "/here", "", "CTEAM")
    assert "Only an admin of this group or channel" in slackbot.api.whispers(ANA)[-1].words
    slackbot.api.world.person(STRANGER, is_owner=True)
    await slackbot.slash(STRANGER, "/here", "", "CTEAM")
    assert "Only members of this bot" in slackbot.api.whispers(STRANGER)[-1].words
    assert (len(await rows(slackbot.bot, "subscriptions")), slackbot.words("CTEAM")) == (before, [])


async def test_here_in_a_thread_sends_fills_into_that_thread(slackbot: SlackBot, bitso) -> None:
    """The thread is a place of its own: the channel around it stays quiet."""
    await slackbot.connect(CHIEF, bitso)
    parent = await slackbot.api.mention(CHIEF, "help", "CTEAM")
    await slackbot.handled()
    assert parent.shown is not None
    shown = await agreed(slackbot, "CTEAM", parent.shown.ts)
    assert "come here" in shown.words
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await slackbot.turn(seconds=31)
    assert "Bought 0.01 BTC" in slackbot.words("CTEAM", parent.shown.ts)[-1]
    assert "Bought 0.01 BTC" in slackbot.api.latest(CHIEF).words
    assert slackbot.words("CTEAM") == []


async def test_three_deliveries_have_one_effect(tmp_path: Path, bitso) -> None:
    """Slack sends again what it saw no answer to; two processes on one database answer once."""
    async with slackapi.running() as api:
        people(api)
        async with (
            open_slackbot(tmp_path, {"bitso": bitso.origin}, api) as one,
            open_slackbot(tmp_path, {"bitso": bitso.origin}, api, clock=one.bot.clock) as two,
        ):
            targets = [one.api.target, two.api.target]
            said, slashed = await api.say(ANA, "help"), await api.slash(ANA, "/keyherald", "connect")
            await one.handled()
            pressed = await api.press(api.latest(ANA), "Bitso")
            for number in (1, 2):
                api.target = targets[number % 2]
                for sent in (said, slashed, pressed):
                    await api.redeliver(sent, number)
            await asyncio.gather(one.bot.dispatcher.sweep(), two.bot.dispatcher.sweep())
            # Both handle what came in; only the one with the token's lease sends.
            await one.settle()
        assert said.statuses == slashed.statuses == pressed.statuses == [200] * 3
        told = [
            ("/balances" in words, "Which exchange" in words, "step 1 of" in words)
            for words in one.words(ANA)
        ]
        assert told == [(True, False, False), (False, True, False), (False, False, True)]
        assert api.complaints == []


async def test_somebody_new_is_known_by_name_and_answered_in_their_language(slackbot: SlackBot) -> None:
    """From the first word on, though Slack's events tell neither."""
    slackbot.api.world.person(ANA, locale="pt-BR")
    shown = await slackbot.say(ANA, "help")

    [person] = await rows(slackbot.bot, "people")
    assert (person["name"], person["locale"]) == (slackbot.api.world.users["T1", ANA]["name"], "pt")
    assert "/connect" in shown.words
