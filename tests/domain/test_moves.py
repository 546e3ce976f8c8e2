"""What no fill explains, reading by reading: nothing real is lost, and nothing a fill explains is told."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.balances import Balance, Gap, Gaps, Move, Snapshot, expect, moves
from chatbot.domain.fills import Fill, Liquidity, Side

AT = datetime(2026, 1, 1, tzinfo=UTC)
# So many ticks of one hundredth: far above what counts as rounding.
ticks = st.integers(-10_000, 10_000)
trades = st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 500)), max_size=4)


def snapshot(**totals: Decimal) -> Snapshot:
    """Make a snapshot."""
    return Snapshot(AT, tuple(Balance(asset, total, total) for asset, total in totals.items()))


def fill(side: Side = Side.BUY, quantity: str = "1", cost: str = "100", fee: str = "0") -> Fill:
    """Make a fill of BTC against USD."""
    return Fill(
        "1", "o", "spot", "btc_usd", "BTC", "USD", side, Decimal(quantity), Decimal(100), Decimal(cost),
        Decimal(fee), "BTC", Liquidity.TAKER, AT,
    )  # fmt: skip


def read(before: Snapshot, after: Snapshot, gaps: Gaps, *fills: Fill, hold: bool = True):
    """Read once, with fills that became known in the same poll."""
    return moves(before, after, expect(gaps, fills), fills, hold=hold)


@given(ticks, ticks)
def test_a_move_is_told_at_the_second_reading_and_once(first: int, was: int) -> None:
    """Held at the first, told whole at the second, silent after that."""
    before, after = snapshot(BTC=Decimal(was) / 100), snapshot(BTC=Decimal(was + first) / 100)
    told, gaps = read(before, after, {})
    assert told == ()
    told, gaps = read(after, after, gaps)
    assert told == ((Move("BTC", Decimal(first) / 100, after.balances[0].total),) if first else ())
    assert gaps == {}


@given(ticks)
def test_where_fills_cannot_be_read_nothing_is_held(change: int) -> None:
    """No fill will ever explain it, so it is told at once."""
    told, gaps = read(snapshot(), snapshot(BTC=Decimal(change)), {}, hold=False)
    assert [move.change for move in told] == ([change] if change else [])
    assert gaps == {}


@given(trades, st.integers(0, 2))
def test_trading_alone_is_never_a_move(made: list[tuple[Side, int]], late: int) -> None:
    """Whether a fill is listed before, with or one reading after the balances it moved."""
    fills = [fill(side, f"{size}", f"{size}00", f"0.00{size}") for side, size in made]
    change = [
        sum((d if side is Side.BUY else -d for side, d in made), 0) - sum(f.fee for f in fills),
        -sum((d if side is Side.BUY else -d for side, d in made), 0) * 100,
    ]
    before = snapshot(BTC=Decimal(5000), USD=Decimal(500_000))
    after = snapshot(BTC=5000 + Decimal(change[0]), USD=500_000 + Decimal(change[1]))
    readings = [(before, before), (before, after), (after, after), (after, after)]
    gaps: Gaps = {}
    for number, (was, now) in enumerate(readings):
        told, gaps = read(was, now, gaps, *(fills if number == late else ()))
        assert told == ()
    assert gaps == {}


@given(trades, st.integers(1, 10_000))
def test_what_left_amid_trading_is_told_once_trading_rests(made: list[tuple[Side, int]], gone: int) -> None:
    """All of it, however large the fills around it were."""
    held, was = 10_000 - Decimal(gone) / 100, snapshot(BTC=Decimal(10_000))
    readings: list[tuple[Decimal, tuple[Fill, ...]]] = [(held, ())]
    for side, size in made:
        held += size if side is Side.BUY else -size
        readings.append((held, (fill(side, f"{size}", "0"),)))
    gaps: Gaps = {}
    sum_told = Decimal(0)
    for total, fills in (*readings, (held, ()), (held, ())):
        told, gaps = read(was, snapshot(BTC=total), gaps, *fills)
        sum_told += sum((move.change for move in told), Decimal(0))
        was = snapshot(BTC=total)
    assert sum_told == -Decimal(gone) / 100
    assert gaps == {}


def test_rounding_is_no_move() -> None:
    """A hundred-millionth of what is held, one of a unit, and as much as the fees are left to the exchange."""
    held = snapshot(IDR=Decimal(10**10))
    assert read(held, snapshot(IDR=10**10 - Decimal(50)), {}, hold=False) == ((), {})
    assert read(snapshot(), snapshot(BTC=Decimal("1e-8")), {}, hold=False) == ((), {})
    bought = fill(quantity="1", cost="0", fee="0.0025")
    told, gaps = read(snapshot(), snapshot(BTC=Decimal("0.99")), {}, bought, hold=False)
    assert [move.change for move in told] == []
    told, gaps = read(snapshot(BTC=Decimal(1)), snapshot(BTC=Decimal("1.999")), {}, bought)
    assert told == ()
    assert read(snapshot(BTC=Decimal("1.999")), snapshot(BTC=Decimal("1.999")), gaps) == ((), {})


def test_what_two_readings_share_is_told_and_the_rest_waits() -> None:
    """More that leaves before the second reading is told with the third."""
    gaps: Gaps = {"BTC": Gap(Decimal(-1), Decimal(-1))}
    told, gaps = read(snapshot(BTC=Decimal(5)), snapshot(BTC=Decimal(3)), gaps)
    assert [move.change for move in told] == [-1]
    told, gaps = read(snapshot(BTC=Decimal(3)), snapshot(BTC=Decimal(3)), gaps)
    assert [move.change for move in told] == [-2]


def test_a_sale_moves_the_other_way() -> None:
    """Quantity and fee leave, the cost comes in."""
    sold = fill(Side.SELL, "1", "100", "0.01")
    gaps = expect({}, [sold])
    assert {asset: gap.open for asset, gap in gaps.items()} == {"BTC": Decimal("1.01"), "USD": Decimal(-100)}
