"""OKX's own files: signing against the vectors and ccxt, errors row by row, nothing secret left."""

import json
import logging

import ccxt
import pytest

from chatbot.domain.secrets import find_pasted
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import build
from chatbot.exchanges._http import Answer
from chatbot.exchanges.okx import ERRORS, OKX, errors, wire
from tests.support.clock import VirtualClock
from tests.support.okx import (
    DATA,
    KEY,
    PASSPHRASE,
    SECRET,
    answer,
    client,
    credentials,
    good,
    recorded,
    refused,
)
from tests.support.practice import MachineClock, practice

VECTORS = json.loads((DATA / "signing_vectors.json").read_text())
EMPTY = good({"details": []})


def oracle():
    theirs = ccxt.okx({"apiKey": KEY, "secret": SECRET, "password": PASSPHRASE})
    theirs.nonce = lambda: 1767225600123
    return theirs


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_signs_as_the_vectors_say(vector):
    """The headers are those that openssl computed on its own."""
    target = vector["path"] + (f"?{vector['query']}" if vector["query"] else "")
    clock = VirtualClock(wire.moment(1767225600123))

    headers = wire.sign("GET", target, credentials(vector["api_key"], vector["passphrase"]), clock.now())

    assert headers == vector["headers"]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("account/balance", {}),
        ("asset/balances", {}),
        ("account/config", {}),
        ("trade/fills", {"limit": "100"}),
        ("trade/fills-history", {"instType": "SPOT", "after": "42", "limit": "100"}),
    ],
)
async def test_ccxt_sends_the_same_request(path, params):
    """For the same key, time and path ccxt signs and sends what our client does."""
    theirs = oracle().sign(path, ["private"], "GET", params)
    told = {"account/balance": [EMPTY, good()], "account/config": [answer(recorded("account_config"))]}
    reader, http = client(*told.get(path, [good()]))

    if path == "account/balance":
        await reader.balances()
    elif path == "asset/balances":
        await reader._funding()
    elif path == "account/config":
        await reader._try_permissions()
    elif path == "trade/fills":
        await reader.fills_after("7@1767225600000")
    else:
        await reader.fills_before("42~SPOT")

    method, sent, query, headers = http.asked[0]
    assert (method, f"https://www.okx.com{sent}" + (f"?{query}" if query else "")) == ("GET", theirs["url"])
    assert headers == theirs["headers"]


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_documented_error_has_its_trouble(code):
    """Row by row: the code as text, number or with a sub-code, on any status, means what the table says."""
    for spelling, status in ((code, 200), (int(code), 401), (f"{code}_1000", 400), (code, 500)):
        with pytest.raises(ExchangeError) as raised:
            errors.check(refused(spelling, status), "fills")

        assert raised.value.trouble is ERRORS[code].trouble
        assert (raised.value.wait, raised.value.subject) == (
            ERRORS[code].wait,
            ERRORS[code].subject or "fills",
        )


def test_ccxt_knows_no_code_of_reads_that_we_lack():
    """Each general code that ccxt maps has a row, and its class agrees with our trouble."""
    theirs = {
        code: kind
        for code, kind in oracle().describe()["exceptions"]["exact"].items()
        if code.startswith("50") or code in {"1", "2"}
    }
    agree = {
        ccxt.RateLimitExceeded: {Trouble.RATE_LIMIT},
        ccxt.OnMaintenance: {Trouble.MAINTENANCE},
        ccxt.ExchangeNotAvailable: {Trouble.MAINTENANCE},
        ccxt.RequestTimeout: {Trouble.MAINTENANCE},
        ccxt.AccountSuspended: {Trouble.ACCOUNT_BLOCKED},
        ccxt.InvalidNonce: {Trouble.CLOCK_OR_NONCE},
        ccxt.PermissionDenied: {Trouble.IP_BLOCKED, Trouble.ACCOUNT_BLOCKED},
    }

    assert theirs.keys() - ERRORS.keys() == set()
    assert {
        c for c, kind in theirs.items() if kind in agree and ERRORS[c].trouble not in agree[kind]
    } == set()


def test_a_code_of_orders_is_not_guessed():
    """Whatever only traders meet is unknown and never tried again; only the server's own failures are."""
    for code in ("51008", "51155", "54000", "59113", "nonsense"):
        with pytest.raises(ExchangeError) as raised:
            errors.check(refused(code))
        assert (raised.value.trouble, raised.value.retry) == (Trouble.UNKNOWN, False)
    with pytest.raises(ExchangeError) as raised:
        errors.check(refused("51008", 503))
    assert raised.value.retry


@pytest.mark.parametrize(
    ("status", "body", "trouble", "wait"),
    [
        (429, b"<html>", Trouble.RATE_LIMIT, 60),
        (429, b'{"code": "77777"}', Trouble.RATE_LIMIT, 60),
        (451, b"<html>", Trouble.REGION, 0),
        (403, b"<html>", Trouble.MAINTENANCE, 0),
        (502, b"Bad Gateway", Trouble.MAINTENANCE, 0),
        (200, b"<html>", Trouble.MAINTENANCE, 0),
        (200, b"{}", Trouble.UNREACHABLE, 0),
        (200, b'{"code": []}', Trouble.UNREACHABLE, 0),
        (401, b"{}", Trouble.UNKNOWN, 0),
        (500, b'{"code": "0", "data": []}', Trouble.MAINTENANCE, 0),
    ],
)
def test_an_answer_without_a_known_code_is_judged_by_its_status(status, body, trouble, wait):
    """Gateways answer in HTML: too many is too many, a closed country is one, the rest is an outage."""
    with pytest.raises(ExchangeError) as raised:
        errors.check(Answer(status, "text/html", body))

    assert (raised.value.trouble, raised.value.wait) == (trouble, wait)


def test_retry_after_may_say_more():
    """The longer of the two waits counts."""
    with pytest.raises(ExchangeError) as raised:
        errors.check(answer(b"<html>", 429, wait=300))
    assert raised.value.wait == 300


async def test_a_wrong_time_is_tried_once_more():
    """A timestamp refused gets one fresh one; a second refusal rises; other refusals are never tried again."""
    late = refused("50102", 401)
    reader, http = client(late, EMPTY, good())
    assert await reader.balances() == ()
    assert len(http.asked) == 3

    for answers in ([late, late], [refused("50113", 401)], [refused("50120", 401)], [refused("50011", 429)]):
        reader, http = client(*answers)
        with pytest.raises(ExchangeError):
            await reader.balances()
        assert http.answers == []


async def test_what_can_not_be_sent_is_refused_here():
    """A key or passphrase with a line break or letters no header takes never reaches the wire."""
    for key in ("a\r\nX: y", "schlüssel", "", "a b", "k" * 200):
        reader, http = client(key=key)
        with pytest.raises(ExchangeError) as raised:
            await reader.balances()
        assert (raised.value.trouble, http.asked) == (Trouble.BAD_KEY, [])
    for passphrase in (None, "", "a\nb", "pässword"):
        reader, http = client(passphrase=passphrase)
        with pytest.raises(ExchangeError) as raised:
            await reader.balances()
        assert (raised.value.trouble, raised.value.subject) == (Trouble.BAD_SECRET, "passphrase")
        assert http.asked == []


async def test_neither_secret_nor_passphrase_is_left_anywhere(caplog):
    """Errors, logs and looks at the objects show neither of the three parts."""
    caplog.set_level(logging.DEBUG)
    async with practice("okx") as running:
        exchange = build({"okx": running.origin}, MachineClock())["okx"]
        reader = exchange.client(running.credentials(), 0)
        seen = []
        for kind in ("50105", "50113", "50110", "html", "half", "types"):
            running.state.fail("", kind)
            with pytest.raises(ExchangeError) as raised:
                await reader.prove()
            seen += [repr(raised.value), repr(raised.value.__context__), raised.value.reason]
        await reader.prove()
        seen += [repr(vars(reader)), repr(vars(exchange)), caplog.text]
        await exchange.close()

        parts = (running.state.key, running.state.secret, running.state.passphrase)
        assert [part for part in parts if part in "\n".join(seen)] == []


async def test_a_wrong_passphrase_is_told_by_name():
    """Whoever mistypes it reads that it is the passphrase, not the key."""
    async with practice("okx") as running:
        exchange = build({"okx": running.origin}, MachineClock())["okx"]
        wrong = credentials(running.state.key, "Another-1!")
        mixed = type(wrong)(wrong.api_key, running.credentials().api_secret, wrong.passphrase)
        with pytest.raises(ExchangeError) as raised:
            await exchange.client(mixed, 0).prove()
        await exchange.close()

    assert (raised.value.trouble, raised.value.subject) == (Trouble.BAD_SECRET, "passphrase")


def test_a_pasted_key_is_noticed_and_a_word_is_not():
    """Key and secret are caught with what stands around them; ordinary words, numbers and hashes are not."""
    for pasted in (f"key {KEY}", f"secret={SECRET}", f"“{SECRET}”"):
        assert find_pasted(pasted, OKX.shapes) == "okx", pasted
    for word in (
        "00000000-1111-2222-3333-444444444444",
        "12345678901234567890123456789012",
        "ABCDEFABCDEFABCDEFABCDEFABCDEFAB",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "Donaudampfschifffahrtsgesellschaft",
        "ff20f250a7b3a414781d1abe11cd8cee",
    ):
        assert find_pasted(word, OKX.shapes) is None, word


def test_the_recorded_refusal_is_the_one_that_leads_on():
    """OKX's answer for a key of another company, word for word, without any data."""
    with pytest.raises(errors.UnknownHere):
        errors.check(answer(recorded("error"), 401))
