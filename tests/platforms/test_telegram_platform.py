"""How the bot introduces itself on Telegram, and the small answers around a message."""

import pytest

from chatbot.domain.messages import Button, message
from chatbot.errors import ConfigError
from chatbot.platforms.telegram import Telegram
from tests.support.telegrams import ANA, Notes, QuickClock, delivery


async def test_commands_are_listed_by_scope_and_language(bot):
    """Private chats list what a member may do, groups only what is answered there, nobody the admins'."""
    await bot.start()

    listed = {key: [c["command"] for c in commands] for key, commands in bot.api.commands.items()}
    assert listed == {
        **{("all_private_chats", code): ["balances", "connect", "start"] for code in ("", "es", "pt")},
        **{("all_group_chats", code): ["balances", "start"] for code in ("", "es", "pt")},
    }
    assert bot.api.commands["all_group_chats", ""][0]["description"] == "Show balances"


async def test_a_refused_list_does_not_stop_the_bot(bot):
    """A list that Telegram won't take is noted; the bot works on."""
    bot.api.refuse("setMyCommands", 400, "Bad Request: BOT_COMMAND_INVALID")
    await bot.start()
    await bot.api.until(lambda: bot.api.count("getUpdates"))

    assert bot.notes.actions() == ["telegram_commands_refused"]


async def test_answering_a_press_never_fails(bot):
    """The toast shows; for a press that is too old, or with Telegram away, nothing happens."""
    await bot.start()
    await bot.telegram.deliver(delivery(message("pick", buttons=((Button("Next", "id1"),),))))
    query = await bot.api.press(bot.api.latest(ANA), "Next")
    [row] = await bot.until_stored(1)
    pressed = bot.telegram.parse(row)
    await bot.telegram.answer(pressed, "Muted" * 100)
    bot.api.refuse("answerCallbackQuery", 400, "Bad Request: query is too old")
    await bot.telegram.answer(pressed, "late")
    await bot.api.wire.vanish()
    await bot.telegram.answer(pressed, "away")

    assert bot.api.answers == {query: ("Muted" * 100)[:200]}


async def test_the_deep_link(bot):
    """It opens the private chat with a payload; one that Telegram would not carry is left out."""
    assert bot.telegram.private_url("connect") == ""
    assert await bot.telegram.check() == "@keyherald_bot"

    assert bot.telegram.private_url("connect_bitso") == "https://t.me/keyherald_bot?start=connect_bitso"
    assert bot.telegram.private_url("not this") == "https://t.me/keyherald_bot"


async def test_the_lease_names_the_bot_and_not_the_token(bot):
    """Two processes with one token want the same lease, and a new token of the same bot too."""
    assert bot.telegram.lease_name == "telegram:4242"


@pytest.mark.parametrize("token", ["", "nonsense", "12:with space", "https://x"])
def test_what_can_not_be_a_token_is_refused_unspoken(token):
    """The start is refused in a sentence that does not repeat what was given."""
    with pytest.raises(ConfigError) as raised:
        Telegram(token=token, public_url="https://x.example", clock=QuickClock(), log=Notes())

    assert "TELEGRAM_BOT_TOKEN" in str(raised.value)
    assert not token or token not in str(raised.value)
