"""Codes that join nobody: wrong, over, somebody else's, and what must not be joined."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from chatbot.domain.people import Roster
from storage.accounts import ACCOUNTS
from tests.support.bot import STRANGER, YOU, Bot
from tests.support.connected import connect
from tests.support.linking import ANA, LISTS, code_in, join, new_account, open_two, show_code
from tests.support.practice import Running
from tests.support.rows import everything, rows

WRONG = "/link 2222-2222"


@pytest.fixture
async def web(tmp_path: Path, bitso: Running) -> AsyncIterator[Bot]:
    """The bot as it is typed to on the web."""
    async with open_two(tmp_path, bitso) as bot:
        yield bot


@pytest.fixture
def slack(web: Bot) -> Bot:
    """The same bot as it is typed to in a workspace."""
    return web.on("slack")


async def nobody_is_linked(bot: Bot) -> bool:
    """Tell whether nothing was joined."""
    return await rows(bot, "linked_people") == []


async def test_a_used_code_is_over(web: Bot, slack: Bot) -> None:
    """Whoever saw it typed can't use it again."""
    code = await show_code(web, YOU)
    await slack.type(f"/link {code}", as_=ANA)
    await slack.press("Yes, do it", as_=ANA)
    assert "wrong or over" in (await slack.type(f"/link {code}", as_="eve")).text
    assert len(await rows(web, "linked_people")) == 1


async def test_of_two_who_were_asked_one_is_joined(web: Bot, slack: Bot) -> None:
    """The one who says yes first; the other reads that the code is over."""
    code = await show_code(web, YOU)
    telegram = web.on("telegram")
    first = await slack.type(f"/link {code}", as_=ANA)
    second = await telegram.type(f"/link {code}", as_="7")
    await slack.press("Yes, do it", as_=ANA, on=first)
    assert "This code is over" in (await telegram.press("Yes, do it", as_="7", on=second)).text
    assert len(await rows(web, "linked_people")) == 1


async def test_yes_pressed_twice_joins_once(web: Bot, slack: Bot) -> None:
    """The second press finds the code used."""
    await join(web, YOU, slack, ANA)
    assert len(await rows(web, "audit", action="link", team="home")) == 1
    question = next(m for m in slack.chat.messages if "Become the same" in m.text)
    assert "This code is over" in (await slack.press("Yes, do it", as_=ANA, on=question)).text


async def test_nobody_else_presses_yes(web: Bot, slack: Bot) -> None:
    """The question is that of who typed the code."""
    code = await show_code(web, YOU)
    question = await slack.type(f"/link {code}", as_=ANA)
    await slack.type("/start", as_="eve")
    await slack.press("Yes, do it", as_="eve", on=question)
    assert "isn't yours" in slack.chat.toasts[-1]
    assert await nobody_is_linked(web)


@pytest.mark.parametrize("asked_before", [True, False])
async def test_a_code_lives_ten_minutes(web: Bot, slack: Bot, asked_before: bool) -> None:
    """For typing it and for saying yes."""
    code = await show_code(web, YOU)
    if asked_before:
        await slack.type(f"/link {code}", as_=ANA)
    web.clock.advance(seconds=601)
    if asked_before:
        assert "This code is over" in (await slack.press("Yes, do it", as_=ANA)).text
    else:
        assert "wrong or over" in (await slack.type(f"/link {code}", as_=ANA)).text
    assert await nobody_is_linked(web)


async def test_a_new_code_ends_the_one_before(web: Bot, slack: Bot) -> None:
    """One is good at a time."""
    old = await show_code(web, YOU)
    new = await show_code(web, YOU)
    assert "wrong or over" in (await slack.type(f"/link {old}", as_=ANA)).text
    assert "Become the same person?" in (await slack.type(f"/link {new}", as_=ANA)).text


async def test_five_wrong_codes_in_an_hour_are_enough(web: Bot, slack: Bot) -> None:
    """Then even the right one has to wait, whatever was restarted or deleted meanwhile; others need not."""
    code = await show_code(web, YOU)
    for left in range(4, -1, -1):
        assert f"this hour: {left}." in (await slack.type(WRONG, as_=ANA)).text
        web.clock.advance(seconds=10)
    slack.relist(LISTS)
    await slack.type("/privacy", as_=ANA)
    await slack.press("Delete everything of mine", as_=ANA)
    await slack.press("Yes, do it", as_=ANA)
    assert "Please wait an hour" in (await slack.type(f"/link {code}", as_=ANA)).text
    assert "Become the same" in (await slack.type(f"/link {code}", as_="eve")).text
    web.clock.advance(seconds=3601)
    assert "Become" in (await slack.type(f"/link {await show_code(web, YOU)}", as_=ANA)).text


async def test_what_is_no_code_costs_nothing(web: Bot, slack: Bot) -> None:
    """A slip of the finger is answered with what a code looks like."""
    for words in ("slack", "ABCD-234", "ABCD-23450", "ABCD-O1I0", "ABCD 2345 please"):
        assert "eight letters and digits" in (await slack.type(f"/link {words}", as_=ANA)).text
    assert await rows(web, "audit", action="link_code") == []


async def test_an_own_code_is_refused_with_a_sentence(web: Bot, slack: Bot) -> None:
    """Typed where it was shown, or anywhere by who is the same person already."""
    code = await show_code(web, YOU)
    assert "is your own" in (await web.type(f"/link {code}")).text
    await join(web, YOU, slack, ANA)
    await slack.type("/link", as_=ANA)
    code = code_in(await slack.press("Link another platform", as_=ANA))
    assert "is your own" in (await web.type(f"/link {code}")).text


async def test_two_people_on_one_platform_are_not_joined(web: Bot, slack: Bot) -> None:
    """Nor by way of somebody who is linked."""
    code = await show_code(web, YOU)
    assert "id on the same platform" in (await web.type(f"/link {code}", as_="other")).text
    await join(web, "other", slack, ANA)
    code = await show_code(web, YOU)
    assert "id on the same platform" in (await slack.type(f"/link {code}", as_=ANA)).text
    assert len(await rows(web, "linked_people")) == 1


async def test_a_stranger_gets_no_code_and_types_none(web: Bot, slack: Bot) -> None:
    """Linking is for members."""
    assert "not on this bot's list" in (await web.type("/link", as_=STRANGER)).text
    code = await show_code(web, YOU)
    assert "not on this bot's list" in (await slack.type(f"/link {code}", as_=STRANGER)).text
    assert len(await rows(web, "link_codes")) == 1


@pytest.mark.parametrize("asked_before", [True, False])
async def test_a_code_of_somebody_taken_off_the_list_joins_nobody(
    web: Bot, slack: Bot, asked_before: bool
) -> None:
    """Accounts would go where nothing is read; nothing is changed, and it is no wrong code."""
    code = await show_code(web, YOU)
    if asked_before:
        await slack.type(f"/link {code}", as_=ANA)
    slack.relist(Roster(frozenset(), frozenset({"slack:T1/ana"})))
    if asked_before:
        shown = await slack.press("Yes, do it", as_=ANA)
    else:
        shown = await slack.type(f"/link {code}", as_=ANA)
    assert "can't be kept under web:you" in shown.text
    assert await nobody_is_linked(web)


async def test_a_tapped_address_never_links(web: Bot, slack: Bot) -> None:
    """Somebody may hand an address to somebody else: it greets, and neither shows nor takes a code."""
    code = await show_code(web, YOU)
    for payload in (f"link_{code}", "link"):
        assert "Hello! I am Keyherald" in (await slack.type(f"/start {payload}", as_=ANA)).text
    assert len(await rows(web, "link_codes")) == 1


async def test_a_key_that_can_not_be_opened_now_stops_the_join(web: Bot, slack: Bot, bitso: Running) -> None:
    """It is named, and not a row is changed."""
    await new_account(slack, bitso, ANA)
    await connect(slack, bitso, as_=ANA)
    code = await show_code(web, YOU)
    await slack.type(f"/link {code}", as_=ANA)
    async with web.database.transaction() as tx:
        broken = update(ACCOUNTS).where(ACCOUNTS.c.last4 == bitso.state.key[-4:])
        await tx.run(broken.values(box=b"x" * 64))
    before = await _what_matters(web)
    shown = await slack.press("Yes, do it", as_=ANA)
    assert f"Bitso …{bitso.state.key[-4:]} can't be opened now" in shown.text
    assert await _what_matters(web) == before


async def test_the_same_key_on_both_sides_stops_the_join(web: Bot, slack: Bot, bitso: Running) -> None:
    """Neither is destroyed unasked; once it is off on one side, the code works."""
    await connect(web, bitso)
    await connect(slack, bitso, as_=ANA)
    code = await show_code(web, YOU)
    await slack.type(f"/link {code}", as_=ANA)
    before = await _what_matters(web)
    shown = await slack.press("Yes, do it", as_=ANA)
    assert f"The key of Bitso …{bitso.state.key[-4:]} is connected on the other side" in shown.text
    assert await _what_matters(web) == before
    await slack.type("/disconnect", as_=ANA)
    await slack.press("Yes, do it", as_=ANA)
    await slack.type(f"/link {code}", as_=ANA)
    assert "You are linked" in (await slack.press("Yes, do it", as_=ANA)).text


async def _what_matters(bot: Bot) -> dict[str, object]:
    held = await everything(bot)
    talk = {"inbox", "outbox", "buttons"}
    return {table: found for table, found in held.items() if table not in talk}
