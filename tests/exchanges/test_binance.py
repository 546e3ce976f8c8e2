"""Binance's own files: signing against the vectors and ccxt, errors row by row, what is sent and what is not."""

import json
import re
from typing import Any, cast
from urllib.parse import urlsplit

import ccxt
import pytest

from chatbot.domain.secrets import Secret, find_pasted
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.binance import ALLOW, BUDGET, ERRORS, Binance, errors, paging, watch, wire
from chatbot.exchanges.binance.client import EARLIER_MS
from tests.support.binance import DATA, KEY, SECRET, SetClock, answer, client, recorded, refused, rows

VECTORS = json.loads((DATA / "signing_vectors.json").read_text())
# rest-api.md, "HTTP Return Codes", and the answer to a restricted location.
STATUSES = {"403", "418", "429", "451", "500", "502", "503", "504"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_signs_as_the_vectors_say(vector):
    """The signature is the one that the documents, openssl and ccxt agree on."""
    secret = Secret(vector["secret"])

    assert wire.signature(vector["string_to_sign"], secret) == vector["signature_hex"]
    if vector["query"] is not None:
        signed = wire.sign(vector["query"], secret, vector["timestamp_ms"])
        assert signed == f"{vector['string_to_sign']}&signature={vector['signature_hex']}"


def oracle():
    theirs = ccxt.binance({"apiKey": KEY, "secret": SECRET, "options": {"recvWindow": wire.WINDOW_MS}})
    theirs.nonce = lambda: wire.milliseconds(SetClock().now()) - EARLIER_MS
    return theirs


ASKS = {
    "account": ("private", {"omitZeroBalances": "true"}, lambda reader: reader.balances()),
    "myTrades": ("private", {"symbol": "BTCUSDT", "limit": "1"}, lambda reader: reader._reads_fills()),
    "openOrders": ("private", {}, lambda reader: reader._closed_orders(watch.State(), "x")),
    "account/apiRestrictions": ("sapi", {}, lambda reader: reader._told()),
}


@pytest.mark.parametrize("path", ASKS)
async def test_ccxt_sends_the_same_request(path):
    """For the same key, time and path ccxt signs and sends what our client does, to the last byte."""
    api, params, ask = ASKS[path]
    theirs = oracle().sign(path, [api], "GET", params)
    reader, http = client(refused(-1000, 500))

    with pytest.raises(ExchangeError):
        await ask(reader)

    ((method, sent, query, headers),) = http.asked
    url = urlsplit(theirs["url"])
    assert (method, sent, query) == ("GET", url.path, url.query)
    assert f"{url.scheme}://{url.netloc}" == "https://api.binance.com"
    assert headers == {"X-MBX-APIKEY": theirs["headers"]["X-MBX-APIKEY"]}


def test_a_signed_time_outlives_every_wait():
    """Our turn in the budget and the answer's deadline together are shorter than the window."""
    assert wire.WINDOW_MS - EARLIER_MS >= 15_000


@pytest.mark.parametrize("code", sorted(ERRORS.keys() - STATUSES))
@pytest.mark.parametrize("status", [200, 400, 401, 429])
def test_every_documented_error_has_its_trouble(code, status):
    """Row by row: the code as number or text, whatever the status, means what the table says."""
    for spelling in (code, int(code)):
        with pytest.raises(ExchangeError) as raised:
            errors.check(refused(spelling, status), "fills")

        meant = ERRORS[code]
        assert (raised.value.trouble, raised.value.wait) == (meant.trouble, meant.wait)
        assert raised.value.subject == (meant.subject or "fills")
        assert raised.value.trouble is not Trouble.RATE_LIMIT or raised.value.wait >= 60


@pytest.mark.parametrize("status", sorted(STATUSES))
@pytest.mark.parametrize("body", [b"<html>Forbidden</html>", b"{}", b'{"code": 0, "msg": "no"}', b"[]"])
def test_a_status_without_a_code_is_judged_by_itself(status, body):
    """Firewall, ban, region and outage, in whatever words they come."""
    with pytest.raises(ExchangeError) as raised:
        errors.check(answer(body, int(status)))

    if body == b"[]":
        assert raised.value.trouble in {ERRORS[status].trouble, Trouble.UNREACHABLE}
    else:
        assert raised.value.trouble is ERRORS[status].trouble


def test_a_ban_is_waited_for_as_long_as_it_lasts():
    """Retry-After of a 418 wins over our own pause."""
    with pytest.raises(ExchangeError) as raised:
        errors.check(answer(b'{"code": -1003, "msg": "banned"}', 418, wait=840))

    assert (raised.value.trouble, raised.value.wait) == (Trouble.RATE_LIMIT, 840)


@pytest.mark.parametrize(
    ("body", "status", "trouble"),
    [
        (b"<html>soon back</html>", 200, Trouble.MAINTENANCE),
        (b"<html>soon back</html>", 520, Trouble.MAINTENANCE),
        (b"", 200, Trouble.MAINTENANCE),
        (b'{"code": -987654, "msg": "new"}', 400, Trouble.UNKNOWN),
        (b'{"code": [1]}', 400, Trouble.UNREACHABLE),
        (b'{"msg": "no code"}', 200, Trouble.UNKNOWN),
        (b'{"msg": "no code"}', 599, Trouble.MAINTENANCE),
        (b"not json", 404, Trouble.MAINTENANCE),
    ],
)
def test_what_no_document_tells_is_judged_with_care(body, status, trouble):
    """An unknown code is unknown, a page is maintenance, nonsense is tried again."""
    with pytest.raises(ExchangeError) as raised:
        errors.check(answer(body, status))

    assert raised.value.trouble is trouble


@pytest.mark.parametrize("name", ["account", "my_trades", "exchange_info", "api_restrictions", "time"])
def test_a_good_answer_is_no_error(name):
    """What begins with data passes, lists and objects alike."""
    errors.check(answer(recorded(name)))


def test_ccxt_knows_no_code_of_a_read_that_we_lack():
    """Each code that ccxt has of its own for spot or for all, below -3000, has a row that agrees with its class."""
    described = ccxt.binance().describe()["exceptions"]
    theirs = {**described["exact"], **described["spot"]["exact"]}
    codes = {code: kind for code, kind in theirs.items() if re.fullmatch(r"-[12]\d{3}", code)}

    assert codes.keys() - ERRORS.keys() == set()
    agree = {
        ccxt.AuthenticationError: {
            Trouble.BAD_KEY,
            Trouble.BAD_SECRET,
            Trouble.NO_PERMISSION,
            Trouble.UNKNOWN,
        },
        ccxt.RateLimitExceeded: {Trouble.RATE_LIMIT},
        ccxt.InvalidNonce: {Trouble.CLOCK_OR_NONCE},
        ccxt.OperationFailed: {Trouble.MAINTENANCE, Trouble.UNKNOWN},
        ccxt.RequestTimeout: {Trouble.MAINTENANCE},
    }
    for code, kind in codes.items():
        assert ERRORS[code].trouble in agree.get(kind, {Trouble.UNKNOWN, Trouble.MAINTENANCE}), code


async def test_a_time_out_of_its_window_is_tried_once_more_with_a_new_one():
    """One fresh stamp, no more."""
    reader, http = client(refused(-1021), answer(recorded("account")))

    assert await reader.balances()
    assert len(http.asked) == 2
    reader, http = client(refused(-1021), refused(-1021))
    with pytest.raises(ExchangeError) as raised:
        await reader.balances()
    assert (raised.value.trouble, len(http.asked)) == (Trouble.CLOCK_OR_NONCE, 2)


@pytest.mark.parametrize("key", ["", "with space", "tab\tin", "brève", "x" * 129])
async def test_what_can_be_no_key_is_never_sent(key):
    """A key that would break a header is refused here."""
    reader, http = client(key=key)

    with pytest.raises(ExchangeError) as raised:
        await reader.balances()

    assert (raised.value.trouble, http.asked) == (Trouble.BAD_KEY, [])


async def test_a_symbol_in_another_script_is_asked_for_percent_encoded():
    """Some symbols are not in Latin letters: the encoded text is signed and sent."""
    assert paging.newest("币安USDT") == "symbol=%E5%B8%81%E5%AE%89USDT&limit=1000"
    assert paging.onwards("币安USDT", -5, 1) == "symbol=%E5%B8%81%E5%AE%89USDT&fromId=0&limit=1"


def test_only_reads_of_one_host_are_allowed():
    """Seven paths, all of them GET: nothing that places, cancels, moves or withdraws."""
    assert {method for method, _ in ALLOW} == {"GET"}
    assert {path for _, path in ALLOW} == {
        "/api/v3/account", "/api/v3/myTrades", "/api/v3/openOrders", "/api/v3/exchangeInfo",
        "/api/v3/ticker/price", "/api/v3/time", "/sapi/v1/account/apiRestrictions",
    }  # fmt: skip
    assert (BUDGET.requests, BUDGET.seconds) == (6000, 60)


def test_pasted_keys_are_noticed_and_words_are_not():
    """Key and secret of the documents are found; a hash, a name or half a key is none."""
    for text in (KEY, SECRET):
        assert find_pasted(f"my key: {text}", Binance.shapes) == "binance"
    for text in ("a" * 64, "0f" * 32, KEY[:63], "Internationalisation" * 4):
        assert find_pasted(text, Binance.shapes) is None


@pytest.mark.parametrize(("ahead_ms", "seconds"), [(0, 0), (2600, 3), (-40_000, -40)])
async def test_the_clock_is_compared_with_binance_s_own(ahead_ms, seconds):
    """How far Binance is ahead is told from the time it answers with, not from a header."""
    exchange = Binance(SetClock(), "http://127.0.0.1:9")
    now = wire.milliseconds(SetClock().now()) + ahead_ms
    reader, http = client(answer(json.dumps({"serverTime": now}).encode()))
    cast("Any", exchange)._http = http

    assert await exchange.reachable() == seconds
    assert reader.last_nonce == 0


def test_both_sides_of_a_trade_with_oneself_come():
    """Both rows of one id are fills of their own."""
    twice = [*rows(5, 6), *rows(6, isBuyer=False)]
    found = wire.parse_fills(json.dumps(twice).encode(), wire.Market("BNB", "BTC"))

    assert [(fill.id, fill.side) for fill in found] == [("5", "buy"), ("6", "sell"), ("6", "buy")]
