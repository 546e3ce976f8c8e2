"""How the app introduces itself on Slack, and the small answers around a message."""

import asyncio
from datetime import timedelta

import pytest

from chatbot.domain.people import Identity, Place
from chatbot.domain.updates import Pressed, Said, Sender
from chatbot.errors import ConfigError, SendError, StorageError, Verdict
from chatbot.platforms.slack import DEFAULT_API_URL, Slack
from tests.support import slackapi
from tests.support.slackapi import APP_ID, APP_TOKEN, token_of
from tests.support.slackapi.methods import CLIENT
from tests.support.slackapi.people import SIGNING_SECRET
from tests.support.slacks import ANA, PUBLIC_URL, ApiClock, Shelf, delivery, rig
from tests.support.telegrams import COMMANDS, Notes

ONE = {"token": token_of("T1"), "signing_secret": SIGNING_SECRET}
MANY = {"client_id": CLIENT[0], "client_secret": CLIENT[1], "signing_secret": SIGNING_SECRET}


class Installs:
    """Notes which workspace let us in; away for the first so many times."""

    def __init__(self, away: int = 0) -> None:
        self.alive_in: list[str] = []
        self.away = away

    async def alive(self, workspace: str) -> None:
        if self.away:
            self.away -= 1
            raise StorageError("away", retry=True)
        self.alive_in.append(workspace)

    async def find(self, workspace: str, wide: str = ""):
        return {"home": "T1", "bot_token": token_of("T1"), "bot_user_id": "UBOT", "app_id": APP_ID}


class YieldingClock(ApiClock):
    """Lets others run while it sleeps."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def slack():
    """A Slack with a person and a channel; nothing undocumented may be sent to it."""
    async with slackapi.running() as api:
        api.world.channel("CTEAM", members=[ANA])
        yield api
        assert api.complaints == []


@pytest.fixture
async def app(slack):
    """A started app there."""
    async with rig(slack) as app:
        await app.start()
        yield app


def made(api_url: str = DEFAULT_API_URL, **settings) -> Slack:
    return Slack(public_url=PUBLIC_URL, clock=YieldingClock(), log=Notes(), api_url=api_url, **settings)


async def met(platform: Slack) -> None:
    """Wait until an app that could not introduce itself has done so, or given up."""
    assert platform._meeting is not None
    async with asyncio.timeout(5):
        await platform._meeting


def actions_of(platform: Slack) -> list[str]:
    assert isinstance(platform._log, Notes)
    return platform._log.actions()


async def test_a_started_app_knows_itself_and_notes_that_it_is_let_in(slack):
    """The workspace of a token is learned once, and remembered as one that has us."""
    installs = Installs()
    async with rig(slack, installs=installs) as app:
        await app.start()

        assert (app.slack.state, installs.alive_in) == ("receiving", ["T1"])
        assert await app.slack.check() == "@keyherald (team-t1)"


async def test_an_app_that_can_not_reach_slack_keeps_trying(slack):
    """It says so, and is there as soon as Slack is."""
    await slack.wire.vanish()
    platform = made(slack.url, **ONE)
    await platform.start(Shelf(), COMMANDS)
    began = platform.state
    await slack.wire.listen()
    await slack.until(lambda: slack.count("bots.info"))
    try:
        await met(platform)
        assert (began, platform.state) == ("unreachable", "receiving")
    finally:
        await platform.stop()
    assert actions_of(platform)[0] == "slack_unreachable"
    assert platform.state == "stopped"


async def test_a_database_that_is_away_does_not_end_it(slack):
    """The introduction is made again until it is noted."""
    installs = Installs(away=2)
    platform = made(slack.url, installs=installs, **ONE)
    await platform.start(Shelf(), COMMANDS)
    try:
        await met(platform)
    finally:
        await platform.stop()

    assert installs.alive_in == ["T1"]


async def test_a_refused_token_is_said_once_and_not_hammered(slack):
    """The operator reads what to do; Slack is not asked again and again."""
    slack.world.tokens[token_of("T1")].refusal = "token_revoked"
    platform = made(slack.url, **ONE)
    await platform.start(Shelf(), COMMANDS)
    try:
        await met(platform)
        assert platform.state == "token refused"
    finally:
        await platform.stop()

    assert actions_of(platform) == ["slack_token_refused"]
    assert "SLACK_BOT_TOKEN" in str(vars(platform._log))


@pytest.mark.parametrize(
    ("settings", "refusal"),
    [
        (ONE, "invalid_auth"),
        ({"token": token_of("T1"), "app_token": APP_TOKEN + "x"}, "invalid_auth"),
        (MANY | {"client_secret": "other"}, "bad_client_secret"),
        (MANY | {"client_id": "1.2"}, "invalid_client_id"),
    ],
)
async def test_the_doctor_hears_of_each_secret_that_slack_refuses(slack, settings, refusal):
    """Bot token, app token, client id and client secret are all tried without starting anything."""
    if settings is ONE:
        del slack.world.tokens[token_of("T1")]
    platform = made(slack.url, **settings)

    with pytest.raises(SendError) as raised:
        await platform.check()

    assert (raised.value.verdict, raised.value.reason) == (Verdict.UNAUTHORISED, refusal)
    assert platform._api._session is None


@pytest.mark.parametrize(
    ("settings", "who"),
    [
        ({"token": token_of("T1"), "app_token": APP_TOKEN}, "@keyherald (team-t1)"),
        (MANY, f"app {CLIENT[0]}"),
    ],
)
async def test_the_doctor_hears_who_the_bot_is(slack, settings, who):
    """What works is named, and no connection stays open behind it."""
    platform = made(slack.url, **settings)

    assert await platform.check() == who
    assert platform._api._session is None


async def test_a_toast_is_seen_by_who_pressed_alone(app):
    """In a channel, in private and on the home page; without words nothing is sent."""
    await app.slack.answer(
        Pressed(Sender(ANA, "", "CTEAM", "T1", private=False), "id1", answer="CTEAM"), "Muted <!x>"
    )
    await app.slack.answer(Pressed(Sender(ANA, "", ANA, "T1"), "id1"), "Done")
    await app.slack.answer(Pressed(Sender(ANA, "", ANA, "T1"), "id1"), "")

    assert [(m.channel, m.words) for m in app.api.whispers(ANA)] == [
        ("CTEAM", "Muted <!x>"),
        (app.api.world.im(ANA).id, "Done"),
    ]


async def test_answering_a_press_never_fails(app):
    """With Slack away, or saying no, the press still counts."""
    app.api.fail("chat.postEphemeral", "user_not_in_channel")
    await app.slack.answer(Pressed(Sender(ANA, "", ANA, "T1"), "id1"), "no")
    await app.api.wire.vanish()
    await app.slack.answer(Pressed(Sender(ANA, "", ANA, "T1"), "id1"), "away")

    assert app.notes.actions().count("slack_answer_ignored") == 2


async def test_the_way_to_the_private_chat(app):
    """The app's own tab in that workspace; nobody's place on another platform is ours to open."""
    assert app.slack.private_url("connect", "T1") == f"slack://app?team=T1&id={APP_ID}&tab=messages"
    assert app.slack.private_url("connect") == ""
    assert app.slack.private_place(Identity("slack", ANA, "T1")) == Place("slack", ANA, "T1", private=True)
    assert app.slack.private_place(Identity("telegram", "77")) is None
    assert app.slack.identify("anything", timedelta(minutes=5)) is None


async def test_an_app_of_many_workspaces_learns_its_id_from_an_installation(slack):
    """The way to the private chat is known by the first time somebody acts."""
    async with rig(slack, token="", installs=Installs(), **MANY) as app:
        await app.start()
        before = app.slack.private_url("", "T1")
        await app.slack.standing(Sender(ANA, "", ANA, "T1"), chief=False)

        assert (before, app.slack.state) == ("", "receiving")
        assert app.slack.private_url("", "T1").startswith(f"slack://app?team=T1&id={APP_ID}")
        assert await app.slack.deliver(delivery("hello", clock=app.clock))


async def test_many_workspaces_need_somewhere_to_keep_their_tokens(slack):
    """Without a database such an app can be checked and is never started."""
    with pytest.raises(ConfigError, match="database"):
        await made(slack.url, **MANY).start(Shelf(), COMMANDS)


def test_commands_are_understood_before_the_start():
    """A process that only handles what another took in reads plain words in private as commands too."""
    raw = {
        "kind": "said",
        "team": "T1",
        "user": ANA,
        "channel": "D1",
        "type": "im",
        "bot": "UBOT",
        "text": "connect bitso",
    }
    heard = made(commands=COMMANDS, **ONE).parse(raw)

    assert isinstance(heard, Said)
    assert heard.text == "/connect bitso"
