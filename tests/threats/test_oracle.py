"""Threats that learn something from an answer: which links there are, how near a guess was, what a seal held.

Bytes and headers are compared in every run; the clock's part needs hundreds of timings and runs in
`make test-long`.
"""

import gc
import math
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import event

from chatbot.domain.links import b64url, from_b64url, link_id
from tests.support.page import SUITE, plaintext, token_of
from tests.threats.house import Body, House, random_token

TIMINGS = 600


def same(answers: list[httpx.Response]) -> bool:
    """Tell whether nobody could tell these answers apart, but for the date."""
    seen = [
        (a.status_code, a.content, sorted((k, v) for k, v in a.headers.items() if k != "date"))
        for a in answers
    ]
    return all(one == seen[0] for one in seen)


async def dead_links(home: House) -> dict[str, str]:
    """Return the token of a link of each dead kind, and one that never was."""
    used, expired, revoked = await home.link(), await home.link(as_="other"), await home.link(as_="admin")
    assert (await home.submit(used)).status_code == 200
    home.bot.clock.advance(minutes=11)
    assert (await home.open(expired)).status_code == 404
    await home.link(as_="admin")
    links = {"used": used, "expired": expired, "revoked": revoked}
    return {kind: token_of(link)[0] for kind, link in links.items()} | {"never": random_token()}


async def test_22_dead_links_can_not_be_told_apart(home: House) -> None:
    """Used, expired, revoked and never minted are one answer, byte by byte, whatever the call."""
    tokens = await dead_links(home)
    opened = [await home.post("open", {"token": token}) for token in tokens.values()]
    sent = [await home.post("submit", {"token": token, "sealed": "AAAA"}) for token in tokens.values()]

    assert opened[0].status_code == 404
    assert same([*opened, *sent])


async def test_23_a_near_guess_is_looked_up_like_any_other(home: House) -> None:
    """Only a token's hash is looked for, by one and the same statement, so no byte of it can be felt for."""
    token = token_of(await home.link())[0]
    asked: list[tuple[str, tuple[bytes, ...]]] = []
    engine = home.bot.database._engine

    def note(_connection, _cursor, statement, parameters, *_):
        asked.append(
            (statement, tuple(bytes(value) for value in parameters if isinstance(value, bytes | memoryview)))
        )

    event.listen(engine, "before_cursor_execute", note)
    seen = []
    for guess in (_one_off(token, 0), _one_off(token, 31), random_token()):
        asked.clear()
        answer = await home.post("open", {"token": guess})
        hashed = link_id(from_b64url(guess))
        assert hashed in {value for _, values in asked for value in values}
        assert not any(from_b64url(guess) in values for _, values in asked)
        seen.append(([statement for statement, _ in asked], answer.status_code, answer.content))
    event.remove(engine, "before_cursor_execute", note)

    assert seen[0] == seen[1] == seen[2]


def _one_off(token: str, at: int) -> str:
    raw = bytearray(from_b64url(token))
    raw[at] ^= 1
    return b64url(bytes(raw))


async def test_24_every_bad_seal_gets_one_answer_and_costs_a_try(home: House) -> None:
    """Off the curve, cut, flipped, for another context or badly packed: the same bytes, and three of them end it."""
    answers = []
    for kinds in (("off the curve", "cut", "context"), ("flipped", "layout", "infinity"), ("empty", "short")):
        link = await home.link()
        for number, kind in enumerate(kinds, start=1):
            body = await _bad(home, link, kind)
            answers.append(await home.post("submit", body))
            state, attempts = await home.state(link)
            assert (state, attempts) == ("revoked" if number == 3 else "open", number)

    assert answers[0].status_code == 400
    assert same(answers)
    assert await home.accounts() == []


async def _bad(home: House, link: str, kind: str) -> Body:
    opened = (await home.open(link)).json()
    pk, info = (from_b64url(opened[name]) for name in ("pk", "info"))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), pk)
    good = SUITE.encrypt(plaintext(*home.good), public, info)
    sealed = {
        "off the curve": b"\x04" + b"\x01" * 64 + good[65:],
        "infinity": bytes(65) + good[65:],
        "cut": good[:-1],
        "short": good[:40],
        "empty": b"\x04",
        "flipped": good[:-1] + bytes([good[-1] ^ 1]),
        "context": SUITE.encrypt(plaintext(*home.good), public, info + b"x"),
        "layout": SUITE.encrypt(b"\x02" + b"\xff" * 511, public, info),
    }[kind]
    return {"token": token_of(link)[0], "sealed": b64url(sealed)}


Ask = Callable[[], Awaitable[object]]


async def timings(asks: Mapping[str, Ask], count: int) -> dict[str, list[float]]:
    """Time each kind so often, one after the other in turns, so that all meet the same weather."""
    took: dict[str, list[float]] = {kind: [] for kind in asks}
    gc.disable()
    try:
        for _ in range(count):
            for kind, ask in asks.items():
                began = time.perf_counter()
                await ask()
                took[kind].append(time.perf_counter() - began)
    finally:
        gc.enable()
    return took


def mann_whitney(one: list[float], other: list[float]) -> float:
    """Return the two-sided p of the rank-sum test, by its normal approximation."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(place for place, (_, which) in enumerate(ranked, start=1) if which == 0)
    n, m = len(one), len(other)
    spread = math.sqrt(n * m * (n + m + 1) / 12)
    z = (ranks - n * (n + m + 1) / 2) / spread
    return math.erfc(abs(z) / math.sqrt(2))


def test_22_the_statistics_would_notice() -> None:
    """The test of the timings finds a shift that is there, and none between equals."""
    values = [float(number % 97) for number in range(600)]

    assert mann_whitney(values, [value + 20 for value in values]) < 1e-6
    assert mann_whitney(values, values[::-1]) > 0.5


@pytest.mark.long
async def test_22_dead_links_take_the_same_time(home: House) -> None:
    """Six hundred timings of each kind of dead link can't be told apart, at open and at submit."""
    tokens = await dead_links(home)
    calls: tuple[tuple[str, Body], ...] = (("open", {}), ("submit", {"sealed": "AAAA"}))
    for call, rest in calls:
        asks = {kind: _asker(home, call, {"token": token} | rest) for kind, token in tokens.items()}
        for _ in range(3):
            # One unlucky run in fifty would fail by chance alone; a real difference fails every one.
            took = await timings(asks, TIMINGS // 4)
            took = {kind: values[10:] for kind, values in took.items()}
            worst = min(mann_whitney(took[kind], took["never"]) for kind in ("used", "expired", "revoked"))
            if worst > 0.01:
                break
        assert worst > 0.01, call


@pytest.mark.long
async def test_23_a_near_guess_takes_the_same_time(home: House) -> None:
    """The median for a token that is one byte off lies within the spread of those that are random."""
    token = token_of(await home.link())[0]
    near, far = _one_off(token, 31), random_token()
    asks = {"near": _asker(home, "open", {"token": near}), "far": _asker(home, "open", {"token": far})}
    took = await timings(asks, TIMINGS)
    low, _, high = statistics.quantiles(took["far"], n=4)

    assert low <= statistics.median(took["near"]) <= high


def _asker(home: House, call: str, body: Body) -> Ask:
    async def ask() -> object:
        answer = await home.post(call, body)
        assert answer.status_code in {404, 429}
        return answer

    return ask
