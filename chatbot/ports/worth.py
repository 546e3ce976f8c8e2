"""Stores of what accounts were worth over time, and of what people wait to be shown.

All are part of one unit of work (`stores.py`). Times are aware UTC and passed in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

from chatbot.domain.credentials import AccountId
from chatbot.domain.people import ConversationId, Person, PersonId
from chatbot.domain.pictures import Point


class Valuations(Protocol):
    """What accounts were worth, each in the currencies in which it was looked at."""

    async def add(self, account: AccountId, at: datetime, total: Decimal, currency: str) -> None:
        """Keep what an account was worth at a moment."""
        ...

    async def last_at(self, account: AccountId, currency: str) -> datetime | None:
        """Return the moment of the newest."""
        ...

    async def series(
        self, accounts: Sequence[AccountId], currency: str, since: datetime, step: timedelta
    ) -> Mapping[AccountId, Sequence[Point]]:
        """Return the values of some accounts from a moment on, oldest first: the last of each step."""
        ...

    async def began(self, accounts: Sequence[AccountId]) -> Mapping[str, datetime]:
        """Return since when there are values of these accounts, by currency."""
        ...


class WishKind(StrEnum):
    """What may be wished for: a picture, balances as a fresh reading finds them, accounts as one, a file."""

    CHART = "chart"
    REFRESH = "refresh"
    TOGETHER = "together"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Wish:
    """Something to be shown in a conversation as soon as it is there; `person` is who reads it."""

    id: str
    kind: WishKind
    person: Person
    conversation: ConversationId
    args: Mapping[str, Any]
    asked_at: datetime


class Wishes(Protocol):
    """What was asked for and is not shown yet."""

    async def add(
        self,
        kind: WishKind,
        person: PersonId,
        conversation: ConversationId,
        args: Mapping[str, Any],
        now: datetime,
    ) -> None:
        """Keep a wish; it takes the place of the very same wish before it."""
        ...

    async def waiting(self, kind: WishKind, limit: int) -> Sequence[Wish]:
        """Return the wishes of a kind, oldest first; nobody takes them before they are `done`."""
        ...

    async def done(self, wish: str) -> bool:
        """End a wish; false when it was ended before, and nothing may be shown for it."""
        ...
