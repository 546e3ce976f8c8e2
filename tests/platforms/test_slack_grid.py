"""An organisation that installs the app once for all its workspaces: found, remembered, taken away, given back."""

import pytest

from tests.support.slackapi import token_of
from tests.support.slackshop import shop


@pytest.fixture
async def store(slack, tmp_path):
    """An app that an organisation of two workspaces has installed."""
    for team in ("T7", "T8"):
        slack.world.team(team, "E1")
        slack.world.person(f"UBO{team}", team)
        del slack.world.tokens[token_of(team)]
    async with shop(slack, tmp_path) as found:
        assert (await found.install("T7", wide=True)).status_code == 200
        found.app.clock.passed += 10
        yield found


async def ends(store, team):
    """Do what the bot does when a workspace left."""
    async with store.database.uow() as stores:
        assert await stores.installations.end(store.installs._team(team), store.app.clock.now())
    store.app.slack._bots.forget(team)


def told(store, kind):
    return [raw for raw in store.app.shelf.rows.values() if raw["kind"] == kind]


async def test_each_workspace_finds_the_organisations_installation(store, slack):
    """And which belong to it is remembered, so that messages find their token too."""
    sent = await slack.say("UBOT8", "help", team="T8")

    assert sent.payload["authorizations"][0]["team_id"] is None
    assert [raw["team"] for raw in told(store, "said")] == ["T8"]
    store.app.slack._bots.forget("T8")
    assert await store.app.slack._bots.token("T8") == await store.app.slack._bots.token("E1")
    async with store.database.uow() as stores:
        assert await stores.installations.parts("E1") == ["slack:E1", "slack:T8"]


async def test_commands_and_presses_find_it_too(store, slack):
    """Each names workspace and organisation in its own way."""
    await slack.slash("UBOT8", "/fills", team="T8")
    await slack.slash("UBOT7", "/fills", team="T7", is_enterprise_install="true")

    assert [raw["team"] for raw in told(store, "said")] == ["T8", "T7"]


async def test_a_workspace_of_another_organisation_does_not(store, slack):
    """Whatever else it has in common."""
    slack.world.team("T9", "E2")
    slack.world.person("UBOT9", "T9")
    await slack.say("UBOT9", "help", team="T9")

    assert told(store, "said") == []


async def test_a_workspace_that_is_taken_away_stays_away(store, slack):
    """Words that come late don't bring it back; the others go on."""
    await slack.say("UBOT8", "help", team="T8")
    await slack.event("T8", {"type": "team_access_revoked", "team_ids": ["T8"]})
    assert [(raw["what"], raw["team"]) for raw in told(store, "happened")][1:] == [("left", "T8")]
    await ends(store, "T8")
    late = await slack.say("UBOT8", "help", team="T8")
    await slack.say("UBOT7", "help", team="T7")

    assert late.statuses == [200]
    assert [raw["team"] for raw in told(store, "said")] == ["T8", "T7"]


async def test_a_workspace_that_is_given_back_is_let_in(store, slack):
    """It is told as a new installation, and its words count again."""
    await slack.say("UBOT8", "help", team="T8")
    await ends(store, "T8")
    await slack.event("T8", {"type": "team_access_granted", "team_ids": ["T8"]})
    await slack.say("UBOT8", "help", team="T8")

    assert [(raw["what"], raw["team"]) for raw in told(store, "happened")][1:] == [("joined", "T8")]
    assert [raw["team"] for raw in told(store, "said")] == ["T8", "T8"]
    assert await store.app.slack._bots.token("T8")


@pytest.mark.parametrize("gone", [True, False])
async def test_the_organisations_end_is_heard_whichever_workspace_tells(store, slack, gone):
    """Even one that had been taken away before."""
    await slack.say("UBOT8", "help", team="T8")
    if gone:
        await ends(store, "T8")
    await slack.event("T8", {"type": "app_uninstalled"})

    assert [(raw["what"], raw["team"]) for raw in told(store, "happened")][1:] == [("left", "E1")]


async def test_after_the_organisations_end_no_workspace_has_a_token(store, slack):
    """Those remembered as parts of it among them."""
    await slack.say("UBOT8", "help", team="T8")
    await ends(store, "E1")
    store.app.slack._bots.forget("T8")

    assert await store.app.slack._bots.bot("T8", "E1") is None


async def test_an_installation_of_its_own_comes_before_the_organisations(store, slack):
    """Who installs it in one workspace besides uses that one there."""
    assert (await store.install("T7")).status_code == 200
    bots = store.app.slack._bots

    assert (await bots.bot("T7", "E1")).home == "T7"
    assert await bots.token("T7") != await bots.token("E1")
