"""What Kraken lists, asked once and kept: pairs can't be cut into base and quote safely, nor every name read.

One table for all accounts. It is read again when a fill names a pair that it lacks, at most once a minute and
once an hour for the same pair, and for prices once an hour; never by a poll of known names.
"""

import asyncio
from collections.abc import Collection

from chatbot.errors import ExchangeError
from chatbot.exchanges._http import Http
from chatbot.exchanges.kraken import errors, names, wire
from chatbot.exchanges.kraken.names import Book
from chatbot.ports.context import Clock

ASSETS = "/0/public/Assets"
PAIRS = "/0/public/AssetPairs"
NEW_LISTING_SECONDS = 60
LISTED_SECONDS = 3600


class Tables:
    """The lists of assets and pairs of one exchange."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http, self._clock = http, clock
        self._book = Book()
        self._unlisted: set[str] = set()
        self._at_seconds = 0.0
        self._turn = asyncio.Lock()

    async def listed(self) -> Book:
        """Return the lists, at most an hour old unless Kraken can't be asked now."""
        async with self._turn:
            if self._older_than(LISTED_SECONDS):
                try:
                    await self._refresh()
                except ExchangeError:
                    if not self._book.pairs:
                        raise
            return self._book

    async def knowing(self, pairs: Collection[str]) -> Book:
        """Return lists that hold these pairs, unless Kraken no longer lists one of them."""
        if self._lacks(pairs):
            async with self._turn:
                if self._lacks(pairs) and self._older_than(NEW_LISTING_SECONDS):
                    await self._refresh()
            # What the lists of this minute don't hold is not asked for again before they are an hour old.
            self._unlisted.update(pair for pair in pairs if pair not in self._book.pairs)
        return self._book

    async def reading(self, assets: Collection[str]) -> Book:
        """Return lists that tell what these assets are; plain names need none."""
        return await self.listed() if any(names.doubtful(code) for code in assets) else self._book

    def _lacks(self, pairs: Collection[str]) -> bool:
        return any(pair not in self._book.pairs and pair not in self._unlisted for pair in pairs)

    def _older_than(self, seconds: int) -> bool:
        return not self._book.pairs or self._clock.monotonic() - self._at_seconds >= seconds

    async def _refresh(self) -> None:
        altnames = wire.parse_altnames(await self._ask(ASSETS))
        pairs = wire.parse_pairs(await self._ask(PAIRS), altnames)
        self._book = Book(altnames, pairs)
        self._unlisted.clear()
        self._at_seconds = self._clock.monotonic()

    async def _ask(self, path: str) -> bytes:
        answer = await self._http.request("GET", path)
        errors.check(answer)
        return answer.body
