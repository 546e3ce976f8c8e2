"""A table that an exchange publishes for all: asked once, kept, and asked again only when it must be.

Used by exchanges whose symbols can't be cut into base and quote by their names.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

from chatbot.errors import ExchangeError
from chatbot.ports.context import Clock

NEW_LISTING_SECONDS = 60
LISTED_SECONDS = 3600
T = TypeVar("T")


class Listing(Generic[T]):
    """One table for all accounts, by symbol; `ask` reads it from the exchange."""

    def __init__(self, ask: Callable[[], Awaitable[Mapping[str, T]]], clock: Clock) -> None:
        self._ask, self._clock = ask, clock
        self._known: Mapping[str, T] = {}
        self._at_seconds = 0.0
        self._turn = asyncio.Lock()

    async def listed(self) -> Mapping[str, T]:
        """Return the table, at most an hour old unless the exchange can't be asked now."""
        async with self._turn:
            if not self._known or self._older_than(LISTED_SECONDS):
                try:
                    await self._refresh()
                except ExchangeError:
                    if not self._known:
                        raise
            return self._known

    async def knowing(self, names: Collection[str]) -> Mapping[str, T]:
        """Return a table that holds these symbols, unless the exchange no longer lists one of them."""
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
        self._known = await self._ask()
        self._at_seconds = self._clock.monotonic()
