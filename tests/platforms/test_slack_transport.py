"""How we speak to Slack over HTTP: each request once, with today's token, in a header alone."""

import logging
from typing import Any

import pytest
from slack_sdk.http_retry.builtin_async_handlers import async_default_handlers
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator
from slack_sdk.web.async_client import AsyncWebClient

from chatbot.domain.people import Place
from chatbot.errors import ConfigError, SendError, Verdict
from chatbot.platforms.slack.tokens import Bot, OneToken
from chatbot.platforms.slack.transport import Api, Client, refuse_retries
from tests.support import slackapi
from tests.support.botapi.wire import Asked
from tests.support.slackapi import Fault, token_of
from tests.support.slackapi.world import BOT, BOT_ID
from tests.support.slacks import ANA, delivery, rig
from tests.support.telegrams import COMMANDS

POST = "chat.postMessage"
TEAM = Place("slack", "CTEAM", "T1", private=False)
WORDS: dict[str, Any] = {
    "channel": "CTEAM",
    "text": "x",
    "mrkdwn": False,
    "unfurl_links": False,
    "unfurl_media": False,
}


class OneByOne:
    """Gives a token, and notes when it is asked to look again."""

    def __init__(self, token: str = "") -> None:
        self.now = token or token_of("T1")
        self.forgotten: list[str] = []

    async def token(self, workspace: str, wide: str = "") -> str:
        return self.now

    def forget(self, workspace: str) -> None:
        self.forgotten.append(workspace)


class Renewed(OneByOne):
    """Holds on to an old token until it is told to look again."""

    async def token(self, workspace: str, wide: str = "") -> str:
        return self.now if self.forgotten else "xoxb-replaced"


@pytest.fixture
async def slack():
    """A Slack with a channel."""
    async with slackapi.running() as api:
        api.world.channel("CTEAM", members=[ANA])
        yield api


@pytest.fixture
def asked(slack):
    """Every request to it as it came."""
    kept: list[Asked] = []
    inner = slack.wire._answer

    async def noting(request):
        kept.append(request)
        return await inner(request)

    slack.wire._answer = noting
    return kept


@pytest.fixture
async def tokens():
    """Who knows the token."""
    return OneByOne()


@pytest.fixture
async def api(slack, tokens):
    """Our way to that Slack."""
    api = Api(tokens, slack.url)
    yield api
    await api.disconnect()


async def test_slack_sdks_own_retries_post_twice_and_ours_do_not(slack, api):
    """Cut after Slack took it: the default client tells everybody twice, so no client of ours tries again."""
    slack.world.pace = 0
    slack.fail(POST, Fault.CLOSE)
    with pytest.raises(SendError):
        await api.call("T1", POST, WORDS)
    ours = len(slack.shown("CTEAM"))
    slack.fail(POST, Fault.CLOSE)
    default = AsyncWebClient(token_of("T1"), slack.url, session=api.session)
    default.proxy = None
    for handler in default.retry_handlers:
        handler.interval_calculator = FixedValueRetryIntervalCalculator(0)
    await default.chat_postMessage(**WORDS)

    assert ours == 1
    assert len(slack.shown("CTEAM")) - ours == 2


async def test_every_client_is_made_without_retries(slack, api):
    """Not with a token, not without, not the one that slack_bolt is handed."""
    async with rig(slack) as app:
        clients = [api.client(""), api.client("x"), app.slack._receiver.app.client]

    assert [client.retry_handlers for client in clients] == [[], [], []]


@pytest.mark.parametrize("where", ["ours", "bolt"])
async def test_a_client_that_tries_again_stops_the_start(slack, monkeypatch, where):
    """A version of a library that sneaks retries in is noticed before a message is sent."""
    async with rig(slack) as app:
        if where == "bolt":
            app.slack._receiver.app.client.retry_handlers = async_default_handlers()
        else:
            made = Client.__init__

            def sneaky(self, *args, **kwargs):
                made(self, *args, **kwargs)
                self.retry_handlers = async_default_handlers()

            monkeypatch.setattr(Client, "__init__", sneaky)
        with pytest.raises(ConfigError, match="send messages twice"):
            await app.slack.start(app.shelf, COMMANDS)

    assert slack.calls == []


def test_a_client_without_retries_passes():
    """What is checked is handed on."""
    client = AsyncWebClient("x", retry_handlers=[])

    assert refuse_retries(client) is client


async def test_the_token_travels_in_a_header_alone(asked, api):
    """It is in no address and no body, where proxies and servers keep it; an upload carries none at all."""
    await api.call("T1", POST, WORDS)
    await api.call("T1", "users.info", {"user": ANA})
    facts = {"filename": "picture.png", "length": 3, "alt_txt": "a line"}
    ticket = await api.call("T1", "files.getUploadURLExternal", facts)
    await api.upload(ticket["upload_url"], b"png")

    assert len(asked) == 4
    assert all(token_of("T1").encode() not in one.path.encode() + one.body for one in asked)
    assert ["authorization" in one.headers for one in asked] == [True, True, True, False]


async def test_a_renewed_token_counts_at_once(slack, tokens, api):
    """It is asked for at every call; a client of yesterday's token is not used again."""
    tokens.now = "xoxb-old"
    with pytest.raises(SendError):
        await api.call("T1", POST, WORDS)
    tokens.now = token_of("T1")

    assert (await api.call("T1", POST, WORDS))["ok"]


@pytest.mark.parametrize(
    ("code", "looked_up"), [("token_expired", ["T1"]), ("invalid_auth", ["T1"]), ("is_archived", [])]
)
async def test_a_refused_token_is_looked_up_anew(slack, tokens, api, code, looked_up):
    """Another process may have renewed it: what is remembered here is forgotten."""
    slack.fail(POST, code)
    with pytest.raises(SendError):
        await api.call("T1", POST, WORDS)

    assert tokens.forgotten == looked_up


async def test_a_workspace_without_a_token_costs_no_request(asked, api, tokens, monkeypatch):
    """Whoever removed the app is not called."""

    async def none(workspace, wide=""):
        raise SendError(Verdict.UNAUTHORISED, "not installed there any more")

    monkeypatch.setattr(tokens, "token", none)
    with pytest.raises(SendError):
        await api.call("T1", POST, WORDS)

    assert asked == []


async def test_a_proxy_of_the_environment_is_for_the_internet(slack, monkeypatch):
    """Slack is asked through it, a server on this machine never."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    local, far = Api(OneByOne(), slack.url), Api(OneByOne(), "https://slack.com/api/")
    try:
        assert (await local.call("T1", "auth.test"))["team_id"] == "T1"
        with pytest.raises(SendError) as raised:
            await far.call("T1", "auth.test")
    finally:
        await local.disconnect()
        await far.disconnect()

    assert (raised.value.verdict, raised.value.reason) == (Verdict.UNSENT, "ClientProxyConnectionError")


async def test_connections_are_closed_and_opened_again(slack, api):
    """A stopped app holds no connection; one that is started again works."""
    session = api.session
    await api.call("T1", "auth.test")
    await api.disconnect()

    assert session.closed
    assert (await api.call("T1", "auth.test"))["ok"]
    assert api.session is not session


async def test_the_libraries_log_nothing_of_what_is_sent(slack, caplog):
    """However much is logged elsewhere, no request and no answer is spelled out."""
    caplog.set_level(logging.DEBUG)
    async with rig(slack) as app:
        await app.start()
        await app.slack.deliver(delivery("the canary sings", clock=app.clock, place=TEAM))

    assert "canary" not in caplog.text
    assert token_of("T1") not in caplog.text


async def test_our_own_log_speaks_on(slack):
    """Slack's libraries are quiet; making the app and working with it silences nobody else."""
    names = ("", "keyherald", "telegram", "aiohttp", "uvicorn.error")
    before = [(one.disabled, one.level, one.handlers) for one in map(logging.getLogger, names)]
    async with rig(slack) as app:
        await app.start()
        await app.api.say(ANA, "hello")

    assert [(one.disabled, one.level, one.handlers) for one in map(logging.getLogger, names)] == before


async def test_a_token_of_the_settings_is_of_one_workspace():
    """Until Slack has said of which, nobody is let in; then nobody else is."""
    one = OneToken("xoxb-1")
    with pytest.raises(SendError):
        await one.bot("T1")
    with pytest.raises(SendError) as unknown:
        await one.token("T2")
    assert unknown.value.verdict is Verdict.UNSENT
    assert await one.token("") == "xoxb-1"
    one.met({"team_id": "T1", "user_id": BOT, "bot_id": BOT_ID, "enterprise_id": None})

    assert await one.bot("T1") == Bot("T1", BOT, BOT_ID)
    assert await one.bot("T2") is None
    assert await one.token("T1") == "xoxb-1"
    with pytest.raises(SendError) as foreign:
        await one.token("T2")
    assert foreign.value.verdict is Verdict.UNAUTHORISED


async def test_a_token_that_another_process_renewed_costs_nobody_a_minute(slack):
    """Slack refused the old one, so nothing was posted: the new one is used at once, and once."""
    tokens = Renewed()
    api = Api(tokens, slack.url)
    answer = await api.call("T1", POST, WORDS)
    slack.fail(POST, "token_revoked")
    with pytest.raises(SendError) as refused:
        await api.call("T1", POST, WORDS)
    await api.disconnect()
    assert answer["ok"]
    assert refused.value.verdict is Verdict.UNAUTHORISED
    assert len(slack.shown("CTEAM")) == 1
    assert tokens.forgotten == ["T1", "T1"]
