"""What is not parsed again, and that nothing is lost or kept for it."""

import json
from decimal import Decimal

import pytest

from chatbot.domain.balances import Balance
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._unchanged import KEEP_SECONDS, KNOWN, Known, Mark
from chatbot.exchanges.bitso import wire
from chatbot.ports.exchanges import Page
from tests.support.bitso import answer, client, recorded
from tests.support.practice import connected

HELD = (Balance("BTC", Decimal(1), Decimal(1)), Balance("ETH", Decimal(2), Decimal(2)))
FIRST, SECOND = b"key one", b"key two"


@pytest.fixture(autouse=True)
def nothing_known():
    KNOWN.clear()
    yield
    KNOWN.clear()


class Parser:
    """Counts how often it is asked; what it returns tells which body it was."""

    def __init__(self):
        self.parsed = []

    def __call__(self, body):
        self.parsed.append(body)
        return tuple(Balance(balance.asset + body.decode(), balance.free, balance.total) for balance in HELD)


def read(known, parse, body, key=FIRST, seconds=0.0):
    return known.parser(parse, key, seconds)(body)


def test_the_same_answer_is_parsed_once():
    """As long as an account answers the same, its balances are the ones that were parsed."""
    known, parse = Known(), Parser()

    told = [read(known, parse, b"a") for _ in range(3)]

    assert told == [Parser()(b"a")] * 3
    assert parse.parsed == [b"a"]


def test_only_the_last_answer_of_an_account_is_kept():
    """What an account no longer holds is not kept beside what it holds now."""
    known, parse = Known(), Parser()

    told = [read(known, parse, body) for body in (b"a", b"b", b"a")]

    assert told == [Parser()(body) for body in (b"a", b"b", b"a")]
    assert parse.parsed == [b"a", b"b", b"a"]
    assert len(known) == 1


def test_an_answer_belongs_to_the_account_that_gave_it():
    """The same bytes of another account are parsed for that account."""
    known, parse = Known(), Parser()

    told = [read(known, parse, b"a", key) for key in (FIRST, SECOND, FIRST, SECOND)]

    assert len(set(told)) == 1
    assert parse.parsed == [b"a", b"a"]


def test_an_answer_that_makes_no_sense_forgets_what_was_known():
    """A failure is told each time; it is never covered by what was read before."""
    known, parse = Known(), Parser()
    read(known, parse, b"a")

    for _ in range(2):
        with pytest.raises(ExchangeError):
            read(known, wire.parse_balances, b"{}")

    assert len(known) == 0


def test_what_nobody_asks_for_is_dropped():
    """Balances of an account that is read no more are gone with the next reading of any other, in minutes."""
    known, parse = Known(), Parser()
    read(known, parse, b"a", FIRST, seconds=10.0)
    read(known, parse, b"a", SECOND, seconds=10.0 + KEEP_SECONDS)
    assert len(known) == 2

    read(known, parse, b"a", SECOND, seconds=10.1 + KEEP_SECONDS)

    assert len(known) == 1


def test_room_is_bounded_and_a_newcomer_pushes_nobody_out():
    """However many accounts are read in turn, those that found room stay known, and the rest is parsed."""
    known, parse = Known(most=5), Parser()
    keys = [b"%d" % number for number in range(10)]

    for _ in range(3):
        for key in keys:
            assert read(known, parse, b"a", key) == Parser()(b"a")

    assert len(known) == 2
    assert len(parse.parsed) == 2 + 3 * 8


def test_known_balances_name_no_key():
    """Neither the key nor the answer itself is among what is remembered."""
    known = Known()
    known.parser(lambda _: HELD, b"canary-key", 0.0)(b"canary-answer")

    assert len(known) == 1
    assert "canary" not in repr(vars(known))


def test_the_last_digit_stays():
    """Two numbers are kept as one only where they are written alike."""
    held = (Balance("BTC", Decimal("1.0"), Decimal("1.00")), Balance("ETH", Decimal(2), Decimal(2)))
    known = Known()

    told = [known.parser(lambda _: held, FIRST, 0.0)(b"a") for _ in range(2)]

    assert [str(balance.free) for balance in told[1]] == ["1.0", "2"]
    assert told == [held, held]


def test_a_mark_knows_its_own_answer_only():
    """The page of the answer the mark was made of is empty; any other answer is parsed."""
    first = Mark("7:7:1")
    parse = first.unless_known(wire.parse_fills)
    fills = parse(recorded("user_trades"))
    page = first.on(Page(fills, "7:7:1", more=False))

    again = Mark(page.cursor)

    assert fills
    assert again.cursor == "7:7:1"
    assert again.unless_known(wire.parse_fills)(recorded("user_trades")) == ()
    assert Mark(page.cursor).unless_known(wire.parse_fills)(recorded("user_trades") + b" ") == fills


def test_no_mark_where_more_is_to_be_read():
    """Only a last page is marked: what lies beyond another one has not been read yet."""
    mark = Mark("")
    mark.unless_known(wire.parse_fills)(recorded("user_trades"))

    assert mark.on(Page((), "9", more=True)).cursor == "9"


async def test_fills_are_read_again_until_their_cursor_is_stored():
    """A poll whose transaction failed goes on from the old cursor, and finds the same fills again."""
    async with connected("bitso", history=3) as (exchange, running):
        reader = exchange.client(running.credentials(), 0)
        start = (await reader.fills_after("")).cursor
        running.state.trade("buy")

        lost = await reader.fills_after(start)
        found = await reader.fills_after(start)
        stored = await reader.fills_after(found.cursor)
        running.state.trade("sell")
        newest = await reader.fills_after(stored.cursor)

        ids = running.state.fill_ids()
        assert lost.fills == found.fills
        assert [fill.id for fill in found.fills] == ids[:4]
        assert stored.fills == ()
        assert [fill.id for fill in newest.fills] == ids


async def test_a_marked_cursor_asks_what_an_unmarked_one_asks():
    """The mark is ours: the exchange never sees it."""
    reader, http = client(answer(recorded("user_trades")), answer(recorded("user_trades")))
    page = await reader.fills_after("5:5:1")
    await reader.fills_after(page.cursor)

    assert "#" in page.cursor
    assert not any("#" in query or "%23" in query for _, _, query, _ in http.asked)


@pytest.mark.parametrize("name", ["bitso", "bitstamp", "hitbtc"])
async def test_balances_that_moved_are_told_at_once(name):
    """Known or not, balances are the exchange's last ones."""
    async with connected(name, history=3) as (exchange, running):
        reader = exchange.client(running.credentials(), 0)
        before = await reader.balances()
        same = await reader.balances()
        running.state.trade("buy")
        after = await reader.balances()

        assert before == same
        assert len(KNOWN) == 1
        assert {b.asset: b.total for b in after} == {
            a.upper(): total for a, total in running.state.balances.items() if total
        }


async def test_a_refusal_is_no_answer_to_know_again():
    """A key that was switched off is told, however well its balances are known."""
    body = json.dumps({"success": False, "error": {"code": "0201", "message": "x"}}).encode()
    reader, _ = client(answer(recorded("balance")), answer(body, 401))
    await reader.balances()

    with pytest.raises(ExchangeError) as raised:
        await reader.balances()

    assert raised.value.trouble is Trouble.BAD_KEY
