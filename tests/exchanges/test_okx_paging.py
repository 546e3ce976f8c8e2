"""How OKX's transaction details are walked: complete and in order both ways, however much came and when."""

from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import build
from chatbot.exchanges.okx import paging
from chatbot.exchanges.okx.fills import KINDS, Row
from chatbot.exchanges.okx.paging import PAGE, Past, Place
from chatbot.ports.exchanges import OVERLAP
from chatbot.practice.okx import PracticeOKX
from tests.support.clock import VirtualClock
from tests.support.okx import client, good, refused, row
from tests.support.practice import practice

HISTORY = ("GET", "/api/v5/trade/fills-history")
LATEST = ("GET", "/api/v5/trade/fills")
SWAP = {"instType": "SWAP", "instId": "BTC-USDT-SWAP"}


@asynccontextmanager
async def account():
    """A practice OKX and a client that share a clock which the test turns."""
    clock = VirtualClock()
    async with practice("okx") as running:
        assert isinstance(running.state, PracticeOKX)
        running.state.clock = clock.now
        exchange = build({"okx": running.origin}, clock)["okx"]
        try:
            yield running.state, exchange.client(running.credentials(), 0), clock
        finally:
            await exchange.close()


async def read_all(page_of, cursor):
    found = []
    for _ in range(300):
        page = await page_of(cursor)
        found += [fill.id for fill in page.fills]
        cursor = page.cursor
        if not page.more:
            return found, cursor
    raise AssertionError("the walk does not end")


def once(ids):
    return list(dict.fromkeys(ids))


def mixed(state, count, apart=timedelta(hours=1)):
    """Fill spot orders and contracts in turn, over the time before now."""
    start = state.clock() - apart * (count + 1)
    for number in range(count):
        at = start + apart * number
        if number % 3:
            state.trade("buy" if number % 2 else "sell", "btc_usdt", "0.0001", at=at)
        else:
            state.trade_swap("buy", contracts="1", at=at)


async def test_history_is_newest_first_across_all_kinds():
    """Spot fills and contracts come in one falling order, each once, over many pages."""
    async with account() as (state, reader, _):
        mixed(state, 700)
        head = (await reader.prove()).head

        found, _ = await read_all(reader.fills_before, head.before)

        assert found == state.fill_ids()[::-1]


async def test_a_kind_that_has_no_more_is_not_asked_again():
    """After the first page only kinds with older fills are asked for."""
    async with account() as (state, reader, _):
        state.seed(250)
        head = (await reader.prove()).head
        before = len(state.requests)

        await read_all(reader.fills_before, head.before)

        assert state.requests[before:] == [HISTORY] * (len(KINDS) + 2)


@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize("count", [0, 99, 100, 101, 470])
async def test_what_is_too_deep_for_one_walk_is_cut_by_time(monkeypatch, most, count):
    """However few pages a walk may have, the fills since the last reading come complete and in order."""
    monkeypatch.setattr(paging, "MOST_PAGES", most)
    async with account() as (state, reader, clock):
        state.seed(3)
        head = (await reader.prove()).head
        proven = len(state.requests)
        clock.advance(hours=30)
        mixed(state, count, timedelta(minutes=3))

        found, cursor = await read_all(reader.fills_after, head.after)
        again, _ = await read_all(reader.fills_after, cursor)

        assert once(found) == state.fill_ids()[3:]
        assert len(once(again)) <= OVERLAP
        assert HISTORY not in state.requests[proven:]


async def test_a_burst_in_one_millisecond_is_read_whole(monkeypatch):
    """Time can't part it, so the walk goes on until it is through."""
    monkeypatch.setattr(paging, "MOST_PAGES", 1)
    async with account() as (state, reader, clock):
        head = (await reader.prove()).head
        at = clock.now() + timedelta(seconds=1)
        for _ in range(330):
            state.trade("buy", "btc_usdt", "0.0001", at=at)
        clock.advance(seconds=30)

        found, _ = await read_all(reader.fills_after, head.after)

        assert once(found) == state.fill_ids()


async def test_after_days_of_silence_nothing_is_missing():
    """The list of the last days forgets; what fell out of it is read from the history, of every kind."""
    async with account() as (state, reader, clock):
        state.seed(30)
        cursor = (await reader.prove()).head.after
        mixed(state, 0)
        for _ in range(6):
            clock.advance(days=1)
            state.trade("sell", "btc_usdt", "0.0001")
            state.trade_swap("sell")
        before = len(state.requests)

        found, cursor = await read_all(reader.fills_after, cursor)
        state.trade("buy")
        later, _ = await read_all(reader.fills_after, cursor)

        assert once(found) == state.fill_ids()[30:42]
        assert state.requests[before : before + len(KINDS)] == [HISTORY] * len(KINDS)
        assert state.requests[-1] == LATEST
        assert later[-1] == state.fill_ids()[-1]


async def test_an_account_that_rested_for_days_tells_no_history():
    """No fill in the last days is not the same as no fill: the newest of all is where history begins."""
    async with account() as (state, reader, clock):
        state.seed(5)
        clock.advance(days=20)
        head = (await reader.prove()).head
        assert await read_all(reader.fills_after, head.after) == ([], head.after)
        clock.advance(days=9)
        state.trade("buy")

        found, _ = await read_all(reader.fills_after, head.after)
        history, _ = await read_all(reader.fills_before, head.before)

        assert found == state.fill_ids()[5:]
        assert history == state.fill_ids()[4::-1]


async def test_an_account_without_any_fill_begins_with_its_first():
    """Nothing to go back for, and the first fill is told, even when the bot was away for a week."""
    async with account() as (state, reader, clock):
        head = (await reader.prove()).head
        asked = len(state.requests)
        assert await read_all(reader.fills_before, head.before) == ([], head.before)
        assert len(state.requests) == asked
        state.trade("buy")
        clock.advance(days=7)

        found, _ = await read_all(reader.fills_after, head.after)

        assert found == state.fill_ids()


async def test_a_fill_that_shows_up_late_is_found():
    """One with a lower id, seen only after higher ones: within the overlap it is told all the same."""
    async with account() as (state, reader, _):
        state.seed(40)
        cursor = (await reader.prove()).head.after
        for _ in range(OVERLAP):
            state.trade("buy", "btc_usdt", "0.0001")
        hidden = state.trades.pop(45)
        found, cursor = await read_all(reader.fills_after, cursor)
        assert hidden["billId"] not in found
        state.trades.insert(45, hidden)

        late, _ = await read_all(reader.fills_after, cursor)

        assert hidden["billId"] in late


async def test_never_below_the_first_cursor():
    """The overlap of the poll ends where history begins."""
    async with account() as (state, reader, _):
        state.seed(60)
        cursor = (await reader.prove()).head.after
        state.trade("buy")
        for _ in range(3):
            found, cursor = await read_all(reader.fills_after, cursor)
            assert found == state.fill_ids()[60:]


async def test_the_limit_of_the_history_is_waited_for():
    """Ten in two seconds and no more: the walk pauses as often as OKX says so, and goes on."""
    async with account() as (state, reader, clock):
        state.seed(900)
        state.limit = 5
        began = clock.now()

        found, _ = await read_all(reader.fills_after, "")

        assert once(found) == state.fill_ids()
        assert clock.now() - began >= timedelta(seconds=4)


async def test_a_limit_that_does_not_end_is_a_limit():
    """After a few pauses the refusal rises, and the poll is put off."""
    reader, http = client(*[refused("50011", 429)] * 9)

    with pytest.raises(ExchangeError) as raised:
        await reader.fills_before("9~SPOT")

    assert (raised.value.trouble, len(http.asked)) == (Trouble.RATE_LIMIT, 4)


async def test_a_company_without_options_still_shows_its_spot_fills():
    """A kind that is not offered is passed over; spot is not, and a missing right never."""
    other = [refused("51000", 400)] * 2 + [refused("50051")] * 2
    reader, _ = client(good(row(7)), *other)
    page = await reader.fills_before("9")
    assert ([fill.id for fill in page.fills], page.more) == (["7"], False)

    for code, trouble in (("51000", Trouble.UNKNOWN), ("50120", Trouble.NO_PERMISSION)):
        reader, _ = client(refused(code))
        with pytest.raises(ExchangeError) as raised:
            await reader.fills_before("9")
        assert raised.value.trouble is trouble
    reader, _ = client(good(), refused("50120"))
    with pytest.raises(ExchangeError) as raised:
        await reader.fills_before("9")
    assert raised.value.subject == "fills"


async def test_an_exchange_that_repeats_itself_does_not_keep_us_asking():
    """The same full page for ever is an outage, in both directions."""
    same = good(*[row(number) for number in range(1000, 1000 + PAGE)])
    for walk, cursor in (("fills_after", "1@1767225600000"), ("fills_before", "1000~SPOT")):
        reader, http = client(*[same] * 5)
        with pytest.raises(ExchangeError) as raised:
            await getattr(reader, walk)(cursor)
        assert raised.value.trouble is Trouble.UNREACHABLE
        assert len(http.asked) <= 2


async def test_fills_refused_is_a_missing_permission():
    """A right taken away is told by its name, at the first refusal."""
    reader, http = client(refused("50120", 401))

    with pytest.raises(ExchangeError) as raised:
        await reader.fills_after("1@1767225600000")

    assert (raised.value.trouble, raised.value.subject) == (Trouble.NO_PERMISSION, "fills")
    assert len(http.asked) == 1


@given(st.sets(st.tuples(st.integers(1, 3000), st.sampled_from(KINDS)), max_size=900), st.integers(0, 3000))
def test_whatever_the_mixture_history_is_complete_and_falling(bills, above):
    """For any bills of any kinds the merged walk meets each below the start once, and ends."""
    numbers = dict(bills)
    lists = {kind: sorted((n for n, k in numbers.items() if k == kind), reverse=True) for kind in KINDS}
    past, seen = Past(above), []
    for _ in range(100):
        pages = {
            kind: [Row(kind, "X-Y", n, n, number=n) for n in lists[kind] if not past.above or n < past.above][
                :PAGE
            ]
            for kind in past.kinds
        }
        rows, past = paging.older(pages, Past.read(str(past)))
        seen += [found.number for found in rows]
        if not past.kinds:
            break

    assert seen == sorted((n for n in numbers if not above or n < above), reverse=True)


@given(st.integers(0, 10**18), st.integers(0, 10**13))
def test_a_cursor_is_read_as_it_was_written(floor, at):
    """What is stored says the same after a restart."""
    assert Place.read(str(Place(floor, at))) == Place(floor, at)
    assert Past.read(str(Past(floor, ("SPOT", "SWAP")))) == Past(floor, ("SPOT", "SWAP"))
    assert (Place.read(""), Past.read(""), Past.read("7")) == (Place(), Past(), Past(7))
