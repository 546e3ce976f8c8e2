"""The practice Bybit is as strict as the real one, and does what its buttons say."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from chatbot.exchanges.bybit import ALLOW
from chatbot.practice.bybit import ERRORS
from chatbot.practice.bybit.account import milliseconds
from tests.support.bybit import recorded
from tests.support.bybit_practice import Asker, code, rows

EVERYTHING = {"balances", "fills", "account", "trade", "transfer", "withdraw"}
WALLET, LIST = "/v5/account/wallet-balance", "/v5/execution/list"


@pytest.fixture
def bybit():
    """A practice exchange of this test alone."""
    return Asker()


def shape(value):
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        (WALLET, "accountType=UNIFIED", "wallet_balance"),
        (
            "/v5/asset/transfer/query-account-coins-balance",
            "accountType=FUND",
            "query_account_coins_balance",
        ),
        ("/v5/account/transaction-log", "accountType=UNIFIED&category=linear", "transaction_log"),
        ("/v5/market/tickers", "category=spot", "tickers"),
        ("/v5/market/time", "", "time"),
    ],
)
def test_payloads_have_the_documented_fields(bybit, path, query, name):
    """Every endpoint answers with the envelope and the fields of the recorded payload, no more and no fewer."""
    bybit.state.contract("buy")

    ours = bybit.ask(path, query).json()

    assert shape(ours) == shape(json.loads(recorded(name)))


def test_a_key_is_described_with_the_documented_fields(bybit):
    """Every field and every group of permissions of the documented answers is there."""
    ours = bybit.ask("/v5/user/query-api").json()["result"]
    theirs = json.loads(recorded("query_api_read_only"))["result"]

    assert ours.keys() == theirs.keys()
    assert ours["permissions"].keys() == theirs["permissions"].keys()
    assert {name: type(value) for name, value in ours.items()} == {
        name: type(value) for name, value in theirs.items()
    }


def test_executions_have_the_documented_fields(bybit):
    """Spot and linear rows carry what the documents list; money is text."""
    bybit.state.trade("buy")
    bybit.state.contract("sell")
    documented = set(json.loads(recorded("execution_list_linear"))["result"]["list"][1])

    for category in ("spot", "linear"):
        (row,) = rows(bybit.ask(LIST, f"category={category}"))
        assert documented - {"createType"} <= set(row) <= documented
        assert {type(row[name]) for name in ("execFee", "execQty", "execPrice", "execTime")} == {str}


def test_symbols_have_the_fields_that_are_read(bybit):
    """Each pair names its base and quote, as the documents do."""
    ours = bybit.request("GET", "/v5/market/instruments-info?category=spot").json()
    theirs = json.loads(recorded("instruments_info"))["result"]["list"][0]

    assert {row["symbol"] for row in ours["result"]["list"]} >= {"BTCUSDT", "ETHBTC"}
    assert all(set(row) <= set(theirs) for row in ours["result"]["list"])


def test_time_must_agree(bybit):
    """Late by as much as the window says, early by less than a second."""
    query = "accountType=UNIFIED"
    assert code(bybit.ask(WALLET, query, late=4000)) == 0
    assert code(bybit.ask(WALLET, query, late=-500)) == 0
    assert code(bybit.ask(WALLET, query, late=15_000, window="20000")) == 0
    for late in (6000, -1500):
        assert code(bybit.ask(WALLET, query, late=late)) == 10002


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"X-BAPI-API-KEY": ""}, 10003),
        ({"X-BAPI-API-KEY": "nobody"}, 10003),
        ({"X-BAPI-TIMESTAMP": ""}, 10001),
        ({"X-BAPI-TIMESTAMP": "yesterday"}, 10001),
        ({"X-BAPI-RECV-WINDOW": "6000"}, 10004),
        ({"X-BAPI-SIGN": ""}, 10004),
        ({"X-BAPI-SIGN": "0" * 64}, 10004),
    ],
)
def test_headers_that_are_wrong(bybit, changed, expected):
    """Each header is looked at, and a wrong one has its own code, in an answer of status 200."""
    response = bybit.ask(WALLET, "accountType=UNIFIED", **changed)

    assert (response.status_code, code(response)) == (200, expected)


def test_a_signature_covers_the_query(bybit):
    """A signature for one query is worth nothing for another."""
    good = bybit.ask(WALLET, "accountType=UNIFIED")
    headers = dict(good.request.headers)

    assert code(bybit.request("GET", f"{WALLET}?accountType=UNIFIED", headers=headers)) == 0
    assert code(bybit.request("GET", f"{WALLET}?accountType=UNIFIED&coin=BTC", headers=headers)) == 10004


def test_keys_may_do_what_they_were_given(bybit):
    """Each endpoint wants its own area; any key may ask about itself."""
    made = bybit.post("/practice/bybit/key", json={"permissions": ["balances"]}).json()["key"]

    def asked(path, query=""):
        return code(bybit.ask(path, query, key=made))

    assert asked(WALLET, "accountType=UNIFIED") == 0
    assert asked("/v5/user/query-api") == 0
    assert asked("/v5/asset/transfer/query-account-coins-balance", "accountType=FUND") == 10005
    assert asked(LIST, "category=spot") == 10005
    bybit.post("/practice/bybit/permissions", json={"key": made, "permissions": ["fills", "account"]})
    assert asked(LIST, "category=spot") == 0
    assert asked(WALLET, "accountType=UNIFIED") == 10005
    bybit.post("/practice/bybit/permissions", json={"key": made, "active": False})
    assert asked("/v5/user/query-api") == 10003


def test_addresses_and_ends_are_kept(bybit):
    """From an address off the list, and after its end, a key gets the documented code."""
    bybit.post("/practice/bybit/permissions", json={"addresses": ["203.0.113.7"]})
    assert code(bybit.ask("/v5/user/query-api")) == 10010
    past = (bybit.state.clock() - timedelta(days=1)).isoformat()
    bybit.post("/practice/bybit/permissions", json={"addresses": [], "expires_at": past})
    assert code(bybit.ask("/v5/user/query-api")) == 33004


def test_writing_is_refused(bybit):
    """The practice exchange has no write at all, whoever asks."""
    bybit.state.permit(bybit.state.key, EVERYTHING)
    for _, path in ALLOW:
        assert code(bybit.ask(path, method="POST")) == 10017
    assert bybit.ask("/v5/order/create", method="POST").status_code == 404
    assert bybit.ask("/v5/asset/withdraw/create", method="POST").status_code == 404


def test_pages_and_windows_are_cut_as_documented(bybit):
    """50 rows unless asked for more, 100 at most; seven days at once, none of two years ago; newest first."""
    bybit.state.seed(130)
    now = milliseconds(bybit.state.clock())
    week = 7 * 86_400_000

    def asked(**query):
        return bybit.ask(LIST, urlencode({"category": "spot"} | query))

    def times(response):
        return [int(row["execTime"]) for row in rows(response)]

    assert len(times(asked())) == 50
    found = times(asked(limit=100))
    assert found == sorted(found, reverse=True)
    assert min(found) >= now - week
    begin = now - 10 * 86_400_000
    assert all(begin <= at <= begin + week for at in times(asked(startTime=begin, limit=100)))
    assert times(asked(startTime=begin, endTime=begin)) == []
    end = int(bybit.state.trades[40]["execTime"])
    assert times(asked(endTime=end, limit=1)) == [end]
    assert times(asked(startTime=end, endTime=end)) == [end]
    for wrong in (
        {"limit": 101},
        {"limit": 0},
        {"limit": "x"},
        {"startTime": begin, "endTime": begin + week + 1},
        {"startTime": begin, "endTime": begin - 1},
        {"startTime": now - 731 * 86_400_000},
        {"category": "futures"},
        {"cursor": "nothing"},
    ):
        assert code(asked(**wrong)) == 10001, wrong


def test_a_cursor_leads_through_all_rows_once(bybit):
    """The cursor comes escaped and is sent as it came; the last page names another, which is empty."""
    for _ in range(25):
        bybit.state.trade("buy")
    query, seen = "category=spot&limit=10", []
    onward = ""
    for _ in range(4):
        result = bybit.ask(LIST, query + onward).json()["result"]
        seen += [row["execId"] for row in result["list"]]
        onward = f"&cursor={result['nextPageCursor']}"

    assert sorted(seen) == bybit.state.fill_ids()
    assert "%3A" in str(bybit.ask(LIST, query).json()["result"]["nextPageCursor"])
    assert result == {"nextPageCursor": "", "category": "spot", "list": []}


def test_the_limit_is_told(bybit):
    """With the real limit switched on, the 51st request of a second is refused by its code."""
    bybit.state.limit = 50
    now = bybit.state.clock()
    bybit.state.clock = lambda: now
    codes = [code(bybit.ask("/v5/user/query-api")) for _ in range(51)]

    assert (set(codes[:50]), codes[50]) == ({0}, 10006)


@pytest.mark.parametrize("name", ["403", "403 frequent", "10005", "33004", "401"])
def test_errors_come_as_often_as_asked(bybit, name):
    """A planted error spoils the next answers of its path only; a gateway's is a page without an envelope."""
    bybit.post("/practice/bybit/error", json={"path": "/v5/market/time", "code": name, "times": 2})

    answers = [
        bybit.request("GET", f"/v5/market/{path}?category=spot")
        for path in ("tickers", "time", "time", "time")
    ]

    status, text = ERRORS[name]
    assert [a.status_code for a in answers] == [200, status, status, 200]
    assert text in answers[1].text


def test_the_buttons_make_things_happen(bybit):
    """Buy, sell, withdraw, deposit, contract, funding, reset: each by an empty POST or with what exactly."""
    before = bybit.request("GET", "/practice/bybit/state").json()
    trade = bybit.post("/practice/bybit/buy", json={"symbol": "BTCUSDT", "amount": "0.01"}).json()
    assert (trade["symbol"], trade["execQty"]) == ("BTCUSDT", "0.01000000")
    assert bybit.post("/practice/bybit/sell").json()["side"] == "Sell"
    assert bybit.post("/practice/bybit/withdraw", json={"asset": "btc", "amount": "0.1"}).status_code == 200
    assert bybit.post("/practice/bybit/deposit").json()["asset"] == "usdt"
    assert bybit.post("/practice/bybit/contract", json={"side": "sell"}).json()["category"] == "linear"
    assert bybit.post("/practice/bybit/funding").json()["execType"] == "Funding"
    after = bybit.request("GET", "/practice/bybit/state").json()
    assert (after["trades"], after["transfers"]) == (3, 2)

    bybit.post("/practice/bybit/reset")

    assert bybit.request("GET", "/practice/bybit/state").json()["balances"] == before["balances"]
    assert bybit.state.key == before["key"]


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("buy", '{"symbol": "NOSUCH"}'),
        ("buy", '{"amount": "NaN"}'),
        ("sell", '{"amount": "1e9"}'),
        ("withdraw", '{"asset": "zzz"}'),
        ("withdraw", '{"asset": "usdt", "amount": "11300"}'),
        ("contract", '{"amount": "-1"}'),
        ("funding", '{"amount": "1e9"}'),
        ("key", '{"permissions": ["all"]}'),
        ("error", '{"kind": "no"}'),
        ("permissions", '{"key": "x"}'),
    ],
)
def test_a_wrong_button_says_what_it_takes(bybit, verb, body):
    """A control call that makes no sense is answered with a sentence, and nothing changes."""
    balances = dict(bybit.state.balances)

    response = bybit.post(f"/practice/bybit/{verb}", content=body)

    assert (response.status_code, bybit.state.balances) == (400, balances)
    assert response.json()["problem"].startswith("This takes")
