"""Exchanges without a file of their own, read through ccxt against loopback servers that check signatures."""

import logging
from decimal import Decimal
from typing import Any

import pytest

from chatbot.domain.permissions import Permission, Source, Switch
from chatbot.errors import ConfigError, ExchangeError, Trouble
from chatbot.exchanges import build
from chatbot.ports.exchanges import Exchange
from chatbot.settings import Settings
from tests.support.clock import VirtualClock
from tests.support.venues import KEY, PASSPHRASE, SECRET, Venue, venue
from tests.support.venues import exchange as opened_as

NAMES = ("kucoin", "bitvavo", "whitebit")
DAY = 86_400_000


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture(params=NAMES)
async def opened(request, clock):
    async with venue(request.param) as state:
        exchange = opened_as(request.param, clock, state.origin)
        yield exchange, state
        await exchange.close()


async def test_describes_itself_as_any_exchange_does(opened):
    """The form, the guide and the help find all they need, taken from ccxt's facts."""
    exchange, state = opened
    members = [m for m in dir(Exchange) if not m.startswith("_")] + list(Exchange.__annotations__)

    assert [m for m in members if not hasattr(exchange, m)] == []
    assert exchange.name == state.name
    assert exchange.key_page.startswith("https://")
    assert ("passphrase" in {field.name for field in exchange.fields}) is (state.name == "kucoin")
    assert {*exchange.tick, *exchange.tick_to_trade} <= exchange.labels.keys()
    assert all(method in {"GET", "POST"} for method, _ in exchange.allow)


async def test_a_good_key_is_proven_by_reading(opened):
    """Balances to the last digit, fills readable, and no word about powers that nothing told."""
    exchange, state = opened
    proof = await exchange.client(state.credentials, 0).prove()

    held = {b.asset: (b.free, b.total) for b in proof.balances}
    assert held == {
        "BTC": (Decimal("0.75"), Decimal("1.00")),
        "USDT": (Decimal("100.000000000000000001"), Decimal("100.000000000000000001")),
    }
    assert proof.report.is_on(Permission.BALANCES)
    assert proof.report.is_on(Permission.FILLS)
    for permission in exchange.unreported:
        finding = proof.report.get(permission)
        assert (finding.switch, finding.source) == (Switch.UNKNOWN, Source.NOT_REPORTED)


async def test_an_empty_account_is_proven_by_a_real_reading(clock):
    """Nothing held means no market to look in: the right to read fills is tried on one nevertheless."""
    async with venue("bitvavo") as state:
        state.balances.clear()
        exchange = opened_as("bitvavo", clock, state.origin)
        proof = await exchange.client(state.credentials, 0).prove()
        await exchange.close()

    assert proof.balances == ()
    assert "/v2/trades" in state.signed()
    assert proof.head is not None


async def test_fills_that_may_not_be_read_are_only_noted(clock):
    """Balances go on when the key lacks the right to read fills."""
    async with venue("bitvavo") as state:
        exchange = opened_as("bitvavo", clock, state.origin)
        state.fail(
            "/v2/trades",
            403,
            {"errorCode": 311, "error": "This key does not allow showing account information."},
        )
        proof = await exchange.client(state.credentials, 0).prove()
        await exchange.close()

    assert proof.head is None
    assert proof.report.get(Permission.FILLS).refused


async def test_an_exchange_without_a_list_of_fills_says_so(clock):
    """Nothing is asked for, and nothing is claimed: the state of fills stays unknown."""
    exchange = opened_as("indodax", clock)
    assert not exchange._library.tells_fills
    client = exchange.client(Venue("indodax").credentials, 0)

    finding, head = await client._try_fills(None)
    await exchange.close()

    assert (finding.switch, finding.source, head) == (Switch.UNKNOWN, Source.NOT_REPORTED, None)


async def test_nonces_rise_over_polls_and_while_the_clock_stands_still(clock):
    """WhiteBIT refuses a nonce that is not higher than all before; ours are, without a tick of the clock."""
    async with venue("whitebit") as state:
        exchange = opened_as("whitebit", clock, state.origin)
        nonce = 0
        for _ in range(3):
            client = exchange.client(state.credentials, nonce)
            await client.balances()
            nonce = client.last_nonce
        await exchange.close()

    assert state.nonces == sorted(set(state.nonces))
    assert nonce == state.nonces[-1]


async def test_a_refused_nonce_is_tried_once_more(clock):
    """One fresh try is made and no more."""
    async with venue("whitebit") as state:
        exchange = opened_as("whitebit", clock, state.origin)
        burnt = {"code": 0, "message": "Your nonce is more than 5 seconds lesser than the current nonce"}
        state.fail("trade-account/balance", 422, burnt)
        assert await exchange.client(state.credentials, 0).balances()
        state.fail("trade-account/balance", 422, burnt)
        state.fail("trade-account/balance", 422, burnt)
        client = exchange.client(state.credentials, 10**13 * 9)
        with pytest.raises(ExchangeError) as raised:
            await client.balances()
        await exchange.close()

    assert raised.value.trouble is Trouble.CLOCK_OR_NONCE
    assert len(state.signed()) == 4


async def test_markets_are_loaded_once_and_without_a_key(opened):
    """Many keys share one table of markets, which no key is shown for."""
    exchange, state = opened
    nonce = 0
    for _ in range(3):
        client = exchange.client(state.credentials, nonce)
        await client.balances()
        nonce = client.last_nonce

    public = [path for path, key in state.requests if not key]
    assert len(public) == len(set(public))
    assert not set(public) & set(state.signed())


async def test_prices_and_clock_need_no_key(opened, clock):
    """The last prices of all spot markets, and how far the clocks are apart."""
    exchange, state = opened
    prices = await exchange.prices()
    ahead = await exchange.reachable()

    assert prices.last["BTC", "USDT"] > 0
    assert prices.at == clock.now()
    assert abs(ahead - (1_790_000_000 - clock.now().timestamp())) <= 2
    assert state.signed() == []


async def test_another_origin_is_used_for_every_host(clock):
    """EXCHANGE_KUCOIN_URL leads all of KuCoin's hosts to one place; the settings take such a name."""
    settings = Settings.from_environ({"EXCHANGE_KUCOIN_URL": "http://127.0.0.1:9"})
    exchange: Any = build(settings.exchange_urls, clock)["kucoin"]

    assert set(exchange._library.wire._hosts) == {"http://127.0.0.1:9"}
    with pytest.raises(ExchangeError) as raised:
        await exchange.client(Venue("kucoin").credentials, 0).balances()
    await exchange.close()
    assert raised.value.trouble is Trouble.UNREACHABLE
    with pytest.raises(ConfigError):
        opened_as("kucoin", clock, "http://127.0.0.1:9/path")


async def test_nothing_of_a_key_is_left_in_ccxt_or_told(opened, caplog, capsys):
    """After a reading neither ccxt's objects nor any message, log or chain of errors holds a part of the key."""
    exchange, state = opened
    caplog.set_level(logging.DEBUG)
    texts = []
    with exchange._library.key(state.credentials, 0) as key:
        instance = key._instance
        await exchange._library.markets()
        instance.set_markets_from_exchange(exchange._library._owner)
        await key.read("fetch_balance")
    texts.append(
        repr({name: value for name, value in vars(instance).items() if name not in {"markets", "wire"}})
    )
    for answer in ("<html>no</html>", "down", "{"):
        state.fail("", 200, answer, "text/html" if answer[0] == "<" else "application/json")
        with pytest.raises(ExchangeError) as raised:
            await exchange.client(state.credentials, 10**13 * 8).balances()
        texts += [
            repr(raised.value),
            raised.value.reason,
            repr(raised.value.__context__),
            repr(raised.value.__cause__),
        ]
    texts += [r.getMessage() for r in caplog.records if not r.name.startswith("uvicorn")] + list(
        capsys.readouterr()
    )

    assert [part for part in (KEY, SECRET, PASSPHRASE) if part in "\n".join(texts)] == []


async def test_a_slow_exchange_is_asked_slowly(clock):
    """All keys together stay within ccxt's rate for the exchange; beyond a short wait a poll is put off."""
    exchange = opened_as("bit2c", clock)
    meter = exchange._library.wire._meter
    waits = [meter.take(0.0, 1, 100) for _ in range(6)]
    await exchange.close()

    assert exchange.budget.requests * 3 == exchange.budget.seconds
    assert waits[0] == 0
    assert waits[-1] > 10
    assert exchange.poll_seconds > 10
    assert exchange.history_seconds > 10
