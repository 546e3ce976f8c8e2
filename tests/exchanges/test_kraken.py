"""Kraken's own file: signing against the vectors and ccxt, nonces, the private key's form, pasted keys."""

import json
from typing import Any, cast

import ccxt
import pytest

from chatbot.domain.secrets import Secret, find_pasted
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.kraken import ALLOW, Kraken, wire
from tests.support.kraken import DATA, NOW, SECRET, SetClock, answer, client, recorded, refused

VECTORS = json.loads((DATA / "signing_vectors.json").read_text())
FIRST = 1767225600123000001


def signed(vector):
    secret = Secret(vector["secret"])
    return wire.sign(
        vector["path"], vector["nonce"], vector["body"].encode(), Secret(vector["api_key"]), secret
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["id"])
def test_signs_as_the_vectors_say(vector):
    """The headers are those of Kraken's own documented example, and of openssl."""
    assert signed(vector) == vector["headers"]


@pytest.mark.parametrize("vector", VECTORS[1:], ids=lambda v: v["id"])
def test_ccxt_sends_the_same_request(vector):
    """For the same key, nonce and form ccxt signs and sends what we do."""
    oracle = ccxt.kraken({"apiKey": vector["api_key"], "secret": vector["secret"]})
    oracle.incrementing_nonce = lambda: vector["nonce"]
    _, *pairs = vector["body"].split("&")

    theirs = oracle.sign(
        vector["path"].rpartition("/")[2], ["private"], "POST", dict(p.split("=") for p in pairs)
    )

    assert theirs["url"] == f"https://api.kraken.com{vector['path']}"
    assert theirs["body"] == vector["body"]
    assert theirs["headers"] == signed(vector)


async def test_the_form_holds_the_nonce_that_was_signed():
    """What is posted is what was signed: the nonce first, then what is asked for, typed as a form."""
    reader, http = client(answer(recorded("BalanceEx")), answer(recorded("TradesHistory")))
    await reader.balances()
    await reader.fills_after("1688667700")

    (method, path, query, headers, body), fills = http.asked
    assert (method, path, query) == ("POST", "/0/private/BalanceEx", "")
    assert body == f"nonce={FIRST}".encode()
    assert headers == wire.sign(path, FIRST, body, Secret("krakenKEYabc"), Secret(SECRET))
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert fills[4].decode() == f"nonce={FIRST + 1}&start=1688667699&ofs=0&consolidate_taker=false&limit=100"


async def test_nonces_rise_above_the_floor_and_the_clock():
    """Without a floor nonces begin at the clock; above one they only count on, so a restart never repeats one."""
    ok = answer(recorded("BalanceEx"))
    reader, http = client(ok, ok, ok)
    for _ in range(3):
        await reader.balances()
    ahead, later = client(ok, nonce=1_999_999_999_999_999_999)
    await ahead.balances()
    again, after = client(ok, nonce=reader.last_nonce)
    await again.balances()

    assert [int(form["nonce"]) for form in http.forms] == [FIRST, FIRST + 1, FIRST + 2]
    assert reader.last_nonce == FIRST + 2
    assert [form["nonce"] for form in later.forms] == ["2000000000000000000"]
    assert ahead.last_nonce < 2**63
    assert [int(form["nonce"]) for form in after.forms] == [FIRST + 3]


async def test_a_nonce_error_is_tried_once_more():
    """A low nonce gets one fresh one; a second refusal rises; other refusals are never tried again."""
    reader, http = client(refused("EAPI:Invalid nonce"), answer(recorded("BalanceEx")), nonce=1)
    assert await reader.balances()
    assert [int(form["nonce"]) for form in http.forms] == [2, FIRST]

    for messages in (
        ["EAPI:Invalid nonce", "EAPI:Invalid nonce"],
        ["EAPI:Invalid key"],
        ["EGeneral:Permission denied"],
        ["EAPI:Rate limit exceeded"],
        ["EGeneral:Temporary lockout"],
    ):
        reader, http = client(*[refused(message) for message in messages])
        with pytest.raises(ExchangeError):
            await reader.balances()
        assert http.answers == []


@pytest.mark.parametrize(
    "secret", ["not base64!", "abc", "", "a" * 87, SECRET + "\n", SECRET[:-1], "ünïcödé="]
)
async def test_a_private_key_that_is_not_base64_never_leaves(secret):
    """A wrong private key is told before any request, and the error shows nothing of it."""
    reader, http = client(secret=secret)

    with pytest.raises(ExchangeError) as raised:
        await reader.prove()

    assert (raised.value.trouble, raised.value.retry) == (Trouble.BAD_SECRET, False)
    assert http.asked == []
    assert raised.value.reason == "a secret that is not base64"


async def test_a_key_that_can_not_be_sent_is_refused_here():
    """A key with a line break, a blank or letters no header takes never reaches the wire."""
    for key in ("a\r\nX: y", "schlüssel", "", "a b", "k" * 200):
        reader, http = client(key=key)
        with pytest.raises(ExchangeError) as raised:
            await reader.balances()
        assert raised.value.trouble is Trouble.BAD_KEY
        assert http.asked == []


def test_the_allow_list_is_no_longer_than_needed():
    """Three private reads and four public ones: ccxt knows dozens of calls more, and none of them can leave."""
    private = {path for method, path in ALLOW if method == "POST"}

    assert private == {f"/0/private/{name}" for name in ("BalanceEx", "TradesHistory", "GetApiKeyInfo")}
    assert {path for method, path in ALLOW if method == "GET"} == {
        f"/0/public/{name}" for name in ("Assets", "AssetPairs", "Ticker", "Time")
    }
    known = ccxt.kraken().describe()["api"]["private"]["post"]
    assert {path.rpartition("/")[2] for path in private} <= known.keys()


def test_the_pace_leaves_room_at_the_lowest_tier():
    """Polls stay under a third of a point a second, and so do pages of history with one reading a minute."""
    exchange = Kraken(SetClock())

    assert 2 / exchange.poll_seconds + 1 / (4 * exchange.poll_seconds) < 0.33
    assert 2 / exchange.history_seconds + (2 + 1) / 60 < 0.33
    assert exchange.budget is None
    assert exchange.unreported == frozenset()


async def test_the_clock_is_read_from_kraken():
    """The difference of the clocks comes from Kraken's own time, half of the missing second added."""

    class Http:
        async def request(self, method, path, query=""):
            assert (method, path) == ("GET", "/0/public/Time")
            return answer(
                json.dumps({"error": [], "result": {"unixtime": int(NOW.timestamp()) + 7}}).encode()
            )

    exchange = Kraken(SetClock())
    exchange._http = cast("Any", Http())

    assert await exchange.reachable() == 7


def test_a_pasted_key_is_noticed_and_a_word_is_not():
    """A key or private key in a message is noticed; long names, hashes and addresses are not."""
    key = "4/SDrDBcOOPnm3nPlNfEMMJDeRcIVqPz+QhRxIodyZbI9po/aVRiHsgX"
    for pasted in (key, SECRET, f"secret={SECRET}", f"my key is {key}, right?"):
        assert find_pasted(pasted, Kraken.shapes) == "kraken", pasted
    for word in (
        "d14a028c2a3a2bc9476102bb288234c415a2b01f828ea62ac5b3e42f",
        "https://www.kraken.com/features/api/how-to-use-the-private-endpoints",
        "TBGB6I-IMYKU-WWA2SK",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "0x52908400098527886E0F7030069857D2E4169EE7",
    ):
        assert find_pasted(word, Kraken.shapes) is None, word
