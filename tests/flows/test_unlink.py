"""Two who were one person part again: each has what they came with, and nothing of the other's."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from chatbot.domain.people import Roster
from storage.accounts import ACCOUNTS
from tests.support.bot import TEAM, YOU, Bot, link_of
from tests.support.connected import connect, share
from tests.support.linking import ANA, LISTS, code_in, join, new_account, open_two, unlink
from tests.support.page import submit
from tests.support.practice import Running
from tests.support.rows import rows, tables_naming

DAY = timedelta(days=1)


@pytest.fixture
async def web(tmp_path: Path, bitso: Running) -> AsyncIterator[Bot]:
    """The bot as it is typed to on the web."""
    async with open_two(tmp_path, bitso) as bot:
        yield bot


@pytest.fixture
def slack(web: Bot) -> Bot:
    """The same bot as it is typed to in a workspace."""
    return web.on("slack")


async def test_each_side_gets_back_what_it_came_with(web: Bot, slack: Bot, bitso: Running) -> None:
    """Sealed for its team again, read on, and no longer seen by the other."""
    await connect(web, bitso)
    theirs = await new_account(slack, bitso, ANA)
    await join(web, YOU, slack, ANA)
    await unlink(web, YOU)
    assert theirs not in (await web.type("/accounts")).text
    text = (await slack.type("/accounts", as_=ANA)).text
    assert theirs in text
    assert bitso.state.key[-4:] not in text
    await web.turn(seconds=91)
    assert {(row["team"], row["state"]) for row in await rows(web, "accounts")} == {
        ("home", "active"),
        ("slack:T1", "active"),
    }
    assert [line for line in web.log.lines if line[1] in {"poll_sealed", "poll_dropped"}] == []


async def test_what_was_connected_meanwhile_stays_with_the_main_person(
    web: Bot, slack: Bot, bitso: Running
) -> None:
    """And is told in their own chat from then on, not in that of who left."""
    await join(web, YOU, slack, ANA)
    await connect(slack, bitso, as_=ANA)
    await unlink(slack, ANA)
    assert "No account is connected" in (await slack.type("/accounts", as_=ANA)).text
    said = len(slack.texts(ANA))
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await web.turn(seconds=31)
    assert "Bought" in web.last(YOU).text
    assert len(slack.texts(ANA)) == said


async def test_groups_of_the_one_hear_nothing_more_of_the_others_accounts(
    web: Bot, slack: Bot, bitso: Running
) -> None:
    """Nobody would be left there who could stop it; who left keeps what they set up for their own."""
    await connect(web, bitso)
    theirs = await new_account(slack, bitso, ANA)
    await join(web, YOU, slack, ANA)
    await share(slack, TEAM, as_=ANA)
    await unlink(web, YOU)
    (group,) = await rows(web, "conversations", platform="slack", channel=TEAM)
    (kept,) = await rows(web, "accounts", last4=theirs)
    there = await rows(web, "subscriptions", conversation=group["id"])
    assert {row["account"] for row in there} == {kept["id"]}


async def test_both_sides_are_told_what_went_where(web: Bot, slack: Bot, bitso: Running) -> None:
    """By the names of the accounts that went, and only those."""
    await connect(web, bitso)
    theirs = await new_account(slack, bitso, ANA)
    await join(web, YOU, slack, ANA)
    await slack.type("/link", as_=ANA)
    question = await slack.press("Unlink", as_=ANA)
    assert f"Goes back to Ana on Slack: Bitso …{theirs}." in question.text
    await slack.press("Yes, do it", as_=ANA, on=question)
    for shown in (web.last(YOU), slack.last(ANA)):
        assert "Ana on Slack is unlinked" in shown.text
        assert f"Goes back to Ana on Slack: Bitso …{theirs}." in shown.text
        assert bitso.state.key[-4:] not in shown.text
    noted = await rows(web, "audit", action="unlink", outcome="parted")
    assert {(row["team"], row["actor"]) for row in noted} == {
        ("home", "slack:T1/ana"),
        ("slack:T1", "slack:T1/ana"),
    }


async def test_a_button_of_before_does_nothing_for_who_left(web: Bot, slack: Bot, bitso: Running) -> None:
    """Not even one that was asked for in the last moment."""
    await connect(web, bitso)
    await join(web, YOU, slack, ANA)
    question = await slack.type("/disconnect", as_=ANA)
    delete = await slack.type("/privacy", as_=ANA)
    await unlink(web, YOU)
    await slack.press("Yes, do it", as_=ANA, on=question)
    await slack.press("Delete everything of mine", as_=ANA, on=delete)
    assert slack.chat.toasts[-2:] == ["This button isn't yours, or its time is over."] * 2
    assert "read at" in (await web.type("/accounts")).text


async def test_a_code_and_a_link_of_before_are_over(web: Bot, slack: Bot, bitso: Running) -> None:
    """Whoever is unlinked can't let themselves in again, nor connect for the other."""
    await join(web, YOU, slack, ANA)
    await slack.type("/link", as_=ANA)
    code = code_in(await slack.press("Link another platform", as_=ANA))
    url = await link_of(slack, as_=ANA)
    await unlink(web, YOU)
    assert "wrong or over" in (await slack.type(f"/link {code}", as_=ANA)).text
    assert await submit(slack.desk, url, bitso.state.key, bitso.state.secret) is None
    assert await rows(web, "accounts") == []


async def test_the_answer_to_a_test_does_not_come_to_who_left(web: Bot, slack: Bot, bitso: Running) -> None:
    """It was asked for just before."""
    await connect(web, bitso)
    await join(web, YOU, slack, ANA)
    await web.turn(seconds=91)
    await slack.type("/test", as_=ANA)
    await unlink(web, YOU)
    said = len(slack.texts(ANA))
    await web.turn(seconds=31)
    assert len(slack.texts(ANA)) == said
    assert "Testing" in [text for text in slack.texts(ANA) if "Testing" in text][-1]


async def test_unlinking_twice_says_that_it_is_done(web: Bot, slack: Bot) -> None:
    """On the other side, or by pressing again."""
    await join(web, YOU, slack, ANA)
    await web.type("/link")
    question = await web.press("Unlink")
    await unlink(slack, ANA)
    assert "not linked any more" in (await web.press("Yes, do it", on=question)).text
    assert len(await rows(web, "audit", action="unlink")) == 2


async def test_keep_leaves_them_linked(web: Bot, slack: Bot) -> None:
    """A slip of the finger costs nothing."""
    await join(web, YOU, slack, ANA)
    await slack.press("Unlink", as_=ANA)
    await slack.press("Keep", as_=ANA)
    assert len(await rows(web, "linked_people")) == 1


async def test_settings_are_one_s_own_again(web: Bot, slack: Bot) -> None:
    """Those from before the link."""
    await slack.type("/currency BRL", as_=ANA)
    await join(web, YOU, slack, ANA)
    assert "shown in USD" in (await slack.type("/currency", as_=ANA)).text
    await unlink(slack, ANA)
    assert "shown in BRL" in (await slack.type("/currency", as_=ANA)).text


async def test_a_key_that_can_not_be_opened_holds_nobody(web: Bot, slack: Bot, bitso: Running) -> None:
    """They part all the same; that account stays and is named."""
    theirs = await new_account(slack, bitso, ANA)
    await join(web, YOU, slack, ANA)
    async with web.database.transaction() as tx:
        await tx.run(update(ACCOUNTS).values(box=b"x" * 64))
    shown = await unlink(slack, ANA)
    assert (
        f"Had to stay too, for the key can't be opened now or is connected there already: Bitso …{theirs}."
        in shown.text
    )
    assert theirs in (await web.type("/accounts")).text
    assert await rows(web, "linked_people") == []


async def test_linked_again_after_parting(web: Bot, slack: Bot, bitso: Running) -> None:
    """And the other way round this time."""
    await connect(web, bitso)
    await join(web, YOU, slack, ANA)
    await unlink(slack, ANA)
    await join(slack, ANA, web, YOU)
    assert "read at" in (await slack.type("/accounts", as_=ANA)).text
    assert [row["team"] for row in await rows(web, "accounts")] == ["slack:T1"]


async def test_who_left_can_have_their_own_deleted(web: Bot, slack: Bot, bitso: Running) -> None:
    """Nothing of the other goes with it."""
    await connect(web, bitso)
    theirs = await new_account(slack, bitso, ANA)
    await join(web, YOU, slack, ANA)
    await unlink(slack, ANA)
    await slack.type("/privacy", as_=ANA)
    await slack.press("Delete everything of mine", as_=ANA)
    await slack.press("Yes, do it", as_=ANA)
    assert "read at" in (await web.type("/accounts")).text
    assert [row["user"] for row in await rows(web, "people")] == [YOU]
    assert await tables_naming(web, theirs) <= {"outbox"}


async def test_reading_hangs_from_the_main_id(web: Bot, slack: Bot, bitso: Running) -> None:
    """Off the list, it is not read; unlinked, what the other came with is read again."""
    await connect(slack, bitso, as_=ANA)
    await join(web, YOU, slack, ANA)
    slack.relist(Roster(LISTS.admins, frozenset({f"slack:T1/{ANA}"})))
    await slack.turn(seconds=91)
    assert [row["state"] for row in await rows(web, "accounts")] == ["suspended"]
    await unlink(slack, ANA)
    await slack.turn(seconds=61)
    assert [row["state"] for row in await rows(web, "accounts")] == ["active"]


async def test_a_linked_id_off_the_list_reads_what_goes_on(web: Bot, slack: Bot, bitso: Running) -> None:
    """It may do no more there than see what is stored, delete it, and part."""
    await connect(web, bitso)
    notice = await join(web, YOU, slack, ANA)
    slack.relist(Roster(LISTS.admins, frozenset({f"web:{YOU}"})))
    assert "Your accounts go on under web:you" in (await slack.type("/accounts", as_=ANA)).text
    await slack.press("Unlink", as_=ANA, on=notice)
    assert "is unlinked" in (await slack.press("Yes, do it", as_=ANA)).text


@pytest.mark.parametrize("hour", [7, 12, 17])
async def test_no_daily_post_is_lost_or_doubled(tmp_path: Path, bitso: Running, hour: int) -> None:
    """Joined before, between and after the nine o'clocks of both: each day of the main's zone has one."""
    start = datetime(2026, 4, 3, 16, tzinfo=UTC)
    async with open_two(tmp_path, bitso, start) as web:
        slack = web.on("slack")
        await slack.type("/timezone America/Mexico_City", as_=ANA)
        await connect(slack, bitso, as_=ANA)
        await _pass(web, start + 2 * DAY + timedelta(hours=hour - 16))
        before = len(_posts(slack))
        await join(web, YOU, slack, ANA)
        days = await _pass(web, start + 7 * DAY, slack)
    joined = (start + 2 * DAY).date()
    assert before == {7: 2, 12: 2, 17: 3}[hour]
    assert days == sorted(set(days))
    expected = [joined + n * DAY for n in range(6)]
    assert days == (expected if hour != 17 else expected[1:])


async def _pass(bot: Bot, until: datetime, seen: Bot | None = None) -> list[date]:
    days: list[date] = []
    while bot.clock.now() < until:
        told = len(_posts(seen)) if seen else 0
        await bot.turn(seconds=1800)
        if seen:
            days += [bot.clock.now().astimezone(ZoneInfo("UTC")).date()] * (len(_posts(seen)) - told)
    return days


def _posts(bot: Bot) -> list[str]:
    return [text for text in bot.texts(ANA) if "Total $" in text]
