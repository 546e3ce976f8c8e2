"""A message that can't be edited any more on Slack is shown anew, and the chat around it stays known."""

import pytest

from tests.support.rows import rows
from tests.support.slackapi import Fault
from tests.support.slackbot import ANA, SlackBot


@pytest.mark.parametrize(
    "what", ["message_not_found", "channel_not_found", "is_inactive", "not_in_channel", "edit_window_closed"]
)
async def test_a_card_whose_message_or_channel_is_gone_comes_anew(slackbot: SlackBot, what: str) -> None:
    """A private chat may get another id, as when the app is made anew: that is no reason to fall silent."""
    shown = await slackbot.say(ANA, "connect bitso")
    before = len(slackbot.words(ANA))
    slackbot.api.fail("chat.update", what)
    await slackbot.press(shown, "Next", ANA)
    assert len(slackbot.words(ANA)) == before + 1
    assert "step 2 of" in slackbot.words(ANA)[-1]
    (chat,) = await rows(slackbot.bot, "conversations", channel=ANA)
    assert chat["live"]
    assert {row["state"] for row in await rows(slackbot.bot, "outbox")} == {"sent"}


async def test_an_edit_whose_answer_was_cut_is_made_again_and_shown_once(slackbot: SlackBot) -> None:
    """To edit twice is to edit once."""
    shown = await slackbot.say(ANA, "connect bitso")
    before = len(slackbot.words(ANA))
    slackbot.api.fail("chat.update", Fault.CLOSE)
    await slackbot.press(shown, "Next", ANA)
    assert len(slackbot.words(ANA)) == before
    assert "step 2 of" in slackbot.words(ANA)[-1]
