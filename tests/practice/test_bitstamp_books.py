"""The practice Bitstamp keeps its books and turns its pages as documented, and ccxt itself can work with it."""

import asyncio
from decimal import Decimal
from typing import Any, cast

import ccxt
import ccxt.async_support as ccxt_async
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.secrets import find_pasted
from chatbot.exchanges.bitstamp import Bitstamp
from chatbot.exchanges.bitstamp.client import BALANCES
from chatbot.practice._ledger import Impossible
from chatbot.practice.bitstamp import PracticeBitstamp
from tests.support.bitstamp import EVERYTHING, Asker
from tests.support.practice import connected, practice


@pytest.fixture
def bitstamp():
    """A practice exchange of this test alone."""
    return Asker()


def test_pages_are_cut_as_documented(bitstamp):
    """100 rows unless asked for, 1,000 at most, newest first; `since_id` is inclusive and forces 1,000."""
    bitstamp.state.seed(130)
    ids = [row["id"] for row in bitstamp.state.transactions]

    def page(body):
        return [row["id"] for row in bitstamp.ask("/api/v2/user_transactions/", body).json()]

    assert page("") == ids[:-101:-1]
    assert page("limit=3&sort=asc&offset=2") == ids[2:5]
    assert page(f"limit=1&sort=asc&since_id={ids[9]}") == ids[9:]
    assert page("since_id=1&sort=desc") == ids[::-1]
    by_pair = bitstamp.ask("/api/v2/user_transactions/btceur/", "limit=1000").json()
    assert [r["id"] for r in by_pair] == [
        r["id"] for r in bitstamp.state.transactions[::-1] if "btc_eur" in r
    ]
    month = bitstamp.ask(
        "/api/v2/user_transactions/", f"since_timestamp={int(bitstamp.state.clock().timestamp())}"
    )
    assert month.json() == []


@pytest.mark.parametrize(
    "body",
    ["limit=0", "limit=1001", "limit=x", "offset=200001", "sort=up", "since_timestamp=1", "since_id=x"],
)
def test_wrong_parameters_are_refused(bitstamp, body):
    """A parameter outside its documented range is an error, not a guess."""
    bitstamp.state.seed(1)

    response = bitstamp.ask("/api/v2/user_transactions/", body)

    assert response.status_code == 400
    assert "Invalid" in response.text


def test_the_limit_locks_out(bitstamp):
    """With the real limit switched on, one request too many in ten minutes is refused."""
    bitstamp.state.limit = 5

    answers = [bitstamp.ask(BALANCES).status_code for _ in range(6)]

    assert answers == [200] * 5 + [429]


@given(
    st.lists(
        st.tuples(st.sampled_from(["buy", "sell"]), st.sampled_from(["btc_eur", "eth_usd", "xrp_usd"])),
        max_size=20,
    )
)
@settings(max_examples=30)
def test_the_books_balance(orders):
    """Start plus everything the transactions say is what the balances say, fees included."""
    state = PracticeBitstamp()
    expected = dict(state.balances)
    for side, book in orders:
        try:
            row = state.trade(side, book)
        except Impossible:
            continue
        base, quote = book.split("_")
        expected[base] += Decimal(row[base])
        expected[quote] += Decimal(row[quote]) - Decimal(row["fee"])

    assert state.balances == expected
    assert all(value >= 0 for value in state.balances.values())


def test_the_buttons_make_things_happen(bitstamp):
    """Buy, sell, withdraw, deposit, reset: each by an empty POST or with what exactly."""
    before = bitstamp.request("GET", "/practice/bitstamp/state").json()
    trade = bitstamp.control("buy", book="btc_eur", amount="0.01")
    assert trade["btc"] == "0.01000000"
    assert bitstamp.request("POST", "/practice/bitstamp/sell").json()["type"] == "2"
    assert bitstamp.control("withdraw", asset="btc", amount="0.1")["btc"] == "-0.10000000"
    assert bitstamp.control("deposit")["usd"] == "100.00000000"
    after = bitstamp.request("GET", "/practice/bitstamp/state").json()
    assert (after["trades"], after["transfers"]) == (2, 2)

    bitstamp.control("reset")

    assert bitstamp.request("GET", "/practice/bitstamp/state").json()["balances"] == before["balances"]
    assert bitstamp.state.key == before["key"]


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
def test_a_wrong_button_says_what_it_takes(bitstamp, verb, body):
    """A control call that makes no sense is answered with a sentence, and nothing changes."""
    balances = dict(bitstamp.state.balances)

    response = bitstamp.request("POST", f"/practice/bitstamp/{verb}", content=body)

    assert (response.status_code, bitstamp.state.balances) == (400, balances)
    assert response.json()["problem"].startswith("This takes")
    assert bitstamp.request("POST", "/practice/bitstamp/unheard").status_code == 404


def test_errors_come_as_often_as_asked(bitstamp):
    """A planted error spoils the next answers of its path only."""
    bitstamp.control("error", path="ticker", code="400.002", times=2)

    names = ("markets", "ticker", "ticker", "ticker")
    assert [bitstamp.request("GET", f"/api/v2/{name}/").status_code for name in names] == [200, 429, 429, 200]


def test_practice_keys_look_like_keys():
    """Whoever pastes a practice key or secret into the chat is warned as for a real one."""
    for _ in range(200):
        for text in PracticeBitstamp().new_key():
            assert find_pasted(f"here: {text}", Bitstamp.shapes) == "bitstamp"


def theirs(running, **changed):
    api = {"public": f"{running.origin}/api", "private": f"{running.origin}/api"}
    keys = {"apiKey": running.state.key, "secret": running.state.secret}
    return ccxt_async.bitstamp(
        {**keys, "urls": {"api": api}, "enableRateLimit": False, "number": str, **changed}
    )


async def test_ccxt_reads_the_account():
    """The class that many programs use fetches balances, trades, orders, fees and prices from here."""
    async with practice("bitstamp") as running:
        running.state.seed(40)
        state = cast("PracticeBitstamp", running.state)
        state.permit(state.key, EVERYTHING)
        oracle = theirs(running)
        try:
            balance = await oracle.fetch_balance()
            trades = await oracle.fetch_my_trades("BTC/EUR", limit=1000)
            every = await oracle.fetch_my_trades(limit=1000)
            orders = await oracle.fetch_open_orders("BTC/EUR")
            fees = await oracle.fetch_trading_fees()
            ticker = await oracle.fetch_ticker("BTC/EUR")
        finally:
            await oracle.close()
            await asyncio.sleep(0)

        assert {a: Decimal(balance[a.upper()]["total"]) for a in state.balances} == state.balances
        market = [row for row in state.transactions if row["type"] == "2"]
        assert [trade["id"] for trade in trades] == [str(row["id"]) for row in market if "btc_eur" in row]
        assert [trade["id"] for trade in every] == [str(row["id"]) for row in market]
        assert [order["id"] for order in orders] == ["1930000011113333"]
        assert fees["BTC/EUR"]["info"]["fees"]["taker"] == "0.16000"
        assert Decimal(ticker["last"]) == state.prices["btc_eur"]


async def test_ccxt_and_we_read_the_same_fills():
    """Fill by fill, ccxt and our client agree on what the practice account traded."""
    async with connected("bitstamp", history=60) as (exchange, running):
        ours = (await exchange.client(running.credentials(), 0).fills_after("")).fills
        oracle = theirs(running)
        try:
            trades = {trade["id"]: trade for trade in await oracle.fetch_my_trades(limit=1000)}
        finally:
            await oracle.close()
            await asyncio.sleep(0)

        conversions = {str(r["id"]) for r in cast("Any", running.state).transactions if r["type"] == "36"}
        assert {fill.id for fill in ours} == trades.keys() | conversions
        for fill in ours:
            if fill.id in trades:
                trade = trades[fill.id]
                assert (f"{fill.base}/{fill.quote}", fill.side) == (trade["symbol"], trade["side"])
                assert (fill.quantity, fill.price) == (Decimal(trade["amount"]), Decimal(trade["price"]))
                assert (fill.fee, fill.fee_asset) == (Decimal(trade["fee"]["cost"]), trade["fee"]["currency"])


@pytest.mark.parametrize("changed", [{"apiKey": "nobodyKnows"}, {"secret": "x"}])
async def test_ccxt_meets_a_wrong_secret(changed):
    """Ccxt takes our refusals for what they are."""
    async with practice("bitstamp") as running:
        oracle = theirs(running, **changed)
        try:
            with pytest.raises(ccxt.AuthenticationError):
                await oracle.privatePostAccountBalances()
        finally:
            await oracle.close()
            await asyncio.sleep(0)
