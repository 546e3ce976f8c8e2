"""One person on two platforms: a code shown on one side, typed on the other, then the same accounts on both."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from chatbot.errors import Fenced
from chatbot.ports.accounts import Progress
from tests.support.bot import ADMIN, TEAM, YOU, Bot, link_of
from tests.support.connected import connect, share
from tests.support.linking import ANA, CHIEF, code_in, join, new_account, open_two, show_code
from tests.support.page import submit
from tests.support.practice import Running
from tests.support.rows import everything, rows, tables_naming


@pytest.fixture
async def web(tmp_path: Path, bitso: Running) -> AsyncIterator[Bot]:
    """The bot as it is typed to on the web."""
    async with open_two(tmp_path, bitso) as bot:
        yield bot


@pytest.fixture
def slack(web: Bot) -> Bot:
    """The same bot as it is typed to in a workspace."""
    return web.on("slack")


async def test_a_code_shown_on_one_side_and_typed_on_the_other_gives_both_the_same_accounts(
    web: Bot, slack: Bot, bitso: Running
) -> None:
    """What was connected on the one is listed on the other, and the other way round."""
    await connect(web, bitso)
    theirs = await new_account(slack, bitso, ANA)
    await join(web, YOU, slack, ANA)
    for side, who in ((web, YOU), (slack, ANA)):
        text = (await side.type("/accounts", as_=who)).text
        assert bitso.state.key[-4:] in text
        assert theirs in text
    assert "BTC" in (await web.type(f"/balances {theirs}")).text


async def test_what_came_along_is_read_and_told_where_it_was_connected(
    web: Bot, slack: Bot, bitso: Running
) -> None:
    """The key was sealed anew for the other team, so that a fill is still told a poll later."""
    await connect(slack, bitso, as_=ANA)
    (before,) = await rows(web, "accounts")
    await join(web, YOU, slack, ANA)
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await web.turn(seconds=31)
    (after,) = await rows(web, "accounts")
    assert "Bought" in slack.last(ANA).text
    assert (before["team"], after["team"], after["state"]) == ("slack:T1", "home", "active")
    assert after["box"] != before["box"]
    assert after["fingerprint"] != before["fingerprint"]


async def test_every_row_of_an_account_follows_it(web: Bot, slack: Bot, bitso: Running) -> None:
    """No table with a team is left behind, fills of years included."""
    await connect(slack, bitso, as_=ANA)
    await join(web, YOU, slack, ANA)
    held = await everything(web)
    named = {
        table: {row["team"] for row in found}
        for table, found in held.items()
        if found and {"team", "account"} <= found[0].keys()
    }
    assert named.keys() >= {"fills", "balances", "subscriptions", "valuations"}
    assert set().union(*named.values()) == {"home"}


async def test_the_question_names_whom_and_warns(web: Bot, slack: Bot) -> None:
    """Name, platform and id of the other side, and what it means that somebody sent the code."""
    code = await show_code(web, YOU)
    question = await slack.type(f"/link {code}", as_=ANA)
    assert "You on Web · web:you" in question.text
    assert "seen on both sides" in question.text
    assert "Did somebody send you this code?" in question.text
    assert question.labels == ["Yes, do it", "Keep"]


async def test_keep_links_nobody(web: Bot, slack: Bot) -> None:
    """Only *Yes, do it* does anything."""
    code = await show_code(web, YOU)
    await slack.type(f"/link {code}", as_=ANA)
    assert "Nothing was changed" in (await slack.press("Keep", as_=ANA)).text
    assert await rows(web, "linked_people") == []


async def test_how_a_code_is_typed_does_not_matter(web: Bot, slack: Bot) -> None:
    """Small letters, spaces in place of the dash, none at all, or more of them."""
    code = await show_code(web, YOU)
    for typed in (code.lower(), code.replace("-", " "), code.replace("-", ""), "–".join(code)):
        assert "Become the same person?" in (await slack.type(f"/link {typed}", as_=ANA)).text


async def test_both_sides_are_told_and_can_undo_it(web: Bot, slack: Bot) -> None:
    """A join that somebody did not mean is seen on both sides, with the button that ends it."""
    shown = await join(web, YOU, slack, ANA)
    for notice in (shown, web.last(YOU)):
        assert "You are linked" in notice.text
        assert "web:you" in notice.text
        assert "slack:T1/ana" in notice.text
        assert notice.labels == ["Unlink"]


async def test_both_teams_have_it_in_their_audit(web: Bot, slack: Bot) -> None:
    """The admins of each side can see who joined whom."""
    await join(web, YOU, slack, ANA)
    noted = await rows(web, "audit", action="link", outcome="joined")
    assert {row["team"] for row in noted} == {"home", "slack:T1"}
    assert {(row["actor"], row["subject"]) for row in noted} == {("slack:T1/ana", "slack:T1/ana web:you")}


async def test_a_code_stands_nowhere_readable(web: Bot) -> None:
    """Only its hash is stored; the message that shows it is sealed until it is sent."""
    code = await show_code(web, YOU)
    assert await tables_naming(web, code, code.replace("-", "")) == set()


async def test_who_is_linked_sees_with_whom(web: Bot, slack: Bot) -> None:
    """On both sides, with a way to part and a way to link one more platform."""
    await join(web, YOU, slack, ANA)
    for side, who in ((web, YOU), (slack, ANA)):
        shown = await side.type("/link", as_=who)
        assert "You on Web · web:you" in shown.text
        assert "Ana on Slack · slack:T1/ana" in shown.text
        assert shown.labels == ["Unlink", "Link another platform"]


async def test_three_platforms_can_be_one_person(web: Bot, slack: Bot, bitso: Running) -> None:
    """Whoever is linked brings the others along when they join a third."""
    telegram = web.on("telegram")
    await connect(slack, bitso, as_=ANA)
    await join(web, YOU, slack, ANA)
    await join(telegram, "7", web, YOU)
    shown = await slack.type("/link", as_=ANA)
    assert [label.partition(" ")[0] for label in shown.labels] == ["Unlink", "Unlink", "Link"]
    for side, who in ((web, YOU), (slack, ANA), (telegram, "7")):
        assert "read at" in (await side.type("/accounts", as_=who)).text
    assert {row["main"] for row in await rows(web, "linked_people")} == {
        (await rows(web, "people", platform="telegram"))[0]["id"]
    }


async def test_one_more_platform_by_the_button(web: Bot, slack: Bot) -> None:
    """Who is linked already gets a code by *Link another platform*."""
    await join(web, YOU, slack, ANA)
    await slack.type("/link", as_=ANA)
    code = code_in(await slack.press("Link another platform", as_=ANA))
    assert "You on Web" in (await web.on("telegram").type(f"/link {code}", as_="7")).text


async def test_settings_are_those_of_the_side_that_showed_the_code(web: Bot, slack: Bot) -> None:
    """Language, zone and currency are one from then on, wherever they are changed."""
    await web.type("/language es")
    await web.type("/currency MXN")
    await join(web, YOU, slack, ANA)
    assert "Tu zona horaria" in (await slack.type("/timezone", as_=ANA)).text
    await slack.type("/currency EUR", as_=ANA)
    assert [row["currency"] for row in await rows(web, "people", user=YOU)] == ["EUR"]


async def test_what_is_open_on_the_typed_side_ends(web: Bot, slack: Bot, bitso: Running) -> None:
    """An unconfirmed key is destroyed, a one-time link is dead, and the guide begins anew."""
    await submit(slack.desk, await link_of(slack, as_=ANA), bitso.state.key, bitso.state.secret)
    await web.turn()
    confirm = slack.last(ANA)
    url = await link_of(slack, as_=ANA)
    await join(web, YOU, slack, ANA)
    assert await submit(slack.desk, url, bitso.state.key, bitso.state.secret) is None
    assert "nothing to confirm" in (await slack.press("Confirm", as_=ANA, on=confirm)).text
    assert [row["box"] for row in await rows(web, "accounts")] == [None]
    assert await rows(web, "guides") == []


async def test_a_poll_under_way_with_the_old_team_is_fenced_off(web: Bot, slack: Bot, bitso: Running) -> None:
    """What it found is written nowhere, and nobody asks with the same key before its lease is over."""
    await connect(slack, bitso, as_=ANA)
    web.clock.advance(seconds=31)
    now = web.clock.now()
    async with web.database.uow() as store:
        (work,) = await store.accounts.claim(now, now + timedelta(seconds=90), 5)
    await join(web, YOU, slack, ANA)
    with pytest.raises(Fenced):
        async with web.database.uow() as store:
            await store.accounts.finish(work, Progress(now, work.nonce, polled_at=now))
    asked = len(bitso.state.requests)
    await web.turn(seconds=31)
    assert [path for _, path in bitso.state.requests[asked:] if "ticker" not in path] == []
    await web.turn(seconds=61)
    assert [path for _, path in bitso.state.requests[asked:] if "ticker" not in path] != []


async def test_a_key_connected_on_the_linked_side_is_the_main_persons(
    web: Bot, slack: Bot, bitso: Running
) -> None:
    """Guide, link and *Confirm* work there as ever."""
    await join(web, YOU, slack, ANA)
    await connect(slack, bitso, as_=ANA)
    assert bitso.state.key[-4:] in (await web.type("/accounts")).text
    assert [row["team"] for row in await rows(web, "accounts")] == ["home"]


async def test_a_button_of_before_still_works_after_the_join(web: Bot, slack: Bot, bitso: Running) -> None:
    """Nothing in the chat goes dead by linking."""
    await connect(slack, bitso, as_=ANA)
    question = await slack.type("/disconnect", as_=ANA)
    await join(web, YOU, slack, ANA)
    assert "is disconnected" in (await slack.press("Yes, do it", as_=ANA, on=question)).text


async def test_a_role_is_that_of_the_id_that_acts(web: Bot, slack: Bot, bitso: Running) -> None:
    """An admin on the web is no admin in the workspace, and the other way round."""
    await connect(web, bitso, as_="other")
    await join(web, ADMIN, slack, ANA)
    assert "I don't know /revoke" in (await slack.type("/revoke", as_=ANA)).text
    await web.type("/revoke", as_=ADMIN)
    await web.press("Bitso", as_=ADMIN)
    await web.press("Yes, do it", as_=ADMIN)
    assert [row["actor"] for row in await rows(web, "audit", action="revoke")] == ["web:admin"]


async def test_an_admin_of_a_workspace_has_nothing_to_say_at_home(
    web: Bot, slack: Bot, bitso: Running
) -> None:
    """They cut off whose accounts are in the workspace, whatever team their own accounts are in."""
    await connect(web, bitso, as_="other")
    theirs = await new_account(slack, bitso, ANA)
    await join(web, YOU, slack, CHIEF)
    shown = await slack.type("/revoke", as_=CHIEF)
    assert shown.labels == [f"Bitso …{theirs} · Ana"]
    await slack.press("Bitso", as_=CHIEF)
    await slack.press("Yes, do it", as_=CHIEF)
    assert "An admin revoked" in slack.last(ANA).text
    assert [row["team"] for row in await rows(web, "audit", action="revoke")] == ["slack:T1"]
    assert "read at" in (await web.type("/accounts", as_="other")).text


async def test_an_owner_reads_of_a_revocation_on_both_sides(web: Bot, slack: Bot, bitso: Running) -> None:
    """Wherever they look first."""
    await connect(web, bitso)
    await join(web, YOU, slack, ANA)
    await web.type("/revoke", as_=ADMIN)
    await web.press("Bitso", as_=ADMIN)
    await web.press("Yes, do it", as_=ADMIN)
    assert "An admin revoked" in web.last(YOU).text
    assert "An admin revoked" in slack.last(ANA).text


async def test_privacy_shows_and_deletes_both(web: Bot, slack: Bot, bitso: Running) -> None:
    """Nothing of either is left, and both are told."""
    await connect(slack, bitso, as_=ANA)
    await share(slack, TEAM, as_=ANA)
    await join(web, YOU, slack, ANA)
    assert "(web:you, slack:T1/ana)" in (await slack.type("/privacy", as_=ANA)).text
    question = await slack.press("Delete everything of mine", as_=ANA)
    assert "web:you" in question.text
    await slack.press("Yes, do it", as_=ANA)
    for side, who in ((web, YOU), (slack, ANA)):
        assert "Everything of yours is deleted" in side.last(who).text
    await web.turn(jobs=("forget_places",))
    held = await everything(web)
    left = (
        "people",
        "accounts",
        "fills",
        "balances",
        "subscriptions",
        "buttons",
        "linked_people",
        "link_codes",
    )
    assert [table for table in left if held[table]] == []
    assert await tables_naming(web, "'Ana'", bitso.state.key[-4:]) <= {"audit"}
