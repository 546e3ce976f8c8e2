"""What each symbol trades, asked once and kept: one table for all accounts.

All symbols together come near the cap of `_http.py` (2 KB each, 3,600 of them), so each status is asked for
by itself. What trades is read again every six hours, or when an account holds something that the table
lacks, no more than every ten minutes; what has stopped to trade is asked for when somebody needs it.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field

from chatbot.errors import ExchangeError
from chatbot.exchanges import _parse
from chatbot.exchanges._http import Http
from chatbot.exchanges.binance import errors, wire
from chatbot.exchanges.binance.wire import Market, Markets
from chatbot.ports.context import Clock

PATH = "/api/v3/exchangeInfo"
WEIGHT = 20
KEPT_SECONDS = 6 * 3600
AGAIN_SECONDS = 600
TRADING, FORMER = "TRADING", ("BREAK", "HALT")


@dataclass(frozen=True, slots=True)
class Table:
    """The symbols that trade now, and those that no longer do as far as they were asked for."""

    trading: Markets
    former: Markets = field(default_factory=dict)

    def find(self, symbol: str) -> Market | None:
        """Return what a symbol trades, by its name where Binance no longer tells; None when that fails."""
        found = self.trading.get(symbol) or self.former.get(symbol)
        return found or wire.cut(symbol, self.trading)


@dataclass(frozen=True, slots=True)
class _List:
    at_seconds: float
    markets: Markets
    assets: frozenset[str]


class Symbols:
    """The table of symbols, kept for hours."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http, self._clock = http, clock
        self._lists: dict[str, _List] = {}
        self._turn = asyncio.Lock()

    async def table(
        self, names: Collection[str] = (), assets: Collection[str] = (), *, former: bool = False
    ) -> Table:
        """Return a table that knows these symbols and assets if Binance does; `former` wants all of them."""
        async with self._turn:
            trading = await self._list(TRADING, KEPT_SECONDS)
            if not trading.assets.issuperset(assets):
                trading = await self._list(TRADING, AGAIN_SECONDS)
            lacking = [name for name in names if name not in trading.markets]
            gone = await self._former(KEPT_SECONDS) if former or lacking else {}
            if any(name not in gone for name in lacking):
                gone = await self._former(AGAIN_SECONDS)
            return Table(trading.markets, gone)

    async def _former(self, most: int) -> Markets:
        found = [await self._list(status, most) for status in FORMER]
        return {name: market for listed in found for name, market in listed.markets.items()}

    async def _list(self, status: str, most: int) -> _List:
        kept = self._lists.get(status)
        if kept is not None and self._clock.monotonic() - kept.at_seconds < most:
            return kept
        try:
            markets = await self._ask(status)
        except ExchangeError:
            if kept is None:
                raise
            return kept
        assets = frozenset(a for market in markets.values() for a in (market.base, market.quote))
        self._lists[status] = _List(self._clock.monotonic(), markets, assets)
        return self._lists[status]

    async def _ask(self, status: str) -> Markets:
        query = f"permissions=SPOT&showPermissionSets=false&symbolStatus={status}"
        answer = await self._http.request("GET", PATH, query, weight=WEIGHT)
        errors.check(answer)
        markets = wire.parse_markets(answer.body)
        if status == TRADING and not markets:
            raise _parse.unreadable("symbols")
        return markets
