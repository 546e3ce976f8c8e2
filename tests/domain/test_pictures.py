"""What a picture is made from: values joined, thinned, cut where nothing is known, and marked."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.pictures import Point, joined, marks, pieces, span, thinned

START = datetime(2026, 5, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
amounts = st.decimals(Decimal("-1e15"), Decimal("1e15"), places=8)
series = st.dictionaries(st.integers(0, 60), amounts, max_size=12).map(
    lambda found: [Point(START + HOUR * n, found[n]) for n in sorted(found)]
)


@given(st.lists(series, max_size=4))
def test_several_accounts_together_are_the_sum_of_what_is_known_of_each(accounts: list[list[Point]]) -> None:
    """At each moment the last value of every account, from when all of them are known."""
    known = [points for points in accounts if points]
    expected = []
    for moment in sorted({point.at for points in known for point in points}):
        latest = [[p.value for p in points if p.at <= moment] for points in known]
        if all(latest):
            expected.append(Point(moment, sum((values[-1] for values in latest), Decimal(0))))
    assert list(joined(accounts)) == expected


@given(series, st.integers(4, 20))
def test_thinning_keeps_the_ends_the_lowest_and_the_highest(points: list[Point], most: int) -> None:
    """No peak is lost, the order stays, and there are about as many points as asked for."""
    kept = thinned(points, most)
    assert list(kept) == sorted(set(kept), key=lambda point: point.at)
    assert set(kept) <= set(points)
    assert len(kept) <= most + 4
    if points:
        values = [point.value for point in points]
        assert {points[0], points[-1]} <= set(kept)
        assert {min(values), max(values)} <= {point.value for point in kept}


@given(series)
def test_pieces_lose_nothing_and_are_cut_only_at_long_pauses(points: list[Point]) -> None:
    """Together they are the whole; inside a piece no pause is long, between two it is."""
    parts = pieces(points)
    assert [point for part in parts for point in part] == points
    assert all(parts)
    for former, later in pairwise(parts):
        assert later[0].at - former[-1].at > timedelta(hours=6)


def test_a_night_without_a_reading_among_quarter_hours_is_a_gap() -> None:
    """What was not seen is not drawn as if it was; an hour missed is no gap."""
    quarter = timedelta(minutes=15)
    times = [quarter * n for n in range(20)] + [HOUR * 6 + quarter * n for n in range(20)]
    times += [HOUR * 24 + quarter * n for n in range(20)]
    parts = pieces([Point(START + at, Decimal(1)) for at in times])
    assert [len(part) for part in parts] == [40, 20]


@given(st.lists(amounts, min_size=1, max_size=30))
def test_the_ground_holds_the_whole_curve_and_its_marks(values: list[Decimal]) -> None:
    """From one value to a thousand million millions: inside, with marks evenly apart and at most five."""
    low, high = span([Point(START, value) for value in values])
    assert low <= min(values)
    assert high >= max(values)
    assert low < high
    assert low >= 0 or min(values) < 0
    found = marks(low, high)
    assert 1 <= len(found) <= 5
    assert all(low <= mark <= high for mark in found)
    assert len({b - a for a, b in pairwise(found)}) <= 1


def test_marks_are_round() -> None:
    """Steps people count in, at every size."""
    assert marks(Decimal("97.3"), Decimal("104.1")) == (98, 100, 102, 104)
    assert marks(Decimal(0), Decimal("0.00001")) == tuple(Decimal("0.0000025") * n for n in range(5))
    assert marks(Decimal(41000), Decimal(58000)) == (45000, 50000, 55000)
