"""The first words between a person and the bot: hello, help, settings, and who may speak at all."""

import pytest

from tests.support.bot import ADMIN, STRANGER, TEAM, Bot
from tests.support.rows import rows, tables_naming

BAD_VALUES = {
    "/currency gold": "/currency MXN",
    "/currency 12": "/currency MXN",
    "/timezone Atlantis": "/timezone America/Mexico_City",
    "/timezone ../../etc/passwd": "/timezone America/Mexico_City",
    "/language klingon": "/language es",
}
GOOD_VALUES = {
    "/currency mxn": ("currency", "MXN"),
    "/currency usdt": ("currency", "USDT"),
    "/timezone america/mexico_city": ("timezone", "America/Mexico_City"),
    "/timezone sao paulo": ("timezone", "America/Sao_Paulo"),
    "/language es": ("locale", "es"),
    "/language espanol": ("locale", "es"),
    "/language Português": ("locale", "pt"),
}


async def test_start_says_what_the_bot_does_and_where_to_begin(bot: Bot) -> None:
    """Whoever opens the chat knows in four lines what this is, and has a button to go on."""
    shown = await bot.type("/start")
    assert "can't move money" in shown.text
    assert "Connect Bitso" in shown.labels
    assert "step 1 of" in (await bot.press("Connect Bitso")).text


async def test_start_in_a_group_offers_nothing_personal(bot: Bot) -> None:
    """The exchanges are offered in private only."""
    assert (await bot.type("/start", chat=TEAM)).labels == []


async def test_help_names_only_what_the_sender_may_do(bot: Bot) -> None:
    """A member does not even see that there are commands for admins."""
    member, admin = await bot.type("/help"), await bot.type("/help", as_=ADMIN)
    assert "/balances" in member.text
    assert "/revoke" not in member.text
    assert "/revoke" in admin.text


async def test_help_in_a_group_names_what_works_there(bot: Bot) -> None:
    """What is personal is not offered where others read along."""
    shown = await bot.type("/help", chat=TEAM)
    assert "/here" in shown.text
    assert "/balances" not in shown.text


async def test_help_begins_with_what_is_used_first(bot: Bot) -> None:
    """Connecting and reading come before settings, not by the alphabet."""
    text = (await bot.type("/help")).text
    order = [text.index(f"/{name} ") for name in ("connect", "accounts", "balances", "disconnect", "cancel")]
    assert order == sorted(order)


@pytest.mark.parametrize("typed", BAD_VALUES)
async def test_a_bad_value_is_answered_with_an_example_and_changes_nothing(bot: Bot, typed: str) -> None:
    """The sentence shows a line that works; the setting stays as it was."""
    await bot.type("/start")
    before = await rows(bot, "people")
    assert BAD_VALUES[typed] in (await bot.type(typed)).text
    assert await rows(bot, "people") == before


@pytest.mark.parametrize("typed", GOOD_VALUES)
async def test_a_setting_is_taken_as_people_write_it(bot: Bot, typed: str) -> None:
    """Case, accents and cities are no hurdle."""
    name, value = GOOD_VALUES[typed]
    await bot.type(typed)
    (person,) = await rows(bot, "people")
    assert person[name] == value


@pytest.mark.parametrize("command", ["currency", "timezone", "language"])
async def test_a_setting_without_a_value_offers_some(bot: Bot, command: str) -> None:
    """Nobody has to know a code by heart: a press on an offer sets it."""
    shown = await bot.type(f"/{command}")
    before = await rows(bot, "people")
    await bot.press(shown.labels[1])
    assert await rows(bot, "people") != before


async def test_a_misspelt_zone_offers_those_that_come_near(bot: Bot) -> None:
    """Half a zone's name is enough to choose from."""
    shown = await bot.type("/timezone mexico something")
    assert shown.labels
    assert all("exico" in label for label in shown.labels)


async def test_a_stranger_reads_one_sentence_with_their_own_id(bot: Bot) -> None:
    """Deny by default, and say what to hand to an admin."""
    for typed in ("/start", "/connect bitso", "hello", "/revoke"):
        shown = await bot.type(typed, as_=STRANGER)
        assert "web:stranger" in shown.text
        assert shown.labels == []
    assert await rows(bot, "guides") == []


async def test_a_stranger_in_a_group_is_answered_without_their_id(bot: Bot) -> None:
    """A command of ours is refused in the group, where an id has no place."""
    shown = await bot.type("/help", as_=STRANGER, chat=TEAM)
    assert "Only members" in shown.text
    assert "stranger" not in shown.text


async def test_talk_in_a_group_is_neither_answered_nor_remembered(bot: Bot) -> None:
    """People speak to each other there: no answer, and no row about who they are."""
    await bot.type("/start", chat=TEAM)
    for who in (STRANGER, "other"):
        await bot.type("shall we have lunch?", as_=who, chat=TEAM)
        await bot.type("/weather tomorrow", as_=STRANGER, chat=TEAM)
    assert len(bot.texts(TEAM)) == 1
    assert await rows(bot, "people", user="other") == []


async def test_a_word_near_a_command_offers_it(bot: Bot) -> None:
    """A typing mistake is one tap away from what was meant."""
    shown = await bot.type("/balnces")
    assert "/balnces" in shown.text
    assert shown.labels[0] == "/balances"
    assert "No account is connected" in (await bot.press("/balances")).text
    assert "/help" in (await bot.type("halp")).labels


async def test_an_unknown_exchange_offers_those_we_read(bot: Bot) -> None:
    """The answer to a wrong name is the list of right ones, each a button that goes on."""
    shown = await bot.type("/connect bitsoo")
    assert "bitsoo" in shown.text
    assert "step 1 of" in (await bot.press("Bitso")).text


async def test_a_member_cannot_tell_that_an_admins_command_exists(bot: Bot) -> None:
    """For a member /revoke is as unknown as any other word, and is not among the nearest."""
    shown = await bot.type("/revoke")
    assert "don't know /revoke" in shown.text
    assert "/revoke" not in shown.labels


async def test_a_group_command_in_private_says_where_it_works(bot: Bot) -> None:
    """/here makes sense in a group only, and says so."""
    assert "group" in (await bot.type("/here")).text


async def test_a_personal_command_in_a_group_leads_to_the_private_chat(bot: Bot) -> None:
    """Every private command does, with an address that goes on with that command."""
    for name in ("balances", "keys", "privacy"):
        shown = await bot.type(f"/{name}", chat=TEAM)
        assert shown.labels == ["Open private chat"]
        assert shown.buttons[0].url.endswith(f"start={name}")


async def test_a_name_from_the_platform_is_shown_clean(bot: Bot) -> None:
    """Nobody's name turns our text around or breaks it into lines."""
    raw = {"kind": "said", "user": "you", "chat": "you", "text": "/start", "id": "u", "locale": ""}
    await bot.inlet.put("web", "odd", {**raw, "user": "y\u202eou", "chat": "y\u202eou"})
    await bot.dispatcher.sweep()
    assert [person["name"] for person in await rows(bot, "people")] == ["YOu"]


async def test_nothing_to_cancel_is_said_so(bot: Bot) -> None:
    """/cancel is safe at any time."""
    assert "nothing to cancel" in (await bot.type("/cancel")).text


async def test_cancel_ends_guide_and_link(bot: Bot) -> None:
    """After /cancel the guide starts afresh."""
    await bot.type("/connect bitso")
    await bot.press("Next")
    assert "Stopped" in (await bot.type("/cancel")).text
    assert await tables_naming(bot, "verifying") == set()
    assert "step 1 of" in (await bot.type("/connect bitso")).text
