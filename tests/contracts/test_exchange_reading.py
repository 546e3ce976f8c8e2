"""What every exchange promises about balances, fills and prices, against its practice server."""

import itertools
from collections import defaultdict

import pytest

from chatbot.domain.permissions import Outcome, Permission, Policy, Switch, decide
from chatbot.domain.rates import Rates, lender, wanting
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import discover
from chatbot.ports.exchanges import OVERLAP, Page
from tests.support.practice import connected

pytestmark = pytest.mark.parametrize("name", discover())

POLICY = Policy(frozenset({Permission.WITHDRAW, Permission.TRANSFER}), frozenset({Permission.TRADE}))


async def read_all(page_of, cursor):
    pages: list[Page] = []
    while not pages or pages[-1].more:
        pages.append(await page_of(cursor))
        assert len(pages) < 100
        cursor = pages[-1].cursor
    return [fill for page in pages for fill in page.fills], cursor


def ids(fills):
    return [fill.id for fill in fills]


def once(fills):
    return list(dict.fromkeys(ids(fills)))


def by_market(fills):
    """The ids of each market, each once; where an exchange tells fills market by market, markets take turns."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for fill in fills:
        found[fill.market].setdefault(fill.id)
    return {market: list(numbers) for market, numbers in found.items()}


def assert_complete_and_in_order(fills, expected):
    """Every fill is there and no other; within each market they stand in the order expected."""
    place = {number: at for at, number in enumerate(expected)}
    assert sorted(once(fills)) == sorted(expected)
    for market, numbers in by_market(fills).items():
        assert numbers == sorted(numbers, key=place.__getitem__), market


@pytest.mark.parametrize("history", [0, 1, 99, 100, 101, 1234])
async def test_paging_is_complete_in_both_directions(name, history):
    """Forwards from the beginning and backwards from the head, every fill comes; some come twice.

    Within each market they come in order.
    """
    async with connected(name, history) as (exchange, running):
        client = exchange.client(running.credentials(), 0)
        expected = running.state.fill_ids()
        head = (await client.prove()).head
        assert head is not None

        upwards, _ = await read_all(client.fills_after, "")
        downwards, _ = await read_all(client.fills_before, head.before)

        assert_complete_and_in_order(upwards, expected)
        assert_complete_and_in_order(downwards, expected[::-1])


@pytest.mark.parametrize("history", [0, 150])
async def test_what_comes_after_the_proof_is_told_by_the_poll_alone(name, history):
    """Fills after the proof are found after the head, page by page, and are no part of history."""
    async with connected(name, history) as (exchange, running):
        client = exchange.client(running.credentials(), 0)
        head = (await client.prove()).head
        assert head is not None
        for _ in range(250):
            running.state.trade("buy")
        later = running.state.fill_ids()[history:]

        told, cursor = await read_all(client.fills_after, head.after)
        stored, _ = await read_all(client.fills_before, head.before)

        assert_complete_and_in_order(told, later)
        assert len(once(stored)) == history
        assert set(ids(stored)).isdisjoint(later)
        again = await client.fills_after(cursor)
        for market, numbers in by_market(again.fills).items():
            assert numbers == by_market(told)[market][-len(numbers) :]
        assert len(again.fills) <= OVERLAP
        assert not again.more


async def test_fills_off_is_a_warning_and_not_a_refusal(name):
    """A key that may not read fills is taken, with fills off and no place to begin."""
    async with connected(name) as (exchange, running):
        keys = running.state.new_key({"account", "balances"})

        proof = await exchange.client(running.credentials(*keys), 0).prove()

        finding = proof.report.get(Permission.FILLS)
        assert (proof.head, finding.switch, finding.refused) == (None, Switch.OFF, True)
        assert decide(proof.report, POLICY).outcome is Outcome.WARN


async def test_a_permission_taken_away_is_noticed(name):
    """What was allowed yesterday and is refused today comes as a missing permission."""
    async with connected(name) as (exchange, running):
        client = exchange.client(running.credentials(), 0)
        await client.prove()
        running.state.permit(running.state.key, {"balances"})

        with pytest.raises(ExchangeError) as raised:
            await client.fills_after("")

        assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "fills")


async def test_balances_follow_trades(name):
    """After a trade the balances read are those of the exchange, to the last digit."""
    async with connected(name) as (exchange, running):
        client = exchange.client(running.credentials(), 0)
        for side in ("buy", "sell", "buy"):
            running.state.trade(side)

            read = {b.asset: b.total for b in await client.balances()}

            assert read == {a.upper(): v for a, v in running.state.balances.items() if v}


@pytest.mark.parametrize("currency", ["USD", "MXN"])
async def test_prices_value_what_is_held(name, currency):
    """Every asset has a value: by own prices, or by a rate between moneys that another exchange lends."""
    async with (
        connected(name) as (exchange, running),
        connected("bitstamp") as (bitstamp, _),
        connected("bitso") as (bitso, _),
    ):
        own = await exchange.prices()
        balances = await exchange.client(running.credentials(), 0).balances()
        others = [lender(other.title, await other.prices(), currency) for other in (bitstamp, bitso)]
        rates = Rates(own, tuple(others))

        assert [b.asset for b in balances if not rates.rate(b.asset, currency)] == []
        if currency in exchange.quotes:
            assert wanting(balances, own, currency) == frozenset()


async def test_what_it_says_of_moneys_is_in_its_prices(name):
    """An exchange that names moneys knows the rate of at least one of them in another."""
    async with connected(name) as (exchange, _):
        prices = await exchange.prices()
        known = [
            pair
            for pair in itertools.permutations(exchange.quotes, 2)
            if lender(exchange.title, prices, pair[1]).prices.rate(*pair)
        ]

        assert bool(known) is bool(exchange.quotes)
