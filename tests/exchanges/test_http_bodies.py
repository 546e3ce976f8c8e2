"""The guarded way out with a body: what goes along is byte for byte the caller's, and nothing is added."""

from typing import Any

import pytest

from chatbot.errors import ForbiddenCall
from chatbot.exchanges._http import Answer, Http
from tests.support.practice import serve


async def asked(body, headers=None):
    """Send a POST to a server that notes what came, and return its note and the answer."""
    seen: dict[str, Any] = {}

    async def app(scope, receive, send):
        message = await receive()
        seen.update(headers=dict(scope["headers"]), body=message["body"], method=scope["method"])
        lines = [(b"content-type", b"application/json; charset=utf-8"), (b"x-signed", b"abc")]
        await send({"type": "http.response.start", "status": 200, "headers": lines})
        await send({"type": "http.response.body", "body": b"[]"})

    async with serve(app) as origin:
        http = Http("https://acme.example", {("POST", "/a/")}, origin)
        try:
            answer = await http.request("POST", "/a/", headers=headers, body=body)
        finally:
            await http.close()
    return seen, answer


async def test_a_body_goes_out_as_it_is():
    """Bytes and content type arrive as the caller signed them."""
    seen, _ = await asked(b"a=1&b=%20", {"Content-Type": "application/x-www-form-urlencoded"})

    assert (seen["method"], seen["body"]) == ("POST", b"a=1&b=%20")
    assert seen["headers"][b"content-type"] == b"application/x-www-form-urlencoded"
    assert seen["headers"][b"content-length"] == b"9"


@pytest.mark.parametrize("body", [b"", b"a=1"])
async def test_no_content_type_is_made_up(body):
    """Where the caller names no content type none is sent, with a body or without."""
    seen, _ = await asked(body)

    assert b"content-type" not in seen["headers"]
    assert seen["body"] == body


async def test_the_answers_headers_are_handed_over():
    """An exchange that signs its answers finds their headers whole, in any case; a print shows none."""
    _, answer = await asked(b"")

    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["X-SIGNED"] == "abc"
    assert "abc" not in repr(answer)
    assert Answer(200, "", b"").headers == {}


async def test_a_body_opens_no_door():
    """With a body, too, only what stands on the list is sent."""
    http = Http("https://acme.example", {("POST", "/a/")})

    with pytest.raises(ForbiddenCall):
        await http.request("POST", "/b/", body=b"a=1")
