"""What a contract's fill moves: its fee and what it brought, never the coins it is about."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.balances import Balance, Gap, Snapshot, expect, moves
from chatbot.domain.fills import Fill, Liquidity, Side

AT = datetime(2026, 1, 1, tzinfo=UTC)
amounts = st.integers(-10_000, 10_000).map(lambda cents: Decimal(cents) / 100)


def snapshot(**totals: Decimal) -> Snapshot:
    """Make a snapshot."""
    return Snapshot(AT, tuple(Balance(asset, total, total) for asset, total in totals.items()))


def contract(result: Decimal, fee: Decimal, side: Side = Side.SELL) -> Fill:
    """Make a fill of a contract on ETH that is settled in USDT."""
    return Fill(
        "1", "o", "linear", "ETHUSDT", "ETH", "USDT", side, Decimal(2), Decimal(3000), Decimal(6000),
        fee, "USDT", Liquidity.TAKER, AT, "USDT", result,
    )  # fmt: skip


@given(amounts, amounts, st.sampled_from(Side))
def test_a_contract_moves_what_it_brought_and_its_fee(result: Decimal, fee: Decimal, side: Side) -> None:
    """Nothing of the base, whichever side; a fill on a spot market is as it was."""
    gaps = expect({}, [contract(result, fee, side)])

    assert gaps == {"USDT": Gap(open=fee - result, slack=abs(fee))}


@given(amounts, amounts)
def test_a_closed_position_is_no_unexplained_move(result: Decimal, fee: Decimal) -> None:
    """The balance follows result and fee, and nobody is told that money came from nowhere."""
    fill, before = contract(result, fee), snapshot(USDT=Decimal(5000), ETH=Decimal(1))
    after = snapshot(USDT=5000 + result - fee, ETH=Decimal(1))

    told, gaps = moves(before, after, expect({}, [fill]), [fill], hold=False)
    assert told == ()
    assert moves(after, after, gaps, [], hold=False)[0] == ()


@given(amounts, st.integers(1, 100).map(Decimal))
def test_money_that_left_beside_a_contract_is_told(result: Decimal, gone: Decimal) -> None:
    """What the contract does not explain is told whole once trading rests."""
    fill, before = contract(result, Decimal(0)), snapshot(USDT=Decimal(5000))
    after = snapshot(USDT=5000 + result - gone)

    first, gaps = moves(before, after, expect({}, [fill]), [fill])
    second, gaps = moves(after, after, gaps, [])
    third, _ = moves(after, after, gaps, [])

    assert sum(move.change for move in (*first, *second, *third)) == -gone
