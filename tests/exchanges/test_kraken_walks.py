"""What a walk through Kraken's trades history costs, and what it does when the history moves under it."""

import pytest

from chatbot.errors import ExchangeError, Trouble
from chatbot.ports.exchanges import OVERLAP
from tests.support.kraken import answer, at, client, history, reading, refused, rows, walk


async def test_fills_between_two_requests_shift_nothing_away():
    """In the middle of a walk new fills push rows down; the page that does not join is asked for again."""
    reader, http = reading(rows(*range(0, 2600, 10)))
    count = iter(range(10_000))

    def arrives():
        number = next(count)
        http.rows.append((f"NEW{number}", at(1000 + number)))

    http.before_each = [arrives] * 9

    told, _ = await walk(reader.fills_after, "")

    assert set(told) == {name for name, _ in http.rows}


async def test_many_fills_between_two_pages_shift_nothing_away():
    """When more arrive than a page has to spare, the page that no longer joins is asked for again."""
    reader, http = reading(rows(*range(0, 4000, 10)))
    first = await reader.fills_after("")
    http.rows += [(f"NEW{number}", at(1000 + number)) for number in range(37)]

    told, _ = await walk(reader.fills_after, first.cursor)

    assert {*told, *(fill.id for fill in first.fills)} == {name for name, _ in http.rows}


async def test_a_busy_second_is_not_walked_again_with_every_poll():
    """Hundreds of fills in one second are told once; the next poll is one request and the overlap."""
    reader, http = reading([(f"T{number}", at(f"50.{number:04}")) for number in range(250)])
    _, cursor = await walk(reader.fills_after, str(at(49)))
    http.asked.clear()

    page = await reader.fills_after(cursor)

    assert (len(page.fills), page.more, len(http.asked)) == (OVERLAP, False, 1)


async def test_a_crowd_on_the_stroke_of_a_second_ends_no_walk_and_loops_none():
    """Where the bound of a page falls into a crowd of its own, the walk goes on by counting."""
    kept = rows(*range(900, 960), *[995] * 60)
    reader, http = reading(kept, 50)
    head = (await reader._try_fills())[1]
    assert head is not None
    http.rows += rows(*[1000] * 60, first=500)

    downwards, _ = await walk(reader.fills_before, head.before)

    assert set(downwards) == {name for name, _ in kept}
    assert len(http.asked) <= 6


async def test_a_history_in_motion_is_left_for_later():
    """An exchange whose count grows with every request does not keep us asking."""
    reader, http = reading([])
    http.rows = rows(*range(0, 3000, 10))
    http.before_each = [lambda: http.rows.extend(rows(*[5000] * 200, first=len(http.rows)))] * 50

    with pytest.raises(ExchangeError) as raised:
        await walk(reader.fills_after, "")

    assert (raised.value.trouble, raised.value.retry) == (Trouble.UNREACHABLE, True)


async def test_a_page_without_rows_that_should_have_some_is_an_outage():
    """A count that promises rows and a page without any ends no walk as if all were told."""
    for method in ("fills_after", "fills_before"):
        reader, _ = client(answer(history([], count=70)), answer(history([], count=70)))
        with pytest.raises(ExchangeError) as raised:
            await getattr(reader, method)("")
        assert raised.value.trouble is Trouble.UNREACHABLE


async def test_a_poll_without_news_is_one_request():
    """What most polls find, a handful of old fills, costs two points of the key's counter."""
    reader, http = reading(rows(*range(0, 3000, 10)))
    _, cursor = await walk(reader.fills_after, "")
    http.asked.clear()

    page = await reader.fills_after(cursor)

    assert len(http.asked) == 1
    assert (len(page.fills), page.more) == (OVERLAP, False)
    assert int(http.asked[0]["start"]) == int(at(274)) - 1


async def test_walks_ask_once_a_page():
    """After the first look every page of a long walk is one request, in both directions."""
    reader, http = reading(rows(*range(0, 10_000, 10)))

    await walk(reader.fills_after, "")
    upwards = len(http.asked)
    await walk(reader.fills_before, "")

    assert (upwards, len(http.asked) - upwards) == (13, 11)


async def test_history_moves_its_end_instead_of_a_deep_offset():
    """Pages of the past are bounded by time, so no page needs more than a few rows skipped."""
    reader, http = reading(rows(*range(0, 10_000, 10)))

    await walk(reader.fills_before, "")

    assert max(int(form["ofs"]) for form in http.asked) < 100


async def test_a_limit_in_the_middle_of_a_walk_keeps_what_was_read():
    """When the key's counter runs full between two pages, the walk takes a breath and goes on where it was."""
    full = [(f"T{number}", at(number)) for number in range(300)][::-1]
    reader, _ = client(
        answer(history(full[:100], count=300)),
        answer(history(full[210:], count=300)),
        refused("EAPI:Rate limit exceeded"),
        answer(history(full[130:230], count=300)),
    )

    first = await reader.fills_after("")
    held = await reader.fills_after(first.cursor)
    after = await reader.fills_after(held.cursor)

    assert (len(first.fills), len(after.fills)) == (90, 100)
    assert (held.fills, held.cursor, held.more) == ((), first.cursor, True)
    assert reader._clock.slept == [15]


async def test_a_lockout_in_the_middle_of_a_walk_is_not_asked_into():
    """Every call during a lockout begins it anew: the walk says so and is taken up after its quarter of an hour."""
    full = [(f"T{number}", at(number)) for number in range(300)][::-1]
    reader, _ = client(
        answer(history(full[:100], count=300)),
        answer(history(full[210:], count=300)),
        refused("EGeneral:Temporary lockout"),
    )

    first = await reader.fills_after("")
    with pytest.raises(ExchangeError) as raised:
        await reader.fills_after(first.cursor)

    assert (raised.value.trouble, raised.value.wait, reader._clock.slept) == (Trouble.RATE_LIMIT, 900, [])


async def test_a_limit_at_the_first_page_is_told():
    """A counter that is full from the start is a refusal like any other: nothing sleeps, the poll waits."""
    reader, _ = client(refused("EAPI:Rate limit exceeded"))

    with pytest.raises(ExchangeError) as raised:
        await reader.fills_after("")

    assert (raised.value.trouble, raised.value.wait) == (Trouble.RATE_LIMIT, 60)
    assert reader._clock.slept == []
