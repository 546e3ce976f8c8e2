"""Stores of what accounts did and who hears of it: fills, balances, subscriptions, audit.

All are part of one unit of work (`stores.py`). Times are aware UTC and passed in.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from chatbot.domain.balances import Prices, Snapshot
from chatbot.domain.credentials import AccountId
from chatbot.domain.fills import Fill
from chatbot.domain.people import ConversationId, Person, PersonId, TeamId


class Fills(Protocol):
    """Fills, each once."""

    async def add(self, account: AccountId, fills: Sequence[Fill], now: datetime) -> Sequence[Fill]:
        """Store fills and return those that were new, in the given order."""
        ...

    async def recent(self, accounts: Sequence[AccountId], limit: int) -> Sequence[tuple[AccountId, Fill]]:
        """Return the latest fills of some accounts, newest first."""
        ...


class Balances(Protocol):
    """Snapshots of balances, and the last prices of each exchange."""

    async def add(self, account: AccountId, snapshot: Snapshot) -> None:
        """Store a snapshot; one that equals the last only moves its time."""
        ...

    async def latest(self, account: AccountId) -> Snapshot | None:
        """Return the newest snapshot."""
        ...

    async def save_prices(self, exchange: str, prices: Prices) -> None:
        """Keep the last prices of an exchange."""
        ...

    async def prices(self, exchange: str) -> Prices | None:
        """Return the last prices of an exchange."""
        ...


@dataclass(frozen=True, slots=True)
class Subscription:
    """One kind of one account going to one conversation; the reader is the account's owner.

    `last_total` in `last_currency` is the value at the last balances post.
    """

    id: str
    account: AccountId
    kind: str
    conversation: ConversationId
    reader: Person
    fence: int = 0
    slot: date | None = None
    due_at: datetime | None = None
    last_total: Decimal | None = None
    last_currency: str = ""
    last_at: datetime | None = None


class Subscriptions(Protocol):
    """Which kinds of which accounts go to which conversation; kinds are `fills`, `balances`, `keys`."""

    async def ensure(
        self,
        account: AccountId,
        kind: str,
        conversation: ConversationId,
        due_at: datetime | None = None,
        slot: date | None = None,
    ) -> None:
        """Add a subscription unless it is there; `slot` is the local date that `due_at` belongs to."""
        ...

    async def of_account(self, account: AccountId, kind: str) -> Sequence[Subscription]:
        """Return the live subscriptions of an account for a kind."""
        ...

    async def claim_due(self, now: datetime, until: datetime, limit: int) -> Sequence[Subscription]:
        """Take the scheduled posts that are due, oldest first, with lease and fence."""
        ...

    async def posted(
        self,
        sub: Subscription,
        due_at: datetime,
        slot: date,
        total: Decimal | None,
        currency: str,
        now: datetime | None,
    ) -> None:
        """Set the next slot and what was posted at `now` (None: nothing); raises `Fenced`.

        `total` None leaves the last total.
        """
        ...

    async def reschedule(self, person: PersonId, due: Mapping[str, tuple[datetime, date]]) -> None:
        """Move the scheduled posts of a person (subscription id to next due time and slot)."""
        ...

    async def remove(self, person: PersonId, conversation: ConversationId) -> int:
        """End all subscriptions of a person's accounts to a conversation; return how many accounts."""
        ...

    async def bring_home(
        self, accounts: Collection[AccountId], platform: str, workspace: str, home: ConversationId
    ) -> Collection[AccountId]:
        """Send to `home` what of accounts goes to private chats of a workspace; return which went there."""
        ...

    async def scheduled_of(self, person: PersonId) -> Sequence[Subscription]:
        """Return the scheduled subscriptions of a person's accounts."""
        ...


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One act: who did what to what, when, with what outcome. Never a secret."""

    at: datetime
    actor: str
    action: str
    subject: str
    outcome: str


class Audit(Protocol):
    """What was done, append-only, in the same transaction as the act."""

    async def note(
        self, team: TeamId, actor: str, action: str, subject: str, outcome: str, now: datetime
    ) -> None:
        """Add an entry."""
        ...

    async def count(self, team: TeamId, actor: str, action: str, outcome: str, since: datetime) -> int:
        """Count what somebody did since a time."""
        ...

    async def recent(self, team: TeamId, limit: int) -> Sequence[AuditEntry]:
        """Return the newest entries."""
        ...
