"""The guarded way out: what may be asked, what goes along, and what an error may say."""

import asyncio
import inspect
import ssl
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import client_exceptions, http_exceptions
from hypothesis import given
from hypothesis import strategies as st

from chatbot.errors import ExchangeError, ForbiddenCall
from chatbot.exchanges import _http
from chatbot.exchanges._http import FOREIGN, Http
from tests.support.rawserver import ALLOW, CANARY, HEADERS, ask, ask_raw, raw_server, reply

# aiohttp classes that no plain request can raise, each with the reason.
NOT_OURS = {
    "BadContentDispositionHeader": "a warning about multipart bodies",
    "BadContentDispositionParam": "a warning about multipart bodies",
    "WSMessageTypeError": "web sockets",
    "WebSocketError": "web sockets",
}


def foreign_classes():
    modules = (aiohttp, client_exceptions, http_exceptions)
    found = (value for module in modules for value in vars(module).values() if inspect.isclass(value))
    return {c for c in found if issubclass(c, Exception) and c.__module__.startswith("aiohttp")}


def test_every_exception_of_aiohttp_is_mapped():
    """A class that a new aiohttp adds is noticed before a person sees its traceback."""
    unmapped = {c.__name__ for c in foreign_classes() if not issubclass(c, FOREIGN)}

    assert unmapped == NOT_OURS.keys()
    assert all(issubclass(kind, FOREIGN) for kind in (TimeoutError, OSError, ssl.SSLError, ConnectionError))


@pytest.mark.parametrize(
    "kind",
    [
        aiohttp.ClientPayloadError,
        aiohttp.ServerTimeoutError,
        aiohttp.ClientConnectionError,
        ssl.SSLError,
        OSError,
        aiohttp.EofStream,
    ],
)
async def test_a_foreign_error_is_told_in_our_words(kind, monkeypatch):
    """Neither the text nor the chain of our error holds what the library's error quoted."""

    async def fail(*_, **__):
        raise kind(f"headers: {CANARY}")

    http = Http("https://bitso.com", ALLOW, "http://127.0.0.1:9")
    monkeypatch.setattr(http, "_send", fail)

    with pytest.raises(ExchangeError) as raised:
        await http.request("GET", "/api/v3/balance/", headers=HEADERS)

    assert CANARY not in repr(raised.value)
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("POST", "/api/v3/balance/", ""),
        ("get", "/api/v3/balance/", ""),
        ("DELETE", "/api/v3/orders/all", ""),
        ("GET", "/api/v3/balance", ""),
        ("GET", "/balance/", ""),
        ("GET", "/api/v3/balance/../orders/", ""),
        ("GET", "/api/v3/balance/%2e%2e/orders/", ""),
        ("GET", "/api/v3/balance/?x=1", ""),
        ("GET", "//evil.example/api/v3/balance/", ""),
        ("GET", "@evil.example/api/v3/balance/", ""),
        ("GET", "/api/v3/balance/", "a=b#c"),
        ("GET", "/api/v3/balance/", "a=b HTTP/1.1\r\nX: y"),
        ("GET", "/api/v3/balance/", "a=%2"),
        ("GET", "/api/v3/balance/", "a=%zz"),
    ],
)
async def test_what_is_not_on_the_list_never_opens_a_socket(method, path, query):
    """A call off the list raises before anything connects."""
    connected = []

    async def note(writer):
        connected.append(writer)

    server, origin = await raw_server(note)
    async with server:
        with pytest.raises(ForbiddenCall):
            await ask(origin, path, query, method)

    assert connected == []


@pytest.mark.parametrize(
    "entry",
    [
        ("GET", "/a/../b"),
        ("GET", "/a%2fb"),
        ("GET", "a"),
        ("GET", "/a?b=c"),
        ("DELETE", "/a"),
        ("GET", "/a//b"),
    ],
)
def test_an_ambiguous_allow_list_is_refused(entry):
    """A path that two servers could read in two ways can't be allowed in the first place."""
    with pytest.raises(ForbiddenCall):
        Http("https://bitso.com", {entry})


@given(st.text(), st.text())
def test_no_text_slips_past_the_list(path, query):
    """Only the very path on the list, with a plain query, gets through the guard."""
    allowed = path == "/api/v3/balance/" and _http.PLAIN_QUERY.fullmatch(query)
    http = Http("https://bitso.com", ALLOW)

    async def attempt():
        await http.request("GET", path, query)

    if not allowed:
        with pytest.raises(ForbiddenCall):
            asyncio.run(attempt())


async def test_a_good_answer_comes_back_whole():
    """Status, type, body, the server's clock and Retry-After are handed over."""
    answer = await ask_raw(
        reply(
            b"{}",
            "Content-Type: application/json",
            "Date: Thu, 01 Jan 2026 00:00:00 GMT",
            "Retry-After: 7",
            status="503 Busy",
        )
    )

    assert (answer.status, answer.content_type, answer.body, answer.wait) == (
        503,
        "application/json",
        b"{}",
        7,
    )
    assert answer.date == datetime(2026, 1, 1, tzinfo=UTC)


async def test_a_request_carries_no_cookie_and_says_who_we_are():
    """A cookie set by one answer is not sent with the next request; the agent is ours."""
    heads = []

    async def serve(reader, writer):
        for _ in range(2):
            heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        http = Http("https://bitso.com", ALLOW, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        for _ in range(2):
            await http.request("GET", "/api/v3/balance/")
        await http.close()

    assert b"Cookie" not in heads[1]
    assert b"Keyherald" in heads[0]
