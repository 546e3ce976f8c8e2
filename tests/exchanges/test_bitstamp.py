"""Bitstamp's own file: signing against the vectors and ccxt, signed answers, the hint, the allow-list."""

import json
import re

import ccxt
import pytest

from chatbot.domain.permissions import Permission, Switch
from chatbot.domain.secrets import Secret, find_pasted
from chatbot.errors import ExchangeError, ForbiddenCall, Trouble
from chatbot.exchanges._http import Answer, Http
from chatbot.exchanges.bitso import Bitso
from chatbot.exchanges.bitstamp import ALLOW, HOME, Bitstamp, wire
from tests.support.bitstamp import DATA, KEY, NOW, SECRET, answer, client, recorded, refused, row, rows
from tests.support.practice import connected
from tests.support.writes import listed, same

VECTORS = json.loads((DATA / "signing_vectors.json").read_text())
REQUESTS = [vector for vector in VECTORS if "method" in vector]
(RESPONSE,) = [vector for vector in VECTORS if "response_body" in vector]
STAMP = wire.Stamp("6c1f2c3e-9a40-4d0b-8f1e-0a1b2c3d4e5f", 1767225600123)
OK = answer(recorded("account_balances"))
# What ccxt sends by POST and only reads; all but what we use ourselves stays off the allow-list.
READS = {
    "account_balances", "account_balances/{currency}", "balance", "balance/{pair}", "user_transactions",
    "user_transactions/{pair}", "crypto-transactions", "open_order", "open_orders/all", "open_orders/{pair}",
    "order_status", "my_trading_pairs", "fees/trading", "fees/trading/{market_symbol}", "fees/withdrawal",
    "fees/withdrawal/{currency}", "withdrawal-requests", "withdrawal/status", "liquidation_address/info",
    "btc_unconfirmed", "websockets_token", "get_max_order_amount", "order_data", "account_order_data",
}  # fmt: skip


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda v: v["id"])
def test_signs_as_the_vectors_say(vector):
    """All headers are the ones that python, openssl and ccxt agreed on."""
    headers = wire.sign(
        vector["method"],
        vector["path"],
        vector["body"].encode(),
        Secret(vector["api_key"]),
        Secret(vector["secret"]),
        wire.Stamp(vector["nonce"], vector["timestamp_ms"]),
    )

    assert headers == vector["headers"]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("user_transactions/", {"limit": "1000", "sort": "asc", "since_id": "1", "offset": "0"}),
        ("withdrawal-requests/", {"limit": "1", "offset": "0"}),
        ("account_balances/", {"foo": "bar"}),
    ],
)
def test_ccxt_sends_the_same_request(name, params):
    """For the same key, nonce, time and parameters ccxt signs and sends what we do."""
    oracle = ccxt.bitstamp({"apiKey": KEY, "secret": SECRET})
    oracle.uuid, oracle.milliseconds = lambda: STAMP.nonce, lambda: STAMP.timestamp

    theirs = oracle.sign(name, ["private"], "POST", params)

    body = "&".join(f"{key}={value}" for key, value in params.items())
    ours = wire.sign("POST", f"/api/v2/{name}", body.encode(), Secret(KEY), Secret(SECRET), STAMP)
    assert (theirs["url"], theirs["body"]) == (f"{HOME}/api/v2/{name}", body)
    assert theirs["headers"] == ours


async def test_asks_as_the_vectors_say():
    """The client's own requests have the documented paths and bodies, a fresh UUID each, and the clock's time."""
    reader, http = client(OK, rows(), rows())
    await reader.balances()
    await reader.fills_after("")
    await reader.fills_before("")

    asked = [(method, path, query, body) for method, path, query, _, body in http.asked]
    stamps = [wire.Stamp(h["X-Auth-Nonce"], int(h["X-Auth-Timestamp"])) for *_, h, _ in http.asked]
    assert asked == [
        ("POST", "/api/v2/account_balances/", "", b""),
        ("POST", "/api/v2/user_transactions/", "", b"limit=1000&sort=asc&since_id=1&offset=0"),
        ("POST", "/api/v2/user_transactions/", "", b"limit=1000&sort=desc&offset=0"),
    ]
    assert len({stamp.nonce for stamp in stamps}) == 3
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", stamp.nonce) for stamp in stamps)
    assert {stamp.timestamp for stamp in stamps} == {int(NOW.timestamp() * 1000)}
    for method, path, _, headers, body in http.asked:
        stamp = wire.Stamp(headers["X-Auth-Nonce"], int(headers["X-Auth-Timestamp"]))
        assert headers == wire.sign(method, path, body, Secret(KEY), Secret(SECRET), stamp)


def signed(body=RESPONSE["response_body"], kind="application/json", signature=RESPONSE["signature_hex"]):
    headers = {"Content-Type": kind} | ({"X-Server-Auth-Signature": signature} if signature else {})
    return Answer(200, "application/json", body.encode(), headers=headers)


def test_an_answer_signed_as_the_vector_says_is_taken():
    """The vector's answer is Bitstamp's own, in upper case, too."""
    for given in (signed(), signed(signature=RESPONSE["signature_hex"].upper())):
        wire.verify(given, Secret(SECRET), STAMP)


@pytest.mark.parametrize(
    "given",
    [
        signed(signature=""),
        signed(signature="0" * 64),
        signed(signature="\udcff\udcfe"),
        signed(kind="application/json; charset=utf-8"),
        signed(body=RESPONSE["response_body"].replace("0.5", "9.5")),
        signed(body=RESPONSE["response_body"] + " "),
    ],
)
def test_an_answer_that_is_not_signed_right_is_not_read(given):
    """Without the right signature for these very bytes an answer is an outage, never a balance."""
    with pytest.raises(ExchangeError) as raised:
        wire.verify(given, Secret(SECRET), STAMP)

    assert (raised.value.trouble, raised.value.retry) == (Trouble.UNREACHABLE, True)


def test_an_answer_to_another_request_is_not_read():
    """A good old answer can't be played again: nonce and time of the request are signed with it."""
    for stamp in (wire.Stamp("another", STAMP.timestamp), wire.Stamp(STAMP.nonce, STAMP.timestamp + 1)):
        with pytest.raises(ExchangeError):
            wire.verify(signed(), Secret(SECRET), stamp)


async def test_the_floor_for_nonces_is_kept():
    """Bitstamp needs no rising number, so the stored one comes back as it was."""
    reader, _ = client(OK, nonce=12345)
    await reader.balances()

    assert reader.last_nonce == 12345


async def test_a_key_that_can_not_be_sent_is_refused_here():
    """A key with a line break, a space or letters no header takes never reaches the wire."""
    for key in ("a\r\nX: y", "schlüssel", "", "a b", "k" * 200):
        reader, http = client(key=key)
        with pytest.raises(ExchangeError) as raised:
            await reader.balances()
        assert raised.value.trouble is Trouble.BAD_KEY
        assert http.asked == []


@pytest.mark.parametrize(
    ("listed", "labels"),
    [
        (rows(), ("List withdrawal requests",)),
        (refused("API0003"), ()),
        (refused("API7777"), ()),
        (answer(b"[", 200), ()),
    ],
)
async def test_the_withdrawal_list_is_only_a_hint(listed, labels):
    """That the list opens names a tick too many; open or closed, withdraw and trade stay unknown."""
    reader, _ = client(OK, rows(row(501)), listed)

    proof = await reader.prove()

    assert proof.report.labels == labels
    for permission in (Permission.WITHDRAW, Permission.TRANSFER, Permission.TRADE):
        assert proof.report.get(permission).switch is Switch.UNKNOWN
    assert proof.head is not None
    assert proof.head.after == "501"


async def test_a_key_that_dies_at_the_hint_is_told():
    """Trouble of the key itself rises wherever it shows."""
    reader, _ = client(OK, rows(), refused("API0002"))

    with pytest.raises(ExchangeError) as raised:
        await reader.prove()

    assert raised.value.trouble is Trouble.IP_BLOCKED


def test_the_list_of_writes_misses_nothing_ccxt_knows():
    """Each private call of ccxt that does not only read is on the list of writes, so it can't fall behind unseen."""
    theirs = {path.strip("/") for path in ccxt.bitstamp().describe()["api"]["private"]["post"]}
    writes = [path for _, path in listed("bitstamp", "writes.txt")]

    unknown = [name for name in theirs - READS if not any(same(path, f"/api/v2/{name}") for path in writes)]
    assert unknown == []


async def test_neighbours_of_what_is_allowed_are_refused():
    """A way round by dots, one pair more, another method: nothing of it gets as far as a session."""
    http = Http(HOME, ALLOW)
    for path in ("/api/v2/withdrawal-requests/../buy/btceur/", "/api/v2/user_transactions/btceur/"):
        with pytest.raises(ForbiddenCall):
            await http.request("POST", path, body=b"amount=1")
    with pytest.raises(ForbiddenCall):
        await http.request("DELETE", "/api/v2/withdrawal-requests/")

    assert http._session is None


def test_a_pasted_key_is_noticed_and_a_word_is_not():
    """Key and secret are noticed alone or behind a name; words, addresses and other exchanges' are not ours."""
    pasted = "Gb5nVUFt0mYvn9Rm8g6TqIUQIxLqcBBa"
    for text in (pasted, f"secret={pasted}", f"key:{pasted}", f"my-key-{pasted}-x", f"({pasted})"):
        assert find_pasted(text, Bitstamp.shapes) == "bitstamp", text
    for text in (
        "0123456789abcdef0123456789abcdef",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "Donaudampfschifffahrtsgesellscha",
        pasted + "x",
    ):
        assert find_pasted(text, Bitstamp.shapes) is None, text
    assert find_pasted(pasted, Bitso.shapes) is None


@pytest.mark.parametrize("kind", ["unsigned", "replayed", "forged"])
async def test_over_the_wire_an_answer_must_be_signed(kind):
    """A real answer whose signature is missing or another's is an outage; the next good one is read."""
    async with connected("bitstamp") as (exchange, running):
        reader = exchange.client(running.credentials(), 0)
        running.state.fail("", kind)

        with pytest.raises(ExchangeError) as raised:
            await reader.balances()

        assert raised.value.trouble is Trouble.UNREACHABLE
        assert await reader.balances()


async def test_a_tick_too_many_is_seen_over_the_wire():
    """A key that may list withdrawals is named for it, and still nothing is claimed about withdrawing."""
    async with connected("bitstamp") as (exchange, running):
        for ticks, labels in (
            ({"balances"}, ()),
            ({"balances", "list_withdrawals"}, ("List withdrawal requests",)),
        ):
            keys = running.state.new_key(ticks)
            report = (await exchange.client(running.credentials(*keys), 0).prove()).report
            assert report.labels == labels
            assert report.get(Permission.WITHDRAW).switch is Switch.UNKNOWN
