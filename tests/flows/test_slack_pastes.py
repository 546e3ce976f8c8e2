"""A secret pasted on Slack: the bot may not delete what a person wrote there, and does not say that it did."""

import secrets

import pytest

from tests.support import leaks
from tests.support.rows import rows
from tests.support.slackbot import ANA, STRANGER, SlackBot

BY_HAND = "Delete it yourself now: point at it, press ⋮ (More actions), then Delete message"
PROMISE = "took your message out"


@pytest.fixture
def secret() -> str:
    """Something that looks like a secret."""
    return secrets.token_hex(16)


@pytest.mark.parametrize("form", ["{}", "```{}```", "connect bitso {}", "> {}"])
async def test_who_pastes_is_told_to_delete_it_and_how(slackbot: SlackBot, secret, tmp_path, form) -> None:
    """Promised is only what we do: the message stays until its author takes it away."""
    shown = await slackbot.say(ANA, form.format(secret))
    assert BY_HAND in shown.words
    assert "treat that key as leaked" in shown.words
    assert PROMISE not in shown.words
    assert [method for method, _ in slackbot.api.calls if method == "chat.delete"] == []
    (entry,) = await rows(slackbot.bot, "audit", action="secret_pasted")
    assert entry["outcome"] == "told"
    assert leaks.found(slackbot.bot, tmp_path, secret) == []


async def test_in_a_channel_it_is_said_to_its_author_alone(slackbot: SlackBot, secret, tmp_path) -> None:
    """Everybody there can read the secret until it is deleted; nobody is pointed at it."""
    await slackbot.say(ANA, f"connect bitso {secret}", "CTEAM")
    assert BY_HAND in slackbot.api.latest(ANA).words
    assert (len(slackbot.words("CTEAM")), slackbot.api.whispers(ANA)) == (0, [])
    assert leaks.found(slackbot.bot, tmp_path, secret) == []


async def test_a_slash_command_leaves_nothing_to_delete(slackbot: SlackBot, secret, tmp_path) -> None:
    """Nobody saw it in the chat; the key is leaked all the same."""
    await slackbot.slash(ANA, "/connect", f"bitso {secret}", "CTEAM")
    shown = slackbot.api.latest(ANA)
    assert "nobody else saw it in the chat" in shown.words
    assert "treat that key as leaked" in shown.words
    assert (BY_HAND in shown.words, PROMISE in shown.words) == (False, False)
    assert leaks.found(slackbot.bot, tmp_path, secret) == []


async def test_a_stranger_is_told_in_private_too(slackbot: SlackBot, secret) -> None:
    """Whoever it is: what stands in the channel is theirs to delete, and the channel reads nothing."""
    await slackbot.say(STRANGER, secret, "CTEAM")
    assert BY_HAND in slackbot.api.latest(STRANGER).words
    assert slackbot.api.latest(STRANGER).buttons == ["Open Bitso"]
    assert (slackbot.words("CTEAM"), slackbot.api.whispers(STRANGER)) == ([], [])
