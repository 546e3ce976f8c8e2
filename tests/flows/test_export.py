"""/export: fills and balances as CSV, in private, page by page, and a sentence for what can't be exported."""

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.outbox import OutboxState
from chatbot.errors import SendError, Verdict
from handlers.jobs import make_exports
from storage.accounts import ACCOUNTS
from tests.support.bot import TEAM, YOU, Bot
from tests.support.chat import Shown
from tests.support.connected import connect
from tests.support.rows import rows

WRITING = "I am writing the file. It comes in a moment."


def table(shown: Shown) -> list[dict[str, str]]:
    """Read the file of a message as any program would."""
    assert shown.message.file is not None
    return list(csv.DictReader(io.StringIO(shown.message.file.content.decode(), newline="")))


async def export(bot: Bot, words: str) -> Shown:
    assert (await bot.type(f"/export {words}")).text == WRITING
    await bot.turn()
    return bot.last()


async def test_fills_of_a_year_are_all_there_once_in_order(linked: Bot, bitso) -> None:
    """Every stored fill of that year is a row, oldest first, with its exact amounts."""
    await _whole_history(linked)
    year = linked.clock.now().year
    shown = await export(linked, f"fills {year}")
    stored = [row for row in await rows(linked, "fills") if _at(row).year == year]
    found = table(shown)

    assert shown.message.file
    assert shown.message.file.name == f"keyherald-fills-{year}.csv"
    assert shown.message.file.kind == "text/csv"
    assert f"{len(stored)} rows" in shown.text
    assert {row["fill_id"] for row in found} == {row["id"] for row in stored}
    assert len(found) == len(stored)
    assert [row["time_utc"] for row in found] == sorted(row["time_utc"] for row in found)
    prices = {row["id"]: Decimal(row["price"]) for row in stored}
    assert all(Decimal(row["price"]) == prices[row["fill_id"]] for row in found)


async def test_a_year_is_the_readers_own(linked: Bot) -> None:
    """Midnight of New Year's Eve is that of the reader's zone, and both times are in the file."""
    await linked.type("/timezone America/Mexico_City")
    last, first = datetime(2026, 1, 1, 5, 59, tzinfo=UTC), datetime(2026, 1, 1, 6, tzinfo=UTC)
    await _store(linked, [_fill("last", last), _fill("first", first)])
    ids = {row["fill_id"]: row for row in table(await export(linked, "fills 2026"))}
    assert "first" in ids
    assert "last" not in ids
    assert ids["first"]["time_local"] == "2026-01-01T00:00:00.000-06:00"
    assert "last" in {row["fill_id"] for row in table(await export(linked, "fills 2025"))}


async def test_balances_have_price_value_and_time(linked: Bot) -> None:
    """Each asset as it was read last, with what it is worth in the reader's currency."""
    shown = await export(linked, "balances")
    found = {row["asset"]: row for row in table(shown)}
    assert Decimal(found["BTC"]["total"]) == Decimal(found["BTC"]["free"]) + Decimal(found["BTC"]["locked"])
    assert Decimal(found["BTC"]["value"]) == Decimal(found["BTC"]["total"]) * Decimal(found["BTC"]["price"])
    assert found["BTC"]["currency"] == "USD"
    assert found["BTC"]["exchange"] == "Bitso"


async def test_one_account_alone(linked: Bot, bitso) -> None:
    """A name after it means that account; without one all are in the file."""
    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await connect(linked, bitso, key=key, secret=secret)
    await linked.turn(seconds=31)
    both = {row["account"] for row in table(await export(linked, "balances"))}
    assert len(both) == 2
    one = {row["account"] for row in table(await export(linked, f"balances {key[-4:]}"))}
    assert one < both


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "I can export fills of a year, or balances as they are now"),
        ("cats", "I can export fills of a year, or balances as they are now"),
        ("fills 1999", "I have no fills of “1999”"),
        ("fills 20266", "I have no fills of “20266”"),
        ("balances 2025", "Balances are exported as they are now"),
        ("fills nowhere", "No account of yours is called “nowhere”"),
    ],
)
async def test_what_cannot_be_exported_gets_a_sentence_with_what_works(
    linked: Bot, words: str, said: str
) -> None:
    """No file, nothing changed, and an example or buttons that work."""
    answer = await linked.type(f"/export {words}")
    assert said in answer.text
    assert "/export" in answer.text or answer.buttons
    await linked.turn()
    assert linked.last() is answer
    await linked.press(answer.labels[0], on=answer)
    await linked.turn()
    assert linked.last().message.file is not None


async def test_a_year_without_fills_says_so(linked: Bot) -> None:
    """No empty file."""
    assert "No fills in 2010." in (await export(linked, "fills 2010")).text


async def test_history_that_is_still_read_is_told(linked: Bot) -> None:
    """Whoever does their taxes has to know that older fills are on their way."""
    year = linked.clock.now().year
    assert "still reading" not in (await export(linked, f"fills {year}")).text
    async with linked.database.transaction() as tx:
        await tx.run(update(ACCOUNTS).values(history_done=False))
    for words in (f"fills {year}", "fills 2010"):
        assert "I am still reading older fills" in (await export(linked, words)).text


async def test_a_group_is_answered_in_private(linked: Bot) -> None:
    """Nobody else's screen ever shows the file."""
    await linked.type("/export balances", chat=TEAM)
    await linked.turn()
    assert all(shown.message.file is None for shown in linked.chat.messages if shown.chat == TEAM)


async def test_more_than_a_file_holds_is_told_or_split(linked: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """All years at once: take one at a time. One year: several files, each whole, together everything."""
    monkeypatch.setattr(make_exports, "MOST_ROWS", 30)
    monkeypatch.setattr(make_exports, "PAGE", 10)
    start = datetime(2024, 3, 1, tzinfo=UTC)
    await _store(linked, [_fill(f"x{n:03}", start + timedelta(minutes=n)) for n in range(75)])
    answer = await export(linked, "fills")
    assert "more than 30 rows" in answer.text
    assert "2024" in answer.labels
    await linked.press("2024", on=answer)
    for _ in range(4):
        await linked.turn(seconds=5)
    files = [shown for shown in linked.chat.messages if shown.message.file]
    assert [shown.message.file.name for shown in files if shown.message.file] == [
        "keyherald-fills-2024-1.csv", "keyherald-fills-2024-2.csv", "keyherald-fills-2024-3.csv",
    ]  # fmt: skip
    ids = [row["fill_id"] for shown in files for row in table(shown)]
    assert ids == [f"x{n:03}" for n in range(75)]
    assert "this is part 2" in files[1].text


async def test_the_file_does_not_stay(linked: Bot) -> None:
    """Once it was sent, nothing of it is kept; nor when nobody knows whether it arrived."""
    for refusal in ([], [SendError(Verdict.UNKNOWN, "lost")]):
        await linked.type("/export balances")
        await linked.turn(jobs=("make_exports",))
        linked.chat.refuse += refusal
        await linked.turn(jobs=("deliver_messages",))
    kept = await rows(linked, "outbox")
    assert all(row["file"] is None for row in kept)
    assert [row["state"] for row in kept if row["file_name"]] == [OutboxState.SENT, OutboxState.UNKNOWN]


async def test_whoever_was_taken_off_the_list_gets_no_file(linked: Bot) -> None:
    """Asked for just before: the wish ends without an answer."""
    await linked.type("/export balances")
    roster = linked.ctx.roster
    object.__setattr__(linked.ctx, "roster", type(roster)(frozenset(), frozenset()))
    await linked.turn(jobs=("make_exports", "deliver_messages"))
    assert linked.last(YOU).text == WRITING
    assert await rows(linked, "wishes") == []


async def _whole_history(bot: Bot) -> None:
    for _ in range(10):
        await bot.turn(seconds=31)


def _fill(name: str, at: datetime) -> Fill:
    half = Decimal("0.5")
    return Fill(
        name, f"o-{name}", "spot", "btc_mxn", "BTC", "MXN", Side.BUY, half, Decimal(1000), Decimal(500),
        Decimal("0.001"), "BTC", Liquidity.TAKER, at,
    )  # fmt: skip


async def _store(bot: Bot, fills: list[Fill]) -> None:
    account = (await rows(bot, "accounts"))[0]["id"]
    async with bot.ctx.uow() as store:
        await store.fills.add(account, fills, bot.clock.now())


def _at(row) -> datetime:
    return datetime.fromtimestamp(row["at"] / 1_000_000, UTC)
