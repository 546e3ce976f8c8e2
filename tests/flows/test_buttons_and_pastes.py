"""What may go wrong at the keyboard: buttons pressed twice, late or by others, and secrets pasted into a chat."""

import secrets
from pathlib import Path

import pytest

from tests.support import leaks
from tests.support.bot import ADMIN, STRANGER, TEAM, YOU, Bot, link_of, open_bot
from tests.support.page import submit
from tests.support.practice import Running
from tests.support.rows import rows

ORDINARY = (
    "hello there",
    "what is BTC at today?",
    "/rename Savings account",
    "my ref is 0123456789",
    "https://example.com/some/path?with=query",
    "JavaScript and PostgreSQL",
)
HEX = {"bitso secret": 16, "forty": 20, "sixty-four": 32}


async def test_a_button_pressed_twice_does_the_same_once_more(bot: Bot) -> None:
    """*Next* is a place to go to, not a step from wherever one is."""
    first = await bot.type("/connect bitso")
    button = bot.button("Next", YOU, first)
    for _ in range(2):
        await _press_id(bot, button.action, YOU)
    assert "step 2 of" in bot.last().text


async def test_confirm_pressed_twice_says_the_same_twice(bot: Bot, bitso: Running) -> None:
    """A double tap does not frighten: the account is connected, and that is what it says."""
    await submit(bot.desk, await link_of(bot), bitso.state.key, bitso.state.secret)
    await bot.turn()
    button = bot.button("Confirm", YOU)
    for _ in range(2):
        await _press_id(bot, button.action, YOU)
        assert "is connected" in bot.last().text
    assert [row["action"] for row in await rows(bot, "audit")].count("confirm") == 1


@pytest.mark.parametrize("who", [ADMIN, "other", STRANGER])
async def test_a_button_of_somebody_else_does_nothing(bot: Bot, who: str) -> None:
    """Neither in another chat nor in the same group."""
    await bot.type("/connect bitso")
    button = bot.button("Next", YOU)
    for chat in (who, YOU):
        await _press_id(bot, button.action, who, chat)
    assert "step 1 of" in bot.last(YOU).text
    assert bot.chat.toasts[-1] != ""


async def test_a_button_ends_after_its_time(bot: Bot) -> None:
    """A month later it says so in a toast."""
    await bot.type("/currency")
    bot.clock.advance(days=31)
    await bot.press("MXN")
    assert "its time is over" in bot.chat.toasts[-1]
    assert [row["currency"] for row in await rows(bot, "people")] == ["USD"]


@pytest.mark.parametrize("button", ["", "nonsense", "x" * 5000, "'; DROP TABLE people; --"])
async def test_a_made_up_button_is_answered_with_a_toast(bot: Bot, button: str) -> None:
    """Forged ids lead nowhere and break nothing."""
    await bot.type("/start")
    await _press_id(bot, button, YOU)
    assert "isn't yours" in bot.chat.toasts[-1]


async def test_a_button_of_an_earlier_version_is_answered_with_a_toast(bot: Bot) -> None:
    """An action that no longer exists is no error."""
    await bot.type("/privacy")
    del bot.registry.actions["privacy.ask"]
    await bot.press("Delete everything of mine")
    assert "its time is over" in bot.chat.toasts[-1]
    assert [line for line in bot.log.lines if line[0] == "error"] == []


@pytest.mark.parametrize("kind", HEX)
async def test_a_pasted_hex_secret_is_erased_and_kept_nowhere(bot: Bot, tmp_path: Path, kind: str) -> None:
    """The message goes, the person is told what to do, and no file or line holds the secret."""
    secret = secrets.token_hex(HEX[kind])
    shown = await bot.type(f"my secret is {secret} thanks")
    assert len(bot.chat.erased) == 1
    assert "Delete it at Bitso now" in shown.text
    assert shown.labels == ["Open Bitso", "Connect safely"]
    assert leaks.found(bot, tmp_path, secret) == []


async def test_a_pasted_bitso_key_is_erased_and_kept_nowhere(
    bot: Bot, tmp_path: Path, bitso: Running
) -> None:
    """Keys are recognised by their letters, also as an argument of a command."""
    for text in (bitso.state.key, f"/connect {bitso.state.key}", f"key={bitso.state.key}"):
        await bot.type(text)
    assert len(bot.chat.erased) == 3
    assert leaks.found(bot, tmp_path, bitso.state.key) == []
    assert "step 1 of" in (await bot.press("Connect safely")).text


async def test_a_strangers_secret_is_erased_as_well(bot: Bot, tmp_path: Path) -> None:
    """Whoever it is: a leaked secret is warned about."""
    secret = secrets.token_hex(16)
    assert "treat that key as leaked" in (await bot.type(secret, as_=STRANGER)).text
    assert leaks.found(bot, tmp_path, secret) == []


async def test_a_strangers_secret_in_a_group_is_erased_without_a_word_there(bot: Bot, tmp_path: Path) -> None:
    """The group reads nothing; the advice goes to the stranger's private chat where there is one."""
    secret = secrets.token_hex(16)
    await bot.inlet.put("web", "paste1", _said(secret, TEAM) | {"user": STRANGER})
    await bot.dispatcher.sweep()
    await bot.turn()
    assert (len(bot.chat.erased), bot.texts(TEAM)) == (1, [])
    await bot.type("/start", as_=STRANGER)
    await bot.inlet.put("web", "paste2", _said(secret, TEAM) | {"user": STRANGER})
    await bot.dispatcher.sweep()
    await bot.turn()
    assert (len(bot.chat.erased), bot.texts(TEAM)) == (2, [])
    assert "treat that key as leaked" in bot.last(STRANGER).text
    assert bot.last(STRANGER).labels == ["Open Bitso"]
    assert len(await rows(bot, "audit", action="secret_pasted")) == 2
    assert leaks.found(bot, tmp_path, secret) == []


async def test_a_secret_in_a_group_is_erased_and_told_in_private(bot: Bot, tmp_path: Path) -> None:
    """The group sees that the message is gone; the advice goes to its author."""
    await bot.type("/start")
    secret = secrets.token_hex(16)
    await bot.inlet.put("web", "group-paste", _said(secret, TEAM))
    await bot.turn(jobs=())
    await bot.dispatcher.sweep()
    await bot.turn()
    assert len(bot.chat.erased) == 1
    assert "treat that key as leaked" in bot.last(YOU).text
    assert leaks.found(bot, tmp_path, secret) == []


async def test_a_paste_is_in_the_audit_without_its_text(bot: Bot) -> None:
    """What happened is known later, what it said is not."""
    await bot.type(secrets.token_hex(16))
    (entry,) = await rows(bot, "audit", action="secret_pasted")
    assert (entry["actor"], entry["subject"], entry["outcome"]) == ("web:you", "bitso", "erased")


@pytest.mark.parametrize("text", ORDINARY)
async def test_ordinary_messages_are_left_alone(bot: Bot, text: str) -> None:
    """Words, names, numbers and addresses are no secrets."""
    await bot.type(text)
    assert bot.chat.erased == []
    assert await rows(bot, "audit") == []


async def test_an_update_is_handled_once_however_often_it_comes(tmp_path: Path, bitso: Running) -> None:
    """A platform that repeats itself, also after a restart, gets one answer."""
    async with open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
        for _ in range(3):
            await bot.inlet.put("web", "same", _said("/start", YOU))
            await bot.dispatcher.sweep()
        await bot.turn()
        assert len(bot.texts()) == 1
    async with open_bot(tmp_path, {"bitso": bitso.origin}) as again:
        assert not await again.inlet.put("web", "same", _said("/start", YOU))


def _said(text: str, chat: str) -> dict[str, str]:
    return {"kind": "said", "user": YOU, "chat": chat, "text": text, "id": "m1", "locale": ""}


async def _press_id(bot: Bot, button: str, who: str, chat: str = "") -> None:
    raw = {"kind": "pressed", "user": who, "chat": chat or who, "button": button, "id": "m"}
    await bot.inlet.put("web", secrets.token_hex(4), raw)
    await bot.dispatcher.sweep()
    await bot.turn(jobs=("deliver_messages",))
