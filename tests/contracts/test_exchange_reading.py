"""What every exchange promises about balances, fills and prices, against its practice server."""

import pytest

from chatbot.domain.permissions import Outcome, Permission, Policy, Switch, decide
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


@pytest.mark.parametrize("history", [0, 1, 99, 100, 101, 1234])
async def test_paging_is_complete_in_both_directions(name, history):
    """Forwards from the beginning and backwards from the head, every fill comes, in order; some come twice."""
    async with connected(name, history) as (exchange, running):
        client = exchange.client(running.credentials(), 0)
        expected = running.state.fill_ids()
        head = (await client.prove()).head
        assert head is not None

        upwards, _ = await read_all(client.fills_after, "")
        downwards, _ = await read_all(client.fills_before, head.before)

        assert once(upwards) == expected
        assert once(downwards) == expected[::-1]


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

        assert once(told) == later
        assert len(once(stored)) == history
        assert set(ids(stored)).isdisjoint(later)
        again = await client.fills_after(cursor)
        assert ids(again.fills) == later[len(later) - len(again.fills) :]
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


async def test_prices_value_what_is_held(name):
    """Every asset of the account has a price in dollars, straight or through a cross."""
    async with connected(name) as (exchange, running):
        prices = await exchange.prices()
        balances = await exchange.client(running.credentials(), 0).balances()

        assert [b.asset for b in balances if not prices.rate(b.asset, "USD")] == []
