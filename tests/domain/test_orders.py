"""What the fills of an order come to, and what a sale realised, held against exact fractions."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.orders import OrderId, Realised, by_order, fold, in_time, order_of, realised

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
AMOUNTS = st.decimals("0.00000001", "1000000", places=8)
PRICES = st.decimals("0.01", "100000", places=2)
FEES = st.decimals("-0.001", "0.001", places=8)


def fill(
    number: int,
    side: Side = Side.BUY,
    quantity: Decimal | str = "1",
    price: Decimal | str = "100",
    fee: Decimal | str = "0",
    fee_asset: str = "MXN",
    order: str = "o",
    *,
    liquidity: Liquidity = Liquidity.MAKER,
) -> Fill:
    """Make a fill; its number is its second."""
    quantity, price = Decimal(quantity), Decimal(price)
    return Fill(
        str(number), order, "spot", "btc_mxn", "BTC", "MXN", side, quantity, price, quantity * price,
        Decimal(fee), fee_asset, liquidity, AT + timedelta(seconds=number),
    )  # fmt: skip


@st.composite
def fills_of_one(draw: st.DrawFn) -> list[Fill]:
    """Make the fills of one order."""
    rows = st.tuples(
        AMOUNTS, PRICES, FEES, st.sampled_from(["MXN", "BTC", "BNB"]), st.sampled_from(Liquidity)
    )
    return [
        fill(n, Side.SELL, quantity, price, fee, asset, liquidity=kind)
        for n, (quantity, price, fee, asset, kind) in enumerate(draw(st.lists(rows, min_size=1, max_size=12)))
    ]


@given(fills_of_one().flatmap(lambda fills: st.tuples(st.just(fills), st.permutations([*fills, *fills]))))
def test_it_does_not_matter_how_fills_arrive(both: tuple[list[Fill], list[Fill]]) -> None:
    """In any order and more than once each: the message is the same."""
    fills, arrived = both
    assert fold(arrived) == fold(fills)
    assert in_time(arrived) == fills


@given(fills_of_one())
def test_what_an_order_came_to_is_exact(fills: list[Fill]) -> None:
    """Quantity, value and fees lose no digit; the average is right in every place that is shown."""
    order = fold(fills)
    assert order.count == len(fills)
    assert Fraction(order.quantity) == sum(Fraction(f.quantity) for f in fills)
    assert Fraction(order.cost) == sum(Fraction(f.cost) for f in fills)
    worth = sum(Fraction(f.quantity) * Fraction(f.price) for f in fills)
    assert abs(Fraction(order.price) - worth / Fraction(order.quantity)) <= Fraction(1, 20_000)
    for asset, paid in order.fees:
        assert Fraction(paid) == sum(Fraction(f.fee) for f in fills if f.fee_asset == asset)
    assert (order.first, order.last) == (fills[0].at, fills[-1].at)


def test_one_price_is_its_own_average() -> None:
    """No places are added to what every fill agrees on."""
    assert str(fold([fill(1, price="0.10"), fill(2, price="0.10")]).price) == "0.10"


@pytest.mark.parametrize(
    ("kinds", "shown"),
    [
        ((Liquidity.MAKER, Liquidity.MAKER), Liquidity.MAKER),
        ((Liquidity.TAKER, Liquidity.MAKER), Liquidity.UNKNOWN),
        ((Liquidity.TAKER, Liquidity.UNKNOWN), Liquidity.UNKNOWN),
    ],
)
def test_maker_or_taker_only_when_all_are_alike(kinds: Sequence[Liquidity], shown: Liquidity) -> None:
    """A word that is not true of every fill is left out."""
    assert fold([fill(n, liquidity=kind) for n, kind in enumerate(kinds)]).liquidity is shown


def test_a_fee_of_nothing_is_named_only_when_there_is_no_other() -> None:
    """0 MXN beside a real fee would be noise; alone it says that nothing was paid."""
    assert fold([fill(1), fill(2, fee="0.1", fee_asset="BNB")]).fees == (("BNB", Decimal("0.1")),)
    assert fold([fill(1), fill(2)]).fees == (("MXN", Decimal(0)),)


def test_fills_without_an_order_stand_by_themselves() -> None:
    """Two of them are two messages; the sides of one id are two orders, and so are markets that share ids."""
    alone = [fill(1, order=""), fill(2, order="")]
    other_side = fill(3, Side.SELL)
    other_market = replace(fill(4), market="btc_usd")
    assert len(by_order([*alone, fill(5), fill(6), other_side, other_market])) == 5


MOVES = st.lists(
    st.tuples(
        st.sampled_from(Side), AMOUNTS, PRICES, FEES, st.sampled_from(["MXN", "BTC"]), st.sampled_from("abc")
    ),
    min_size=1,
    max_size=15,
)


def oracle(fills: Sequence[Fill], order: OrderId) -> Fraction | None:
    """Say by exact fractions what an order realised, None when more was sold than bought."""
    held, cost, found = Fraction(), Fraction(), None
    for one in fills:
        base_fee = Fraction(one.fee) if one.fee_asset == "BTC" else Fraction()
        quote_fee = Fraction(one.fee) if one.fee_asset == "MXN" else Fraction()
        if one.side is Side.BUY:
            held, cost = held + Fraction(one.quantity) - base_fee, cost + Fraction(one.cost) + quote_fee
            continue
        gone = Fraction(one.quantity) + base_fee
        if gone > held:
            return None
        share = cost * gone / held
        held, cost = held - gone, cost - share
        if order_of(one) == order:
            found = (found or Fraction()) + Fraction(one.cost) - quote_fee - share
    return found


@given(MOVES, st.booleans())
def test_the_result_is_that_of_exact_fractions(
    moves: list[tuple[Side, Decimal, Decimal, Decimal, str, str]], stocked: bool
) -> None:
    """Fees in both assets, rebates, several orders between one another; nothing is said of what is uncovered."""
    first = [fill(0, quantity="100000000", price="3", order="first")] if stocked else []
    fills = first + [
        fill(n, side, quantity, price, fee, asset, order)
        for n, (side, quantity, price, fee, asset, order) in enumerate(moves, 1)
        if side is Side.BUY or quantity + fee > 0
    ]
    for order in {order_of(one) for one in fills}:
        found, truth = realised(fills, order), oracle(fills, order)
        assert (found is None) is (truth is None)
        if found is not None and truth is not None:
            assert abs(Fraction(found.amount) - truth) < Fraction(1, 10**30)
            assert (found.asset, found.apart) == ("MXN", ())


SOLD = order_of(fill(9, Side.SELL, order="s"))


def test_a_sale_is_held_against_the_average_cost() -> None:
    """Bought at 100 and at 200, sold at 180: thirty more than the 150 it had cost."""
    bought = [fill(1, price="100", order="a"), fill(2, price="200", order="b")]
    assert realised([*bought, fill(9, Side.SELL, price="180", order="s")], SOLD) == Realised(
        Decimal(30), "MXN"
    )


def test_nothing_is_said_of_what_came_from_elsewhere() -> None:
    """One deposited coin sold, and what these fills know of the cost is no longer the whole of it."""
    deposited = [fill(1, Side.SELL, order="d"), fill(2, order="a")]
    assert realised([fill(9, Side.SELL, order="s")], SOLD) is None
    assert realised([*deposited, fill(9, Side.SELL, order="s")], SOLD) is None


def test_what_is_bought_later_changes_nothing() -> None:
    """A sale's result is that of its moment; but a sale that nothing covers shows the start was not known."""
    bought, sold = fill(1, order="a"), fill(9, Side.SELL, price="130", order="s")
    assert realised([bought, sold, fill(10, price="999", order="z")], SOLD) == Realised(Decimal(30), "MXN")
    assert realised([bought, sold, fill(10, Side.SELL, order="z")], SOLD) is None


def test_fees_in_a_third_asset_are_named_and_not_counted() -> None:
    """BNB can't be taken from MXN without a price, so the person is told that it is not in the result."""
    fills = [fill(1, fee="0.01", fee_asset="BNB"), fill(9, Side.SELL, price="130", order="s")]
    assert realised(fills, SOLD) == Realised(Decimal(30), "MXN", ("BNB",))


def test_a_purchase_realises_nothing() -> None:
    """Only a sale has a result, and a contract's is the exchange's own."""
    assert realised([fill(1)], order_of(fill(1))) is None
    contract = replace(fill(9, Side.SELL, order="s"), settle="USDT", result=Decimal(5))
    assert realised([fill(1, order="a"), contract], SOLD) is None
    assert fold([contract, replace(contract, id="10")]).result == Decimal(10)
