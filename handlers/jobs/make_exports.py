"""Write the files that /export asked for, page by page, and send them.

A year's fills are read in pages, each in a transaction of its own, so that nothing waits for a long one. The
wish ends with the last file; a file that was queued before a restart is not queued twice.
"""

import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from chatbot.dispatcher.crew import safely
from chatbot.domain import sheets
from chatbot.domain.credentials import Account
from chatbot.domain.fills import Fill
from chatbot.domain.messages import Button, File, Line, Message, Post, bold, line
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Role
from chatbot.ports.context import Context
from chatbot.ports.worth import Wish, WishKind
from chatbot.registry import job
from chatbot.text import Translator
from handlers.notifications.rates import valued

BATCH = 5
PAGE = 500
MOST_ROWS = 50_000
_BEGIN, _END = datetime(2009, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Part:
    """One file: its lines, how many rows they are, which one it is, and whether more would follow."""

    text: str
    rows: int
    number: int
    more: bool


@job("make_exports", every=2.0)
async def make_exports(ctx: Context) -> None:
    """Answer every wish for a file."""
    async with ctx.uow() as store:
        wishes = await store.wishes.waiting(WishKind.EXPORT, BATCH)
    for wish in wishes:
        if ctx.queue.stopping:
            return
        if await safely(_answer(wish, ctx), ctx, "export_failed", wish=wish.id) is None:
            # It would fail again, and those behind it wait.
            async with ctx.uow() as store:
                await store.wishes.done(wish.id)
    if wishes:
        ctx.queue.nudge("deliver_messages")


async def _answer(wish: Wish, ctx: Context) -> bool:
    async with ctx.uow() as store:
        mine = await store.accounts.of_person(wish.person.id)
    chosen = [account for account in mine if account.id in wish.args["accounts"]]
    # Whoever was taken off the list since gets nothing.
    if chosen and ctx.roster.role(wish.person.identity) is not Role.STRANGER:
        if wish.args["what"] == "balances":
            await _balances(wish, chosen, ctx)
        else:
            await _fills(wish, chosen, ctx)
    async with ctx.uow() as store:
        await store.wishes.done(wish.id)
    return True


async def _balances(wish: Wish, chosen: Sequence[Account], ctx: Context) -> None:
    t, currency = ctx.translator(wish.person), wish.person.currency
    rows: list[tuple[sheets.Cell, ...]] = []
    for account in chosen:
        async with ctx.uow() as store:
            seen = await valued(store, account, currency, ctx, anyway=True)
        if seen is not None:
            rows += [
                sheets.balance_cells(
                    balance, seen.snapshot.at, seen.rates.rate(balance.asset, currency), currency,
                    _origin(account, t, ctx),
                )
                for balance in seen.snapshot.balances
            ]  # fmt: skip
    if not rows:
        await _put(wish, Message((line(t.say("Nothing was read yet, so there is nothing to export.")),)), ctx)
        return
    said = t.say("Balances as they were read last: {count} rows", count=len(rows))
    file = File("keyherald-balances.csv", sheets.text_of([sheets.BALANCES, *rows]).encode())
    await _put(wish, Message((line(bold(said)), line(_clocks(t))), file=file), ctx)


async def _fills(wish: Wish, chosen: Sequence[Account], ctx: Context) -> None:
    t, year = ctx.translator(wish.person), wish.args["year"]
    async for part in _parts(wish, chosen, t, ctx):
        if part.more and not year:
            await _put(wish, _too_many(t, ctx), ctx)
            return
        if not part.rows:
            none = t.say("No fills in {year}.", year=year) if year else t.say("No fills yet.")
            await _put(wish, Message((line(none), *_gaps(chosen, t))), ctx)
            return
        name = (
            f"keyherald-fills-{year or 'all'}{f'-{part.number}' if part.number > 1 or part.more else ''}.csv"
        )
        title = (
            t.say("Fills {year}: {count} rows", year=year, count=part.rows)
            if year
            else t.say("All fills: {count} rows", count=part.rows)
        )
        body = [line(bold(title)), line(_clocks(t)), *_gaps(chosen, t)]
        if part.more or part.number > 1:
            said = t.say(
                "A file holds {most} rows at most: this is part {number}.", most=MOST_ROWS, number=part.number
            )
            body.insert(1, line(said))
        await _put(wish, Message(tuple(body), file=File(name, part.text.encode())), ctx, part.number)


async def _parts(wish: Wish, chosen: Sequence[Account], t: Translator, ctx: Context) -> AsyncIterator[Part]:
    text, rows, number = io.StringIO(), 0, 1
    text.write(sheets.text_of([sheets.FILLS]))
    for account in chosen:
        origin = _origin(account, t, ctx)
        async for page in _pages(account, wish.args["year"], origin.zone, ctx):
            if rows + len(page) > MOST_ROWS:
                yield Part(text.getvalue(), rows, number, more=True)
                text, rows, number = io.StringIO(), 0, number + 1
                text.write(sheets.text_of([sheets.FILLS]))
            text.write(sheets.text_of(sheets.fill_cells(fill, origin) for fill in page))
            rows += len(page)
    yield Part(text.getvalue(), rows, number, more=False)


async def _pages(account: Account, year: int, zone: ZoneInfo, ctx: Context) -> AsyncIterator[Sequence[Fill]]:
    since = datetime(year, 1, 1, tzinfo=zone).astimezone(UTC) if year else _BEGIN
    until = datetime(year + 1, 1, 1, tzinfo=zone).astimezone(UTC) if year else _END
    after: Fill | None = None
    while True:
        async with ctx.uow() as store:
            page = await store.fills.page(account.id, since, until, after, PAGE)
        if page:
            yield page
        if len(page) < PAGE:
            return
        after = page[-1]


def _too_many(t: Translator, ctx: Context) -> Message:
    this = ctx.clock.now().astimezone(t.zone).year
    said = t.say(
        "That is more than {most} rows. Take one year at a time: /export fills {year}",
        most=MOST_ROWS,
        year=this,
    )
    years = tuple(Button(str(year), "run", (f"export fills {year}",)) for year in range(this, this - 4, -1))
    return Message((line(said),), (years,))


def _gaps(chosen: Sequence[Account], t: Translator) -> list[Line]:
    unfinished = [account.name for account in chosen if not account.history_done]
    if not unfinished:
        return []
    said = t.say(
        "Not complete yet: I am still reading older fills of {account}.", account=", ".join(unfinished)
    )
    return [line(said)]


def _clocks(t: Translator) -> str:
    if t.zone.key == "UTC":
        return t.say("Times are in UTC.")
    return t.say("Times are in UTC and in {zone}.", zone=t.zone.key)


def _origin(account: Account, t: Translator, ctx: Context) -> sheets.Origin:
    return sheets.Origin(ctx.exchange_of(account).title, account.name, t.zone)


async def _put(wish: Wish, shown: Message, ctx: Context, number: int = 1) -> None:
    async with ctx.uow() as store:
        await store.outbox.put(
            wish.conversation, Post(shown), Promise.REPLY, ctx.clock.now(), key=f"export:{wish.id}:{number}",
            reader=wish.person.id, locale=wish.person.locale,
        )  # fmt: skip
