"""Socket Mode on a loopback socket: confirmed only once stored, watched, opened anew, and closed for good."""

import asyncio
import logging
from contextlib import asynccontextmanager

import pytest

from chatbot.errors import StorageError
from chatbot.platforms.slack import socketmode
from chatbot.platforms.slack.receiving import Receiver
from tests.support.slackapi import APP_TOKEN, people
from tests.support.slackapi.world import Shown
from tests.support.slackgate import Held, Lookup, one_workspace, until
from tests.support.slacks import ANA, Shelf, rig
from tests.support.telegrams import Notes, QuickClock

PING = 0.05


class Line:
    """A receiver on a socket, and everything around it."""

    def __init__(self, api, shelf, bots, token):
        self.shelf, self.notes, self.clock = shelf, Notes(), QuickClock()
        self.receiver = Receiver(
            bots, api_url=api.url, clock=self.clock, log=self.notes, app_token=token, ping_seconds=PING
        )

    async def reaches(self, state):
        await until(lambda: self.receiver.state == state)

    async def notes_down(self, action, count=1):
        await until(lambda: self.notes.actions().count(action) >= count)


@asynccontextmanager
async def line(api, shelf=None, bots=None, token=APP_TOKEN):
    """A started receiver; stopped at the end."""
    found = Line(api, shelf or Shelf(), bots or one_workspace(), token)
    await found.receiver.start(found.shelf)
    try:
        yield found
    finally:
        await found.receiver.stop()


async def test_everything_comes_down_the_socket(slack):
    """What is said, typed and pressed is stored and confirmed, with nothing in the confirmation."""
    async with line(slack) as found:
        await found.reaches("receiving")
        button = {"type": "button", "action_id": "b1", "text": {"type": "plain_text", "text": "Next"}}
        shown = Shown("T1", "CTEAM", "1700000000.000001", "Press")
        sent = [
            await slack.say(ANA, "connect bitso"),
            await slack.slash(ANA, "/fills", channel="CTEAM"),
            await slack.press_element(shown, button, ANA),
        ]

        assert [one.statuses for one in sent] == [[200]] * 3
        assert [raw["kind"] for raw in found.shelf.rows.values()] == ["said", "said", "pressed"]


async def test_the_whole_platform_runs_on_a_socket(slack):
    """With an app token no address of ours is needed, and there is none."""
    async with rig(slack, app_token=APP_TOKEN, signing_secret="") as app:
        await app.slack.start(app.shelf, ())
        sent = await slack.say(ANA, "help")

        assert sent.statuses == [200]
        assert list(app.slack.routes()) == []
        assert (app.slack.state, len(app.shelf.rows)) == ("receiving", 1)
    assert slack.sockets.open == []


async def test_what_is_not_stored_is_not_confirmed(slack, monkeypatch):
    """Slack sends it again then; stored once, the repeat is only confirmed."""
    monkeypatch.setattr(people, "PATIENCE", 0.3)
    shelf = Held(StorageError("away", retry=True))
    async with line(slack, shelf) as found:
        sent = await slack.say(ANA, "help")
        shelf.failure = None
        shelf.go.set()
        await slack.redeliver(sent)
        await slack.redeliver(sent, 2)

    assert slack.complaints.pop().startswith("event: not acknowledged")
    assert sent.statuses == [0, 200, 200]
    assert len(shelf.rows) == 1
    assert "slack_update_not_stored" in found.notes.actions()


async def test_an_unknown_workspace_is_confirmed_and_dropped(slack):
    """Nothing is stored, and Slack does not come again."""
    async with line(slack, bots=Lookup(None)) as found:
        sent = await slack.say(ANA, "help")

    assert (sent.statuses, found.shelf.rows) == ([200], {})


async def test_a_silent_socket_is_noticed_and_replaced(slack, monkeypatch):
    """No answer to our pings within a few of them, and another socket is opened, after a wait."""
    monkeypatch.setattr(socketmode, "HELLO_SECONDS", 0.1)
    async with line(slack) as found:
        await found.reaches("receiving")
        slack.sockets.mute = True
        await found.notes_down("slack_socket_failed")
        slack.sockets.mute = False
        await found.reaches("receiving")
        sent = await slack.say(ANA, "help")

    assert ("warning", "slack_socket_failed", {"reason": "silent", "tries": 1}) in found.notes.lines
    assert sent.statuses == [200]
    assert found.clock.slept[0] > 0


async def test_slacks_own_pings_are_answered(slack):
    """Slack drops who doesn't."""
    async with line(slack) as found:
        await found.reaches("receiving")
        heard = asyncio.Event()
        socket = slack.sockets.open[0]
        pong, before = slack.sockets._heard, slack.sockets.pings

        async def listen(where, message):
            if message.type.name == "PONG" and bytes(message.data) == b"Ping from applink-1":
                heard.set()
            await pong(where, message)

        slack.sockets._heard = listen
        await socket.ping(b"Ping from applink-1")
        await until(lambda: heard.is_set() and slack.sockets.pings > before)


async def test_a_cut_socket_is_opened_again(slack):
    """Again and again, each time after a wait that grows while it doesn't last, and with one socket at a time."""
    async with line(slack) as found:
        for count in range(1, 6):
            await found.notes_down("slack_socket_open", count)
            assert len(slack.sockets.open) == 1
            await slack.sockets.cut()
        await found.notes_down("slack_socket_open", 6)

    assert [round(slept) for slept in found.clock.slept[:5]] == sorted(
        round(s) for s in found.clock.slept[:5]
    )
    assert 0.7 <= found.clock.slept[0] <= 1.0
    assert 11 <= found.clock.slept[4] <= 16


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_slack_moves_us_on_without_a_gap(slack, reason):
    """The new socket is open before the old one is closed, and then there is one."""
    ticket, beside = slack.sockets.ticket, []

    def watched():
        beside.append(len(slack.sockets.open))
        return ticket()

    slack.sockets.ticket = watched
    async with line(slack) as found:
        await found.reaches("receiving")
        found.clock.passed += 3600
        await slack.sockets.disconnect(reason)
        await found.notes_down("slack_socket_open", 2)
        await slack.until(lambda: len(slack.sockets.open) == 1)
        sent = await slack.say(ANA, "help")

    assert beside == [0, 1 if reason == "warning" else 0]
    assert ("info", "slack_socket_renewed", {"reason": reason}) in found.notes.lines
    assert (sent.statuses, slack.sockets.opened, found.clock.slept) == ([200], 2, [])


@pytest.mark.parametrize("reason", ["too_many_websockets", "link_disabled"])
async def test_slack_turns_us_away(slack, reason):
    """The socket is closed before another is tried, after a wait; with Socket Mode off the log says where to look."""
    async with line(slack) as found:
        await found.reaches("receiving")
        await slack.sockets.disconnect(reason)
        await found.notes_down("slack_socket_open", 2)

    assert ("warning", "slack_socket_failed", {"reason": reason, "tries": 1}) in found.notes.lines
    assert ("slack_socket_mode_off" in found.notes.actions()) == (reason == "link_disabled")


@pytest.mark.parametrize(("fault", "reason"), [(503, "SlackApiError"), ("internal_error", "internal_error")])
async def test_slack_away_is_tried_again(slack, fault, reason):
    """The state says so meanwhile, and nobody has to start anything anew."""
    slack.fail("apps.connections.open", fault, 3)
    async with line(slack) as found:
        assert found.receiver._socket._web.retry_handlers == []
        await found.notes_down("slack_socket_failed", 3)
        await found.reaches("receiving")

    assert found.notes.lines[:3] == [
        ("warning", "slack_socket_failed", {"reason": reason, "tries": tries}) for tries in (1, 2, 3)
    ]


async def test_slacks_wish_to_wait_is_granted(slack):
    """Retry-After counts more than our own wait."""
    slack.fail("apps.connections.open", 429, wait=77)
    async with line(slack) as found:
        await found.reaches("receiving")

    assert found.clock.slept == [77.0]


@pytest.mark.parametrize("code", ["invalid_auth", "not_allowed_token_type", "token_revoked", "missing_scope"])
async def test_a_refused_app_token_is_said_once(slack, code):
    """The state says it, the log says what to do, and Slack is not asked again."""
    slack.fail("apps.connections.open", code)
    async with line(slack) as found:
        await found.reaches("token refused")
        await asyncio.wait({found.receiver._running})

    assert slack.sockets.opened == 0
    [(level, action, told)] = found.notes.lines
    assert (level, action, told["reason"]) == ("error", "slack_app_token_refused", code)
    assert "SLACK_APP_TOKEN" in told["advice"]
    assert APP_TOKEN not in repr(found.notes.lines)


async def test_no_greeting_is_no_connection(slack, monkeypatch):
    """A socket on which Slack never says hello is given up."""
    monkeypatch.setattr(socketmode, "HELLO_SECONDS", 0.05)
    slack.sockets.mute = True
    async with line(slack) as found:
        await found.notes_down("slack_socket_failed", 2)
        assert found.receiver.state == "unreachable"
        slack.sockets.mute = False
        await found.reaches("receiving")


async def test_stopping_closes_everything(slack):
    """No task, no socket, no session is left, and what Slack sends then reaches nobody."""
    before = asyncio.all_tasks()
    async with line(slack) as found:
        await found.reaches("receiving")
    await slack.until(lambda: not slack.sockets.open)

    ours = {
        task
        for task in asyncio.all_tasks() - before
        if "tests" not in repr(task) and "aiohttp/web" not in repr(task)
    }
    assert ours == set()
    assert found.receiver.state == "stopped"


async def test_stopping_while_slack_is_away_returns(slack):
    """In the middle of a try or of a wait."""
    slack.fail("apps.connections.open", 503, 1000)
    async with line(slack) as found:
        await found.notes_down("slack_socket_failed", 2)
    assert found.receiver.state == "stopped"


async def test_stopping_lets_what_is_being_stored_be_stored(slack):
    """A command comes only once."""
    shelf = Held()
    async with line(slack, shelf) as found:
        await found.reaches("receiving")
        sending = asyncio.create_task(slack.slash(ANA, "/fills"))
        await until(lambda: found.receiver._socket._busy)
        stopping = asyncio.create_task(found.receiver.stop())
        done, _ = await asyncio.wait({stopping}, timeout=0.1)
        assert not done
        shelf.go.set()
        await stopping
        sent = await sending

    assert (sent.statuses, len(shelf.rows)) == ([200], 1)


async def test_a_socket_can_be_started_again(slack):
    """After a stop the same receiver comes back."""
    async with line(slack) as found:
        await found.reaches("receiving")
        await found.receiver.stop()
        await found.receiver.start(found.shelf)
        await found.reaches("receiving")
        assert (await slack.say(ANA, "help")).statuses == [200]


async def test_no_library_logs_what_comes(slack, caplog):
    """Even with every logger turned up: no payload, no token, no ticket."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        if name.startswith(("slack", "aiohttp", "keyherald")):
            logging.getLogger(name).setLevel(logging.DEBUG)
    async with line(slack) as found:
        await found.reaches("receiving")
        await slack.say(ANA, "secret words")
        await slack.sockets.cut()
        await found.notes_down("slack_socket_open", 2)

    lines = "\n".join(record.getMessage() for record in caplog.records) + repr(found.notes.lines)
    for word in ("secret words", APP_TOKEN, "ticket=", "xoxb"):
        assert word not in lines
