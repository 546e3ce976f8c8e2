"""What each symbol trades, asked once and kept: a symbol's name can't be cut into base and quote safely.

One table for all accounts. It is read again when a fill names a symbol that it lacks, at most once a minute,
and for prices once an hour; never by a poll of known symbols.
"""

import asyncio
from collections.abc import Collection

from chatbot.errors import ExchangeError
from chatbot.exchanges._http import Http
from chatbot.exchanges.hitbtc import errors, wire
from chatbot.exchanges.hitbtc.wire import Markets
from chatbot.ports.context import Clock

PATH = "/api/3/public/symbol"
NEW_LISTING_SECONDS = 60
LISTED_SECONDS = 3600


class Symbols:
    """The table of symbols of one exchange."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http, self._clock = http, clock
        self._known: Markets = {}
        self._at_seconds = 0.0
        self._turn = asyncio.Lock()

    async def listed(self) -> Markets:
        """Return the table, at most an hour old unless HitBTC can't be asked now."""
        async with self._turn:
            if not self._known or self._older_than(LISTED_SECONDS):
                try:
                    await self._refresh()
                except ExchangeError:
                    if not self._known:
                        raise
            return self._known

    async def knowing(self, names: Collection[str]) -> Markets:
        """Return a table that holds these symbols, unless HitBTC no longer lists one of them."""
        if self._lacks(names):
            async with self._turn:
                if self._lacks(names) and (not self._known or self._older_than(NEW_LISTING_SECONDS)):
                    await self._refresh()
        return self._known

    def _lacks(self, names: Collection[str]) -> bool:
        return any(name not in self._known for name in names)

    def _older_than(self, seconds: int) -> bool:
        return self._clock.monotonic() - self._at_seconds >= seconds

    async def _refresh(self) -> None:
        answer = await self._http.request("GET", PATH)
        errors.check(answer)
        self._known = wire.parse_markets(answer.body)
        self._at_seconds = self._clock.monotonic()
