"""What each failure on a real wire proves about a message, and that no failure spells a secret."""

import asyncio
import inspect
import logging
import traceback
from types import SimpleNamespace

import aiohttp
import pytest
import slack_sdk.errors
from slack_sdk.errors import SlackApiError

from chatbot.domain.people import Place
from chatbot.errors import SendError, Verdict
from chatbot.platforms.slack.verdicts import verdict_on
from tests.support import slackapi
from tests.support.slackapi import Answer, Fault, token_of
from tests.support.slacks import ANA, Rig, delivery, rig

POST = "chat.postMessage"
TEAM = Place("slack", "CTEAM", "T1", private=False)
ON_THE_WIRE = [
    # fault, taken by Slack
    (Fault.CLOSE_EARLY, False),
    (Fault.BAD_GATEWAY, False),
    (Fault.CLOSE, True),
    (Fault.RESET, True),
    (Fault.CUT, True),
    (Fault.GARBAGE, True),
]
ANSWERS = [
    (Answer(200, {"ok": True}), Verdict.UNKNOWN),
    (Answer(200, ["not", "an", "object"]), Verdict.UNKNOWN),
    (Answer(200, {"ok": True, "ts": 17}), Verdict.UNKNOWN),
    (Answer(200, {"ok": False, "error": 17}), Verdict.UNKNOWN),
    (Answer(500, {"ok": False, "error": "internal_error"}), Verdict.UNKNOWN),
    (Answer(503, {"ok": False, "error": "service_unavailable"}), Verdict.UNSENT),
    (Answer(504, "<html>late</html>"), Verdict.UNKNOWN),
    (Answer(200, "plain words"), Verdict.UNKNOWN),
    (Answer(429, "<html>slow down</html>"), Verdict.LIMITED),
    (Answer(403, "<html>a proxy's own page</html>"), Verdict.UNSENT),
    (Answer(404, "<html>nothing here</html>"), Verdict.UNSENT),
    (Answer(307, "<html>over there</html>", headers={"Location": "http://127.0.0.1:1/"}), Verdict.UNSENT),
]
CODES = {
    Verdict.GONE: [
        "channel_not_found", "is_archived", "not_in_channel", "user_disabled", "cannot_dm_bot",
        "restricted_action", "messages_tab_disabled", "user_not_found",
    ],
    Verdict.UNAUTHORISED: [
        "invalid_auth", "token_revoked", "token_expired", "account_inactive", "not_authed",
        "org_login_required", "team_access_not_granted", "missing_scope",
    ],
    Verdict.REFUSED: ["msg_too_long", "invalid_arguments", "a_code_nobody_knows"],
    Verdict.UNKNOWN: ["internal_error", "fatal_error"],
    Verdict.UNSENT: ["service_unavailable", "team_added_to_org", "request_timeout"],
    Verdict.LIMITED: ["ratelimited", "rate_limited", "message_limit_exceeded"],
}  # fmt: skip
OF_EDITS = ["message_not_found", "cant_update_message", "edit_window_closed"]
UNSENT_CAUSES = {
    "ClientConnectorCertificateError", "ClientConnectorDNSError", "ClientConnectorError",
    "ClientConnectorSSLError", "ClientHttpProxyError", "ClientProxyConnectionError", "ClientSSLError",
    "ConnectionTimeoutError", "InvalidURL", "InvalidUrlClientError", "InvalidUrlRedirectClientError",
    "NonHttpUrlClientError", "NonHttpUrlRedirectClientError", "ServerFingerprintMismatch",
    "UnixClientConnectorError",
}  # fmt: skip
UNKNOWN_CAUSES = {
    "ClientConnectionError", "ClientConnectionResetError", "ClientError", "ClientOSError", "ClientPayloadError",
    "ClientResponseError", "ContentTypeError", "RedirectClientError", "ServerConnectionError",
    "ServerDisconnectedError", "ServerTimeoutError", "SocketTimeoutError", "TooManyRedirects",
    "UploadAbortedError", "WSMessageTypeError", "WSServerHandshakeError", "WebSocketError",
}  # fmt: skip
LIBRARY = {
    "SlackClientError": Verdict.UNKNOWN,
    "BotUserAccessError": Verdict.UNKNOWN,
    "SlackRequestError": Verdict.UNSENT,
    "SlackTokenRotationError": Verdict.UNKNOWN,
    "SlackClientNotConnectedError": Verdict.UNKNOWN,
    "SlackObjectFormationError": Verdict.UNSENT,
    "SlackClientConfigurationError": Verdict.UNKNOWN,
}


@pytest.fixture
async def slack():
    """A Slack with a person and a channel."""
    async with slackapi.running() as api:
        api.world.channel("CTEAM", members=[ANA])
        yield api


@pytest.fixture
async def app(slack):
    """A started app there."""
    async with rig(slack) as app:
        await app.start()
        yield app


async def failure(app: Rig, shown="hello", place=TEAM, **fields) -> SendError:
    """Deliver something and return why it failed."""
    with pytest.raises(SendError) as raised:
        await app.slack.deliver(delivery(shown, clock=app.clock, place=place, **fields))
    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None
    return raised.value


@pytest.mark.parametrize(("fault", "taken"), ON_THE_WIRE)
async def test_a_broken_wire_leaves_the_outcome_unknown(app, fault, taken):
    """Whatever breaks after the request left is unknown, and the request is never made twice."""
    app.api.fail(POST, fault)

    assert (await failure(app)).verdict is Verdict.UNKNOWN
    assert app.api.count(POST) == taken
    assert len(app.api.shown("CTEAM")) == taken


async def test_a_hung_answer_is_unknown(app):
    """A request that is taken and never answered ends as unknown, within the lease."""
    app.api.fail(POST, Fault.HANG)
    late = delivery("hello", clock=app.clock, place=TEAM)
    app.clock.passed = 74.8

    with pytest.raises(SendError) as raised:
        await app.slack.deliver(late)

    assert raised.value.verdict is Verdict.UNKNOWN
    assert len(app.api.shown("CTEAM")) == 1


async def test_a_refused_connection_is_surely_unsent(app):
    """Nobody listening means nothing was taken, and the next try goes through."""
    await app.api.wire.vanish()

    error = await failure(app)
    await app.api.wire.listen()
    app.clock.passed += 2

    assert (error.verdict, error.retry) == (Verdict.UNSENT, True)
    assert await app.slack.deliver(delivery("hello", clock=app.clock, place=TEAM))


@pytest.mark.parametrize("url", ["https://127.0.0.1:{port}/api/", "http://nowhere.localhost:1/api/"])
async def test_no_tls_and_no_such_host_are_surely_unsent(slack, url):
    """A failed handshake or look-up comes before the first byte of the request."""
    async with rig(slack, api_url=url.format(port=slack.wire.port)) as app:
        assert (await failure(app)).verdict is Verdict.UNSENT


async def test_a_connection_closed_while_idle_costs_nothing(app):
    """A kept connection that the server dropped is replaced, and the message goes out once."""
    app.api.fail(POST, Fault.CLOSE_IDLE)
    await app.slack.deliver(delivery("one", clock=app.clock, place=TEAM))
    for _ in range(20):
        await asyncio.sleep(0)  # as the second between two messages would, it lets the end of it be noticed
    await app.slack.deliver(delivery("two", clock=app.clock, place=TEAM))

    assert [m.text for m in app.api.shown("CTEAM")] == ["one", "two"]


@pytest.mark.parametrize(("answer", "verdict"), ANSWERS)
async def test_odd_answers(app, answer, verdict):
    """Only what Slack itself says decides; a proxy's page never ends a conversation, no redirect is followed."""
    app.api.fail(POST, answer)

    assert (await failure(app)).verdict is verdict
    assert app.api.count(POST) == 0


@pytest.mark.parametrize(("verdict", "code"), [(v, code) for v, codes in CODES.items() for code in codes])
async def test_refusals_in_slacks_words(app, verdict, code):
    """Each of Slack's own refusals means one thing."""
    app.api.fail(POST, code, times=2)

    error = await failure(app)

    assert error.verdict is verdict
    assert error.reason in {code, "too many requests"}


@pytest.mark.parametrize("code", OF_EDITS)
async def test_an_edit_that_slack_no_longer_takes(app, code):
    """The card is shown anew below; it is not tried again and again."""
    app.api.fail("chat.update", code)

    assert (await failure(app, edit="CTEAM/5.1")).verdict is Verdict.EDIT_GONE


@pytest.mark.parametrize("code", ["message_not_found", "cant_delete_message"])
async def test_a_deletion_that_slack_no_longer_takes(app, code):
    """What is gone already counts as gone."""
    app.api.fail("chat.delete", code)

    assert (await failure(app, "", erase="CTEAM/5.1")).verdict is Verdict.EDIT_GONE


@pytest.mark.parametrize(
    ("header", "wait"), [("17", 17), ("0", 1), ("-4", 1), ("", 10), ("soon", 10), ("nan", 10), ("1e9", 900)]
)
async def test_too_many_requests_tell_how_long_to_wait(app, header, wait):
    """A 429 carries Slack's own waiting time, within reason, and is surely unsent."""
    app.api.fail(POST, Answer(429, {"ok": False, "error": "ratelimited"}, headers={"Retry-After": header}))

    error = await failure(app)

    assert (error.verdict, error.wait, error.retry) == (Verdict.LIMITED, wait, True)


async def test_a_missing_scope_is_named(app):
    """The operator reads which right the app still needs."""
    app.api.world.tokens[token_of("T1")].scopes = frozenset()
    app.api.complaints.clear()

    error = await failure(app)

    assert (error.verdict, error.reason) == (Verdict.UNAUTHORISED, "missing_scope: chat:write")


async def test_a_fault_in_our_blocks_is_named_by_its_place(app):
    """A refusal of blocks tells where, and nothing of what stands there."""
    said = {
        "messages": ["[ERROR] must be less than 3001 characters: the words [json-pointer:/blocks/0/text]"]
    }
    answer = Answer(200, {"ok": False, "error": "invalid_blocks", "response_metadata": said})
    app.api.fail(POST, answer, times=2)

    assert (await failure(app)).reason == "invalid_blocks at /blocks/0/text"


def test_an_odd_code_is_not_repeated():
    """What does not look like one of Slack's words may be anything, so it is not logged."""
    answer = SimpleNamespace(data={"ok": False, "error": "the canary <sings>"}, status_code=200)

    assert verdict_on(SlackApiError("x", answer)).reason == "a refusal without a code"


async def test_a_lease_that_ran_out_sends_nothing(app):
    """Whoever lost the row to another worker stays silent."""
    late = delivery("hello", clock=app.clock, place=TEAM)
    app.clock.passed = 80

    with pytest.raises(SendError) as raised:
        await app.slack.deliver(late)

    assert raised.value.verdict is Verdict.UNSENT
    assert app.api.count(POST) == 0


@pytest.mark.parametrize("name", [n for n in dir(slack_sdk.errors) if n.startswith(("Slack", "Bot"))])
def test_every_error_of_the_library_has_a_verdict(name):
    """A class that the next release adds fails here until somebody decides what it proves."""
    kind = getattr(slack_sdk.errors, name)
    if kind is SlackApiError:
        assert verdict_on(SlackApiError("x", {})).verdict is Verdict.UNKNOWN
    else:
        assert verdict_on(kind.__new__(kind)).verdict is LIBRARY[name]


def test_every_error_of_the_transport_has_a_verdict():
    """Each of aiohttp's errors is either surely unsent or unknown; none is forgotten."""
    classes = {
        name: kind
        for name, kind in {**vars(aiohttp.client_exceptions), **vars(aiohttp)}.items()
        if inspect.isclass(kind) and issubclass(kind, Exception) and not issubclass(kind, Warning)
    }
    ours = {n: k for n, k in classes.items() if k.__module__.startswith("aiohttp") and n != "EofStream"}
    verdicts = {name: verdict_on(kind.__new__(kind)).verdict for name, kind in ours.items()}

    assert verdicts.keys() == UNSENT_CAUSES | UNKNOWN_CAUSES
    assert {name for name, verdict in verdicts.items() if verdict is Verdict.UNSENT} == UNSENT_CAUSES


@pytest.mark.parametrize("fault", [*(f for f, _ in ON_THE_WIRE), "invalid_auth", 429, 502])
async def test_no_failure_spells_a_secret(app, fault, caplog):
    """Neither token nor words of the message stand in an error, a traceback, a log line or a repr."""
    caplog.set_level(logging.DEBUG)
    app.api.fail(POST, fault)

    error = await failure(app, "the canary sings")
    client = app.slack._api.client(token_of("T1"))
    told = "".join(traceback.format_exception(error)) + caplog.text + f"{app.slack._api!r} {client!r}"

    assert token_of("T1") not in told
    assert "canary" not in told + str(app.notes.lines)
    assert token_of("T1") not in str(app.notes.lines)
