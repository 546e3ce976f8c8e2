"""The walk over fills by time: nothing lost and nothing told twice, whatever an exchange cuts off."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.exchanges.other import walk
from chatbot.exchanges.other.rows import EPOCH, milliseconds

NOW = 1_790_000_000_000


def fill(at: int, number: int) -> Fill:
    one = Decimal(1)
    return Fill(
        id=str(number), order="o", product="spot", market="BTC/USDT", base="BTC", quote="USDT", side=Side.BUY,
        quantity=one, price=one, cost=one, fee=Decimal(0), fee_asset="USDT", liquidity=Liquidity.TAKER,
        at=EPOCH + timedelta(milliseconds=at),
    )  # fmt: skip


def answer(every: list[Fill], asked: walk.Window, page: int, *, newest: bool) -> walk.Rows:
    """Answer as an exchange that gives one page of a window, from its newest or its oldest end."""
    inside = [f for f in every if asked.since <= milliseconds(f.at) <= asked.until]
    kept = (inside[-page:] if newest else inside[:page]) if page else inside
    return walk.Rows(tuple(kept), len(kept))


def made(offsets: list[int]) -> list[Fill]:
    return sorted((fill(at, number) for number, at in enumerate(offsets)), key=lambda f: (f.at, f.id))


@settings(max_examples=150)
@given(st.lists(st.integers(-20 * walk.DAY, -1), max_size=60), st.booleans())
def test_the_way_forwards_finds_every_fill_once(offsets, newest):
    """However few rows a page holds and from whichever end the exchange fills it."""
    every = made([NOW + at // walk.HOUR * walk.HOUR for at in offsets])
    rules = walk.Rules(window=7 * walk.DAY, page=70)
    mark, more = walk.Mark(NOW - 20 * walk.DAY), True
    found: list[str] = []
    for _ in range(400):
        asked = walk.window_after(mark, rules, NOW)
        fresh, mark, more = walk.step(mark, asked, answer(every, asked, 70, newest=newest), rules, NOW)
        found += [f.id for f in fresh]
        if not more:
            break

    assert not more
    assert sorted(set(found)) == sorted(f.id for f in every)


@settings(max_examples=150)
@given(st.lists(st.integers(-20 * walk.DAY, -1), max_size=60, unique=True), st.booleans())
def test_the_way_back_finds_every_fill_once_newest_first(offsets, newest):
    """Overfull windows are halved until they fit, and widen again afterwards."""
    every = made([NOW + at // (5 * walk.MINUTE) * 5 * walk.MINUTE for at in offsets])
    every = list({f.at: f for f in every}.values())
    rules = walk.Rules(window=7 * walk.DAY, page=7, days=20)
    way = walk.read_behind(walk.begin(NOW, rules, ("BTC/USDT",))[1], NOW, rules, ())
    found: list[Fill] = []
    more = True
    for _ in range(3000):
        asked = walk.window_before(way, rules)
        fills, way, more = walk.step_back(way, asked, [answer(every, asked, 7, newest=newest)], rules)
        found += fills
        if not more:
            break

    assert not more
    assert {f.id for f in found} == {f.id for f in every}
    assert [f.at for f in found] == sorted((f.at for f in found), reverse=True)


def test_a_fill_that_shows_up_late_is_still_found():
    """What the exchange lists two minutes late has not been walked past, and is told once."""
    rules = walk.Rules()
    first = fill(NOW - 1000, 2)
    mark = walk.Mark(NOW - walk.HOUR)
    fresh, mark, _ = walk.step(mark, walk.Window(mark.at, NOW), walk.Rows((first,), 1), rules, NOW)
    late = fill(NOW - 90 * walk.SECOND, 1)
    again, mark, _ = walk.step(
        mark, walk.Window(mark.at, NOW + 1), walk.Rows((late, first), 2), rules, NOW + 1
    )

    assert [f.id for f in fresh] == ["2"]
    assert [f.id for f in again] == ["1"]


def test_cursors_survive_being_stored():
    """A cursor is a text; read again it means the same."""
    ahead = walk.Ahead(NOW, {"BTC/USDT": walk.Mark(NOW, ("a", "b"), 5)})
    behind = walk.Behind(NOW, NOW - 5, 3, ("BTC/USDT",))

    assert walk.read_ahead(str(ahead), NOW) == ahead
    assert walk.read_behind(str(behind), NOW, walk.Rules(), ()) == behind
    assert walk.read_ahead("", NOW).start == NOW - walk.LONGEST_HISTORY * walk.DAY


def test_no_more_markets_are_watched_than_can_be_read():
    """The list is bounded, markets with recent fills stay on it, and each reading takes the oldest."""
    marks = {f"A{number}/USDT": walk.Mark(NOW + number) for number in range(walk.MOST_MARKETS)}
    way = walk.Ahead(NOW, {**marks, "Z/USDT": walk.Mark(NOW + 99, ("x",))}).watching(["B/USDT"], NOW)

    assert len(way.marks) == walk.MOST_MARKETS
    assert "Z/USDT" in way.marks
    assert way.next() == tuple(f"A{number}/USDT" for number in range(walk.AT_ONCE))


def test_markets_come_from_what_is_held_and_listed():
    """Pairs of what is held with the usual quotes, only those that trade; futures never."""
    listed: dict[str, dict[str, Any]] = {
        "BTC/USDT": {"active": True},
        "BTC/EUR": {"active": None},
        "ETH/BTC": {},
        "BTC/USD": {"active": False},
        "BTC/USDT:USDT": {},
    }

    assert walk.markets_of(["BTC"], listed) == ("BTC/USDT", "BTC/EUR")
    assert walk.markets_of(["ETH", "BTC"], listed) == ("BTC/USDT", "BTC/EUR", "ETH/BTC")
    assert walk.probe({"X/Y:Z": {}, "B/C": {}, "A/C": {}}) == "A/C"


def test_an_exchange_that_changes_its_mind_is_followed():
    """Where all at once turns out not to be possible, the mark for all gives way to one for each market."""
    way = walk.Ahead(NOW, {walk.ALL: walk.Mark(NOW)})

    assert set(way.watching(["BTC/USDT"], NOW).marks) == {"BTC/USDT"}
    assert set(way.watching([], NOW).marks) == {walk.ALL}
    assert set(way.watching(["BTC/USDT"], NOW).watching([walk.ALL], NOW).marks) == {walk.ALL}


def test_a_page_that_ccxt_shortened_is_not_the_end():
    """Where the exchange sends more rows than asked for, ccxt keeps the oldest: the rest is asked for again."""
    rules = walk.Rules(page=3)
    every = made([NOW - 50 + number for number in range(9)])
    mark, found, more = walk.Mark(NOW - walk.HOUR), [], True
    while more:
        inside = [f for f in every if milliseconds(f.at) >= mark.at]
        rows = walk.Rows(tuple(inside[:3]), len(inside))
        fresh, mark, more = walk.step(mark, walk.Window(mark.at, NOW), rows, rules, NOW)
        found += [f.id for f in fresh]

    assert set(found) == {f.id for f in every}


def test_rows_of_other_products_hide_no_fill_behind_a_full_page():
    """A full page of futures with one spot fill on it, or none, is still a full page."""
    rules, mark = walk.Rules(page=10), walk.Mark(NOW - walk.HOUR)
    asked = walk.Window(mark.at, NOW)
    for fills in ((fill(NOW - 900, 1),), ()):
        rows = walk.Rows(fills, 10, others=10 - len(fills), last=NOW - 500)

        _, after, more = walk.step(mark, asked, rows, rules, NOW)

        assert (more, after.at) == (True, NOW - 500)
    _, way, onward = walk.step_back(walk.Behind(NOW, mark.at, walk.DAY, (walk.ALL,)), asked, [rows], rules)
    assert (onward, way.end) == (True, NOW - 500)


def test_a_market_that_comes_to_the_list_is_read_from_the_last_look():
    """What was bought while we were away for a week is found, however long ago; never before the beginning."""
    week = 7 * walk.DAY
    way = walk.Ahead(NOW - 9 * week, {}, NOW - week)

    assert way.watching(["A/USDT"], NOW).marks["A/USDT"].at == NOW - week - walk.NEWCOMER
    assert walk.Ahead(NOW - 5, {}, NOW - 5).watching(["A/USDT"], NOW).marks["A/USDT"].at == NOW - 5
    assert walk.read_ahead(str(way), NOW) == way


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(-20 * walk.DAY, -1), st.integers(0, 34)), max_size=80),
    st.sampled_from([0, 7 * walk.DAY]),
)
def test_many_markets_are_walked_back_some_at_a_time(offsets, window):
    """However many markets, one page asks for ten at most, and no fill of any is missed."""
    symbols = tuple(f"A{number}/USDT" for number in range(35))
    every = [
        (symbols[which], fill(NOW + at // walk.HOUR * walk.HOUR + n, n))
        for n, (at, which) in enumerate(offsets)
    ]
    rules = walk.Rules(window=window, page=7, days=20)
    cursor, more, found = walk.begin(NOW, rules, symbols)[1], True, set()
    for _ in range(3000):
        way = walk.read_behind(cursor, NOW, rules, ())
        asked = walk.window_before(way, rules)
        wanted = way.next()
        assert len(wanted) <= walk.AT_ONCE
        parts = [
            answer(sorted((f for s, f in every if s == symbol), key=lambda f: f.at), asked, 7, newest=False)
            for symbol in wanted
        ]
        fills, way, more = walk.step_back(way, asked, parts, rules)
        found |= {f.id for f in fills}
        cursor = str(way)
        if not more:
            break

    assert not more
    assert found == {f.id for _, f in every}
