"""How long an exchange may take, how much it may send, and what becomes of a broken answer."""

import asyncio
import gzip
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import _http
from chatbot.exchanges._http import MAX_BYTES, Http
from tests.support.rawserver import ALLOW, ask, ask_raw, raw_server, reply, trouble_of


async def test_redirects_are_not_followed():
    """A redirect is an outage, and our signed header goes nowhere else."""
    seen = []

    async def second(writer):
        seen.append(writer)

    server, elsewhere = await raw_server(second)
    async with server:
        reason = await trouble_of(reply(b"", f"Location: {elsewhere}/api/v3/balance/", status="302 Found"))

    assert (reason, seen) == ("redirect", [])


async def test_a_drip_is_cut_off_at_the_deadline(monkeypatch):
    """A byte now and then does not keep a call open: the deadline is for the whole of it."""
    monkeypatch.setattr(_http, "DEADLINE_SECONDS", 0.2)

    async def drip(writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
        for _ in range(100):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    began = asyncio.get_running_loop().time()
    assert await trouble_of(drip) == "timeout"
    assert asyncio.get_running_loop().time() - began < 2


async def test_a_silent_server_is_cut_off_at_the_deadline(monkeypatch):
    """A server that takes the request and says nothing is unreachable in time."""
    monkeypatch.setattr(_http, "DEADLINE_SECONDS", 0.1)
    silence = asyncio.Event()

    async def wait(_writer):
        await silence.wait()

    assert await trouble_of(wait) == "timeout"
    silence.set()


async def test_fifty_slow_calls_do_not_hold_up_another_exchange(monkeypatch):
    """Each exchange has its own session: one that drips does not slow the next."""
    monkeypatch.setattr(_http, "DEADLINE_SECONDS", 0.5)
    silence = asyncio.Event()

    async def wait(_writer):
        await silence.wait()

    server, origin = await raw_server(wait)
    async with server:
        slow = Http("https://bitso.com", ALLOW, origin)
        calls = [asyncio.ensure_future(slow.request("GET", "/api/v3/balance/")) for _ in range(60)]
        await asyncio.sleep(0.01)
        assert (await ask_raw(reply(b"{}"))).body == b"{}"
        assert not any(call.done() for call in calls)
        results = await asyncio.gather(*calls, return_exceptions=True)
        silence.set()
        await slow.close()

    assert {type(result) for result in results} == {ExchangeError}


async def test_a_huge_answer_is_dropped():
    """More than 8 MiB is not read to its end."""
    assert await trouble_of(reply(b"x" * (MAX_BYTES + 1))) == "too large"
    assert len((await ask_raw(reply(b"x" * MAX_BYTES))).body) == MAX_BYTES


async def test_a_compression_bomb_stays_small():
    """The cap counts what is unpacked, and unpacking stops there."""
    packed = gzip.compress(bytes(256 * 1024 * 1024), 9)
    tracemalloc.start()
    try:
        assert await trouble_of(reply(packed, "Content-Encoding: gzip")) == "too large"
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 32 * 1024 * 1024


@pytest.mark.parametrize(
    "handle",
    [
        reply(b"short", "Content-Length: 100", length=False),
        reply(b"not gzip", "Content-Encoding: gzip"),
        reply(b"zz\r\n", "Transfer-Encoding: chunked", length=False),
        reply(b"", "X: " + "y" * 20_000),
        reply(b"", status="999999 nonsense"),
        reply(b"", "Content-Length: -5", length=False),
    ],
)
async def test_a_broken_answer_is_an_outage(handle):
    """Cut, badly packed, badly framed: always the one kind of error."""
    await trouble_of(handle)


async def test_a_closed_door_is_an_outage():
    """Nobody listening, and a certificate that is none, are outages and not key problems."""
    server, origin = await raw_server(reply(b""))
    server.close()
    await server.wait_closed()
    with pytest.raises(ExchangeError) as raised:
        await ask(origin)
    assert raised.value.trouble is Trouble.UNREACHABLE

    async def plain(_, writer):
        writer.write(b"no TLS here")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    origin = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        with pytest.raises(ExchangeError) as raised:
            await ask(origin)
    assert raised.value.trouble is Trouble.UNREACHABLE


async def test_a_closed_session_stays_closed():
    """After close nothing is opened again."""
    http = Http("https://bitso.com", ALLOW, "http://127.0.0.1:9")
    await http.close()

    with pytest.raises(ExchangeError):
        await http.request("GET", "/api/v3/balance/")


@given(
    st.text() | st.integers().map(str) | st.datetimes().map(lambda d: d.strftime("%a, %d %b %Y %H:%M:%S GMT"))
)
def test_retry_after_is_never_senseless(text):
    """Whatever the header says, the wait is between nothing and 15 minutes."""
    assert 0 <= _http._wait(text) <= 15 * 60


def test_retry_after_may_be_a_date():
    """A date in a minute means to wait a minute."""
    soon = datetime.now(UTC) + timedelta(seconds=60)

    assert 58 <= _http._wait(soon.strftime("%a, %d %b %Y %H:%M:%S GMT")) <= 61
