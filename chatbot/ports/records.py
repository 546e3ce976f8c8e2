"""Stores of what accounts did and who hears of it: fills, balances, subscriptions, audit.

All are part of one unit of work (`stores.py`). Times are aware UTC and passed in.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from chatbot.domain.balances import Prices, Snapshot
from chatbot.domain.credentials import Account, AccountId
from chatbot.domain.fills import Fill
from chatbot.domain.notices import NEVER_QUIET, Hush, Kind, Loudness
from chatbot.domain.orders import OrderId
from chatbot.domain.people import Conversation, ConversationId, Person, PersonId, Place, TeamId


@dataclass(frozen=True, slots=True)
class StoredFill:
    """A fill, when it was stored, and the bundle it is in."""

    fill: Fill
    stored_at: datetime
    bundle: str = ""


class Fills(Protocol):
    """Fills, each once; a bundle names those that are told together, in one table or later."""

    async def add(self, account: AccountId, fills: Sequence[Fill], now: datetime) -> Sequence[Fill]:
        """Store fills and return those that were new, in the given order."""
        ...

    async def recent(self, accounts: Sequence[AccountId], limit: int) -> Sequence[tuple[AccountId, Fill]]:
        """Return the latest fills of some accounts, newest first."""
        ...

    async def of_order(self, account: AccountId, order: OrderId) -> Sequence[StoredFill]:
        """Return all fills of an order, oldest first."""
        ...

    async def of_market(
        self, account: AccountId, product: str, market: str, after: Fill | None, limit: int
    ) -> Sequence[Fill]:
        """Return fills of a market after one of them, in order of time as `domain.orders.in_time` has it."""
        ...

    async def between(
        self, account: AccountId, since: datetime, until: datetime, limit: int
    ) -> Sequence[Fill]:
        """Return the latest fills that happened from one moment to another, oldest first."""
        ...

    async def page(
        self, account: AccountId, since: datetime, until: datetime, after: Fill | None, limit: int
    ) -> Sequence[Fill]:
        """Return fills from `since` to before `until`, oldest first, from behind one of them on."""
        ...

    async def bundle(self, account: AccountId, fills: Sequence[Fill], name: str) -> None:
        """Put stored fills into a bundle, out of any other; an empty name takes them out."""
        ...

    async def rename_bundle(self, account: AccountId, old: str, new: str) -> None:
        """Give a bundle another name, or let it go on in one that has it."""
        ...

    async def in_bundle(
        self, account: AccountId, name: str, limit: int, skip: int = 0
    ) -> tuple[Sequence[Fill], int]:
        """Return fills of a bundle, oldest first, and how many there are."""
        ...

    async def newest_bundle(self, account: AccountId, prefix: str) -> tuple[str, datetime] | None:
        """Return the last bundle by name that begins so, and when a fill of it was stored last."""
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

    `rule` says when the scheduled ones are due, in `zone` (empty: the reader's). `hush` is the quiet of the
    place. `last_total` in `last_currency` is the value at the last balances post.
    """

    id: str
    account: AccountId
    kind: Kind
    conversation: ConversationId
    reader: Person
    fence: int = 0
    slot: str | None = None
    due_at: datetime | None = None
    last_total: Decimal | None = None
    last_currency: str = ""
    last_at: datetime | None = None
    loudness: Loudness = Loudness.LOUD
    rule: str = ""
    zone: str = ""
    muted_until: datetime | None = None
    hush: Hush = NEVER_QUIET

    @property
    def clock(self) -> str:
        """The zone by whose clock it is scheduled."""
        return self.zone or self.reader.timezone


@dataclass(frozen=True, slots=True)
class Listed:
    """A subscription with what it joins, as settings show it."""

    subscription: Subscription
    account: Account
    conversation: Conversation


class Subscriptions(Protocol):
    """Which kinds of which accounts go to which conversation, how loud, and when a scheduled one is due."""

    async def ensure(
        self,
        account: AccountId,
        kind: str,
        conversation: ConversationId,
        due_at: datetime | None = None,
        slot: str | None = None,
        rule: str = "",
    ) -> None:
        """Add a subscription unless it is there; `slot` names the local time that `due_at` belongs to."""
        ...

    async def of_account(self, account: AccountId, kind: str) -> Sequence[Subscription]:
        """Return the live subscriptions of an account for a kind."""
        ...

    async def of_place(self, conversation: ConversationId, kind: str) -> Sequence[Subscription]:
        """Return the live subscriptions of active accounts to a conversation for a kind."""
        ...

    async def claim_due(
        self, kind: str, now: datetime, until: datetime, limit: int
    ) -> Sequence[Subscription]:
        """Take the scheduled posts of a kind that are due, oldest first, with lease and fence.

        One that is due later than any rule allows is taken too: the clock was set back.
        """
        ...

    async def posted(
        self,
        sub: Subscription,
        due_at: datetime,
        slot: str,
        total: Decimal | None,
        currency: str,
        now: datetime | None,
    ) -> None:
        """Set the next slot and what was posted at `now` (None: nothing); raises `Fenced`.

        `total` None leaves the last total.
        """
        ...

    async def reschedule(self, person: PersonId, due: Mapping[str, tuple[datetime, str]]) -> None:
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

    async def of_person(self, person: PersonId) -> Sequence[Listed]:
        """Return every subscription of a person's accounts, also to places that can't be reached now."""
        ...

    async def targets(self, team: TeamId) -> Sequence[Listed]:
        """Return every subscription of a team's accounts to a place that is not its owner's own chat."""
        ...

    async def of_channel(self, place: Place) -> Sequence[Listed]:
        """Return every subscription to a place: a channel with all its threads, or one thread alone."""
        ...

    async def set_loudness(self, person: PersonId, subscriptions: Sequence[str], loudness: Loudness) -> int:
        """Set how loud some subscriptions of a person's accounts are; return how many that was allowed for.

        What protects the account is never switched off.
        """
        ...

    async def set_rule(
        self, person: PersonId, subscription: str, rule: str, zone: str, due: tuple[datetime, str]
    ) -> bool:
        """Set when a scheduled post is due from now on, and its next slot; false for another's."""
        ...

    async def mute(
        self, person: PersonId, subscriptions: Sequence[str], until: datetime, now: datetime
    ) -> int:
        """Hold back some subscriptions of a person's accounts until then, each as long as its kind may be.

        A time that has come lifts the mute. Returns how many there were.
        """
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
