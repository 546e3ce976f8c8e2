"""What Bybit's contracts brought: asked of the transaction log, waited for a moment, never guessed."""

from decimal import Decimal

import pytest

from chatbot.errors import ExchangeError, Trouble
from tests.support.bybit import NOW_MS, Books, ago, forwards, reader_of


async def test_what_a_contract_brought_comes_from_the_log():
    """The fill that closes a position tells its result; the log is asked once, not again for what was told."""
    books = Books()
    books.add(NOW_MS - 10_000, "close", "linear", closedSize="1")
    books.results = {"close": "12.5", "else": "7"}

    page = await reader_of(books).fills_after(f"{ago(days=1)}.slio.0")

    assert [(fill.id, fill.settle, fill.result) for fill in page.fills] == [
        ("close", "USDT", Decimal("12.5"))
    ]
    assert books.log == 2
    await reader_of(books).fills_after(page.cursor)
    assert books.log == 2


async def test_a_fill_waits_a_moment_for_the_log():
    """Not in the log yet, it is told by the next reading with its result; in time it is told without one."""
    books = Books()
    books.add(NOW_MS - 5000, "close", "linear", closedSize="1")
    books.add(NOW_MS - 4000, "spot")
    first, cursor = await forwards(reader_of(books), f"{ago(days=1)}.slio.0")
    books.results = {"close": "-3"}

    page = await reader_of(books).fills_after(cursor)

    assert first == ["spot"]
    assert [(fill.id, fill.result) for fill in page.fills] == [("close", Decimal(-3))]
    books.results, books.now = {}, NOW_MS + 60_000
    assert (await forwards(reader_of(books), cursor))[0] == ["close"]


async def test_an_account_without_a_log_is_told_its_fills_at_once():
    """Where the log can't be read, fills come without a result, and not late."""
    books = Books()
    books.log_code = 10005
    books.add(NOW_MS - 1000, "close", "linear", closedSize="1")

    page = await reader_of(books).fills_after(f"{ago(days=1)}.slio.0")

    assert [(fill.id, fill.result) for fill in page.fills] == [("close", 0)]


async def test_a_log_that_fails_fails_the_reading():
    """An outage of the log is tried again: a fill told without its result can't be told again."""
    books = Books()
    books.log_code = 10016
    books.add(NOW_MS - 1000, "close", "linear", closedSize="1")

    with pytest.raises(ExchangeError) as raised:
        await reader_of(books).fills_after(f"{ago(days=1)}.slio.0")

    assert raised.value.trouble is Trouble.MAINTENANCE
