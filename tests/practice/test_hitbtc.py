"""The practice HitBTC is as strict as the real one, and does what its buttons say."""

import asyncio
import base64
import json
from pathlib import Path

import httpx
import pytest

from chatbot.domain.secrets import Secret
from chatbot.exchanges.hitbtc import wire
from chatbot.practice.hitbtc import PracticeHitBTC, create_app

DATA = Path(__file__).parents[1] / "data" / "hitbtc"
EVERYTHING = {"balances", "fills", "trade", "transfer"}


class Asker:
    """A practice exchange, and plain calls to ask it."""

    def __init__(self):
        self.state = PracticeHitBTC()
        self.app = create_app(self.state)

    def request(self, method, path, **options):
        async def send():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, **options):
        return self.request("POST", path, **options)


@pytest.fixture
def hitbtc():
    """A practice exchange of this test alone."""
    return Asker()


def milliseconds(hitbtc, seconds=0):
    return int(hitbtc.state.clock().timestamp() * 1000) + seconds * 1000


def ask(hitbtc, path, *, key="", secret="", method="GET", late=0, window=None):
    key, secret = key or hitbtc.state.key, secret or hitbtc.state.secret
    at = milliseconds(hitbtc, -late)
    headers = wire.sign(method, path, Secret(key), Secret(secret), at, window)
    return hitbtc.request(method, path, headers=headers)


def code(response):
    return response.json()["error"]["code"]


def shape(value):
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) else None


@pytest.mark.parametrize(
    "name",
    ["spot/balance", "spot/history/trade", "spot/order", "spot/fee", "wallet/balance", "sub-account"],
)
def test_payloads_have_the_documented_fields(hitbtc, name):
    """Every endpoint answers with the fields of the recorded payload, no more and no fewer."""
    hitbtc.state.trade("buy")
    hitbtc.state.permit(hitbtc.state.key, EVERYTHING)

    ours = ask(hitbtc, f"/api/3/{name}").json()

    assert shape(ours) == shape(json.loads((DATA / f"http_get_{name.replace('/', '_')}.json").read_text()))


def test_public_payloads_have_the_documented_fields(hitbtc):
    """Symbols, tickers and rates need no key and look like the recorded ones."""
    for name, query in (("symbol", ""), ("ticker", "?symbols=BTCUSDT"), ("price/rate", "?from=BTC&to=USDT")):
        ours = hitbtc.get(f"/api/3/public/{name}{query}").json()
        theirs = json.loads((DATA / f"http_get_public_{name.replace('/', '_')}.json").read_text())
        key = "BTC" if name == "price/rate" else "BTCUSDT"
        assert shape(ours[key]) == shape(theirs[key])


def test_transactions_have_the_documented_fields(hitbtc):
    """What the deposit and withdraw buttons do stands in the wallet's history."""
    hitbtc.state.transfer("withdrawal")
    hitbtc.state.permit(hitbtc.state.key, EVERYTHING)

    (ours,) = ask(hitbtc, "/api/3/wallet/transactions").json()

    (theirs,) = json.loads((DATA / "http_get_wallet_transactions.json").read_text())
    assert shape(ours) == shape(theirs)


def test_time_must_agree(hitbtc):
    """Ten seconds to either side, sixty at most when a window is sent; the window itself is signed."""
    path = "/api/3/spot/balance"
    assert ask(hitbtc, path, late=8).status_code == 200
    for late in (12, -12):
        response = ask(hitbtc, path, late=late)
        assert (response.status_code, code(response)) == (401, 1002)
        assert "Timestamp" in response.json()["error"]["description"]
    assert ask(hitbtc, path, late=50, window=60_000).status_code == 200
    assert code(ask(hitbtc, path, window=60_001)) == 1002


def test_signatures_cover_path_and_query(hitbtc):
    """A signature for one path or query is worth nothing for another."""
    at = milliseconds(hitbtc)
    headers = wire.sign(
        "GET", "/api/3/spot/balance", Secret(hitbtc.state.key), Secret(hitbtc.state.secret), at
    )

    assert code(hitbtc.get("/api/3/spot/balance?a=b", headers=headers)) == 1002
    assert code(hitbtc.get("/api/3/spot/history/trade", headers=headers)) == 1002
    assert hitbtc.get("/api/3/spot/balance", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", 1001),
        ("Basic abc", 1004),
        ("HS256 !", 1002),
        ("HS256 " + base64.b64encode(b"a:b").decode(), 1002),
        ("HS256 " + base64.b64encode(b"a:b:c").decode(), 1002),
        ("HS256 " + base64.b64encode(b"a:b:1:2:3").decode(), 1002),
        ("HS256 " + base64.b64encode(b"\xff:b:1").decode(), 1002),
    ],
)
def test_headers_that_are_none(hitbtc, header, expected):
    """No header, another scheme and a broken one are each refused in their own way."""
    response = hitbtc.get("/api/3/spot/balance", headers={"Authorization": header} if header else {})

    assert (response.status_code, code(response)) == (401, expected)


def test_keys_may_do_what_they_were_given(hitbtc):
    """Each endpoint wants its own right; a switched-off or unknown key gets nothing."""
    made = hitbtc.post("/practice/hitbtc/key", json={"permissions": ["balances"]}).json()

    def asked(path):
        response = ask(hitbtc, f"/api/3/{path}", key=made["key"], secret=made["secret"])
        return response.status_code, response.json()["error"]["code"] if response.status_code >= 400 else None

    assert asked("spot/balance") == (200, None)
    assert asked("sub-account") == (200, None)
    for path in ("spot/history/trade", "spot/fee", "spot/order", "wallet/balance"):
        assert asked(path) == (403, 1003)
    hitbtc.post("/practice/hitbtc/permissions", json={"key": made["key"], "permissions": ["fills", "trade"]})
    assert asked("spot/history/trade") == (200, None)
    assert asked("spot/fee/BTCUSDT") == (200, None)
    assert asked("spot/fee/NONE") == (400, 2001)
    hitbtc.post("/practice/hitbtc/permissions", json={"key": made["key"], "active": False})
    assert asked("spot/balance") == (401, 1002)
    assert code(ask(hitbtc, "/api/3/spot/balance", key="nobody")) == 1002


def test_writing_is_refused(hitbtc):
    """The practice exchange has no write at all, whoever asks."""
    hitbtc.state.permit(hitbtc.state.key, EVERYTHING | {"withdraw"})
    for method in ("POST", "DELETE", "PATCH", "PUT"):
        for path in ("spot/order", "wallet/crypto/withdraw", "public/ticker"):
            assert ask(hitbtc, f"/api/3/{path}", method=method).status_code >= 400


def test_pages_are_cut_as_documented(hitbtc):
    """100 rows unless asked for more, 1000 at most, newest first; both ends of the interval are included."""
    hitbtc.state.seed(130)
    ids = [row["id"] for row in hitbtc.state.trades]

    def page(query):
        return [row["id"] for row in ask(hitbtc, f"/api/3/spot/history/trade{query}").json()]

    assert page("") == ids[:-101:-1]
    assert page("?limit=1000") == ids[::-1]
    assert page(f"?sort=ASC&by=id&limit=3&from={ids[9]}") == ids[9:12]
    assert page(f"?sort=DESC&by=id&limit=3&till={ids[9]}") == ids[9:6:-1]
    assert page(f"?sort=DESC&by=id&from={ids[5]}&till={ids[7]}") == ids[7:4:-1]
    assert page("?sort=ASC&limit=2&offset=5") == ids[5:7]
    assert page(f"?sort=ASC&from={hitbtc.state.trades[4]['timestamp']}&limit=1") == ids[4:5]
    for query in ("limit=x", "limit=1001", "by=id&from=x", "from=x", "sort=up", "by=price", "offset=100001"):
        assert code(ask(hitbtc, f"/api/3/spot/history/trade?{query}")) == 10001
    assert code(ask(hitbtc, "/api/3/spot/history/trade?symbol=NONE")) == 2001
    assert code(ask(hitbtc, "/api/3/spot/balance/NONE")) == 2002


def test_the_limit_locks_out(hitbtc):
    """With the real limit switched on, the 21st private request of a second is refused."""
    hitbtc.state.limit = 20
    now = hitbtc.state.clock()
    hitbtc.state.clock = lambda: now
    answers = [ask(hitbtc, "/api/3/spot/balance").status_code for _ in range(21)]

    assert (answers[:20], answers[20]) == ([200] * 20, 429)


def test_the_buttons_make_things_happen(hitbtc):
    """Buy, sell, withdraw, deposit, reset: each by an empty POST or with what exactly."""
    before = hitbtc.get("/practice/hitbtc/state").json()
    trade = hitbtc.post("/practice/hitbtc/buy", json={"symbol": "BTCUSDT", "amount": "0.01"}).json()
    assert (trade["symbol"], trade["quantity"]) == ("BTCUSDT", "0.01000000")
    assert hitbtc.post("/practice/hitbtc/sell").json()["side"] == "sell"
    moved = hitbtc.post("/practice/hitbtc/withdraw", json={"asset": "BTC", "amount": "0.1"}).json()
    assert (moved["asset"], moved["kind"]) == ("btc", "WITHDRAW")
    assert hitbtc.post("/practice/hitbtc/deposit").json()["asset"] == "usdt"
    after = hitbtc.get("/practice/hitbtc/state").json()
    assert (after["trades"], after["transfers"]) == (2, 2)

    hitbtc.post("/practice/hitbtc/reset")

    assert hitbtc.get("/practice/hitbtc/state").json()["balances"] == before["balances"]
    assert hitbtc.state.key == before["key"]


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("buy", '{"symbol": "NOSUCH"}'),
        ("buy", '{"amount": "NaN"}'),
        ("sell", '{"amount": "1e9"}'),
        ("buy", '{"symbol": "USDTUSD"}'),
        ("withdraw", '{"asset": "zzz"}'),
        ("key", '{"permissions": ["all"]}'),
        ("key", '{"permissions": 7}'),
        ("error", '{"kind": "no"}'),
        ("permissions", '{"key": "x"}'),
        ("buy", "{half"),
    ],
)
def test_a_wrong_button_says_what_it_takes(hitbtc, verb, body):
    """A control call that makes no sense is answered with a sentence, and nothing changes."""
    balances = dict(hitbtc.state.balances)

    response = hitbtc.post(f"/practice/hitbtc/{verb}", content=body)

    assert (response.status_code, hitbtc.state.balances) == (400, balances)
    assert response.json()["problem"].startswith("This takes")
    assert hitbtc.post("/practice/hitbtc/unheard").status_code == 404


def test_errors_come_as_often_as_asked(hitbtc):
    """A planted error spoils the next answers of its path only."""
    hitbtc.post("/practice/hitbtc/error", json={"path": "public/ticker", "code": "20010", "times": 2})

    statuses = [
        hitbtc.get(f"/api/3/public/{path}").status_code for path in ("symbol", "ticker", "ticker", "ticker")
    ]

    assert statuses == [200, 400, 400, 200]
