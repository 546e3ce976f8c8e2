"""Threats that come with Slack: false requests, installations in another's name, outsiders, other workspaces."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import httpx
import pytest
from starlette.routing import Route

from tests.support import leaks, slackapi
from tests.support.practice import Running, practice
from tests.support.rows import everything, rows
from tests.support.slackapi import APP_TOKEN, SlackApi, token_of
from tests.support.slackapi.methods import CLIENT
from tests.support.slackapi.people import SIGNING_SECRET
from tests.support.slackbot import (
    ANA,
    BEN,
    CHIEF,
    ELSEWHERE,
    GUEST,
    MANY,
    SlackBot,
    install,
    open_slackbot,
    people,
)

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
# Everything that Slack may reach, by the way we are set up. A new one here needs a thought.
ROUTES = {
    "socket": {},
    "one": {"/slack/events": {"POST"}},
    "many": {"/slack/events": {"POST"}, "/slack/install": {"GET"}, "/slack/oauth": {"GET"}},
}
WAYS = {"socket": {"token": token_of("T1"), "app_token": APP_TOKEN}, "one": None, "many": MANY}
NOT_YOURS = "This button isn't yours, or its time is over."


@pytest.fixture
async def api() -> AsyncIterator[SlackApi]:
    """A Slack of two workspaces, which complains about nothing."""
    async with slackapi.running() as api:
        people(api)
        yield api
        assert api.complaints == []


@pytest.fixture
async def bitso() -> AsyncIterator[Running]:
    """A practice Bitso with some history."""
    async with practice("bitso") as running:
        running.state.seed(20)
        yield running


@pytest.fixture
async def home(tmp_path: Path, api: SlackApi, bitso: Running) -> AsyncIterator[SlackBot]:
    """A bot that two workspaces have installed."""
    async with open_slackbot(tmp_path, {"bitso": bitso.origin}, api, slack_settings=MANY) as bot:
        cast("Any", bitso.state).clock = bot.bot.clock.now
        for team, user in (("T1", CHIEF), ("T2", "UFAR")):
            assert (await install(bot, team, user)).status_code == 200
        yield bot


@pytest.mark.parametrize("way", ROUTES)
async def test_53_slack_reaches_these_addresses_alone(tmp_path: Path, api: SlackApi, way: str) -> None:
    """One address takes what Slack sends; with a socket there is none."""
    async with open_slackbot(tmp_path, {}, api, slack_settings=WAYS[way]) as bot:
        routes = [route for route in bot.slack.routes() if isinstance(route, Route)]
        assert {route.path: (route.methods or set()) - {"HEAD"} for route in routes} == ROUTES[way]


async def test_53_a_false_slack_sets_nothing_off(home: SlackBot) -> None:
    """Unsigned, altered, old, or dressed as the check of our certificate: refused, and nothing is stored."""
    body, kind = home.api.body_of(await home.api.slash(ANA, "/connect", "bitso"))
    await home.handled()
    before = len(await rows(home.bot, "inbox"))
    event = json.dumps({"type": "event_callback", "team_id": "T1", "event_id": "Ev1"}).encode()
    unsigned = {"X-Slack-Signature": "v0=" + "0" * 64}
    dressed = urlencode({"ssl_check": "1", "team_id": "T1", "command": "/connect", "text": "bitso"}).encode()
    answers = [
        await home.api.post(body, kind, secret="another"),
        await home.api.post(body, kind, at=int(time.time()) - 301),
        await home.api.post(body, kind, unsigned),
        await home.api.post(event, JSON, unsigned),
        await home.api.post(dressed + b"&ssl_check=0", FORM, unsigned),
        await home.api.post(dressed + b"&p%61yload=%7B%7D", FORM, unsigned),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 401, 200]
    assert answers[-1].text == ""
    assert len(await rows(home.bot, "inbox")) == before


async def test_53_a_true_request_sent_again_has_one_effect(home: SlackBot) -> None:
    """Whoever recorded one can send it for five minutes, and gets nothing for it."""
    sent = await home.api.slash(ANA, "/connect", "bitso")
    await home.handled()
    shown = home.words(ANA)
    for _ in range(2):
        assert (await home.api.redeliver(sent)).status == 200
        await home.handled()
    assert home.words(ANA) == shown


async def test_54_nobody_installs_in_anothers_browser(tmp_path: Path, api: SlackApi) -> None:
    """The way back works in the browser that began, once, and for what Slack itself says was agreed to."""
    async with open_slackbot(tmp_path, {}, api, slack_settings=MANY) as bot:
        wire = httpx.ASGITransport(bot.app)
        url = bot.bot.ctx.options.public_url
        async with (
            httpx.AsyncClient(transport=wire, base_url=url) as attacker,
            httpx.AsyncClient(transport=wire, base_url=url) as victim,
        ):
            begun = await attacker.get("/slack/install")
            back = api.methods.allow(begun.headers["location"], "T2", "UFAR")
            await victim.get("/slack/install")
            assert (await victim.get(back)).status_code == 400
            assert await rows(bot.bot, "installations") == []
            assert (await attacker.get(back)).status_code == 200
            assert (await attacker.get(back)).status_code == 400
        assert [row["team"] for row in await rows(bot.bot, "installations")] == ["slack:T2"]


async def test_54_a_stolen_database_holds_no_token(home: SlackBot, tmp_path: Path) -> None:
    """Tokens are sealed, each for its own workspace; of what an installation needs besides there is a hash."""
    held = await everything(home.bot)
    mine, theirs = (row["sealed"] for row in held["installations"])
    wanted = [*home.api.world.tokens, *home.api.methods.refreshes, SIGNING_SECRET, CLIENT[1]]
    assert [word for word in wanted if leaks.in_files(tmp_path, word)] == []
    assert not any(leaks.in_text(repr(held) + repr(home.bot.log.lines), word) for word in wanted)
    assert mine != theirs
    opaque = {
        name
        for table in ("installations", "installation_states", "inbox", "homes")
        for row in held.get(table, [])
        for name, value in row.items()
        if isinstance(value, bytes)
    }
    assert opaque <= {"sealed", "hash"}


@pytest.mark.parametrize(
    "flags",
    [
        {"is_restricted": True},
        {"is_ultra_restricted": True},
        {"is_bot": True},
        {"deleted": True},
        {"team_id": "T9"},
    ],
)
async def test_55_outsiders_get_nothing_on_whatever_list(home: SlackBot, flags) -> None:
    """Guests, bots, people of another company: nothing is answered, opened or remembered."""
    home.api.world.person(GUEST, **flags)
    await home.api.say(GUEST, "connect bitso")
    await home.api.mention(GUEST, "here", "CTEAM", user_team="T9", team="T9")
    await home.slash(GUEST, "/balances", "", "CTEAM")
    await home.api.open_home(GUEST)
    await home.handled()
    assert (home.words(GUEST), home.words("CTEAM"), home.api.whispers(GUEST)) == ([], [], [])
    assert ("T1", GUEST) not in home.api.world.homes
    assert await rows(home.bot, "people", user=GUEST) == []


async def test_56_no_workspace_reaches_into_another(home: SlackBot, bitso: Running) -> None:
    """Its buttons, admins and words are its own, and so is the token that speaks there."""
    await home.connect(ANA, bitso)
    shown = await home.say(ANA, "disconnect")
    before = home.words(ANA)
    far = await home.say(ELSEWHERE, "help")
    for label in shown.buttons:
        await home.api.press_element(far, shown.button(label), ELSEWHERE)
        await home.handled()
    assert {said.words for said in home.api.whispers(ELSEWHERE)} == {NOT_YOURS}
    for words in ("accounts", "keys", "balances", "revoke", "status"):
        assert bitso.state.key[-4:] not in (await home.say(ELSEWHERE, words)).words
    assert home.words(ANA) == before
    assert [row["state"] for row in await rows(home.bot, "accounts")] == ["active"]


async def test_57_nothing_personal_shows_where_others_read(home: SlackBot, bitso: Running) -> None:
    """In a channel with or without the bot, in two others' own chat, in a quote: the answer is private."""
    await home.connect(ANA, bitso)
    await home.connect(CHIEF, bitso, *bitso.state.new_key(("account", "balances", "fills")))
    home.api.world.channel("DANABEN", members=[ANA, BEN], kind="im", bot=False)
    for channel in ("CTEAM", "CALONE", "DANABEN"):
        for command, words in (
            ("/balances", ""),
            ("/keys", ""),
            ("/keyherald", "nothing"),
            ("/connect", "bitso"),
        ):
            await home.slash(ANA, command, words, channel)
    for words in ("> <@UBOT> here", "we have <@UBOT> here", "<@UBOT> balances", "<@UBOT> privacy"):
        await home.api.say(CHIEF, words, "CTEAM")
        await home.handled()
    url = await home.link(ANA)
    assert [home.words(place) for place in ("CTEAM", "CALONE", "DANABEN")] == [[], [], []]
    assert not any(bitso.state.key[-4:] in said.words for said in home.api.whispers(ANA))
    assert url not in repr([m.text for m in home.api.shown(ANA)] + home.api.whispers(ANA))
    assert url not in repr(list(home.api.world.homes.values()))
    assert {row["channel"] for row in await rows(home.bot, "conversations") if row["private"]} >= {ANA, CHIEF}
