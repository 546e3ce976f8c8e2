"""Whatever ccxt can do, only two reads of a key ever reach a socket: everything else stops before it."""

import re
from typing import Any

import ccxt.async_support as ccxt
import pytest

from chatbot.domain.credentials import Credentials
from chatbot.domain.secrets import Secret
from chatbot.errors import ExchangeError, ForbiddenCall, Unknown
from chatbot.exchanges import other
from chatbot.exchanges.other.reach import reach, talkers
from chatbot.exchanges.other.unified import BALANCES, FILLS, READS, Library
from tests.support.clock import VirtualClock
from tests.support.venues import KEY, PASSPHRASE, SECRET, venue
from tests.support.venues import exchange as opened_as

# What ccxt calls things that change an account; none of it may be within reach of a read.
WRITES = re.compile(
    r"order(?!s?/complete|s?/hist|_?book)(?!.*fill)|withdraw|transfer|deposit|convert|borrow|repay|redeem|stake|leverage|"
    r"cancel|create|delete|apply|subscri|approve|move|api-?key|sub-?account|vote|collateral(?!-account/balance)",
    re.IGNORECASE,
)
# Reads whose names hold such a word, by the description of each call in the library's own source.
HARMLESS = {
    "asset/get-funding-asset", "listExecutedOrders/{symbol}", "list_orders", "order/complete_orders",
}  # fmt: skip
VERBS = re.compile(
    r"(create|cancel|edit|withdraw|transfer|borrow|repay|set_(leverage|margin|position)|close_p|redeem)"
)
DANGEROUS = (
    "createOrder",
    "create_order",
    "withdraw",
    "transfer",
    "cancelOrder",
    "cancel_all_orders",
    "editOrder",
    "setLeverage",
)


def readable() -> list[str]:
    """Return the names of all exchanges whose keys our form takes."""
    found = []
    for name in other.names():
        needs = {part for part, needed in getattr(ccxt, name)().requiredCredentials.items() if needed}
        if needs - {"password"} == {"apiKey", "secret"}:
            found.append(name)
    return found


READABLE = readable()


@pytest.fixture
async def kucoin():
    async with venue("kucoin") as state:
        library = Library("kucoin", VirtualClock(), state.origin)
        await library.markets()
        state.requests.clear()
        yield library, state
        await library.wire.close()


@pytest.mark.parametrize("name", READABLE)
def test_no_read_is_within_reach_of_a_write(name):
    """For every exchange of the installed release: what the two reads can ask for changes nothing."""
    for read in (BALANCES, FILLS):
        endpoints = reach(getattr(ccxt, name), READS[read]).endpoints
        assert endpoints or not getattr(ccxt, name)().has["fetchMyTrades"]
        assert {e.method for e in endpoints} <= {"GET", "POST"}
        posts = [e.path for e in endpoints if e.method == "POST" and e.path not in HARMLESS]
        assert [path for path in posts if WRITES.search(path)] == []


@pytest.mark.parametrize("name", READABLE)
def test_every_method_that_writes_is_walled_off(name):
    """At no exchange can ccxt's own object be made to order, to move or to withdraw, under either spelling."""
    library = Library(name, VirtualClock())
    instance = library._build()
    writing = {method for method in talkers(getattr(ccxt, name)) if VERBS.match(method)}
    called = {*DANGEROUS, *writing} & set(dir(instance))
    for method in called:
        with pytest.raises(ForbiddenCall):
            getattr(instance, method)("BTC", 1, "address")
    assert {"create_order", "createOrder", "withdraw", "cancel_order"} <= called


async def test_our_object_has_nothing_but_reads(kucoin):
    """Whoever holds a key's object finds one method, and it takes the names of the reads only."""
    library, state = kucoin
    with library.key(state.credentials, 0) as key:
        assert {name for name in dir(key) if not name.startswith("_")} == {"read", "nonce", "rows_seen"}
        for name in (
            *DANGEROUS,
            "privatePostWithdrawals",
            "fetch_deposit_address",
            "fetch",
            "request",
            "sign",
            "",
        ):
            with pytest.raises(ForbiddenCall):
                await key.read(name)
    assert state.requests == []


@pytest.mark.parametrize("method", DANGEROUS)
async def test_a_tampered_read_that_wants_to_write_is_stopped(kucoin, method):
    """Even inside a read, and even when ccxt's code swallows the error, nothing that writes is sent."""
    library, state = kucoin

    async def tampered(*_: object) -> object:
        try:
            return await getattr(instance, method)("BTC/USDT", "market", "buy", 1, None)
        except ForbiddenCall:
            return {"total": {}, "free": {}, "used": {}}

    with library.key(state.credentials, 0) as key:
        instance = key._instance
        instance.fetch_balance = tampered
        with pytest.raises(ForbiddenCall):
            await key.read(BALANCES)
    assert [path for path in state.signed() if "opened" not in path] == []


@pytest.mark.parametrize("swallow", [False, True])
async def test_ccxt_own_withdrawal_is_stopped_behind_our_walls(kucoin, swallow):
    """Called around the wall, on ccxt's class itself, a withdrawal still ends at the gate of the requests."""
    library, state = kucoin

    async def tampered(*_: object) -> object:
        try:
            return await ccxt.kucoin.withdraw(
                instance, "BTC", "1", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
            )
        except ForbiddenCall:
            if swallow:
                return {"total": {}, "free": {}, "used": {}}
            raise

    with library.key(state.credentials, 0) as key:
        instance = key._instance
        instance.fetch_balance = tampered
        with pytest.raises(ForbiddenCall, match="POST withdrawals"):
            await key.read(BALANCES)
    assert [path for path in state.signed() if "opened" not in path] == []


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("withdrawals", "POST"),
        ("accounts/universal-transfer", "POST"),
        ("hf/orders", "POST"),
        ("hf/orders", "DELETE"),
        ("sub/api-key", "POST"),
        ("accounts", "POST"),
        ("accounts", "DELETE"),
    ],
)
async def test_the_implicit_api_and_raw_requests_are_stopped(kucoin, path, method):
    """Each endpoint of ccxt's generated API, and any made up, is refused in a read and outside of one."""
    library, state = kucoin
    with library.key(state.credentials, 0) as key:
        instance = key._instance

        async def tampered(*_: object) -> object:
            return await instance.request(path, ["private"], method, {"currency": "BTC"})

        with pytest.raises(ForbiddenCall):
            await tampered()
        instance.fetch_balance = tampered
        with pytest.raises(ForbiddenCall):
            await key.read(BALANCES)
    assert [one for one in state.signed() if "opened" not in one] == []


async def test_ccxt_own_generated_methods_are_stopped(kucoin):
    """The generated methods lead through the same gate, in either spelling."""
    library, state = kucoin
    with library.key(state.credentials, 0) as key:
        for name in (
            "privatePostWithdrawals",
            "private_post_withdrawals",
            "privatePostHfOrders",
            "privateGetAccounts",
        ):
            with pytest.raises(ForbiddenCall):
                await getattr(key._instance, name)({})
    assert state.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "{origin}/api/v1/withdrawals",
        "http://127.0.0.2:1/api/v1/accounts",
        "{origin}@127.0.0.1/api/v1/accounts",
    ],
)
async def test_what_was_signed_must_be_what_was_permitted(kucoin, url):
    """A signing step that turns a read into something else, or leads elsewhere, is caught before the socket."""
    library, state = kucoin
    with library.key(state.credentials, 0) as key:
        plain = key._instance.sign

        def twisted(*args: Any) -> Any:
            signed = plain(*args)
            return {**signed, "url": url.format(origin=state.origin)} if args[0] == "accounts" else signed

        key._instance.sign = twisted
        with pytest.raises(ForbiddenCall):
            await key.read(BALANCES)
    assert "/api/v1/withdrawals" not in [path for path, _ in state.requests]
    assert "/api/v1/accounts" not in [path for path, _ in state.requests]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_the_bare_way_out_is_closed_outside_a_read(kucoin, method):
    """The `fetch` of ccxt sends nothing by itself."""
    library, state = kucoin
    with library.key(state.credentials, 0) as key, pytest.raises(ForbiddenCall):
        await key._instance.fetch(f"{state.origin}/api/v1/accounts", method)
    assert state.requests == []


async def test_a_key_is_in_ccxt_for_the_reading_only(kucoin):
    """Its parts are overwritten afterwards, also when the reading failed."""
    library, state = kucoin
    state.fail("accounts", 500, {"code": "500000", "msg": "no"})
    held: list[Any] = []
    with pytest.raises(ExchangeError):
        await reading(library, state, held)
    [instance] = held

    kept = repr({name: value for name, value in vars(instance).items() if not name.startswith("market")})
    assert [part for part in (KEY, SECRET, PASSPHRASE) if part in kept] == []
    assert (instance.apiKey, instance.secret, instance.password) == ("", "", "")
    assert instance.verbose is False
    assert instance.session is None


async def reading(library, state, held):
    """Read balances as a client does, and keep ccxt's object to look at."""
    with library.key(state.credentials, 0) as key:
        held.append(key._instance)
        await key.read(BALANCES)


@pytest.mark.parametrize("part", ["api_key", "api_secret"])
async def test_a_key_of_strange_characters_is_refused_without_a_call(kucoin, part):
    """A line break or a letter that no exchange hands out never gets into a header."""
    library, state = kucoin
    texts = {"api_key": KEY, "api_secret": SECRET, part: "ab\r\nX: y"}
    with (
        pytest.raises(ExchangeError),
        library.key(Credentials(Secret(texts["api_key"]), Secret(texts["api_secret"])), 0),
    ):
        pytest.fail("the key was taken")
    assert state.requests == []


@pytest.mark.parametrize("name", [name for name in other.names() if name not in READABLE])
def test_keys_that_our_form_cannot_take_are_refused_in_a_sentence(name):
    """A wallet's private key or a login is never asked for; the sentence says what the exchange would want."""
    with pytest.raises(Unknown) as raised:
        opened_as(name, VirtualClock())

    assert raised.value.params["exchange"]
    assert set(str(raised.value.params["parts"]).split(", ")) & {
        *("privateKey", "walletAddress", "uid", "accountId", "apiKey", "secret", "?")
    }


@pytest.mark.parametrize("name", READABLE)
async def test_every_exchange_that_can_be_read_describes_itself(name):
    """Each has a title, an https page for keys, a form of two or three fields, and https hosts only."""
    exchange = opened_as(name, VirtualClock())

    assert exchange.title
    assert exchange.key_page.startswith("https://")
    assert len(exchange.fields) in {2, 3}
    assert exchange._library.wire._hosts
    assert all(origin.startswith("https://") for origin in exchange._library.wire._hosts)
    assert 5 <= exchange.poll_seconds <= 60
    await exchange.close()
