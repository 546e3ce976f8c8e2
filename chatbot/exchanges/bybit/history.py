"""Reads spans of time out of the executions, in all categories that a key may see, and what they brought."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from chatbot.domain.fills import Fill
from chatbot.domain.permissions import Permission
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import _parse
from chatbot.exchanges.bybit import trades
from chatbot.exchanges.bybit.asking import Asker
from chatbot.exchanges.bybit.paging import Span
from chatbot.exchanges.bybit.symbols import Symbols
from chatbot.exchanges.bybit.trades import CATEGORIES, Executions, Found
from chatbot.exchanges.bybit.wire import since_epoch

EXECUTIONS = "/v5/execution/list"
LOG = "/v5/account/transaction-log"
LOG_ROWS = 50
# A long span with more pages than this is halved; a short one may have many.
PAGES, MOST_PAGES = 10, 200
# So long a contract's fill may wait for the log to tell what it brought.
LOG_LAG_MS = 20_000
# A product may be closed to an account, or unknown in its country: what never answered is passed over.
CLOSED = frozenset({Trouble.NO_PERMISSION, Trouble.UNKNOWN, Trouble.USER_ACTION, Trouble.ACCOUNT_BLOCKED})
LOST = frozenset({Trouble.NO_PERMISSION})
# An account of an older kind has no such log.
NO_LOG = frozenset({Trouble.NO_PERMISSION, Trouble.UNKNOWN})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A span that was read whole: its fills, and Bybit's time when it was first asked."""

    span: Span
    found: Sequence[Found]
    at: datetime


class History:
    """The executions of one account.

    `open` are the categories to ask, in the end those that answered; `sure` those that answered before.
    """

    def __init__(self, asker: Asker, symbols: Symbols) -> None:
        self._asker, self._symbols = asker, symbols
        self.open: tuple[str, ...] = CATEGORIES
        self.sure: tuple[str, ...] = ()

    async def began(self) -> datetime:
        """Return Bybit's time once some category answered; raises NO_PERMISSION when none may be seen."""
        pages = await self._each(lambda category: self._page(f"category={category}&limit=1"))
        return min(page.at for page in pages.values())

    async def read(self, span: Span, *, newest: bool) -> Stretch:
        """Read a span to its end, or its newer or older part when it holds too much."""
        while True:
            parts = list((await self._each(self._reader(span))).values())
            read = [part for part in parts if part is not None]
            if len(read) == len(parts):
                found = [one for part in read for one in part.found]
                return Stretch(span, found, min(part.at for part in read))
            span = span.halves[newest]

    async def settled(self, stretch: Stretch, told: Callable[[Fill], bool]) -> list[Fill]:
        """Return the fills with what contracts brought; one that the log will tell soon is left out."""
        fills = [one.fill for one in stretch.found if not one.unsure or told(one.fill)]
        unsure = [one.fill for one in stretch.found if one.unsure and not told(one.fill)]
        for product in dict.fromkeys(fill.product for fill in unsure):
            mine = [fill for fill in unsure if fill.product == product]
            results = await self._results(product, mine)
            fills += [
                trades.settled(fill, results or {})
                for fill in mine
                if results is None or fill.id in results or not _is_recent(fill, stretch.at)
            ]
        return fills

    async def _each(self, ask: Callable[[str], Awaitable[T]]) -> dict[str, T]:
        answers: dict[str, T] = {}
        refused: ExchangeError | None = None
        for category in self.open:
            try:
                answers[category] = await ask(category)
            except ExchangeError as error:
                if error.trouble not in (LOST if category in self.sure else CLOSED):
                    raise
                refused = refused or error
        if refused is not None and not answers:
            if self.open == CATEGORIES:
                raise refused
            self.open = CATEGORIES
            return await self._each(ask)
        self.open = tuple(answers)
        return answers

    def _reader(self, span: Span) -> Callable[[str], Awaitable[Stretch | None]]:
        async def read(category: str) -> Stretch | None:
            return await self._span(category, span)

        return read

    async def _span(self, category: str, span: Span) -> Stretch | None:
        """Read one category to its end; None when it has more pages than wanted."""
        page = await self._page(span.query(category, ""))
        rows, at = list(page.rows), page.at
        for _ in range(MOST_PAGES if span.short else PAGES):
            # A short page need not be the last one, and the last one may name another.
            if not page.cursor or not page.rows:
                return Stretch(span, await self._fills(category, rows, span), at)
            page = await self._page(span.query(category, page.cursor))
            rows += page.rows
        if span.end == span.start:
            raise _parse.unreadable("pages without end")
        return None

    async def _page(self, query: str) -> Executions:
        return await self._asker.get(EXECUTIONS, query, Permission.FILLS, trades.parse_executions)

    async def _fills(self, category: str, rows: Sequence[trades.Row], span: Span) -> list[Found]:
        kept = [row for row in rows if trades.filled(row)]
        pairs = await self._symbols.knowing({row.symbol for row in kept}) if category == "spot" else {}
        return [one for one in trades.fills(kept, category, pairs) if span.holds(one.fill.at)]

    async def _results(self, product: str, fills: Sequence[Fill]) -> trades.Results | None:
        """Return what some contracts' fills brought, by their ids; None when this account has no log."""
        times = [since_epoch(fill.at) for fill in fills]
        query = f"accountType=UNIFIED&category={product}&startTime={min(times) - 1}&endTime={max(times) + 1}"
        results: dict[str, Decimal] = {}
        onward = ""
        for _ in range(MOST_PAGES):
            try:
                page = await self._asker.get(
                    LOG, f"{query}&limit={LOG_ROWS}{onward}", Permission.FILLS, trades.parse_results
                )
            except ExchangeError as error:
                if error.trouble not in NO_LOG:
                    raise
                return None
            results |= page.results
            if not page.cursor or not page.rows:
                break
            onward = f"&cursor={page.cursor}"
        return results


def _is_recent(fill: Fill, now: datetime) -> bool:
    return since_epoch(now) - since_epoch(fill.at) < LOG_LAG_MS
