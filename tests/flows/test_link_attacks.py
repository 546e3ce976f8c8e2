"""Attempts to keep what is another's, or to lose something, by way of a link between platforms."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from chatbot.domain.people import Roster
from chatbot.errors import SendError, Verdict
from storage.balances import BalanceStore
from tests.support.bot import TEAM, YOU, Bot, link_of
from tests.support.connected import connect
from tests.support.linking import ANA, LISTS, join, new_account, open_two, show_code, unlink
from tests.support.page import submit
from tests.support.practice import Running
from tests.support.rows import rows, tables_naming
from tests.support.workspaces import ANA as TOWN_ANA
from tests.support.workspaces import BOSS, Town, beside

SEVEN = "7"


@pytest.fixture
async def web(tmp_path: Path, bitso: Running) -> AsyncIterator[Bot]:
    """The bot as it is typed to on the web."""
    async with open_two(tmp_path, bitso) as bot:
        yield bot


@pytest.fixture
async def town(bot: Bot) -> Town:
    """A bot on the web and in two workspaces that may leave."""
    return await beside(bot)


@pytest.fixture
def slack(web: Bot) -> Bot:
    """The same bot as it is typed to in a workspace."""
    return web.on("slack")


@pytest.fixture
def telegram(web: Bot) -> Bot:
    """The same bot as it is typed to on Telegram."""
    return web.on("telegram")


async def test_who_came_along_goes_back_with_whom_they_came(
    web: Bot, slack: Bot, telegram: Bot, bitso: Running
) -> None:
    """One press on the *Unlink* of the notice undoes the whole join, or a stranger would keep the others' accounts."""
    await connect(telegram, bitso, as_=SEVEN)
    mine = await new_account(web, bitso, YOU)
    theirs = await new_account(slack, bitso, ANA)
    await join(web, YOU, slack, ANA)
    await join(telegram, SEVEN, web, YOU)

    question = await slack.press("Unlink", as_=ANA)
    assert "Goes along, still linked to You on Web: Ana on Slack." in question.text
    await slack.press("Yes, do it", as_=ANA, on=question)

    alone = (await telegram.type("/accounts", as_=SEVEN)).text
    assert (mine in alone, theirs in alone) == (False, False)
    for side, who in ((web, YOU), (slack, ANA)):
        said = (await side.type("/accounts", as_=who)).text
        assert (mine in said, theirs in said, bitso.state.key[-4:] in said) == (True, True, False)
    await web.turn(seconds=91)
    assert [line for line in web.log.lines if line[1] in {"poll_sealed", "poll_dropped"}] == []
    await unlink(slack, ANA)
    assert theirs in (await slack.type("/accounts", as_=ANA)).text
    assert theirs not in (await web.type("/accounts")).text


async def test_who_leaves_first_takes_just_their_own(
    web: Bot, slack: Bot, telegram: Bot, bitso: Running
) -> None:
    """And the next one to leave takes just theirs."""
    mine = await new_account(web, bitso, YOU)
    theirs = await new_account(slack, bitso, ANA)
    await join(web, YOU, slack, ANA)
    await join(telegram, SEVEN, web, YOU)
    await slack.type("/link", as_=ANA)
    question = await slack.press("Unlink Ana", as_=ANA)
    assert "Goes along" not in question.text
    await slack.press("Yes, do it", as_=ANA, on=question)
    await unlink(web, YOU)
    assert await rows(web, "linked_people") == []
    for side, who, last4 in ((web, YOU, mine), (slack, ANA, theirs)):
        said = (await side.type("/accounts", as_=who)).text
        assert [one in said for one in (mine, theirs)] == [one == last4 for one in (mine, theirs)]
    assert "No account is connected" in (await telegram.type("/accounts", as_=SEVEN)).text


async def test_what_waits_for_who_left_does_not_go_with_the_other(
    web: Bot, slack: Bot, bitso: Running
) -> None:
    """A fill of theirs was on its way when they parted, and then the other had everything deleted."""
    await connect(slack, bitso, as_=ANA)
    await join(web, YOU, slack, ANA)
    bitso.state.trade("buy", "btc_mxn", "0.0321")
    web.clock.advance(seconds=31)
    await web.turn(jobs=["poll_accounts"])
    slack.chat.refuse = [SendError(Verdict.UNSENT, "away") for _ in range(50)]
    await web.type("/link")
    question = await web.press("Unlink")
    await web.press("Yes, do it", on=question)
    await web.type("/privacy")
    await web.press("Delete everything of mine")
    await web.press("Yes, do it")
    slack.chat.refuse = []
    await web.turn(seconds=600)
    assert "Bought 0.0321" in " ".join(slack.texts(ANA))


async def test_no_key_is_asked_for_that_would_not_be_read(web: Bot, slack: Bot) -> None:
    """The main id is off the list: its link would be dead without a word why."""
    await join(web, YOU, slack, ANA)
    slack.relist(Roster(LISTS.admins, frozenset({f"slack:T1/{ANA}"})))
    await slack.type("/connect bitso", as_=ANA)
    assert "can't be kept under web:you" in slack.last(ANA).text
    assert await rows(web, "links") == []


async def test_a_code_typed_in_a_group_is_in_no_address(web: Bot, slack: Bot) -> None:
    """The button that leads to the private chat carries no word of it, nor does anything stored."""
    code = await show_code(slack, ANA)
    shown = await web.type(f"/link {code}", chat=TEAM)
    assert not any(code in button.url for button in shown.buttons)
    assert await tables_naming(web, code) == set()


async def test_a_key_that_comes_in_during_a_join_is_destroyed(
    tmp_path: Path, bitso: Running, fresh_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is neither left to nobody nor asked about: the press waits for it, as for every other open key."""
    stored, go_on = asyncio.Event(), asyncio.Event()
    add = BalanceStore.add

    async def slowly(self: BalanceStore, *what: Any) -> None:
        await add(self, *what)
        stored.set()
        await go_on.wait()

    async with open_two(tmp_path, bitso, url=fresh_postgres) as web:
        slack = web.on("slack")
        url = await link_of(slack, as_=ANA)
        question = await slack.type(f"/link {await show_code(web, YOU)}", as_=ANA)
        monkeypatch.setattr(BalanceStore, "add", slowly)
        handed_in = asyncio.create_task(submit(slack.desk, url, bitso.state.key, bitso.state.secret))
        await stored.wait()
        joining = asyncio.create_task(slack.press("Yes, do it", as_=ANA, on=question))
        await _somebody_waits(web)
        go_on.set()
        assert await handed_in
        await joining
        assert len(await rows(web, "linked_people")) == 1
        assert [(row["state"], row["box"]) for row in await rows(web, "accounts")] == [("revoked", None)]


async def _somebody_waits(bot: Bot) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    for _ in range(500):
        async with bot.database.transaction() as tx:
            row = await tx.first(waiting)
        if row is not None and row[0]:
            return
        await asyncio.sleep(0.01)
    pytest.fail("nobody waits")


async def test_a_workspace_that_leaves_takes_no_alert_of_another_team_along(
    town: Town, bitso: Running
) -> None:
    """What came to somebody's chat there, of an account that is read on, comes to the chat they have left."""
    web, slack = town.web, town.slack
    await connect(slack, bitso, as_=TOWN_ANA)
    await join(web, YOU, slack, TOWN_ANA)
    await town.removes("T1")
    assert "comes here from now on" in web.last(YOU).text
    assert f"Bitso …{bitso.state.key[-4:]}" in web.last(YOU).text
    assert "stopped reading" not in web.last(YOU).text
    bitso.state.trade("buy", "btc_mxn", "0.0456")
    await web.turn(seconds=31)
    assert "Bought 0.0456" in web.last(YOU).text


async def test_no_key_is_asked_for_under_a_workspace_that_left(town: Town) -> None:
    """The main id is there: whoever is linked to it would connect what nobody reads, or bring it along."""
    web, slack = town.web, town.slack
    await join(slack, TOWN_ANA, web, YOU)
    code = await show_code(slack, BOSS)
    await town.removes("T1")
    assert "its workspace removed me" in (await web.type("/connect bitso")).text
    assert "its workspace removed me" in (await web.type(f"/link {code}", as_="other")).text
    await unlink(web, YOU)
    assert "Bitso" in (await web.type("/connect bitso")).text
