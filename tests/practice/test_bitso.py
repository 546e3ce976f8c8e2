"""The practice Bitso is strict like the real one, keeps its books, and ccxt itself can work with it."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import ccxt
import ccxt.async_support as ccxt_async
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.secrets import Secret, find_pasted
from chatbot.exchanges.bitso import Bitso, wire
from chatbot.practice._ledger import Impossible
from chatbot.practice.bitso import PracticeBitso, create_app
from tests.support.practice import practice

DATA = Path(__file__).parents[1] / "data" / "bitso"


class Asker:
    """A practice exchange, and plain calls to ask it."""

    def __init__(self):
        self.state = PracticeBitso()
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
def bitso():
    """A practice exchange of this test alone."""
    return Asker()


def ask(bitso, path, nonce=1, key="", secret="", method="GET"):
    key, secret = key or bitso.state.key, secret or bitso.state.secret
    headers = wire.sign(method, path, Secret(key), Secret(secret), nonce)
    return bitso.request(method, path, headers=headers)


def code(response):
    return response.json()["error"]["code"]


@pytest.mark.parametrize(
    "name",
    [
        "balance",
        "account_status",
        "user_trades",
        "open_orders",
        "fees",
        "ledger",
        "withdrawals",
        "ticker",
        "available_books",
    ],
)
def test_payloads_have_the_documented_fields(bitso, name):
    """Every endpoint answers with the fields of the recorded payload, no more and no fewer."""
    bitso.state.trade("buy")
    bitso.state.transfer("withdrawal")
    bitso.state.permit(bitso.state.key, {"account", "balances", "fills", "trade"})

    ours = ask(bitso, f"/api/v3/{name}/").json()
    theirs = json.loads((DATA / f"http_get_{name}.json").read_text())

    def shape(value):
        if isinstance(value, dict):
            return {
                key: shape(inner) for key, inner in value.items() if key not in {"withdrawal_fees", "details"}
            }
        return [shape(value[0])] if isinstance(value, list) else None

    assert shape(ours) == shape(theirs)


def test_nonces_must_rise(bitso):
    """A nonce is good once, and only above the last one; a refused signature uses none up."""
    assert ask(bitso, "/api/v3/balance/", 100).json()["success"]
    assert code(ask(bitso, "/api/v3/balance/", 100)) == "0207"
    assert code(ask(bitso, "/api/v3/balance/", 99)) == "0207"
    assert code(ask(bitso, "/api/v3/balance/", 10**19)) == "0206"
    assert code(ask(bitso, "/api/v3/balance/", 200, secret="x")) == "0215"
    assert ask(bitso, "/api/v3/balance/", 101).json()["success"]


def test_signatures_cover_path_and_query(bitso):
    """A signature for one path or query is worth nothing for another."""
    headers = wire.sign("GET", "/api/v3/balance/", Secret(bitso.state.key), Secret(bitso.state.secret), 5)

    assert code(bitso.get("/api/v3/balance/?a=b", headers=headers)) == "0215"
    assert code(bitso.get("/api/v3/balance", headers=headers)) == "0215"
    assert code(bitso.get("/api/v3/balance/")) == "0201"
    assert bitso.get("/api/v3/balance/", headers=headers).status_code == 200


def test_keys_may_do_what_they_were_given(bitso):
    """Each endpoint wants its own permission; a switched-off or unknown key gets nothing."""
    made = bitso.post("/practice/bitso/key", json={"permissions": ["balances"]}).json()

    def asked(path, nonce):
        response = ask(bitso, path, nonce, made["key"], made["secret"])
        return response.status_code, response.json().get("error", {}).get("code")

    assert asked("/api/v3/balance/", 1) == (200, None)
    assert asked("/api/v3/user_trades/", 2) == (401, "0202")
    bitso.post("/practice/bitso/permissions", json={"key": made["key"], "permissions": ["fills"]})
    assert asked("/api/v3/user_trades/", 3) == (200, None)
    bitso.post("/practice/bitso/permissions", json={"key": made["key"], "active": False})
    assert asked("/api/v3/user_trades/", 4) == (400, "0326")
    assert code(ask(bitso, "/api/v3/balance/", 5, key="nobodyKnow")) == "0201"


def test_writing_is_refused(bitso):
    """The practice exchange has no write at all, whoever asks."""
    for method in ("POST", "DELETE", "PATCH", "PUT"):
        assert ask(bitso, "/api/v3/orders/", method=method).status_code >= 400


def test_pages_are_cut_as_documented(bitso):
    """25 rows unless asked for more, 100 at most, newest first, and a marker's own row is left out."""
    bitso.state.seed(130)
    tids = [row["tid"] for row in bitso.state.trades]

    def page(query, nonce):
        return [row["tid"] for row in ask(bitso, f"/api/v3/user_trades/{query}", nonce).json()["payload"]]

    assert page("", 1) == tids[:-26:-1]
    assert page("?limit=500", 2) == tids[:-101:-1]
    assert page(f"?sort=asc&limit=3&marker={tids[9]}", 3) == tids[10:13]
    assert page(f"?sort=desc&limit=3&marker={tids[9]}", 4) == tids[8:5:-1]
    assert code(ask(bitso, "/api/v3/user_trades/?limit=x", 5)) == "0320"
    assert code(ask(bitso, "/api/v3/user_trades/?marker=x", 6)) == "0320"
    assert code(ask(bitso, "/api/v3/user_trades/?book=no_book", 7)) == "0301"


def test_the_limit_locks_out(bitso):
    """With the real limit switched on, the 301st private request of a minute is refused."""
    bitso.state.limit = 300
    answers = [ask(bitso, "/api/v3/balance/", nonce).status_code for nonce in range(1, 302)]

    assert (answers[:300], answers[300]) == ([200] * 300, 420)


@given(
    st.lists(
        st.tuples(st.sampled_from(["buy", "sell"]), st.sampled_from(["btc_mxn", "eth_usd", "xrp_mxn"])),
        max_size=20,
    )
)
@settings(max_examples=30)
def test_the_books_balance(orders):
    """Start plus everything the ledger of trades says is what the balances say, fees included."""
    state = PracticeBitso()
    expected = dict(state.balances)
    for side, book in orders:
        try:
            row = state.trade(side, book)
        except Impossible:
            continue
        expected[row["major_currency"]] += Decimal(row["major"])
        expected[row["minor_currency"]] += Decimal(row["minor"])
        expected[row["fees_currency"]] -= Decimal(row["fees_amount"])

    assert state.balances == expected
    assert all(value >= 0 for value in state.balances.values())


def test_the_buttons_make_things_happen(bitso):
    """Buy, sell, withdraw, deposit, reset: each by an empty POST or with what exactly."""
    before = bitso.get("/practice/bitso/state").json()
    trade = bitso.post("/practice/bitso/buy", json={"book": "btc_mxn", "amount": "0.01"}).json()
    assert (trade["book"], trade["major"]) == ("btc_mxn", "0.01000000")
    assert bitso.post("/practice/bitso/sell").json()["side"] == "sell"
    assert (
        bitso.post("/practice/bitso/withdraw", json={"asset": "btc", "amount": "0.1"}).json()["currency"]
        == "btc"
    )
    assert bitso.post("/practice/bitso/deposit").json()["currency"] == "mxn"
    after = bitso.get("/practice/bitso/state").json()
    assert (after["trades"], after["transfers"]) == (2, 2)

    bitso.post("/practice/bitso/reset")

    assert bitso.get("/practice/bitso/state").json()["balances"] == before["balances"]
    assert bitso.state.key == before["key"]


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("buy", '{"book": "no_such"}'),
        ("buy", '{"amount": "NaN"}'),
        ("sell", '{"amount": "1e9"}'),
        ("withdraw", '{"asset": "zzz"}'),
        ("key", '{"permissions": ["all"]}'),
        ("key", '{"permissions": 7}'),
        ("error", '{"kind": "no"}'),
        ("permissions", '{"key": "x"}'),
        ("buy", "{half"),
    ],
)
def test_a_wrong_button_says_what_it_takes(bitso, verb, body):
    """A control call that makes no sense is answered with a sentence, and nothing changes."""
    balances = dict(bitso.state.balances)

    response = bitso.post(f"/practice/bitso/{verb}", content=body)

    assert (response.status_code, bitso.state.balances) == (400, balances)
    assert response.json()["problem"].startswith("This takes")
    assert bitso.post("/practice/bitso/unheard").status_code == 404


def test_errors_come_as_often_as_asked(bitso):
    """A planted error spoils the next answers of its path only."""
    bitso.post("/practice/bitso/error", json={"path": "ticker", "code": "1000", "times": 2})

    statuses = [
        bitso.get(f"/api/v3/{path}/").status_code
        for path in ("available_books", "ticker", "ticker", "ticker")
    ]

    assert statuses == [200, 400, 400, 200]


def test_practice_keys_look_like_keys():
    """Whoever pastes a practice key or secret into the chat is warned as for a real one."""
    for _ in range(200):
        for text in PracticeBitso().new_key():
            assert find_pasted(f"here: {text}", Bitso.shapes) == "bitso"


async def test_ccxt_reads_the_account():
    """The class that many programs use fetches balances, trades and orders from the practice exchange."""
    async with practice("bitso") as running:
        running.state.seed(40)
        running.state.permit(running.state.key, {"account", "balances", "fills", "trade"})
        config = {
            "apiKey": running.state.key,
            "secret": running.state.secret,
            "urls": {"api": {"rest": f"{running.origin}/api"}},
            "enableRateLimit": False,
            "number": str,
        }
        theirs = ccxt_async.bitso(config)
        try:
            balance = await theirs.fetch_balance()
            trades = await theirs.fetch_my_trades("BTC/MXN", limit=100)
            orders = await theirs.fetch_open_orders("BTC/MXN")
        finally:
            await theirs.close()
            await asyncio.sleep(0)

        assert {
            a: Decimal(balance[a.upper()]["total"]) for a in running.state.balances
        } == running.state.balances
        assert isinstance(running.state, PracticeBitso)
        expected = [row["tid"] for row in running.state.trades if row["book"] == "btc_mxn"]
        assert [trade["id"] for trade in trades] == expected
        assert [order["id"] for order in orders] == ["ExAmPlEoId000002"]


async def test_ccxt_meets_a_wrong_secret():
    """Ccxt takes our refusals for what they are."""
    async with practice("bitso") as running:
        config = {"apiKey": "nobodyKnow", "secret": "x", "urls": {"api": {"rest": f"{running.origin}/api"}}}
        theirs = ccxt_async.bitso(config)
        try:
            with pytest.raises(ccxt.AuthenticationError):
                await theirs.privateGetBalance()
        finally:
            await theirs.close()
