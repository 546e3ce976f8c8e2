"""Fills of exchanges that ccxt reads: new ones once each, history to its end, whatever a page holds."""

from decimal import Decimal

import pytest

from chatbot.domain.fills import Fill
from chatbot.domain.pacing import Budget, Meter
from chatbot.exchanges.other.exchange import Other
from chatbot.exchanges.other.rows import milliseconds
from chatbot.exchanges.other.walk import Rules
from tests.support.clock import VirtualClock
from tests.support.venues import Venue, venue
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


async def readings(exchange: Other, state: Venue, cursor: str, way: str = "after", nonce: int = 0):
    """Read pages until there is no more; return all fills, the last cursor and the last nonce."""
    found: list[Fill] = []
    more = True
    while more:
        client = exchange.client(state.credentials, nonce)
        page = await getattr(client, f"fills_{way}")(cursor)
        found, cursor, more, nonce = [*found, *page.fills], page.cursor, page.more, client.last_nonce
    return found, cursor, nonce


async def test_each_new_fill_is_read_once_and_history_never_as_new(opened, clock):
    """What filled before connecting is history; what comes later is told once, also when it shows up late."""
    exchange, state = opened
    now = milliseconds(clock.now())
    state.fill(now - 1000)
    client = exchange.client(state.credentials, 0)
    head = (await client.prove()).head
    state.fill(now + 5000)
    clock.advance(seconds=30)
    first, cursor, nonce = await readings(exchange, state, head.after, nonce=client.last_nonce)
    state.fill(now + 4000, side="sell", price="19999.9")
    clock.advance(seconds=30)
    late, cursor, nonce = await readings(exchange, state, cursor, nonce=nonce)
    clock.advance(seconds=30)

    assert [(f.base, f.quote, f.quantity, f.price, f.cost) for f in first] == [
        ("BTC", "USDT", Decimal("0.5"), Decimal("20000.1"), Decimal("10000.05"))
    ]
    assert [f.price for f in late] == [Decimal("19999.9")]
    assert (await readings(exchange, state, cursor, nonce=nonce))[0] == []


async def test_an_account_that_was_away_for_weeks_misses_nothing(opened, clock):
    """The walk forwards goes window by window, and empty ones do not end it."""
    exchange, state = opened
    client = exchange.client(state.credentials, 0)
    head = (await client.prove()).head
    start = milliseconds(clock.now())
    wanted = [start + day * DAY for day in (1, 9, 20, 39)]
    for at in wanted:
        state.fill(at)
    clock.advance(days=40)

    found, _, _ = await readings(exchange, state, head.after, nonce=client.last_nonce)

    assert sorted(milliseconds(f.at) for f in found) == wanted


@pytest.mark.parametrize("name", ["kucoin", "bitvavo"])
async def test_history_is_walked_through_empty_and_overfull_windows(name, clock):
    """Newest first, every fill once, also where more fall into one window than fit on a page."""
    async with venue(name) as state:
        exchange = opened_as(name, clock, state.origin)
        exchange._library.rules = Rules(window=7 * DAY, page=0, days=40)
        exchange._library.wire._meter = Meter(Budget(10**6, 1))
        now = milliseconds(clock.now())
        for number in range(45):
            state.fill(now - 20 * DAY - number * 3_600_000)
        state.fill(now - 39 * DAY)
        head = (await exchange.client(state.credentials, 0).prove()).head

        found, _, _ = await readings(exchange, state, head.before, "before")
        await exchange.close()

    times = [milliseconds(fill.at) for fill in found]
    assert len({fill.id for fill in found}) == 46
    assert times == sorted(times, reverse=True)


async def test_history_without_windows_is_told_as_far_as_the_exchange_lists_it(clock):
    """WhiteBIT lists the newest fills only: those are told, and the walk ends."""
    async with venue("whitebit") as state:
        exchange = opened_as("whitebit", clock, state.origin)
        now = milliseconds(clock.now())
        for number in range(60):
            state.fill(now - 20 * DAY - number * 3_600_000)
        client = exchange.client(state.credentials, 0)
        head = (await client.prove()).head
        found, _, _ = await readings(exchange, state, head.before, "before", client.last_nonce)
        await exchange.close()

    assert len({fill.id for fill in found}) == 50


async def test_markets_of_new_assets_come_to_the_list(clock):
    """Where one market is asked at a time, a balance that appears brings its markets with it."""
    async with venue("kucoin") as state:
        exchange = opened_as("kucoin", clock, state.origin)
        head = (await exchange.client(state.credentials, 0).prove()).head
        state.balances["ETH"] = ("2", "0")
        state.fill(milliseconds(clock.now()) + 1000, market="ETH-EUR")
        clock.advance(seconds=60)
        client = exchange.client(state.credentials, 0)
        await client.balances()
        page = await client.fills_after(head.after)
        await exchange.close()

    assert [fill.market for fill in page.fills] == ["ETH/EUR"]


@pytest.mark.parametrize("name", NAMES)
async def test_a_clock_that_runs_ahead_of_the_exchange_loses_no_first_fill(name, clock):
    """Ours is 40 s ahead: what fills just after connecting has a time before it by ours, and is still told."""
    async with venue(name) as state:
        began = milliseconds(clock.now())
        clock.advance(seconds=40)
        exchange = opened_as(name, clock, state.origin)
        client = exchange.client(state.credentials, 0)
        head = (await client.prove()).head
        state.fill(began + 15_000)
        clock.advance(seconds=30)
        found, _, _ = await readings(exchange, state, head.after, nonce=client.last_nonce)
        await exchange.close()

    assert [milliseconds(fill.at) for fill in found] == [began + 15_000]


async def test_what_was_bought_while_nobody_looked_is_found(clock):
    """Where one market is asked at a time, a week without a poll costs no fill of what is held now."""
    async with venue("kucoin") as state:
        exchange = opened_as("kucoin", clock, state.origin)
        exchange._library.wire._meter = Meter(Budget(10**6, 1))
        head = (await exchange.client(state.credentials, 0).prove()).head
        state.balances["ETH"] = ("2", "0")
        state.fill(milliseconds(clock.now()) + 1000, market="ETH-EUR")
        clock.advance(days=7)
        client = exchange.client(state.credentials, 0)
        await client.balances()
        found: list[Fill] = []
        cursor, more = head.after, True
        while more:
            page = await client.fills_after(cursor)
            found, cursor, more = [*found, *page.fills], page.cursor, page.more
        await exchange.close()

    assert [fill.market for fill in found] == ["ETH/EUR"]
