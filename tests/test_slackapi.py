"""The fake Slack keeps to the documentation: slack_sdk itself talks to it, and what is wrong is told."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import httpx
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.support import slackapi

WORDS: dict[str, Any] = {"text": "hello", "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
SECTION = {"type": "rich_text_section", "elements": [{"type": "text", "text": "Hello *you*"}]}
BUTTON = {"type": "button", "action_id": "b1", "text": {"type": "plain_text", "text": "Next"}}
BLOCKS: list[dict[str, Any]] = [
    {"type": "rich_text", "elements": [SECTION]},
    {"type": "actions", "elements": [BUTTON]},
]


@pytest.fixture
async def api() -> AsyncIterator[slackapi.SlackApi]:
    """A Slack with one channel, and no waiting between two messages."""
    async with slackapi.running() as api:
        api.world.channel("C1", members=["U1"])
        api.world.pace = 0
        yield api


@pytest.fixture
def web(api) -> AsyncWebClient:
    """Slack's own client."""
    return AsyncWebClient(slackapi.token_of("T1"), base_url=api.url, retry_handlers=[])


def app_of(api: slackapi.SlackApi) -> list[httpx.Request]:
    got: list[httpx.Request] = []

    def taken(request: httpx.Request) -> httpx.Response:
        got.append(request)
        return httpx.Response(200)

    api.target, api.http = "http://app.example/", httpx.AsyncClient(transport=httpx.MockTransport(taken))
    return got


async def refusal(call) -> str:
    with pytest.raises(SlackApiError) as raised:
        await call
    return str(raised.value.response["error"])


async def test_slacks_own_client_gets_what_it_expects(api, web):
    """Posting, whispering, editing, deleting, opening, asking and publishing work and leave no complaint."""
    me = await web.auth_test()
    im = await web.conversations_open(users="U1")
    posted = await web.chat_postMessage(channel=im["channel"]["id"], blocks=BLOCKS, **WORDS)
    await web.chat_postEphemeral(channel="C1", user="U1", text="psst")
    await web.chat_update(channel=posted["channel"], ts=posted["ts"], text="changed", blocks=[])
    who = await web.users_info(user="U1", include_locale=True)
    await web.views_publish(user_id="U1", view={"type": "home", "blocks": BLOCKS})

    assert (me["team_id"], who["user"]["locale"]) == ("T1", "en-US")
    assert api.latest("U1").words == "changed"
    assert [m.words for m in api.whispers("U1")] == ["psst"]
    assert api.world.homes["T1", "U1"].buttons == ["Next"]
    await web.chat_delete(channel=posted["channel"], ts=posted["ts"])
    assert (api.shown("U1"), api.complaints) == ([], [])


async def test_an_image_arrives_by_the_upload_flow(api, web):
    """The bytes that were promised are shown in the channel with the words for those who can't see them."""
    got = await web.files_getUploadURLExternal(filename="chart.png", length=4, alt_txt="A chart")
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(got["upload_url"], content=b"\x89PNG")).text == "OK - 4"
    await web.files_completeUploadExternal(files=[{"id": got["file_id"], "title": "x"}], channel_id="C1")

    assert [file["alt_txt"] for file in api.latest("C1").files] == ["A chart"]
    assert api.complaints == []


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "<!channel>"}, "invalid_arguments"),
        ({"unfurl_links": True}, "invalid_arguments"),
        ({"username": "x"}, "invalid_arguments"),
        ({"blocks": [{"type": "nope"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"blocks": [*BLOCKS, BLOCKS[1]]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [BUTTON | {"value": "x" * 2001}]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [BUTTON | {"url": "x" * 3001}]}]}, "invalid_blocks"),
        ({"blocks": [{"type": "actions", "elements": [BUTTON | {"colour": "red"}]}]}, "invalid_blocks"),
        ({"thread_ts": "1.000001"}, "cannot_reply_to_message"),
    ],
)
async def test_what_is_not_documented_is_complained_about(api, web, wrong, error):
    """A call that Slack would refuse is refused, and a test that looks at the complaints fails."""
    assert await refusal(web.api_call("chat.postMessage", json={"channel": "C1", **WORDS, **wrong})) == error
    assert len(api.complaints) == 1


async def test_a_channel_that_can_not_be_written_to_says_why(api, web):
    """What happens to channels by themselves is an answer and no complaint."""
    api.world.channel("C2", bot=False)
    api.world.channel("G2", bot=False, kind="group")
    api.world.channel("C3", archived=True)

    errors = [
        await refusal(web.chat_postMessage(channel=c, **WORDS)) for c in ("C2", "G2", "C3", "C404", "U1")
    ]

    assert errors[:3] == ["not_in_channel", "channel_not_found", "is_archived"]
    assert errors[3:] == ["channel_not_found", "channel_not_found"]
    assert api.complaints == []


async def test_tokens_open_their_own_workspace_only(api, web):
    """Each state of a token has the error code the documentation names."""
    api.world.team("T2")
    other = AsyncWebClient(slackapi.token_of("T2"), base_url=api.url, retry_handlers=[])
    none = AsyncWebClient("xoxb-none", base_url=api.url, retry_handlers=[])

    assert await refusal(none.auth_test()) == "invalid_auth"
    assert await refusal(other.chat_postMessage(channel="C1", **WORDS)) == "channel_not_found"
    await api.revoke("T1", told=False)
    assert await refusal(web.auth_test()) == "token_revoked"
    assert (await other.auth_test())["team_id"] == "T2"


async def test_two_messages_within_a_second_are_refused(api, web):
    """Whoever is too fast is told for how long to wait, channel by channel."""
    now = [100.0]
    api.world.pace, api.world.now = 1.0, lambda: now[0]
    api.world.channel("C2")
    await web.chat_postMessage(channel="C1", **WORDS)
    await web.chat_postMessage(channel="C2", **WORDS)

    with pytest.raises(SlackApiError) as raised:
        await web.chat_postMessage(channel="C1", **WORDS)
    now[0] += 1.0
    await web.chat_postMessage(channel="C1", **WORDS)

    assert raised.value.response.status_code == 429
    assert raised.value.response.headers["Retry-After"] == "1"
    assert len(api.complaints) == 1


async def test_a_call_goes_wrong_on_command(api, web):
    """Cut before or after Slack took it, refused, or broken: and the transcript shows which it was."""
    api.fail("chat.postMessage", slackapi.Fault.CLOSE_EARLY)
    api.fail("chat.postMessage", slackapi.Fault.CLOSE)
    api.fail("chat.postMessage", 503)
    api.fail("chat.postMessage", "internal_error", taken=True)
    taken = []
    for _ in range(4):
        with pytest.raises((aiohttp.ClientError, SlackApiError)):
            await web.chat_postMessage(channel="C1", **WORDS)
        taken.append(len(api.shown("C1")))

    assert taken == [0, 1, 1, 2]


ACTS: dict[str, Callable[[slackapi.SlackApi], Any]] = {
    "event": lambda api: api.say("U1", "balances <b>"),
    "app_mention": lambda api: api.mention("U1", "help", "C1"),
    "slash": lambda api: api.slash("U1", "/connect", "bitso", "C1"),
    "home": lambda api: api.open_home("U1"),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
async def test_what_people_do_arrives_signed(api, act):
    """The app gets a body that slack_sdk's verifier takes, and the same one again when it is sent anew."""
    got = app_of(api)
    sent = await act(api)
    await api.redeliver(sent)

    first, again = got
    assert SignatureVerifier(api.signing_secret).is_valid_request(first.content, dict(first.headers))
    assert (first.content, again.headers["X-Slack-Retry-Num"]) == (again.content, "1")
    assert (sent.statuses, api.complaints) == ([200, 200], [])


async def test_a_press_tells_the_whole_block(api, web):
    """The payload names the message, its reader, and the element that was pressed."""
    got = app_of(api)
    im = await web.conversations_open(users="U1")
    posted = await web.chat_postMessage(channel=im["channel"]["id"], blocks=BLOCKS, **WORDS)

    sent = await api.press(api.latest("U1"), "Next")

    told = json.loads(httpx.QueryParams(got[0].content.decode())["payload"])
    assert told == sent.payload
    assert (told["user"]["id"], told["actions"][0]["action_id"]) == ("U1", "b1")
    assert told["container"]["message_ts"] == posted["ts"]


async def test_a_socket_takes_envelopes_and_answers(api, web):
    """slack_sdk's own Socket Mode client is greeted, gets what people do, and its answers are seen."""
    got: list[SocketModeRequest] = []
    client = SocketModeClient(app_token=slackapi.APP_TOKEN, web_client=web, ping_interval=0.05)

    async def answered(socket: AsyncBaseSocketModeClient, asked: SocketModeRequest) -> None:
        got.append(asked)
        await socket.send_socket_mode_response(SocketModeResponse(envelope_id=asked.envelope_id))

    client.socket_mode_request_listeners.append(answered)
    await client.connect()
    sent = await api.slash("U1", "/balances")
    await api.say("U1", "help")
    await api.until(lambda: api.sockets.pings)
    await client.close()

    assert [one.type for one in got] == ["slash_commands", "events_api"]
    assert (got[0].payload, sent.status, api.complaints) == (sent.payload, 200, [])


async def test_a_person_allows_the_app_and_its_tokens_rotate(api, web):
    """A code opens a token once, a refresh token the next, and a wrong secret nothing."""
    api.methods.rotation = True
    api.world.team("T2")
    client = {"client_id": "111.222", "client_secret": "fakeclientsecretfakeclientsecret"}
    page = "https://slack.com/oauth/v2/authorize?client_id=111.222&scope=chat:write&state=s&redirect_uri=https://a.example/b"
    back = httpx.URL(api.methods.allow(page, "T2", "U2"))

    async def ask(**words: str) -> Any:
        return await web.api_call("oauth.v2.access", data=client | words)

    words = {"code": back.params["code"], "redirect_uri": "https://a.example/b"}
    assert await refusal(ask(client_secret="x", **words)) == "bad_client_secret"
    first = await ask(**words)
    assert await refusal(ask(**words)) == "code_already_used"
    renewed = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = await ask(**renewed)

    assert await refusal(ask(**renewed)) == "invalid_refresh_token"
    assert (await web.auth_test(token=second["access_token"]))["team_id"] == "T2"
    assert (back.params["state"], first["team"]["id"], api.complaints) == ("s", "T2", [])
