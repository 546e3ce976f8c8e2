"""What Slack sends over HTTP: only when it is signed, only from workspaces that let us in, only once stored."""

import asyncio
import json
import logging
from contextlib import asynccontextmanager

import pytest
from slack_bolt.middleware.async_custom_middleware import AsyncCustomMiddleware
from sqlalchemy import text

from chatbot.errors import StorageError, VaultError
from chatbot.platforms.slack import receiving
from chatbot.platforms.slack.tokens import OneToken
from chatbot.text import Translator
from chatbot.web import Extra, WebOptions, create_app
from tests.support import slackapi, slackbot
from tests.support.practice import serve
from tests.support.slackapi.people import SIGNING_SECRET
from tests.support.slackapi.world import BOT, BOT_ID
from tests.support.slackgate import Held, Lookup, client, receiver
from tests.support.slacks import ANA, EVENTS, Shelf, rig

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
EVENT = json.dumps(
    {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {"type": "x"}}
).encode()


async def test_what_is_said_typed_and_pressed_is_stored_and_then_taken(slack, app):
    """Each is one row by the time of the 200, which has an empty body."""
    sent = [
        await slack.say(ANA, "connect bitso"),
        await slack.mention(ANA, "fills", "CTEAM"),
        await slack.slash(ANA, "/connect", "bitso", "CTEAM"),
        await slack.open_home(ANA),
    ]

    assert [(one.statuses, one.bodies) for one in sent] == [([200], [""])] * 4
    assert [raw["kind"] for raw in app.shelf.rows.values()] == ["said", "said", "said", "happened"]


async def test_slacks_own_questions_are_answered(slack, app):
    """The address check gets its challenge back, the look at the certificate a 200, and neither leaves a row."""
    checked = await slack.verify_url("c-1")

    assert (checked.status_code, checked.json()) == (200, {"challenge": "c-1"})
    assert (await slack.ssl_check()).status_code == 200
    unsigned = await slack.http.post(EVENTS, content=b"ssl_check=1&token=x", headers={"content-type": FORM})
    assert unsigned.status_code == 200
    assert app.shelf.rows == {}


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": "message"},
        {"type": "message", "channel": ["D1"], "user": ANA},
        {"type": "app_mention", "channel": "CTEAM", "user": {"id": ANA}, "text": {}, "ts": 5},
        {"type": "team_access_revoked", "team_ids": None},
        {"type": "tokens_revoked"},
        {"type": "app_home_opened", "user": None, "tab": "home"},
    ],
)
async def test_an_event_nobody_foresaw_is_taken_and_dropped(slack, app, event):
    """It would be broken the next time too; the log says so without its words."""
    sent = await slack.event("T1", event)

    assert sent.statuses == [200]
    assert app.shelf.rows == {}
    assert "slack_payload_odd" in app.notes.actions()


async def test_three_deliveries_are_one_effect(tmp_path):
    """The same event, command and press, each sent three times over real HTTP, are one row each."""
    async with slackapi.running() as api, whole(tmp_path, api) as bot:
        event, command = await api.say(ANA, "connect bitso"), await api.slash(ANA, "/fills", channel="CTEAM")
        await bot.handled()
        press = await api.press(api.latest(ANA), api.latest(ANA).buttons[0], ANA)
        for number in (1, 2):
            for sent in (event, command, press):
                await api.redeliver(sent, number)
        async with bot.bot.database.transaction() as tx:
            [[stored]] = await tx.all(text("SELECT count(*) FROM inbox"))

        assert [sent.statuses for sent in (event, command, press)] == [[200] * 3] * 3
        assert stored == 3
        assert api.complaints == []


async def test_the_answers_wear_the_web_apps_headers(tmp_path):
    """In the whole app the route stands behind the same gate as every other."""
    async with slackapi.running() as api, whole(tmp_path, api):
        answer = await api.post(EVENT, JSON)
        foreign = await api.http.post(api.target, content=b"", headers={"Host": "evil.example"})

    assert (answer.status_code, answer.headers["content-security-policy"][:18]) == (200, "default-src 'none'")
    assert foreign.status_code == 400


@asynccontextmanager
async def whole(folder, api):
    """The whole bot, and in front of it the whole web app on a real socket."""
    slackbot.people(api)
    parts: list = []

    async def late(scope, receive, send):
        await parts[0](scope, receive, send)

    async def ready():
        return {}

    async with slackbot.open_slackbot(folder, {}, api) as bot, serve(late) as url:
        extra = Extra(tuple(bot.slack.routes()))
        say = lambda locale, msgid: Translator(locale).say(msgid)  # noqa: E731
        parts.append(create_app(bot.bot.desk, say, ready, bot.bot.log, WebOptions(url, extras=(extra,))))
        api.target = url + "/slack/events"
        yield bot


async def test_nothing_is_taken_before_the_start_or_after_the_end(slack):
    """Then Slack is asked to come again."""
    async with rig(slack) as app:
        slack.target, slack.http = EVENTS, client(app.slack.routes())
        early = await slack.say(ANA, "help")
        await app.start()
        await app.slack.stop()
        late = await slack.redeliver(early)

    assert late.statuses == [503, 503]


@pytest.mark.parametrize("failure", [StorageError("away", retry=True), StorageError("full", retry=False)])
async def test_what_is_not_stored_is_not_taken(failure):
    """With the database away Slack sends it again; the log tells."""
    async with receiver(Held(failure)) as (_, people, notes):
        sent = await people.say(ANA, "help")

    assert sent.statuses == [503]
    assert "slack_update_not_stored" in notes.actions()


async def test_a_bug_is_no_yes():
    """What nobody foresaw is a 500, so that Slack sends it again, and one line without the payload."""
    async with receiver(Held(RuntimeError("words of ana"))) as (_, people, notes):
        sent = await people.say(ANA, "words of ana")

    assert sent.statuses == [500]
    assert ("error", "slack_update_failed", {"error": "RuntimeError"}) in notes.lines
    assert "words of ana" not in repr(notes.lines)


async def test_slow_storing_is_told_in_time_and_still_stored(monkeypatch):
    """Within Slack's patience it hears 503; the row is stored all the same, and a repeat is noticed."""
    monkeypatch.setattr(receiving, "ACK_SECONDS", 0.05)
    shelf = Held()
    async with receiver(shelf) as (_, people, notes):
        sent = await people.say(ANA, "help")
        assert (sent.statuses, shelf.rows) == ([503], {})
        shelf.go.set()
        await people.redeliver(sent)

    assert sent.statuses == [503, 200]
    assert len(shelf.rows) == 1
    assert "slack_storing_slow" in notes.actions()


async def test_stopping_waits_for_what_is_being_stored(monkeypatch):
    """A command is sent only once: it is not dropped because the bot is told to end."""
    monkeypatch.setattr(receiving, "ACK_SECONDS", 0.05)
    shelf = Held()
    async with receiver(shelf) as (found, people, _):
        await people.slash(ANA, "/fills")
        stopping = asyncio.create_task(found.stop())
        await asyncio.sleep(0)
        shelf.go.set()
        await stopping
        assert len(shelf.rows) == 1
        assert found.state == "stopped"


async def test_a_workspace_that_never_let_us_in_is_told_nothing():
    """It is taken with a 200, stored nowhere, and no call is made anywhere; the log names the workspace."""
    shelf = Shelf()
    async with receiver(shelf, Lookup(None)) as (_, people, notes):
        sent = [await people.say(ANA, "help"), await people.slash(ANA, "/fills")]
        sent += await people.uninstall("T1")

    assert [one.statuses for one in sent] == [[200]] * 4
    assert shelf.rows == {}
    assert notes.lines == [("warning", "slack_workspace_unknown", {"workspace": "T1"})] * 4


@pytest.mark.parametrize("failure", [StorageError("away", retry=True), VaultError("no key")])
async def test_when_it_cant_be_told_whether_we_are_let_in_slack_comes_again(failure):
    """Nothing is dropped because of a database that is away."""
    async with receiver(Shelf(), Lookup(failure)) as (_, people, _notes):
        assert (await people.say(ANA, "help")).statuses == [503]


async def test_before_slack_said_whose_the_token_is_nothing_is_taken():
    """A workspace is only known by what auth.test says."""
    async with receiver(Shelf(), OneToken("xoxb-1")) as (_, people, _notes):
        assert (await people.say(ANA, "help")).statuses == [503]


async def test_another_workspace_of_the_same_app_is_unknown(slack, app):
    """With a token of the settings there is one workspace, whoever else has the app."""
    slack.world.team("T2")
    sent = await slack.event("T2", {"type": "app_home_opened", "user": "U2", "channel": "D2", "tab": "home"})

    assert sent.statuses == [200]
    assert app.shelf.rows == {}
    assert ("warning", "slack_workspace_unknown", {"workspace": "T2"}) in app.notes.lines


@pytest.mark.parametrize("team", ["T1\nforged line", "<script>", "T" * 100, "", None, {"id": "T1"}])
async def test_an_odd_workspace_id_does_not_reach_the_log(slack, app, team):
    """What is no id is written as none."""
    body = json.dumps({"type": "event_callback", "team_id": team, "event_id": "Ev1", "event": {"type": "x"}})
    answer = await slack.post(body.encode(), JSON)

    assert answer.status_code in {200, 500}
    assert app.shelf.rows == {}
    assert "forged" not in repr(app.notes.lines)


async def test_our_own_words_come_back_to_nothing(slack, app):
    """Bolt leaves out what the bot itself said, by its user and by its bot id."""
    await slack.event("T1", {"type": "message", "user": BOT, "channel": "D1", "ts": "1.1", "text": "help"})
    await slack.event(
        "T1", {"type": "message", "bot_id": BOT_ID, "channel": "D1", "ts": "1.2", "text": "help"}
    )

    assert app.shelf.rows == {}


@pytest.mark.parametrize("flags", [{"subtype": "message_changed"}, {"user_team": "T9"}, {"bot_id": "B7"}])
async def test_edits_strangers_and_bots_leave_no_row(slack, app, flags):
    """They are taken, and that is all."""
    sent = await slack.say(ANA, "connect bitso", **flags)

    assert sent.statuses == [200]
    assert app.shelf.rows == {}


async def test_every_client_bolt_makes_sends_once(slack, app):
    """The one of the app, and the one it makes for each request: no retry handler anywhere."""
    bolt = app.slack._receiver.app
    seen = []

    async def look(client, next):  # noqa: A002  bolt's word
        seen.append(client.retry_handlers)
        await next()

    bolt._async_middleware_list.insert(1, AsyncCustomMiddleware(app_name="probe", func=look))
    await slack.say(ANA, "help")

    assert seen == [[]]
    assert bolt.client.retry_handlers == []


async def test_no_library_logs_a_payload(slack, app, caplog):
    """Even with every logger turned up: not the body, not its signature, not a token."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("slack", "keyherald")):
            logging.getLogger(name).setLevel(logging.DEBUG)
    await slack.say(ANA, "secret words")
    await slack.slash(ANA, "/connect", "secret words")
    await slack.post(b'{"secret words": 1}', JSON, secret="0" * 32)
    await slack.event("T1", {"type": "message", "text": "secret words"})

    lines = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    assert "secret words" not in lines + repr(app.notes.lines)
    assert "xoxb" not in lines + repr(app.notes.lines)


async def test_environment_variables_of_bolt_change_nothing(slack, monkeypatch):
    """Our settings have the names bolt looks for; it must not make file stores or other apps of them."""
    for name in ("SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.setenv(name, "from-the-environment")
    async with receiver(Shelf()) as (found, people, _):
        assert (await people.say(ANA, "help")).statuses == [200]

    assert found.app._token is None
    assert found.app._signing_secret == SIGNING_SECRET
