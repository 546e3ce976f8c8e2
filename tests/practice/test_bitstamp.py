"""The practice Bitstamp is strict like the real one: fields, headers, nonces, clocks, signatures, ticks."""

import hmac
import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from chatbot.exchanges.bitstamp import wire
from chatbot.exchanges.bitstamp.client import BALANCES
from tests.support.bitstamp import EVERYTHING, Asker, code, recorded


@pytest.fixture
def bitstamp():
    """A practice exchange of this test alone."""
    return Asker()


@pytest.mark.parametrize(
    "name",
    ["account_balances", "open_orders/all", "fees/trading", "withdrawal-requests", "websockets_token"],
)
def test_payloads_have_the_documented_fields(bitstamp, name):
    """Every endpoint answers with the fields of the recorded payload, no more and no fewer."""
    bitstamp.state.transfer("withdrawal", "btc", "0.1")
    bitstamp.state.permit(bitstamp.state.key, EVERYTHING)

    ours = bitstamp.ask(f"/api/v2/{name}/").json()
    theirs = json.loads(recorded(name.replace("/", "_")))

    first = [value[0] if isinstance(value, list) else value for value in (ours, theirs)]
    assert {k: type(v) for k, v in first[0].items()} == {k: type(v) for k, v in first[1].items()}


def test_public_payloads_have_the_documented_fields(bitstamp):
    """Prices and markets need no key and have the documented fields; a single price has no name."""
    for name in ("ticker", "markets"):
        ours = bitstamp.request("GET", f"/api/v2/{name}/").json()
        assert ours[0].keys() == json.loads(recorded(name))[0].keys()

    one = bitstamp.request("GET", "/api/v2/ticker/btceur/").json()
    assert one.keys() == json.loads(recorded("ticker"))[0].keys() - {"pair", "market"}


def test_transactions_have_the_documented_fields(bitstamp):
    """A trade, a deposit and a conversion look like the recorded ones."""
    state = bitstamp.state
    mine = [
        state.trade("buy", "btc_eur"),
        state.transfer("deposit", "eur"),
        state.trade("sell", "usdc_eur", kind="36"),
    ]
    theirs = json.loads(recorded("user_transactions"))[:3]

    assert [{k: type(v) for k, v in row.items()} for row in mine] == [
        {k: type(v) for k, v in row.items()} for row in theirs
    ]
    assert bitstamp.ask("/api/v2/user_transactions/").json() == mine[::-1]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"X-Auth": None}, "API0012"),
        ({"X-Auth-Signature": None}, "API0013"),
        ({"X-Auth-Nonce": None}, "API0014"),
        ({"X-Auth-Timestamp": None}, "API0015"),
        ({"X-Auth-Version": None}, "API0016"),
        ({"X-Auth-Version": "v1"}, "API0010"),
        ({"X-Auth": "BITSTAMP not a key"}, "API0011"),
        ({"X-Auth": "Bearer abc"}, "API0011"),
        ({"X-Auth": "BITSTAMP abc"}, "API0001"),
        ({"X-Auth-Signature": "0" * 64}, "API0005"),
        ({"X-Auth-Nonce": str(uuid.uuid4())}, "API0005"),
        ({"X-Auth-Timestamp": "yesterday"}, "API0018"),
        ({"X-Auth-Timestamp": "1767225600123"}, "API0017"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "API0020"),
    ],
)
def test_every_header_is_checked(bitstamp, changed, expected):
    """A header that is missing, wrong or changed after signing is refused by its own code."""
    response = bitstamp.ask(BALANCES, changed=changed)

    assert (code(response), response.status_code in {400, 403}) == (expected, True)
    assert bitstamp.ask(BALANCES).status_code == 200


def test_signatures_cover_path_body_and_host(bitstamp):
    """A signature for one path, query, body or host is worth nothing for another."""
    headers = bitstamp.signed("/api/v2/user_transactions/", "limit=1")
    for path, body in (
        ("/api/v2/user_transactions/", "limit=2"),
        ("/api/v2/user_transactions/?limit=1", "limit=1"),
        ("/api/v2/account_balances/", "limit=1"),
    ):
        assert code(bitstamp.request("POST", path, content=body, headers=headers)) == "API0005"
    assert code(bitstamp.request("POST", BALANCES, headers=elsewhere(bitstamp))) == "API0005"
    accepted = bitstamp.request("POST", "/api/v2/user_transactions/", content="limit=1", headers=headers)
    assert accepted.status_code == 200
    wrong = headers | {"Content-Type": "application/json"}
    assert code(bitstamp.request("POST", BALANCES, content="limit=1", headers=wrong)) == "API0019"


def elsewhere(bitstamp):
    """Headers signed for another host."""
    nonce, at = str(uuid.uuid4()), str(int(bitstamp.state.clock().timestamp() * 1000))
    text = f"BITSTAMP {bitstamp.state.key}POSTevil.example{BALANCES}{nonce}{at}v2"
    return bitstamp.signed(BALANCES) | {
        "X-Auth-Nonce": nonce,
        "X-Auth-Timestamp": at,
        "X-Auth-Signature": hmac.new(bitstamp.state.secret.encode(), text.encode(), "sha256").hexdigest(),
    }


def test_a_nonce_is_good_once(bitstamp):
    """A nonce used again is refused until it is forgotten; one that is no UUID always is; a bad call uses none up."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    bitstamp.state.clock = lambda: now
    stamp = wire.Stamp(str(uuid.uuid4()), int(now.timestamp() * 1000))
    assert code(bitstamp.ask(BALANCES, stamp=stamp, secret="x")) == "API0005"
    assert bitstamp.ask(BALANCES, stamp=stamp).status_code == 200
    assert code(bitstamp.ask(BALANCES, stamp=stamp)) == "API0004"
    assert code(bitstamp.ask(BALANCES, stamp=wire.Stamp("1", stamp.timestamp))) == "API0004"

    later = now + timedelta(seconds=301)
    bitstamp.state.clock = lambda: later
    assert code(bitstamp.ask(BALANCES, stamp=stamp)) == "API0017"
    again = wire.Stamp(stamp.nonce, int(later.timestamp() * 1000))
    assert bitstamp.ask(BALANCES, stamp=again).status_code == 200


@pytest.mark.parametrize(
    ("off", "expected"), [(-151, "API0017"), (-149, None), (149, None), (151, "API0017")]
)
def test_clocks_may_differ_by_150_seconds(bitstamp, off, expected):
    """A request from further in the past or future is refused."""
    at = int(bitstamp.state.clock().timestamp() + off) * 1000

    response = bitstamp.ask(BALANCES, stamp=wire.Stamp(str(uuid.uuid4()), at))

    assert (code(response) or None) == expected


def test_answers_are_signed(bitstamp):
    """Whoever knows the secret can check an answer, a refusal too; faults spoil it in every way."""
    path, body = "/api/v2/user_transactions/", "limit=1"
    stamp = wire.Stamp(str(uuid.uuid4()), int(bitstamp.state.clock().timestamp() * 1000))

    def right(response, secret):
        text = f"{stamp.nonce}{stamp.timestamp}{response.headers['content-type']}".encode() + response.content
        expected = hmac.new(secret.encode(), text, "sha256").hexdigest()
        return response.headers.get("x-server-auth-signature") == expected

    assert right(bitstamp.ask(path, body, stamp=stamp), bitstamp.state.secret)
    assert right(bitstamp.ask(path, body, stamp=stamp), bitstamp.state.secret)
    for kind in ("unsigned", "replayed", "forged"):
        stamp = wire.Stamp(str(uuid.uuid4()), stamp.timestamp)
        bitstamp.control("error", kind=kind)
        response = bitstamp.ask(path, body, stamp=stamp)
        assert (response.status_code, right(response, bitstamp.state.secret)) == (200, False), kind


def test_keys_may_do_what_they_were_given(bitstamp):
    """Each endpoint wants its own tick; a key that is not activated or unknown gets nothing."""
    made = bitstamp.control("key", permissions=["balances"], active=False)
    keys = {"key": made["key"], "secret": made["secret"]}
    assert code(bitstamp.ask(BALANCES, **keys)) == "API0001"
    bitstamp.control("permissions", key=made["key"], permissions=["balances"], active=True)
    assert bitstamp.ask(BALANCES, **keys).status_code == 200
    assert code(bitstamp.ask("/api/v2/user_transactions/", **keys)) == "API0003"
    assert code(bitstamp.ask("/api/v2/open_orders/all/", **keys)) == "API0003"
    bitstamp.control("permissions", key=made["key"], permissions=["trade", "withdraw"])
    assert bitstamp.ask("/api/v2/open_orders/all/", **keys).status_code == 200
    assert code(bitstamp.ask("/api/v2/withdrawal-requests/", **keys)) == "API0003"
    bitstamp.control("permissions", key=made["key"], permissions=["list_withdrawals"])
    assert bitstamp.ask("/api/v2/withdrawal-requests/", **keys).json() == []


def test_there_is_no_write_here(bitstamp):
    """Whoever asks and whatever ticks a key has, nothing can be written."""
    bitstamp.state.permit(bitstamp.state.key, EVERYTHING | {"trade", "withdraw", "transfer"})
    before = dict(bitstamp.state.balances)
    for name in ("buy/btceur", "btc_withdrawal", "revoke_all_api_keys", "transfer-to-main"):
        assert code(bitstamp.ask(f"/api/v2/{name}/", "amount=1")) == "API0003"
    assert code(bitstamp.request("GET", BALANCES)) == "405.001"
    assert code(bitstamp.request("POST", "/api/v2/ticker/")) == "405.001"
    assert bitstamp.request("POST", "/api/v2/account_balances").status_code == 404
    assert bitstamp.request("GET", "/api/v2/nothing/").status_code == 404
    assert bitstamp.state.balances == before
