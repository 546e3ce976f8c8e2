"""Walking through Bitstamp's transactions: complete and once, whatever arrives, repeats or lies deep."""

import json
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.exchanges.bitstamp import pages
from chatbot.exchanges.bitstamp.pages import Walk
from chatbot.exchanges.bitstamp.rows import parse_entries
from chatbot.ports.exchanges import Page
from tests.support.bitstamp import client, row, rows


class Account:
    """An account that answers the parameters of a page as documented, with a small page and a small offset."""

    def __init__(self, *kinds):
        self.rows = [row(10 + 3 * number, kind) for number, kind in enumerate(kinds)]

    def entries(self, query):
        asked = {name: value[0] for name, value in parse_qs(query).items()}
        start = int(asked["offset"])
        assert start <= pages.DEEPEST_OFFSET
        found = [r for r in self.rows if r["id"] >= int(asked.get("since_id", 0))]
        ordered = found if asked["sort"] == "asc" else found[::-1]
        return parse_entries(json.dumps(ordered[start : start + int(asked["limit"])]).encode())

    def fills(self):
        return [str(r["id"]) for r in self.rows if r["type"] in {"2", "36"}]

    def upwards(self, cursor=""):
        told = []
        for _ in range(200):
            page = pages.newer(self.entries(pages.upwards(int(cursor or 0) + 1)), cursor)
            told += [f.id for f in page.fills]
            cursor = page.cursor
            if not page.more:
                return told, cursor
        raise AssertionError

    def downwards(self, cursor="", between=lambda: None):
        told = []
        for _ in range(200):
            walk = Walk.read(cursor)
            page = pages.older(self.entries(walk.query), walk)
            told += [f.id for f in page.fills]
            cursor = page.cursor
            if not page.more:
                return told
            between()
        raise AssertionError


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(pages, "ROWS", 4)
    monkeypatch.setattr(pages, "DEEPEST_OFFSET", 12)


KINDS = st.lists(st.sampled_from(["2", "36", "0", "14"]), max_size=50)


@given(KINDS)
def test_both_ways_are_complete_and_once(kinds):
    """Forwards and backwards, past the deepest offset too, each fill is told once; forwards in order."""
    account = Account(*kinds)
    told, cursor = account.upwards()
    downwards = account.downwards()

    assert told == account.fills()
    assert sorted(downwards, key=int) == account.fills()
    assert len(kinds) > 14 or downwards == account.fills()[::-1]
    assert cursor == (str(account.rows[-1]["id"]) if kinds else "")


@given(KINDS, st.lists(st.integers(0, 9), max_size=12))
@settings(max_examples=60)
def test_rows_that_arrive_meanwhile_lose_nothing(kinds, arrivals):
    """Whatever comes in between two pages pushes old rows along: none is lost, none told twice."""
    account = Account(*kinds)
    history = account.fills()
    bound = account.rows[-1]["id"] if kinds else 0
    waiting = list(arrivals)

    def arrive():
        for _ in range(waiting.pop() if waiting else 0):
            account.rows.append(row(account.rows[-1]["id"] + 1, "2"))

    told = account.downwards(str(Walk(bound=bound)), arrive)

    assert sorted(told, key=int) == history


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_both_sides_of_a_self_trade_are_told(doubled):
    """Two rows of one id, bought and sold, come out together wherever a page is cut."""
    account = Account(*["2"] * len(doubled))
    twins = [
        row(r["id"], btc="-0.5", eur="100.00")
        for r, twice in zip(account.rows, doubled, strict=True)
        if twice
    ]
    account.rows = sorted(account.rows + twins, key=lambda r: r["id"])

    told, _ = account.upwards()

    assert sorted(told) == sorted(account.fills())
    assert sorted(account.downwards()) == sorted(account.fills())


def test_history_ends_at_the_bound():
    """What is newer than the head is left to the poll; an empty account has no history."""
    account = Account("2", "2", "2")

    assert account.downwards(str(Walk(bound=13))) == ["13", "10"]
    assert account.downwards(str(Walk(bound=0))) == []


def test_a_cursor_reads_as_it_was_written():
    """Wherever a walk stands, its text brings it back."""
    for walk in (Walk(), Walk(5), Walk(5, 4, 3, 0), Walk(5, 4, 13, 1)):
        assert Walk.read(str(walk)) == walk
    assert Walk.read("") == Walk()


def test_an_empty_answer_keeps_the_cursor():
    """A poll that finds nothing goes on from where it was."""
    page = pages.newer((), "501")

    assert (page.fills, page.cursor, page.more) == ((), "501", False)


def test_the_same_full_page_for_ever_ends_the_walk():
    """An exchange that ignores every parameter does not keep us asking."""
    same = parse_entries(json.dumps([row(number) for number in (1, 2, 3, 4)]).encode())
    cursor, asked = "", 0
    while True:
        page = pages.older(same, Walk.read(cursor))
        cursor, asked = page.cursor, asked + 1
        if not page.more:
            break

    assert asked < 10
    assert pages.newer(same, "4") == Page((), "4", more=False)


async def test_the_client_turns_pages():
    """Through the client the rows come out once and in order, repeats and disorder or not."""
    reader, http = client(rows(row(13), row(11), row(11), row(12)), rows(row(12), row(14), row(11)))

    newer, older = await reader.fills_after("10"), await reader.fills_before(str(Walk(12, 14, 5)))

    assert ([f.id for f in newer.fills], newer.cursor) == (["11", "12"], "12")
    assert newer.more
    assert [f.id for f in older.fills] == ["12", "11"]
    assert [body for *_, body in http.asked] == [
        b"limit=4&sort=asc&since_id=11&offset=0",
        b"limit=4&sort=desc&offset=5",
    ]
