"""Whose request it is: signed by Slack, fresh, whole, of a bearable size; everything else is refused unread."""

import json
import time
from urllib.parse import urlencode

import pytest
from slack_bolt.request.async_request import AsyncBoltRequest

from chatbot.platforms.slack import receiving
from chatbot.platforms.slack.receiving import BODY_BYTES
from tests.support.slackgate import signed
from tests.support.slacks import ANA, EVENTS

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
EVENT = json.dumps(
    {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {"type": "x"}}
).encode()


@pytest.mark.parametrize("seconds", [-301, -3600, 302, 86400, -1_700_000_000])
async def test_an_old_or_early_signature_is_refused(slack, app, seconds):
    """Five minutes on either side are Slack's own rule."""
    answer = await slack.post(EVENT, JSON, at=time.time() + seconds)

    assert answer.status_code == 401
    assert app.shelf.rows == {}


@pytest.mark.parametrize("seconds", [-295, 295])
async def test_a_signature_of_these_minutes_is_good(slack, app, seconds):
    """A slow way, or a clock that is a little off, loses nothing."""
    assert (await slack.post(EVENT, JSON, at=time.time() + seconds)).status_code == 200


async def test_another_secret_is_refused(slack, app):
    """Whoever signs with a guess gets nothing in."""
    assert (await slack.post(EVENT, JSON, secret="0" * 32)).status_code == 401


async def test_an_altered_body_is_refused(slack, app):
    """One byte more and the signature is of another body."""
    good = slack.http.build_request("POST", EVENTS)
    original = slack.http.post

    async def altered(url, content, headers):
        good.headers.update(headers)
        return await original(url, content=content + b" ", headers=headers)

    slack.http.post = altered
    assert (await slack.post(EVENT, JSON)).status_code == 401
    assert app.shelf.rows == {}


@pytest.mark.parametrize(
    "change",
    [
        {"X-Slack-Signature": None},
        {"X-Slack-Request-Timestamp": None},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0="},
        {"X-Slack-Signature": "v1=" + "0" * 64},
        {"X-Slack-Signature": ("v0=" + "é" * 64).encode()},
        {"X-Slack-Request-Timestamp": "now"},
        {"X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": "1e9"},
        {"X-Slack-Request-Timestamp": "٣" * 10},
        {"X-Slack-Request-Timestamp": "9" * 400},
    ],
)
async def test_odd_or_missing_signature_headers_are_refused(slack, app, change):
    """Whatever stands there, it is a 401 and nothing else."""
    headers = {**signed(EVENT), **change}
    sent = [
        (n.encode(), v if isinstance(v, bytes) else v.encode()) for n, v in headers.items() if v is not None
    ]
    answer = await slack.http.post(EVENTS, content=EVENT, headers=sent)

    assert answer.status_code == 401


@pytest.mark.parametrize("name", ["X-Slack-Signature", "X-Slack-Request-Timestamp"])
async def test_a_header_given_twice_is_refused(slack, app, name):
    """Proxies disagree on which of two counts."""
    headers = signed(EVENT)
    answer = await slack.http.post(EVENTS, content=EVENT, headers=[*headers.items(), (name, headers[name])])

    assert answer.status_code == 401


async def test_a_body_that_is_no_text_is_refused(slack, app):
    """It can't be what Slack signed."""
    answer = await slack.http.post(EVENTS, content=b"\xff\xfe", headers=signed(b"x"))

    assert answer.status_code == 401


@pytest.mark.parametrize("announced", [True, False])
async def test_a_giant_body_is_not_read_to_its_end(slack, app, announced):
    """Announced or not, it is refused at one megabyte."""
    taken = 0

    async def endless():
        nonlocal taken
        for _ in range(64):
            taken += 1
            yield b"x" * (BODY_BYTES // 8)

    headers = signed(EVENT) | ({"Content-Length": str(8 * BODY_BYTES)} if announced else {})
    answer = await slack.http.post(EVENTS, content=endless(), headers=headers)

    assert answer.status_code == 413
    assert app.shelf.rows == {}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[" * 100_000, JSON),
        (b'{"a":' * 100_000, JSON),
        (urlencode({"payload": "[" * 100_000}).encode(), FORM),
        (b"[]", JSON),
        (b"null", JSON),
        (b"7", JSON),
        (b"half a {", JSON),
        (b'{"half": ', FORM),
    ],
)
async def test_signed_nonsense_is_refused_as_such(slack, app, body, kind):
    """Deep nesting, other JSON than an object, broken JSON: a 400, no row, and the bot goes on."""
    assert (await slack.post(body, kind)).status_code == 400
    assert app.shelf.rows == {}
    assert (await slack.say(ANA, "help")).status == 200


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[" * 100_000, JSON),
        (b"ssl_check=1", JSON),
        (b'{"ssl_check":"1"}&ssl_check=1', FORM),
        (b"ssl_check=1&payload=%5B%5B%5B", FORM),
        (b"ssl_check=1&x=" + b"x" * 2000, FORM),
        (b"ssl_check=0", FORM),
        (b"a=ssl_check=1", FORM),
    ],
)
async def test_unsigned_nonsense_is_never_read(slack, app, monkeypatch, body, kind):
    """Not a byte of what nobody signed is read as JSON, however it dresses."""
    monkeypatch.setattr(receiving, "AsyncBoltRequest", None)
    answer = await slack.http.post(EVENTS, content=body, headers={"Content-Type": kind})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "multipart/form-data; boundary=x", "application/json; charset=utf-16"]
)
@pytest.mark.parametrize("body", [b"", b"hello", b"payload", b"--x--", b"a=b&c=d", b"payload=%7B%7D"])
async def test_signed_oddities_leave_no_row(slack, app, kind, body):
    """A body of a kind Slack doesn't send means nothing."""
    answer = await slack.post(body, kind)

    assert answer.status_code in {200, 400}
    assert app.shelf.rows == {}


async def test_only_post_is_answered(slack, app):
    """A look with a browser shows nothing."""
    assert (await slack.http.get(EVENTS)).status_code == 405


def test_bolt_still_reads_before_it_checks():
    """The reason why signatures are checked before bolt sees a request; when this fails, ours can go."""
    with pytest.raises(json.JSONDecodeError):
        AsyncBoltRequest(body="{", headers={"content-type": JSON})
