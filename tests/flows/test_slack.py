"""The main job typed on Slack, over real HTTP on both sides: connect, link, confirm, balances, fill, revoke."""

import pytest

from tests.support import leaks
from tests.support.page import submit
from tests.support.rows import rows
from tests.support.slackbot import ANA, BEN, CHIEF, SlackBot

LAST_FOUR = -4


async def test_the_main_job_typed_on_slack(slackbot: SlackBot, bitso, tmp_path) -> None:
    """From the first word to a revoked key, all in the person's own conversation with the app."""
    await slackbot.connect(ANA, bitso)
    said = slackbot.words(ANA)
    assert "is connected" in "\n".join(said)
    assert "Total $" in said[-1]

    assert "Total $" in (await slackbot.say(ANA, "/balances")).words
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await slackbot.turn(seconds=31)
    assert "Bought 0.01 BTC" in slackbot.api.latest(ANA).words

    chosen = await slackbot.say(CHIEF, "revoke")
    assert chosen.buttons == [f"Bitso …{bitso.state.key[LAST_FOUR:]} · uana"]
    question = await slackbot.press(chosen, "Bitso", CHIEF)
    await slackbot.press(question, "Yes, do it", CHIEF)
    assert "is revoked" in slackbot.api.latest(CHIEF).words
    assert "An admin revoked Bitso" in slackbot.api.latest(ANA).words
    assert await rows(slackbot.bot, "accounts", state="active") == []
    assert leaks.found(slackbot.bot, tmp_path, bitso.state.key, bitso.state.secret) == []


async def test_the_guide_is_one_message_that_changes(slackbot: SlackBot) -> None:
    """*Next* turns the page; it does not fill the conversation."""
    first = await slackbot.say(ANA, "connect bitso")
    assert "step 1 of" in first.words
    second = await slackbot.press(first, "Next")
    assert (second.id, second.edits) == (first.id, 1)
    assert "step 2 of" in second.words
    assert "step 1 of" in (await slackbot.press(second, "Back")).words


@pytest.mark.parametrize("words", ["connect bitso", "/connect bitso", "Connect bitso"])
async def test_a_command_needs_no_slash_in_private(slackbot: SlackBot, words: str) -> None:
    """Slack keeps a slash for itself, so a command's name alone is enough in the conversation."""
    assert "step 1 of" in (await slackbot.say(ANA, words)).words


@pytest.mark.parametrize(("command", "words"), [("/connect", "bitso"), ("/keyherald", "connect bitso")])
async def test_slash_commands_do_the_same(slackbot: SlackBot, command: str, words: str) -> None:
    """By its own name or behind the one that takes them all."""
    await slackbot.slash(ANA, command, words)
    assert "step 1 of" in slackbot.api.latest(ANA).words


async def test_the_one_command_alone_is_help(slackbot: SlackBot) -> None:
    """Whoever types only /keyherald reads what there is."""
    await slackbot.slash(ANA, "/keyherald")
    assert "/balances" in slackbot.api.latest(ANA).words


async def test_the_link_stands_in_one_url_button_and_nowhere_else(slackbot: SlackBot, bitso) -> None:
    """Not in a text, a notification, a value, a channel, or anything else that Slack was ever sent."""
    await slackbot.slash(ANA, "/connect", "bitso", "CTEAM")
    url = await slackbot.link(ANA)
    sent = [(method, repr(params)) for method, params in slackbot.api.calls if url in repr(params)]
    assert {method for method, _ in sent} <= {"chat.postMessage", "chat.update"}
    assert [text.count(url) for _, text in sent] == [1] * len(sent)
    shown = slackbot.api.latest(ANA)
    assert shown.button("Open secure page")["url"] == url
    assert shown.button("Open secure page").get("value") is None
    assert url not in repr([(m.text, m.metadata) for m in slackbot.api.shown(ANA)])
    assert all(url not in repr(m) for m in slackbot.api.shown("CTEAM"))


async def test_pressing_the_link_is_acknowledged_and_does_nothing(slackbot: SlackBot, bitso) -> None:
    """Slack tells of URL buttons too; the address in what it tells is not kept."""
    url = await slackbot.link(ANA)
    before = len(await rows(slackbot.bot, "inbox"))
    sent = await slackbot.api.press(slackbot.api.latest(ANA), "Open secure page")
    assert (sent.url, sent.status) == (url, 200)
    assert len(await rows(slackbot.bot, "inbox")) == before
    assert await submit(slackbot.bot.desk, url, bitso.state.key, bitso.state.secret)


async def test_a_command_in_a_channel_is_answered_in_private(slackbot: SlackBot, bitso) -> None:
    """Balances go to the person alone; the channel shows nothing, and the asker a pointer."""
    await slackbot.connect(ANA, bitso)
    await slackbot.slash(ANA, "/balances", "", "CTEAM")
    assert "Total $" in slackbot.api.latest(ANA).words
    assert slackbot.words("CTEAM") == []
    assert "I answered you in private." in slackbot.api.whispers(ANA)[-1].words


async def test_where_the_bot_is_not_the_pointer_comes_in_private_too(slackbot: SlackBot, bitso) -> None:
    """Slash commands work in every channel; nothing is lost where the bot may not speak."""
    await slackbot.connect(ANA, bitso)
    await slackbot.slash(ANA, "/balances", "", "CALONE")
    assert any("Total $" in words for words in slackbot.words(ANA)[-2:])
    assert slackbot.words("CALONE") == []
    assert slackbot.api.whispers(ANA) == []
    assert await rows(slackbot.bot, "conversations", channel="CALONE", live=False) == []


async def test_in_a_conversation_of_two_others_nothing_is_posted(slackbot: SlackBot, bitso) -> None:
    """A command typed in somebody's own direct message is answered in the app's."""
    await slackbot.connect(ANA, bitso)
    slackbot.api.world.channel("DANABEN", members=[ANA, BEN], kind="im", bot=False)
    await slackbot.slash(ANA, "/balances", "", "DANABEN")
    assert "Total $" in slackbot.api.latest(ANA).words
    assert slackbot.words("DANABEN") == []


async def test_in_a_thread_the_bot_is_mentioned(slackbot: SlackBot, bitso) -> None:
    """Slash commands can't be typed there; a mention is answered, whispered into that thread."""
    parent = await slackbot.api.mention(ANA, "help", "CTEAM")
    await slackbot.handled()
    assert parent.shown is not None
    await slackbot.api.mention(ANA, "help", "CTEAM", parent.shown.ts)
    await slackbot.handled()
    assert [shown.thread for shown in slackbot.api.whispers(ANA)] == ["", parent.shown.ts]
    assert all("/here" in shown.words for shown in slackbot.api.whispers(ANA))


async def test_a_label_of_3000_characters_breaks_nothing(slackbot: SlackBot, bitso) -> None:
    """It is cut to what we store; nothing is refused by Slack and the account works."""
    label = "<!channel> *x* & " + "ñ" * 2983
    shown = await slackbot.say(ANA, f"connect bitso {label}")
    assert "step 1 of" in shown.words
    await slackbot.connect(ANA, bitso)
    assert "Total $" in (await slackbot.say(ANA, "balances")).words
    assert "<!channel> *x* &" in (await slackbot.say(ANA, "accounts")).words


async def test_the_home_page_shows_accounts_and_follows_them(slackbot: SlackBot, bitso) -> None:
    """Opened, it shows what there is; it is published again when something changes, and its buttons answer."""
    await slackbot.api.open_home(ANA)
    await slackbot.handled()
    home = slackbot.api.world.homes["T1", ANA]
    assert "Connect Bitso" in home.buttons
    await slackbot.connect(ANA, bitso)
    await slackbot.bot.turn(jobs=("publish_homes",))
    await slackbot.settle()
    home = slackbot.api.world.homes["T1", ANA]
    assert f"…{bitso.state.key[LAST_FOUR:]}" in home.words
    await slackbot.api.press(home, "Balances")
    await slackbot.handled()
    assert "Total $" in slackbot.api.latest(ANA).words
