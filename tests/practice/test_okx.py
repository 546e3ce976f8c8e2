"""The practice OKX is as strict as the real one, and does what its buttons say."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.exchanges.okx import wire
from chatbot.practice.okx import PracticeOKX, create_app
from tests.support.okx import recorded


class Asker:
    """A practice exchange, and plain calls to ask it."""

    def __init__(self):
        self.state = PracticeOKX()
        self.app = create_app(self.state)

    def request(self, method, path, **options):
        async def send():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def post(self, path, **options):
        return self.request("POST", path, **options)


@pytest.fixture
def okx():
    """A practice exchange of this test alone."""
    return Asker()


def signed(okx, path, *, key="", secret="", passphrase="", late=0, method="GET"):
    state = okx.state
    parts = (key or state.key, secret or state.secret, passphrase or state.passphrase)
    at = state.clock() - timedelta(seconds=late)
    return wire.sign(method, f"/api/v5/{path}", Credentials(*map(Secret, parts)), at)


def ask(okx, path, *, method="GET", headers=None, **who):
    given = signed(okx, path, method=method, **who) | (headers or {})
    kept = {name: value for name, value in given.items() if value is not None}
    return okx.request(method, f"/api/v5/{path}", headers=kept)


def code(response):
    return response.status_code, response.json()["code"]


def fields(value):
    """Return the names at every level, and what kinds of values stand there."""
    if isinstance(value, dict):
        return {name: fields(inner) for name, inner in value.items()}
    return [fields(value[0])] if isinstance(value, list) and value else type(value).__name__


@pytest.mark.parametrize(
    ("path", "sample"),
    [
        ("account/balance", "account_balance"),
        ("asset/balances", "asset_balances"),
        ("account/config", "account_config"),
        ("trade/fills", "trade_fills"),
        ("trade/fills-history?instType=SPOT", "trade_fills"),
        ("market/tickers?instType=SPOT", "market_tickers"),
        ("market/index-tickers?quoteCcy=USD", "market_index_tickers"),
        ("public/time", "public_time"),
    ],
)
def test_payloads_have_the_documented_fields(okx, path, sample):
    """Every endpoint answers with the fields of the documented sample, no more and no fewer."""
    okx.state.trade("buy", "btc_usdt")

    assert fields(ask(okx, path).json()) == fields(json.loads(recorded(sample)))


def test_instruments_tell_what_a_contract_is(okx):
    """Of the family asked for, and nothing of one that is not listed."""
    (swap,) = ask(okx, "public/instruments?instType=SWAP&instFamily=ETH-USD").json()["data"]

    assert (swap["ctVal"], swap["ctValCcy"], swap["settleCcy"], swap["ctType"]) == (
        "10",
        "USD",
        "ETH",
        "inverse",
    )
    assert ask(okx, "public/instruments?instType=OPTION&instFamily=BTC-USD").json()["data"] == []
    assert code(ask(okx, "public/instruments")) == (400, "50014")


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("OK-ACCESS-KEY", None, "50103"),
        ("OK-ACCESS-SIGN", None, "50106"),
        ("OK-ACCESS-TIMESTAMP", None, "50107"),
        ("OK-ACCESS-PASSPHRASE", None, "50104"),
        ("OK-ACCESS-TIMESTAMP", "yesterday", "50112"),
        ("OK-ACCESS-TIMESTAMP", "2020-01-01T00:00:00.000Z", "50102"),
        ("OK-ACCESS-TIMESTAMP", "2020-13-01T00:00:00.000Z", "50102"),
        ("OK-ACCESS-KEY", "00000000-0000-0000-0000-000000000000", "50119"),
        ("OK-ACCESS-PASSPHRASE", "Another-1!", "50105"),
        ("OK-ACCESS-SIGN", "AAAA", "50113"),
        ("x-simulated-trading", "1", "50101"),
    ],
)
def test_each_header_is_checked_in_its_own_way(okx, header, value, expected):
    """Missing, malformed or wrong: each has its own code, all with status 401."""
    assert code(ask(okx, "account/balance", headers={header: value})) == (401, expected)


def test_time_must_agree(okx):
    """Thirty seconds to either side."""
    for late, expected in ((28, "0"), (-28, "0"), (32, "50102"), (-32, "50102")):
        assert code(ask(okx, "account/balance", late=late))[1] == expected


def test_signatures_cover_path_and_query(okx):
    """A signature for one path or query is worth nothing for another."""
    headers = signed(okx, "trade/fills?limit=1")

    for path in ("trade/fills?limit=2", "trade/fills", "account/config"):
        assert code(okx.request("GET", f"/api/v5/{path}", headers=headers)) == (401, "50113")
    assert okx.request("GET", "/api/v5/trade/fills?limit=1", headers=headers).status_code == 200


def test_keys_may_do_what_they_were_given(okx):
    """Each endpoint wants its own right, and introspection tells OKX's three words."""
    made = okx.post("/practice/okx/key", json={"permissions": ["account", "trade", "withdraw"]}).json()
    who = {"key": made["key"], "secret": made["secret"]}

    (told,) = ask(okx, "account/config", **who).json()["data"]
    assert set(told["perm"].split(",")) == {"read_only", "trade", "withdraw"}
    for path in ("account/balance", "asset/balances", "trade/fills"):
        assert code(ask(okx, path, **who)) == (401, "50120")
    okx.post("/practice/okx/permissions", json={"key": made["key"], "permissions": ["balances"]})
    assert code(ask(okx, "account/balance", **who)) == (200, "0")
    okx.post("/practice/okx/permissions", json={"key": made["key"], "active": False})
    assert code(ask(okx, "account/balance", **who)) == (401, "50119")


def test_a_key_ends_and_is_bound_to_addresses(okx):
    """A key that ran out is one that nobody knows; from elsewhere a bound key is refused."""
    key = okx.state.keys[okx.state.key]
    key.addresses = ("192.0.2.7", "192.0.2.8")
    assert code(ask(okx, "account/balance")) == (401, "50110")
    key.addresses = ("127.0.0.1", "192.0.2.8")
    assert ask(okx, "account/config").json()["data"][0]["ip"] == "127.0.0.1,192.0.2.8"
    key.expires_at = datetime(2020, 1, 1, tzinfo=UTC)
    assert code(ask(okx, "account/balance")) == (401, "50119")


def test_all_keys_share_the_person_s_passphrase(okx):
    """Whoever makes another key rehearses with the same third part, after a reset too."""
    made = okx.post("/practice/okx/key").json()
    first = okx.request("GET", "/practice/okx/state").json()

    assert made["passphrase"] == first["passphrase"] == okx.state.passphrase
    okx.post("/practice/okx/reset")
    assert okx.state.passphrase == first["passphrase"]
    assert 8 <= len(first["passphrase"]) <= 32


def test_writing_is_refused(okx):
    """The practice exchange has no write at all, whoever asks."""
    okx.state.permit(okx.state.key, okx.state.permissions)
    for path in ("trade/order", "asset/withdrawal", "asset/transfer"):
        assert code(ask(okx, path, method="POST")) == (401, "50120")
    assert code(ask(okx, "account/balance", method="POST")) == (405, "50115")
    assert code(ask(okx, "public/time", method="POST")) == (405, "50115")


def test_pages_are_cut_as_documented(okx):
    """Newest first, a hundred at most, neither id among them, by time, and no older than OKX keeps."""
    okx.state.seed(130)
    ids = okx.state.fill_ids()

    def page(query, path="trade/fills-history"):
        return [row["billId"] for row in ask(okx, f"{path}?{query}").json()["data"]]

    assert page("instType=SPOT") == ids[:-101:-1]
    assert page("instType=SPOT&limit=3") == ids[:-4:-1]
    assert page(f"instType=SPOT&after={ids[9]}&limit=3") == ids[8:5:-1]
    assert page(f"instType=SPOT&before={ids[127]}") == ids[:127:-1]
    at = okx.state.trades[4]["ts"]
    assert page(f"instType=SPOT&begin={at}&end={at}") == [ids[4]]
    assert page("instType=SWAP") == []
    recent = datetime.now(UTC) - timedelta(days=3)
    within = [r["billId"] for r in okx.state.trades if wire.moment(r["ts"]) > recent]
    assert page("limit=100", "trade/fills") == within[::-1]
    okx.state.trades[0]["ts"] = wire.milliseconds(datetime.now(UTC) - timedelta(days=366))
    assert page(f"instType=SPOT&after={ids[1]}") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=3", "50014"),
        ("instType=X", "51000"),
        ("instType=SPOT&limit=101", "51000"),
        ("instType=SPOT&limit=0", "51000"),
        ("instType=SPOT&after=x", "51000"),
    ],
)
def test_queries_that_are_none(okx, query, expected):
    """A parameter that is missing or makes no sense is refused by its code."""
    assert code(ask(okx, f"trade/fills-history?{query}")) == (400, expected)


def test_the_limit_locks_out(okx):
    """With the real limit switched on, the eleventh private request of two seconds is refused."""
    okx.state.limit = 10
    now = okx.state.clock()
    okx.state.clock = lambda: now
    answers = [code(ask(okx, "account/balance")) for _ in range(11)]

    assert (answers[:10], answers[10]) == ([(200, "0")] * 10, (429, "50011"))


def test_the_buttons_make_things_happen(okx):
    """Buy, sell, withdraw, deposit, a contract, reset: each by an empty POST or with what exactly."""
    before = okx.request("GET", "/practice/okx/state").json()
    trade = okx.post("/practice/okx/buy", json={"book": "BTC-USDT", "amount": "0.01"}).json()
    assert (trade["instId"], trade["fillSz"]) == ("BTC-USDT", "0.01000000")
    assert okx.post("/practice/okx/sell").json()["side"] == "sell"
    assert okx.post("/practice/okx/swap", json={"contracts": "2"}).json()["instId"] == "BTC-USDT-SWAP"
    assert okx.post("/practice/okx/withdraw").json()["ccy"] == "USDT"
    assert (
        okx.post("/practice/okx/deposit", json={"asset": "ETH", "amount": "1"}).json()["amt"] == "1.00000000"
    )
    after = okx.request("GET", "/practice/okx/state").json()
    assert (after["trades"], after["transfers"]) == (3, 2)

    okx.post("/practice/okx/reset")

    assert okx.request("GET", "/practice/okx/state").json()["balances"] == before["balances"]


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("buy", '{"book": "NOSUCH"}'),
        ("buy", '{"amount": "NaN"}'),
        ("sell", '{"amount": "1e9"}'),
        ("swap", '{"name": "NOSUCH"}'),
        ("swap", '{"side": "hold"}'),
        ("swap", '{"gain": "much"}'),
        ("swap", '{"gain": "Infinity"}'),
        ("withdraw", '{"asset": "zzz"}'),
        ("withdraw", '{"asset": "usdt", "amount": "10100"}'),
        ("key", '{"permissions": ["all"]}'),
        ("error", '{"kind": "no"}'),
    ],
)
def test_a_wrong_button_says_what_it_takes(okx, verb, body):
    """A control call that makes no sense is answered with a sentence, and nothing changes."""
    balances = dict(okx.state.balances)

    response = okx.post(f"/practice/okx/{verb}", content=body)

    assert (response.status_code, okx.state.balances) == (400, balances)
    assert response.json()["problem"].startswith("This takes")


def test_only_its_own_paths_are_answered(okx):
    """In the demo other exchanges live on the same origin: nothing else under /api is taken."""
    for path in ("/api/v5/market/books", "/api/v5/", "/api/v5/trade/fills/x", "/api/v3/ticker/"):
        assert okx.request("GET", path).status_code == 404
