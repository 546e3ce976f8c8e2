"""The practice Kraken is strict like the real one, keeps its books, and its keys look like keys."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.secrets import find_pasted
from chatbot.exchanges.kraken import Kraken
from chatbot.practice._ledger import Impossible
from chatbot.practice.kraken import PATHS, PracticeKraken, create_app

DATA = Path(__file__).parents[1] / "data" / "kraken"


class Asker:
    """A practice exchange, and plain calls to ask it."""

    def __init__(self):
        self.state = PracticeKraken()
        self.app = create_app(self.state)
        self.nonce = 0

    def request(self, method, path, **options):
        async def send():
            transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 1234))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def public(self, name, **params):
        return self.request("GET", f"/0/public/{name}", params=params).json()

    def private(self, name, key="", secret="", nonce=None, method="POST", **form):
        self.nonce += 1
        key, secret = key or self.state.key, secret or self.state.secret
        form = {"nonce": str(self.nonce if nonce is None else nonce), **form}
        body = "&".join(f"{field}={value}" for field, value in form.items())
        inner = f"/0/private/{name}".encode() + hashlib.sha256((form["nonce"] + body).encode()).digest()
        sign = hmac.new(base64.b64decode(secret), inner, "sha512").digest()
        headers = {
            "API-Key": key,
            "API-Sign": base64.b64encode(sign).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return self.request(method, f"/0/private/{name}", headers=headers, content=body).json()


@pytest.fixture
def kraken():
    """A practice exchange of this test alone."""
    return Asker()


def fields(tree):
    """Return every field of the first row below each table, so that shapes can be compared."""
    row = next(iter(tree.values())) if tree and all(isinstance(v, dict) for v in tree.values()) else tree
    return set(row)


@pytest.mark.parametrize("name", ["Time", "Assets", "AssetPairs", "Ticker"])
def test_public_payloads_have_the_documented_fields(kraken, name):
    """Every public endpoint answers with the fields of the recorded payload, no more and no fewer."""
    kept = json.loads((DATA / f"http_get_{name}.json").read_text())

    told = kraken.public(name)

    assert told.keys() == kept.keys()
    assert fields(told["result"]) == fields(kept["result"]) - {"margin_rate"}


def test_private_payloads_have_the_documented_fields(kraken):
    """Balances, fills and the key's own facts have the fields that the documents list."""
    kraken.state.trade("buy")
    kept = {
        name: json.loads((DATA / f"http_post_{name}.json").read_text())["result"]
        for name in ("BalanceEx", "TradesHistory", "GetApiKeyInfo")
    }

    history = kraken.private("TradesHistory")["result"]

    assert fields(kraken.private("BalanceEx")["result"]) == fields(kept["BalanceEx"])
    assert history.keys() == kept["TradesHistory"].keys()
    assert fields(history["trades"]) == set(kept["TradesHistory"]["trades"]["TCWJEG-FL4SZ-3FKGH6"])
    assert kraken.private("GetApiKeyInfo")["result"].keys() == kept["GetApiKeyInfo"].keys()


def test_a_request_must_be_signed_and_rise(kraken):
    """Key, signature and nonce are checked; a nonce counts from the first one on, and for its key alone."""
    other, secret = kraken.state.new_key()

    assert kraken.private("BalanceEx", key="nobody")["error"] == ["EAPI:Invalid key"]
    assert kraken.private("BalanceEx", secret="AAAA")["error"] == ["EAPI:Invalid signature"]
    assert kraken.private("BalanceEx", nonce=500)["error"] == []
    assert kraken.private("BalanceEx", nonce=500)["error"] == ["EAPI:Invalid nonce"]
    assert kraken.private("BalanceEx", nonce=499)["error"] == ["EAPI:Invalid nonce"]
    assert kraken.private("BalanceEx", nonce="seven")["error"] == ["EAPI:Invalid nonce"]
    assert kraken.private("BalanceEx", nonce=1, key=other, secret=secret)["error"] == []
    assert kraken.private("BalanceEx", nonce=501, method="PUT")["error"] == ["EAPI:Bad request"]


@pytest.mark.parametrize(
    ("name", "permission"),
    [("BalanceEx", "balances"), ("Balance", "balances"), ("TradesHistory", "fills")],
)
def test_each_read_needs_its_tick(kraken, name, permission):
    """Without the tick a read is refused, with it alone it works; the key's own facts need none."""
    key, secret = kraken.state.new_key(kraken.state.permissions - {permission})
    assert kraken.private(name, key=key, secret=secret)["error"] == ["EGeneral:Permission denied"]
    kraken.state.permit(key, {permission})
    assert kraken.private(name, key=key, secret=secret)["error"] == []
    kraken.state.permit(key, set())
    assert kraken.private("GetApiKeyInfo", key=key, secret=secret)["result"]["permissions"] == []


@pytest.mark.parametrize("name", ["AddOrder", "CancelOrder", "Withdraw", "WalletTransfer"])
def test_nothing_can_be_written(kraken, name):
    """Whoever asks with whatever ticks, no order and no transfer is ever made here."""
    before = dict(kraken.state.balances)
    assert kraken.private(name)["error"] == ["EGeneral:Permission denied"]
    kraken.state.permit(kraken.state.key, kraken.state.permissions)

    assert kraken.private(name)["error"] == ["EAPI:Feature disabled"]
    assert kraken.state.balances == before


def test_a_key_tells_its_ticks_dates_and_addresses(kraken):
    """What the control API sets is what the key tells of itself, in Kraken's words."""
    made = kraken.request(
        "POST",
        "/practice/kraken/key",
        json={
            "permissions": ["balances", "trade", "transfer", "export-data", "add-withdraw-address"],
            "addresses": ["127.0.0.0/8"],
            "expires_at": "2030-01-01T00:00:00+00:00",
        },
    ).json()

    told = kraken.private("GetApiKeyInfo", key=made["key"], secret=made["secret"])["result"]

    assert told["permissions"] == [
        *("query-funds", "modify-trades", "close-trades", "add-funds", "earn-funds"),
        *("add-withdraw-address", "export-data"),
    ]
    assert told["ipAllowlist"] == ["127.0.0.0/8"]
    assert told["validUntil"] == "1893456000"
    assert int(told["createdTime"]) > 1_700_000_000


def test_a_key_ends_and_is_bound(kraken):
    """An ended or switched-off key is unknown, and one that is bound answers only at home."""
    key = kraken.state.keys[kraken.state.key]
    key.addresses = ("192.0.2.0/24",)
    assert kraken.private("BalanceEx")["error"] == ["EAPI:IP address not allowed"]
    key.addresses, key.expires_at = (), datetime.now(UTC) - timedelta(seconds=1)
    assert kraken.private("BalanceEx")["error"] == ["EAPI:Invalid key"]
    key.expires_at, key.active = None, False
    assert kraken.private("BalanceEx")["error"] == ["EAPI:Invalid key"]


def test_the_counter_fills_and_falls(kraken):
    """Fills count two, balances one, fifteen is the most, and a third is forgiven each second."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    kraken.state.clock, kraken.state.limit = (lambda: now), 15

    answers = [kraken.private("TradesHistory")["error"] for _ in range(8)]
    assert answers == [[]] * 7 + [["EAPI:Rate limit exceeded"]]
    now += timedelta(seconds=7)
    assert kraken.private("BalanceEx")["error"] == []
    assert kraken.private("BalanceEx")["error"] == ["EAPI:Rate limit exceeded"]


def test_the_history_is_bounded_as_documented(kraken):
    """`start` is exclusive and `end` inclusive, by time or by trade; `ofs` skips the newest; 50 a page, 100 at most."""
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(130):
        kraken.state.trade(
            "buy" if number % 2 else "sell", "xrp_usd", "1", at=begin + timedelta(seconds=number)
        )
    ids, first = kraken.state.fill_ids(), int(begin.timestamp())

    def shown(**form):
        told = kraken.private("TradesHistory", **form)["result"]
        return list(told["trades"]), told.get("count")

    assert shown() == (ids[:-51:-1], 130)
    assert shown(limit=500)[0] == ids[:-101:-1]
    assert shown(ofs=120) == (ids[9::-1], 130)
    assert shown(start=first + 126, end=first + 128) == ([ids[128], ids[127]], 2)
    assert shown(start=ids[126], end=ids[128]) == ([ids[128], ids[127]], 2)
    assert shown(end=first) == ([ids[0]], 1)
    assert shown(without_count="true", start=first + 128) == ([ids[129]], None)
    for form in ({"ofs": "-1"}, {"start": "x"}, {"ofs": "1.5"}, {"consolidate_taker": "maybe"}):
        assert kraken.private("TradesHistory", **form)["error"] == ["EGeneral:Invalid arguments"]


def test_tickers_of_some_or_of_all(kraken):
    """Without a pair all are told, by Kraken's own names; an unknown pair is refused."""
    assert len(kraken.public("Ticker")["result"]) == len(kraken.state.prices)
    assert list(kraken.public("Ticker", pair="XBTUSD")["result"]) == ["XXBTZUSD"]
    assert kraken.public("Ticker", pair="NOPE")["error"] == ["EQuery:Unknown asset pair"]
    assert kraken.request("POST", "/0/public/Time").json()["error"] == ["EGeneral:Unknown method"]


@given(
    st.lists(
        st.tuples(st.sampled_from(["buy", "sell"]), st.sampled_from(["btc_usd", "eth_btc"])), max_size=20
    )
)
@settings(max_examples=30)
def test_the_books_balance(orders):
    """Start plus everything the trades say is what the balances say, fees included; staked money is left alone."""
    state = PracticeKraken()
    expected = dict(state.balances)
    for side, book in orders:
        try:
            row = state.trade(side, book)
        except Impossible:
            continue
        base, quote = book.split("_")
        sign = 1 if side == "buy" else -1
        expected[base] += sign * Decimal(row["size"])
        expected[quote] -= sign * Decimal(row["cost"]) + Decimal(row["fee"])

    assert state.balances == expected
    assert all(state.free(asset) >= 0 for asset in state.balances)
    with pytest.raises(Impossible):
        state.transfer("withdrawal", "ada", "1300")


def test_trades_are_a_moment_apart():
    """However fast they are made, trades have times of their own in the order they came."""
    state = PracticeKraken()
    for _ in range(50):
        state.trade("buy", "xrp_usd", "1")

    assert state.fill_ids() == [row["id"] for row in state.trades]
    assert len({row["time"] for row in state.trades}) == 50


def test_practice_keys_look_like_keys():
    """Whoever pastes a practice key or private key into the chat is warned as for a real one."""
    for _ in range(200):
        key, secret = PracticeKraken().new_key()
        assert (len(key), len(secret)) == (56, 88)
        for text in (key, secret):
            assert find_pasted(f"here: {text}", Kraken.shapes) == "kraken"


def test_a_reset_keeps_the_first_key():
    """Whoever pasted the practice key goes on after a reset; all else begins anew."""
    state = PracticeKraken()
    first = state.key, state.secret
    state.new_key()
    state.seed(5)
    state.reset()

    assert (state.key, state.secret) == first
    assert (list(state.keys), state.trades) == ([state.key], [])


def test_every_path_is_its_own():
    """In the demo all exchanges share one address: the paths are listed one by one, below Kraken's own prefix."""
    assert all(path.startswith("/0/") and "{" not in path for path in PATHS)


@pytest.mark.parametrize(
    "verb", ["buy", "sell", "withdraw", "deposit", "key", "permissions", "error", "reset"]
)
def test_the_control_api_takes_every_verb(kraken, verb):
    """What the demo's buttons press works without anything given."""
    assert kraken.request("POST", f"/practice/kraken/{verb}").status_code == 200
    assert kraken.request("GET", "/practice/kraken/state").json()["key"] == kraken.state.key
