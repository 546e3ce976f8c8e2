"""Which fills get a message each, which share a table, which a summary: nothing lost, nothing twice."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.floods import Plan, plan, starts_anew
from chatbot.domain.orders import OrderId, order_of

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def fill(number: int, order: str = "", ago: timedelta = SECOND) -> Fill:
    """Make a fill of some time ago."""
    one = Decimal(1)
    return Fill(
        str(number), order, "spot", "m", "BTC", "MXN", Side.BUY, one, one, one, one, "MXN", Liquidity.MAKER,
        NOW - ago,
    )  # fmt: skip


def made(new: Sequence[Fill], near: Sequence[Fill] = (), **more: object) -> Plan:
    """Plan with what matters to a test."""
    facts: dict[str, object] = {"now": NOW, "looked": NOW - 30 * SECOND, "is_small": lambda _: False}
    return plan(new, near, **facts | more)  # type: ignore[arg-type]


FILLS = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from(["", "a", "b", "c"]), st.integers(0, 3000)),
    max_size=40, unique_by=lambda row: row[0],
)  # fmt: skip


@given(FILLS, FILLS, st.integers(0, 3000), st.sets(st.sampled_from(["a", "b"])), st.booleans())
def test_each_new_fill_is_told_in_one_way(
    new: list[tuple[int, str, int]], near: list[tuple[int, str, int]], ago: int, dust: set[str], summing: bool
) -> None:
    """Whatever came when: in its order's message, in the table, in the summary, or counted later; never in two."""
    fills = [fill(n, order, timedelta(seconds=at)) for n, order, at in new]
    told = made(
        fills, [fill(100 + n, order, timedelta(seconds=at)) for n, order, at in near],
        looked=NOW - timedelta(seconds=ago), is_small=lambda order: order.order in dust, summing=summing,
    )  # fmt: skip
    shared = [*told.burst, *told.summary, *told.small]
    carded = [one for one in fills if one not in shared and order_of(one) in told.orders]
    assert sorted([*shared, *carded], key=lambda one: one.id) == sorted(fills, key=lambda one: one.id)
    assert len(set(told.orders)) == len(told.orders) <= 10


def test_ten_orders_are_messages_and_the_eleventh_makes_a_table() -> None:
    """More than ten within a minute."""
    ten = [fill(n) for n in range(10)]
    assert len(made(ten).orders) == 10
    assert made([*ten, fill(10)]).burst == (*sorted([*ten, fill(10)], key=lambda one: one.id),)


def test_one_order_is_one_message_however_many_fills_it_has() -> None:
    """A table beside its own message would say the same thing twice."""
    assert made([fill(n, "whale") for n in range(500)]).orders == (order_of(fill(0, "whale")),)
    assert len(made([*(fill(n, "whale") for n in range(500)), fill(501, "minnow")]).burst) == 501


@pytest.mark.parametrize(("seconds", "burst"), [(59, True), (61, False)])
def test_what_was_told_within_the_minute_counts(seconds: int, burst: bool) -> None:
    """Ten just told and another now are eleven in a minute; ten of a while ago are not."""
    near = [fill(n, ago=timedelta(seconds=seconds)) for n in range(10)]
    assert bool(made([fill(11, ago=timedelta())], near).burst) is burst


def test_a_burst_of_before_does_not_take_in_what_comes_later() -> None:
    """Only a minute that one of the new fills lies in counts."""
    near = [fill(n, ago=5 * MINUTE) for n in range(30)]
    assert made([fill(99)], near).orders == (order_of(fill(99)),)


@pytest.mark.parametrize(("orders", "gap", "summed"), [(5, 11, False), (6, 9, False), (6, 11, True)])
def test_more_than_five_orders_after_a_gap_are_summed_up(orders: int, gap: int, summed: bool) -> None:
    """Ten minutes without a look, and not just a few orders."""
    new = [fill(n, ago=n * MINUTE) for n in range(orders)]
    assert bool(made(new, looked=NOW - gap * MINUTE).summary) is summed


def test_late_fills_are_summed_up_and_those_of_now_are_not() -> None:
    """What the exchange showed an hour late stands apart from what happens now."""
    late = [fill(n, ago=timedelta(hours=1)) for n in range(6)]
    told = made([*late, fill(9)])
    assert (len(told.summary), told.orders) == (6, (order_of(fill(9)),))


def test_a_summary_that_is_under_way_takes_in_the_next_page() -> None:
    """An outage is read in several polls: what is left of it, however little, belongs to the same summary."""
    late = [fill(1, ago=timedelta(hours=1))]
    assert made(late, summing=True).summary == tuple(late)
    assert made(late).orders == (order_of(late[0]),)


def test_the_first_look_is_no_gap() -> None:
    """An account that was just connected was not looked at before."""
    assert len(made([fill(n) for n in range(8)], looked=None).orders) == 8


def test_small_orders_wait() -> None:
    """They are for the next message to count; in a table they are rows like any other."""
    dust = order_of(fill(1, "dust"))

    def is_small(order: OrderId) -> bool:
        return order == dust

    told = made([fill(1, "dust"), fill(2, "whale")], is_small=is_small)
    assert (told.small, told.orders) == ((fill(1, "dust"),), (order_of(fill(2, "whale")),))
    assert len(made([fill(1, "dust"), *(fill(n) for n in range(2, 13))], is_small=is_small).burst) == 12


@pytest.mark.parametrize(
    ("minutes", "anew"),
    [
        ([], False),
        ([0], False),
        ([10], False),
        ([11], True),
        ([65, 56, 47, 38, 29, 20, 11, 6], True),
        ([70, 59, 50, 41, 32, 23, 14, 5], False),
        ([200, 120, 5], False),
    ],
)
def test_an_order_is_told_below_when_its_message_is_far_up(minutes: list[int], anew: bool) -> None:
    """After ten quiet minutes, and when its message is older than an hour; what was told below counts anew."""
    assert starts_anew([NOW - at * MINUTE for at in minutes], NOW) is anew
