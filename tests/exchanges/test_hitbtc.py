"""HitBTC's own files: signing against the vectors and ccxt, errors row by row, the allow-list."""

import json

import ccxt
import pytest

from chatbot.domain.permissions import Permission
from chatbot.domain.secrets import Secret, find_pasted
from chatbot.errors import ExchangeError, ForbiddenCall, Trouble
from chatbot.exchanges._http import Answer
from chatbot.exchanges.hitbtc import ALLOW, ERRORS, HitBTC, errors, wire
from tests.support.hitbtc import DATA, SetClock, answer, client, recorded, refused
from tests.support.writes import listed

VECTORS = json.loads((DATA / "signing_vectors.json").read_text())
# Sent by POST, and only read: what a withdrawal would cost, and whether it would stay inside.
ESTIMATES = {
    "wallet/crypto/fees/estimate", "wallet/crypto/fee/estimate/bulk", "wallet/crypto/check-offchain-available",
}  # fmt: skip


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_signs_as_the_vectors_say(vector):
    """The header is the one that python, openssl, ccxt and the sister SDK agreed on."""
    query = f"?{vector['query']}" if vector["query"] else ""

    headers = wire.sign(
        vector["method"],
        vector["path"] + query,
        Secret(vector["api_key"]),
        Secret(vector["secret"]),
        vector["timestamp_ms"],
        vector["window_ms"],
    )

    assert headers == vector["headers"]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("spot/balance", {}),
        ("spot/fee", {}),
        ("spot/history/trade", {"sort": "ASC", "by": "id", "from": "0", "limit": "1000"}),
    ],
)
async def test_ccxt_sends_the_same_request(path, params):
    """For the same key, time and path ccxt signs and sends what our client does."""
    oracle = ccxt.hitbtc({"apiKey": "hitbtcKEYabc", "secret": "hitbtcSECRETxyz"})
    oracle.nonce = lambda: 1767225600123
    theirs = oracle.sign(path, ["private"], "GET", params)
    reader, http = client(answer(b"[]"))

    if path == "spot/history/trade":
        await reader.fills_after("")
    elif path == "spot/balance":
        await reader.balances()
    else:
        await reader._try("/api/3/spot/fee", Permission.TRADE, refused=None)

    ((method, sent, query, headers),) = http.asked
    assert (method, f"https://api.hitbtc.com{sent}" + (f"?{query}" if query else "")) == (
        "GET",
        theirs["url"],
    )
    assert headers["Authorization"] == theirs["headers"]["Authorization"]


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_documented_error_has_its_trouble(code):
    """Row by row: the code as number or text, with its telling text, means what the table says."""
    number, _, hint = code.partition(" ")
    text = {
        "": "",
        "timestamp": "Timestamp too old",
        "address": "IP not allowed",
        "signature": "Bad signature",
    }
    for spelling in (number, int(number)):
        with pytest.raises(ExchangeError) as raised:
            errors.check(refused(spelling, 401, description=text[hint]), "fills")

        assert raised.value.trouble is ERRORS[code].trouble
        assert (raised.value.wait, raised.value.subject) == (ERRORS[code].wait, "fills")


def test_ccxt_knows_no_code_that_we_lack():
    """Each code that ccxt maps for version 3 has a row, and its class agrees with our trouble."""
    theirs = ccxt.hitbtc().describe()["exceptions"]["exact"]
    ours = {code: refusal.trouble for code, refusal in ERRORS.items() if " " not in code}

    assert theirs.keys() - ours.keys() == set()
    agree = {
        ccxt.AuthenticationError: {Trouble.BAD_KEY, Trouble.UNKNOWN},
        ccxt.RateLimitExceeded: {Trouble.RATE_LIMIT},
        ccxt.OnMaintenance: {Trouble.MAINTENANCE},
        ccxt.ExchangeNotAvailable: {Trouble.MAINTENANCE},
        ccxt.AccountSuspended: {Trouble.ACCOUNT_BLOCKED},
        ccxt.PermissionDenied: {Trouble.NO_PERMISSION, Trouble.USER_ACTION},
    }
    for code, kind in theirs.items():
        assert ours[code] in agree.get(kind, {Trouble.UNKNOWN, Trouble.MAINTENANCE}), code


def test_the_recorded_refusal_names_what_is_missing():
    """The documented answer for a missing right is told by the name of what was asked."""
    with pytest.raises(ExchangeError) as raised:
        errors.check(answer(recorded("error"), 403), "balances")

    assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "balances")
    assert not raised.value.retry


def test_words_like_api_and_shipping_are_no_address():
    """A text hints at the address list only where it speaks of an IP or a white list."""
    for description in ("Check permissions for API key", "shipping", "recipe"):
        with pytest.raises(ExchangeError) as raised:
            errors.check(refused(1003, 403, description=description))
        assert raised.value.trouble is Trouble.NO_PERMISSION


def test_a_limit_without_a_code_is_obeyed():
    """Any 429, even from a gateway, means to stay away for a minute at least; Retry-After may say more."""
    for body in (b"<html>", b'{"error": {}}', b"[]", b'{"error": 7}', b""):
        with pytest.raises(ExchangeError) as raised:
            errors.check(Answer(429, "text/html", body, wait=5))
        assert (raised.value.trouble, raised.value.wait) == (Trouble.RATE_LIMIT, 60), body
    with pytest.raises(ExchangeError) as raised:
        errors.check(Answer(429, "text/html", b"", wait=300))
    assert raised.value.wait == 300


def test_an_unknown_code_is_not_guessed():
    """An undocumented code is unknown and not retried; only the server's own failures are."""
    for body in (refused("7777"), refused(None), answer(b'{"error": {}}', 401)):
        with pytest.raises(ExchangeError) as raised:
            errors.check(body)
        assert (raised.value.trouble, raised.value.retry) == (Trouble.UNKNOWN, False)
    with pytest.raises(ExchangeError) as raised:
        errors.check(refused("7777", 503))
    assert raised.value.retry


async def test_a_wrong_time_is_tried_once_more():
    """A timestamp refused gets one fresh one; a second refusal rises; other refusals are never tried again."""
    late = refused(1002, 401, description="Timestamp is outside of the window")
    reader, http = client(late, answer(recorded("spot_balance")))
    assert len(await reader.balances()) == 2
    assert len(http.asked) == 2

    for answers in ([late, late], [refused(1002, 401)], [refused(1003, 403)], [refused(429, 429)]):
        reader, http = client(*answers)
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


async def test_the_stored_nonce_is_handed_back():
    """HitBTC wants no nonce: the stored one stays as it is."""
    reader, _ = client(answer(b"[]"), nonce=42)

    await reader.balances()

    assert reader.last_nonce == 42


def test_the_list_of_writes_is_complete():
    """Our hand-kept list of writes lacks none that ccxt knows."""
    api = ccxt.hitbtc().describe()["api"]["private"]
    theirs = {(m.upper(), path) for m in ("post", "put", "patch", "delete") for path in api[m]}
    ours = {(method, path.removeprefix("/api/3/")) for method, path in listed("hitbtc", "writes.txt")}

    assert theirs - {("POST", path) for path in ESTIMATES} - ours == set()
    assert {method for method, _ in ALLOW} == {"GET"}


async def test_neighbours_of_what_is_allowed_are_refused():
    """One symbol more, the older version, the list of keys: nothing of it gets as far as a session."""
    exchange = HitBTC(SetClock(), "http://127.0.0.1:1")
    for near in (
        "/api/3/spot/fee/BTCUSDT",
        "/api/3/spot/order",
        "/api/2/trading/balance",
        "/api/3/user/api-keys",
    ):
        with pytest.raises(ForbiddenCall):
            await exchange._http.request("GET", near)

    assert exchange._http._session is None


def test_a_pasted_key_is_noticed_and_a_word_is_not():
    """Published samples are caught, old and new; no word, file name or address of ordinary writing is."""
    for pasted in (
        "hxQscgPuAp4sBh1y4scQ0rik5YhSpeZn",
        "hj9pcr3d0I8-_bdGMBkvyDBjfGKY68jG",
        "ff20f250a7b3a414781d1abe11cd8cee:fb453577d11294359058a9ae13c94713",
        "secret=Yshl7G1EjaREyXQYaGbsmdtVbW4nzQwu",
    ):
        assert find_pasted(pasted, HitBTC.shapes) == "hitbtc", pasted
    for word in (
        "JavaScript",
        "Donaudampfschifffahrtsgesellschaft",
        "Screenshot-2026-11-20-at-9-41-32",
        "Quarterly-Report-2026-ACME-Ltd01",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "12345678901234567890123456789012",
        "exampleclientorderid000000000001",
    ):
        assert find_pasted(word, HitBTC.shapes) is None, word
