"""Bitso's own file: signing against the vectors and ccxt, errors, nonces, pages, the allow-list."""

import json

import ccxt
import pytest

from chatbot.domain.secrets import Secret, find_pasted
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Answer
from chatbot.exchanges.bitso import ALLOW, Bitso, wire
from tests.support.bitso import DATA, answer, client, recorded, refused
from tests.support.writes import listed, same

VECTORS = json.loads((DATA / "signing_vectors.json").read_text())


def nonces(http):
    return [int(headers["Authorization"].split(":")[1]) for *_, headers in http.asked]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_signs_as_the_vectors_say(vector):
    """The header is the one that python, openssl and ccxt agreed on."""
    headers = wire.sign(
        vector["method"],
        vector["request_path"],
        Secret(vector["api_key"]),
        Secret(vector["secret"]),
        int(vector["nonce"]),
    )

    assert headers == vector["headers"]


@pytest.mark.parametrize("path", ["balance", "user_trades?limit=100&sort=asc&marker=12345678"])
def test_ccxt_sends_the_same_request(path):
    """For the same key, nonce and path ccxt signs and sends what we do."""
    oracle = ccxt.bitso({"apiKey": "bitsoKEYabc", "secret": "0123456789abcdef0123456789abcdef"})
    oracle.incrementing_nonce = lambda: 1767225600123
    name, _, query = path.partition("?")
    params = dict(pair.split("=") for pair in query.split("&")) if query else {}

    theirs = oracle.sign(name, ["private"], "GET", params)

    ours = wire.sign("GET", f"/api/v3/{path}", Secret(oracle.apiKey), Secret(oracle.secret), 1767225600123)
    assert theirs["url"] == f"https://bitso.com/api/v3/{path}"
    assert theirs["headers"] == ours


def test_other_spellings_of_a_code():
    """A code may come as text or number, with or without its leading zero."""
    for code in ("0202", "202", 202):
        with pytest.raises(ExchangeError) as raised:
            wire.check(refused(code, 401), "fills")
        assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "fills")


def test_a_limit_without_a_code_is_obeyed():
    """Any 420 or 429, even from a gateway, means to stay away for a minute at least; Retry-After may say more."""
    for body in (b"<html>", b'{"success": false}', b"[]"):
        with pytest.raises(ExchangeError) as raised:
            wire.check(Answer(429, "text/html", body, wait=5))
        assert (raised.value.trouble, raised.value.wait) == (Trouble.RATE_LIMIT, 60)
    with pytest.raises(ExchangeError) as raised:
        wire.check(Answer(420, "text/html", b"", wait=300))
    assert raised.value.wait == 300


def test_an_unknown_code_is_not_guessed():
    """An undocumented code is unknown and not retried; only the server's own failures are."""
    with pytest.raises(ExchangeError) as raised:
        wire.check(refused("7777"))
    assert (raised.value.trouble, raised.value.retry) == (Trouble.UNKNOWN, False)
    with pytest.raises(ExchangeError) as raised:
        wire.check(refused("7777", 503))
    assert raised.value.retry


async def test_nonces_rise_above_the_floor_and_the_clock():
    """Without a floor nonces begin at the clock, 13 digits and six zeros; above one they only count on."""
    ok = answer(recorded("balance"))
    reader, http = client(ok, ok, ok)
    for _ in range(3):
        await reader.balances()
    ahead, later = client(ok, nonce=1_999_999_999_999_999_999)
    await ahead.balances()
    behind, reserved = client(ok, ok, nonce=1767225600000000000)
    await behind.balances()
    await behind.balances()

    assert nonces(http) == [1767225600123000001, 1767225600123000002, 1767225600123000003]
    assert reader.last_nonce == nonces(http)[-1]
    assert nonces(later) == [2_000_000_000_000_000_000]
    assert ahead.last_nonce < 2**63
    assert nonces(reserved) == [1767225600000000001, 1767225600000000002]


async def test_a_nonce_error_is_tried_once_more():
    """A low nonce gets one fresh one; a second refusal rises; other refusals are never tried again."""
    reader, http = client(refused("0207", 401), answer(recorded("balance")))
    assert len(await reader.balances()) == 2
    assert nonces(http)[0] < nonces(http)[1]
    elsewhere, asked = client(refused("0207", 401), answer(recorded("balance")), nonce=1)
    await elsewhere.balances()
    assert nonces(asked) == [2, 1767225600123000001]

    for codes in (["0206", "0206"], ["0201"], ["0202"], ["0801"], ["1000"]):
        reader, http = client(*[refused(code, 401) for code in codes])
        with pytest.raises(ExchangeError):
            await reader.balances()
        assert http.answers == []


async def test_a_key_that_can_not_be_sent_is_refused_here():
    """A key with a line break, a colon or letters no header takes never reaches the wire."""
    for key in ("a\r\nX: y", "a:b", "schlüssel", "", "a b", "k" * 200):
        reader, http = client(key=key)
        with pytest.raises(ExchangeError) as raised:
            await reader.balances()
        assert raised.value.trouble is Trouble.BAD_KEY
        assert http.asked == []


def test_the_list_of_writes_misses_nothing_ccxt_knows():
    """Each private call of ccxt that is no GET is on the list of writes, so it can't fall behind unseen."""
    api = ccxt.bitso().describe()["api"]["private"]
    theirs = [(m.upper(), f"/api/v3/{path}") for m in ("post", "delete", "patch") for path in api[m]]
    writes = listed("bitso", "writes.txt")

    assert {method for method, _ in ALLOW} == {"GET"}
    assert [call for call in theirs if not any(call[0] == m and same(p, call[1]) for m, p in writes)] == []


def test_a_pasted_key_is_noticed_and_a_word_is_not():
    """Secrets always, keys alone in 99 of 100; no word of ordinary writing."""
    for pasted in ("0123456789abcdef0123456789abcdef", "secret=" + "0aF" * 10 + "00", "see:key=aBcDeFgHiJ"):
        assert find_pasted(pasted, Bitso.shapes) == "bitso", pasted
    for word in (
        "JavaScript",
        "PostgreSQL",
        "MacBookPro",
        "Enterprise",
        "CRYPTOCURR",
        "Volkswagen",
        "BlackRock",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "12345678901234567890",
    ):
        assert find_pasted(word, Bitso.shapes) is None, word
