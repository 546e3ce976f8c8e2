"""Bybit's own files: signing against the vectors and ccxt, errors row by row, times, keys."""

import json
from datetime import UTC, datetime

import ccxt
import pytest

from chatbot.domain.secrets import Secret, find_pasted
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Answer
from chatbot.exchanges.bybit import ALLOW, ERRORS, Bybit, errors, wire
from tests.support.bybit import DATA, KEY, NOW_MS, SECRET, answer, client, envelope, recorded, refused
from tests.support.practice import connected

VECTORS = json.loads((DATA / "signing_vectors.json").read_text())
COUNTRY = b"<HTML>The Amazon CloudFront distribution is configured to block access from your country.</HTML>"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_signs_as_the_vectors_say(vector):
    """The headers are those that python's own hmac and openssl agreed on, Bybit's documented query among them."""
    headers = wire.sign(
        vector["query"],
        Secret(vector["api_key"]),
        Secret(vector["secret"]),
        vector["timestamp_ms"],
        vector["window_ms"],
    )

    assert headers == vector["headers"]


@pytest.mark.parametrize("vector", VECTORS[:3], ids=lambda v: v["id"])
def test_ccxt_signs_the_same_request(vector):
    """For the same key, time, window and parameters ccxt signs and sends what we do, cursor and all."""
    oracle = ccxt.bybit({"apiKey": vector["api_key"], "secret": vector["secret"]})
    oracle.nonce = lambda: vector["timestamp_ms"]
    oracle.options["recvWindow"] = vector["window_ms"]
    params = dict(part.split("=") for part in vector["query"].split("&")) if vector["query"] else {}

    theirs = oracle.sign("v5/execution/list", ["private"], "GET", params)

    assert theirs["url"] == f"https://api.bybit.com/v5/execution/list?{vector['query']}"
    assert theirs["headers"] == vector["headers"] | {"Content-Type": "application/json"}


async def test_what_is_sent_is_what_was_signed():
    """Two reads make the balances; each is signed for its own query with a time a little behind ours."""
    reader, http = client(answer(recorded("wallet_balance")), answer(recorded("query_account_coins_balance")))

    await reader.balances()

    assert [(method, path, query) for method, path, query, _ in http.asked] == [
        ("GET", "/v5/account/wallet-balance", "accountType=UNIFIED"),
        ("GET", "/v5/asset/transfer/query-account-coins-balance", "accountType=FUND"),
    ]
    for _, _, query, headers in http.asked:
        assert headers == wire.sign(query, Secret(KEY), Secret(SECRET), NOW_MS - 3000)
        assert int(headers["X-BAPI-RECV-WINDOW"]) - 3000 >= 15_000


def spellings(code):
    if " " in code or int(code) in {400, 401, 403, 404, 429, 500, 502, 503, 504}:
        status, _, text = code.partition(" ")
        return [Answer(int(status), "text/html", f"<html>access {text}</html>".encode())]
    return [refused(int(code)), refused(code), answer(json.dumps({"ret_code": int(code)}).encode())]


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_documented_error_has_its_trouble(code):
    """Row by row: the code as number or text, in the new or the older field, means what the table says."""
    for given in spellings(code):
        with pytest.raises(ExchangeError) as raised:
            errors.check(given, "fills")

        error, meant = raised.value, ERRORS[code]
        assert (error.trouble, error.wait) == (meant.trouble, meant.wait)
        assert error.subject == (meant.subject or ("fills" if given.content_type != "text/html" else ""))


def test_ccxt_knows_no_code_that_we_lack():
    """Each code that ccxt maps has a row, and where it speaks of keys or limits, ours does too."""
    theirs = ccxt.bybit().describe()["exceptions"]["exact"]
    agree = {
        "10002": Trouble.CLOCK_OR_NONCE,
        "10003": Trouble.BAD_KEY,
        "10004": Trouble.BAD_SECRET,
        "10005": Trouble.NO_PERMISSION,
        "10006": Trouble.RATE_LIMIT,
        "10007": Trouble.BAD_KEY,
        "10008": Trouble.ACCOUNT_BLOCKED,
        "10010": Trouble.IP_BLOCKED,
        "10018": Trouble.RATE_LIMIT,
        "33004": Trouble.EXPIRED,
    }

    assert theirs.keys() - ERRORS.keys() == set()
    assert {code: ERRORS[code].trouble for code in agree} == agree
    limited = {code for code, kind in theirs.items() if kind is ccxt.RateLimitExceeded and len(code) != 5}
    assert {ERRORS[code].trouble for code in limited} == {Trouble.RATE_LIMIT}


@pytest.mark.parametrize(
    ("given", "trouble", "wait"),
    [
        (Answer(403, "text/html", COUNTRY), Trouble.REGION, 0),
        (Answer(403, "text/html", b""), Trouble.REGION, 0),
        (Answer(403, "text/plain", b"403, Access too frequent"), Trouble.RATE_LIMIT, 600),
        (Answer(401, "text/html", b""), Trouble.BAD_KEY, 0),
        (Answer(429, "text/html", b"", wait=300), Trouble.RATE_LIMIT, 300),
        (Answer(502, "text/html", b"<html>"), Trouble.MAINTENANCE, 0),
        (Answer(520, "text/html", b"<html>"), Trouble.MAINTENANCE, 0),
        (Answer(200, "text/html", b"<html>"), Trouble.MAINTENANCE, 0),
        (Answer(200, "application/json", b"[]"), Trouble.UNREACHABLE, 0),
        (Answer(200, "application/json", b"{}"), Trouble.UNREACHABLE, 0),
        (Answer(403, "application/json", b'{"retCode": 10010}'), Trouble.IP_BLOCKED, 0),
        (Answer(404, "application/json", b"{}"), Trouble.UNKNOWN, 0),
        (Answer(503, "application/json", b'{"retCode": 0}'), Trouble.MAINTENANCE, 0),
        (Answer(200, "application/json", b'{"retCode": 987654}'), Trouble.UNKNOWN, 0),
    ],
)
def test_an_answer_without_a_known_code_is_judged_by_its_status(given, trouble, wait):
    """A block of our country, a gateway's limit and an outage are told apart; nothing else is guessed."""
    with pytest.raises(ExchangeError) as raised:
        errors.check(given)

    assert (raised.value.trouble, raised.value.wait) == (trouble, wait)


async def test_a_wrong_time_is_tried_once_more():
    """A time refused gets one fresh one; a second refusal rises; other refusals are never tried again."""
    good = [answer(recorded("wallet_balance")), answer(recorded("query_account_coins_balance"))]
    reader, http = client(refused(10002), *good)
    assert await reader.balances()
    assert len(http.asked) == 3

    for answers in ([refused(10002)] * 2, [refused(10003)], [refused(10004)], [refused(10006)]):
        reader, http = client(*answers)
        with pytest.raises(ExchangeError):
            await reader.balances()
        assert http.answers == []


async def test_a_key_that_can_not_be_sent_is_refused_here():
    """A key with a line break or letters no header takes never reaches the wire."""
    for key in ("a\r\nX: y", "schlüssel", "", "a b", "k" * 200):
        reader, http = client(key=key)
        with pytest.raises(ExchangeError) as raised:
            await reader.balances()
        assert raised.value.trouble is Trouble.BAD_KEY
        assert http.asked == []


async def test_a_funding_account_that_is_refused_for_a_moment_is_not_empty():
    """Once read it has to be read: balances without it would look like money that left."""
    async with connected("bybit") as (exchange, running):
        await exchange.client(running.credentials(), 0).balances()
        running.state.fail("/v5/asset/transfer/query-account-coins-balance", "10005")

        with pytest.raises(ExchangeError) as raised:
            await exchange.client(running.credentials(), 0).balances()
        again = await exchange.client(running.credentials(), 0).balances()

        assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "account")
        assert {b.asset: b.total for b in again}["USDT"] == running.state.balances["usdt"]
        assert running.state.key not in repr(vars(exchange))


async def test_the_stored_nonce_is_handed_back():
    """Bybit wants no nonce: the stored one stays as it is."""
    reader, _ = client(answer(recorded("wallet_balance")), refused(10005), nonce=42)

    await reader.balances()

    assert reader.last_nonce == 42


def test_the_allow_list_only_looks():
    """Only GET, only whole paths; the one path that speaks of transfers is a documented read of balances."""
    assert {method for method, _ in ALLOW} == {"GET"}
    assert [path for _, path in ALLOW if "transfer" in path] == [
        "/v5/asset/transfer/query-account-coins-balance"
    ]
    assert [path for _, path in ALLOW if "{" in path or path.endswith("/")] == []


def test_the_servers_time_is_read_from_any_answer():
    """Every envelope tells the time, in milliseconds."""
    assert wire.parse_time(recorded("time")) == datetime(2023, 7, 6, 10, 30, 3, 423000, tzinfo=UTC)
    assert wire.parse_time(envelope({}).body).timestamp() * 1000 == NOW_MS


def test_a_pasted_key_is_noticed_and_a_word_is_not():
    """Keys and secrets as Bybit makes them are caught; no word, file name or address of ordinary writing is."""
    for pasted in ("opjSlSOzqIeXROT5rq", "key=GCNuPXHiTsX5FTEDhV", SECRET[:20] + "x9Yz8Kq3Lm2Pn4Rt"):
        assert find_pasted(pasted, Bybit.shapes) == "bybit", pasted
    for word in (
        "Screenshot20261120",
        "QuarterlyReport26x",
        "Donaudampfschiffe1",
        "123456789012345678",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "8c065341-7b52-4ca9-ac2c-37e31ac55c94",
    ):
        assert find_pasted(word, Bybit.shapes) is None, word
