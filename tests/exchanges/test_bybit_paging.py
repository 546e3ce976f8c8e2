"""How Bybit's executions are walked: weeks, milliseconds, late rows, categories, and what contracts brought."""

from datetime import timedelta

import pytest

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges.bybit import history, paging
from chatbot.exchanges.bybit.trades import CATEGORIES
from tests.support.bybit import NOW_MS, Books, ago, forwards, reader_of


async def backwards(reader, cursor):
    told = []
    for _ in range(200):
        page = await reader.fills_before(cursor)
        told += [fill.id for fill in page.fills]
        cursor = page.cursor
        if not page.more:
            return told
    raise AssertionError("no end")


async def head(books):
    """Return where a first contact with these books begins and where its history ends."""
    books_reader = reader_of(books)
    return (await books_reader._try_fills())[1]


async def test_empty_weeks_do_not_end_the_walk():
    """One fill of this week and one of nearly two years ago are both found, both ways."""
    books = Books()
    books.add(ago(hours=1), "new")
    books.add(ago(days=729), "old", "inverse")
    books.add(ago(days=731), "too-old")

    told, _ = await forwards(reader_of(books), "")
    stored = await backwards(reader_of(books), (await head(books)).before)

    assert told == ["old", "new"]
    assert stored == ["new", "old"]


async def test_no_query_asks_for_more_than_bybit_answers():
    """Seven days at most, nothing before two years ago, a hundred rows; all four categories in turn."""
    books = Books()

    await backwards(reader_of(books), str(NOW_MS))
    await forwards(reader_of(books), "")

    starts = [int(form["startTime"]) for form in books.asked]
    assert min(starts) >= ago(days=730)
    assert {form["limit"] for form in books.asked} == {"100"}
    assert [form["category"] for form in books.asked[:5]] == [*CATEGORIES, "spot"]
    # The fake refuses wider windows; half of the requests are enough for either direction.
    assert len(books.asked) <= 2 * 4 * 106


@pytest.mark.parametrize("edge", [-2, -1, 0, 1, 2])
async def test_a_fill_on_the_edge_of_a_week_comes_once(edge):
    """Whichever end of an interval an exchange includes, nothing falls between two and nothing is told twice."""
    books = Books()
    begin = ago(days=20)
    books.add(begin + paging.SPAN_MS + edge, "edge")
    books.add(NOW_MS - paging.SPAN_MS + edge, "other")

    told, _ = await forwards(reader_of(books), f"{begin}.slio.0")
    stored = await backwards(reader_of(books), str(NOW_MS))

    assert told == ["edge", "other"]
    assert stored == ["other", "edge"]


async def test_fills_of_one_millisecond_are_all_told_in_one_order():
    """The order within a millisecond is nobody's promise: ours is by id, the same both ways."""
    books = Books()
    for number in range(250):
        books.add(ago(minutes=30), f"{number:04}")
    names = [f"{number:04}" for number in range(250)]

    told, _ = await forwards(reader_of(books), f"{ago(days=1)}.slio.0")

    assert told == names
    assert await backwards(reader_of(books), str(NOW_MS)) == names[::-1]


async def test_one_order_seen_by_halves_is_told_whole():
    """Of a hundred fills in one millisecond forty are visible at the first reading: the others follow, each once."""
    books = Books()
    names = [f"{number * 7919 % 100:03}" for number in range(100)]
    for name in names[:40]:
        books.add(NOW_MS - 500, name)
    first, cursor = await forwards(reader_of(books), f"{ago(days=1)}.slio.0")
    for name in names[40:]:
        books.add(NOW_MS - 500, name)

    second, cursor = await forwards(reader_of(books), cursor)

    assert sorted(first) == sorted(names[:40])
    assert sorted(second) == sorted(names[40:])
    assert await forwards(reader_of(books), cursor) == ([], cursor)


@pytest.mark.parametrize("late_minutes", [0, 1, 9])
async def test_a_fill_that_shows_up_late_is_told(late_minutes):
    """A fill may become visible minutes after newer ones; it is told once, and so are they."""
    books = Books()
    books.add(NOW_MS, "newer")
    first, cursor = await forwards(reader_of(books), f"{ago(days=1)}.slio.0")
    books.add(ago(minutes=late_minutes) - 5, "late", "option")
    books.now += 20_000

    second, cursor = await forwards(reader_of(books), cursor)

    assert (first, second) == (["newer"], ["late"])
    books.now += 3_600_000
    assert (await forwards(reader_of(books), cursor))[0] == []


async def test_the_cursor_stays_small_when_nothing_happens():
    """After an hour's rest it names no fill; the time moves on with Bybit's own clock."""
    books = Books()
    for number in range(30):
        books.add(ago(seconds=number), f"{number}")
    _, cursor = await forwards(reader_of(books), f"{ago(days=1)}.slio.0")
    assert len(cursor) < 400
    books.now += 3_600_000

    _, cursor = await forwards(reader_of(books), cursor)

    assert cursor.startswith(f"{NOW_MS + 3_000_000}.slio.")
    assert "~" not in cursor


async def test_more_fills_than_a_cursor_holds_are_still_told_once():
    """Of very many fills within ten minutes the oldest count as settled, so that the cursor stays a cursor."""
    books = Books()
    for number in range(1200):
        books.add(ago(minutes=5) + number, f"{number:05}")

    told, cursor = await forwards(reader_of(books), f"{ago(days=1)}.slio.0")
    again, _ = await forwards(reader_of(books), cursor)

    assert told == [f"{number:05}" for number in range(1200)]
    assert again == []
    assert len(cursor) < 10_000


async def test_a_busy_week_is_read_in_parts(monkeypatch):
    """A week of more fills than one reading takes is halved until each part is read whole, in order both ways."""
    monkeypatch.setattr(history, "PAGES", 2)
    books = Books()
    for number in range(700):
        books.add(ago(days=6) + number * 300_000, f"{number:05}")
    names = [f"{number:05}" for number in range(700)]

    told, _ = await forwards(reader_of(books), f"{ago(days=6, hours=12)}.slio.0")

    assert told == names
    assert await backwards(reader_of(books), str(NOW_MS)) == names[::-1]


async def test_a_burst_that_no_reading_takes_whole_is_told_in_parts(monkeypatch):
    """Even of more fills within minutes than all pages of a reading hold, each comes once and reading goes on."""
    monkeypatch.setattr(history, "PAGES", 1)
    monkeypatch.setattr(history, "MOST_PAGES", 3)
    books = Books()
    for number in range(700):
        books.add(ago(minutes=3) + number * 200, f"{number:05}")

    told, _ = await forwards(reader_of(books), f"{ago(days=1)}.slio.0")

    assert told == [f"{number:05}" for number in range(700)]


async def test_more_than_all_pages_in_one_millisecond_is_an_error(monkeypatch):
    """What can't be cut any more and never ends is unreadable, not an endless reading."""
    monkeypatch.setattr(history, "PAGES", 2)
    monkeypatch.setattr(history, "MOST_PAGES", 2)
    books = Books()
    for number in range(400):
        books.add(ago(minutes=3), f"{number:05}")

    with pytest.raises(ExchangeError) as raised:
        await forwards(reader_of(books), f"{ago(days=1)}.slio.0")

    assert raised.value.trouble is Trouble.UNREACHABLE


async def test_rows_that_come_while_paging_are_not_lost():
    """A fill that arrives between two requests of one reading is told by this reading or the next."""
    books = Books()
    for number in range(150):
        books.add(ago(minutes=3) + number, f"{number:03}")
    books.before_each = [lambda: None, lambda: books.add(NOW_MS - 1, "during")]

    first, cursor = await forwards(reader_of(books), f"{ago(days=1)}.slio.0")
    second, _ = await forwards(reader_of(books), cursor)

    assert sorted(first + second) == [*(f"{number:03}" for number in range(150)), "during"]


async def test_history_ends_where_the_poll_begins():
    """What had happened at the proof is history, what comes later is told; nothing is both."""
    books = Books()
    books.add(NOW_MS, "at-the-proof")
    begin = await head(books)
    books.now += 1000
    books.add(NOW_MS + 1, "after")

    told, _ = await forwards(reader_of(books), begin.after)

    assert told == ["after"]
    assert await backwards(reader_of(books), begin.before) == ["at-the-proof"]


async def test_categories_that_the_key_may_not_see_are_left_alone():
    """Refused at the proof, they cost no request in the polls of that hour; in the next they are tried again."""
    books = Books()
    books.codes = {"inverse": 10005, "option": 10005}
    begin = await head(books)
    books.asked.clear()

    _, cursor = await forwards(reader_of(books), begin.after)
    assert [form["category"] for form in books.asked] == ["spot", "linear"]
    books.now += 3_600_000
    books.codes = {"option": 10005}
    reader = reader_of(books)
    reader._clock.moment += timedelta(hours=1)
    books.asked.clear()
    _, cursor = await forwards(reader, cursor)

    assert [form["category"] for form in books.asked] == list(CATEGORIES)
    assert ".sli." in cursor


async def test_a_key_that_lost_one_area_and_got_another_goes_on():
    """When all that was open is closed, the others are tried before fills are called unreadable."""
    books = Books()
    books.codes = dict.fromkeys(("linear", "inverse", "option"), 10005)
    begin = await head(books)
    books.codes = dict.fromkeys(("spot", "inverse", "option"), 10005)
    books.now += 1000
    books.add(NOW_MS + 500, "contract", "linear", closedSize="0")

    assert (await forwards(reader_of(books), begin.after))[0] == ["contract"]
    books.codes = dict.fromkeys(CATEGORIES, 10005)
    with pytest.raises(ExchangeError) as raised:
        await reader_of(books).fills_after(begin.after)
    assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "fills")


async def test_a_poll_of_a_quiet_account_is_one_request_per_category():
    """Nothing new costs four requests, and none to the log."""
    books = Books()
    begin = await head(books)
    books.asked.clear()
    books.now += 30_000

    await forwards(reader_of(books), begin.after)

    assert [form["category"] for form in books.asked] == list(CATEGORIES)
    assert books.log == 0


async def test_a_product_that_is_closed_to_the_account_hides_no_other():
    """Options unknown in a country, or derivatives that want an agreement first: the rest is read all the same."""
    books = Books()
    books.codes = {"option": 10001, "linear": 10024, "inverse": 10027}
    books.add(ago(days=30), "old")
    begin = await head(books)
    books.now += 1000
    books.add(NOW_MS + 500, "new")

    assert (await forwards(reader_of(books), begin.after))[0] == ["new"]
    assert await backwards(reader_of(books), begin.before) == ["old"]
    books.now += 3_600_000
    reader = reader_of(books)
    reader._clock.moment += timedelta(hours=1)
    assert (await forwards(reader, begin.after))[0] == ["new"]


async def test_a_category_that_answered_is_not_given_up_for_a_failure():
    """What was read before and fails now in an unknown way is an error to be tried again: no fill is skipped."""
    books = Books()
    begin = await head(books)
    books.now += 1000
    books.add(NOW_MS + 500, "new", "linear", closedSize="0")
    books.codes = {"linear": 10001}

    with pytest.raises(ExchangeError) as raised:
        await reader_of(books).fills_after(begin.after)

    assert raised.value.trouble is Trouble.UNKNOWN
    books.codes = {}
    assert (await forwards(reader_of(books), begin.after))[0] == ["new"]
