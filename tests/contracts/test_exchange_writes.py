"""No exchange's allow-list holds a documented call that writes, and the guard stops one before a socket opens.

`tests/data/<exchange>/writes.txt` is kept by hand from the exchange's documents: `METHOD /path  # source`,
`{name}` standing for one part of a path. `reads.txt` beside it lists what of the allow-list looks like a
write (not a GET, or a word such as *withdraw* in its path) with the document that says it only reads.
"""

import re

import pytest

from chatbot.errors import ForbiddenCall
from chatbot.exchanges import build, discover
from chatbot.exchanges._http import Http
from tests.support.practice import MachineClock
from tests.support.writes import listed, same

SUSPICIOUS = re.compile(
    r"order|withdraw|transfer|cancel|deposit|convert|borrow|repay|subaccount|sub-account|key"
)


@pytest.mark.parametrize("exchange", discover())
async def test_no_documented_write_is_allowed(exchange):
    """Every documented call that places, cancels, moves, withdraws or changes settings is refused."""
    built = build({}, MachineClock())[exchange]
    writes = listed(exchange, "writes.txt")
    reads = set(listed(exchange, "reads.txt"))

    assert len(writes) >= 15
    assert [w for w in writes for method, path in built.allow if method == w[0] and same(w[1], path)] == []
    doubtful = {(m, p) for m, p in built.allow if m != "GET" or SUSPICIOUS.search(p.casefold())}
    assert doubtful <= reads
    assert reads <= built.allow
    await built.close()


@pytest.mark.parametrize("exchange", discover())
async def test_the_guard_stops_a_write_before_a_socket_opens(exchange, monkeypatch):
    """Asked for a documented write, the way out raises and never gets as far as a session."""
    built = build({}, MachineClock())[exchange]
    monkeypatch.setattr(Http, "_open", lambda _: pytest.fail("a session was opened"))
    http = Http("https://exchange.invalid", built.allow)

    for method, path in listed(exchange, "writes.txt"):
        with pytest.raises(ForbiddenCall):
            await http.request(method, path.replace("{", "").replace("}", ""))
    await built.close()
