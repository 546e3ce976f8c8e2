"""The store of accounts: sealed credentials, and the work that is due for them.

All are part of one unit of work (`stores.py`). Times are aware UTC and passed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from chatbot.domain.balances import Gaps
from chatbot.domain.credentials import Account, AccountId, CredentialState
from chatbot.domain.people import ConversationId, Person, PersonId, TeamId
from chatbot.domain.permissions import PermissionReport
from chatbot.ports.vault import SealedCredential


@dataclass(frozen=True, slots=True)
class Pending:
    """A credential that waits for its owner's confirmation; `head` is (after, before) or None.

    `nonce` is the highest one used to prove the key.
    """

    account: Account
    code: str
    conversation: ConversationId
    confirm_before: datetime
    head: tuple[str, str] | None
    nonce: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """A claimed account with all that polling it needs.

    Nobody else uses nonces from `nonce` to `nonce + 10**6`; the cursors are the exchange's own; a time
    that is None is due now. `hurried` when a person asked for it.
    """

    account: Account
    owner: Person
    sealed: SealedCredential
    fence: int
    deadline: datetime
    nonce: int
    cursor: str | None
    history: str | None
    history_pages: int
    balances_at: datetime | None
    check_at: datetime | None
    fills_on: bool
    failures: int
    trouble_told: bool
    asked_in: ConversationId | None
    history_at: datetime | None = None
    unexplained: Gaps = field(default_factory=dict)
    hurried: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """What one poll changed; None leaves a column as it is. `nonce` is the highest one used."""

    due_at: datetime
    nonce: int
    polled_at: datetime | None = None
    cursor: str | None = None
    history: str | None = None
    history_done: bool | None = None
    history_added: int = 0
    history_at: datetime | None = None
    unexplained: Gaps | None = None
    balances_at: datetime | None = None
    check_at: datetime | None = None
    fills_on: bool | None = None
    failures: int = 0
    trouble: str = ""
    trouble_told: bool = False
    report: PermissionReport | None = None
    state: CredentialState | None = None
    answered: bool = False


class Accounts(Protocol):
    """Connected accounts, their sealed credentials, and the work due for them."""

    async def add(
        self, pending: Pending, sealed: SealedCredential, fingerprint: bytes, now: datetime
    ) -> bool:
        """Store a pending account with its sealed credential; false when the team has this key already."""
        ...

    async def taken(self, team: TeamId, fingerprint: bytes) -> Account | None:
        """Return the live account that holds the same API key."""
        ...

    async def get(self, account: AccountId, team: TeamId) -> Account | None:
        """Return an account of the team, whatever its state."""
        ...

    async def pending(self, account: AccountId) -> Pending | None:
        """Return a pending account with its code."""
        ...

    async def of_person(self, person: PersonId) -> Sequence[Account]:
        """Return the person's connected accounts, oldest first; not pending or revoked ones."""
        ...

    async def pending_of(self, person: PersonId) -> Sequence[Account]:
        """Return the person's accounts that wait for their confirmation."""
        ...

    async def of_team(self, team: TeamId) -> Sequence[Account]:
        """Return all connected accounts of a team."""
        ...

    async def activate(self, account: AccountId, now: datetime) -> None:
        """Make a pending account active and due now."""
        ...

    async def rename(self, account: AccountId, label: str) -> None:
        """Give an account another label."""
        ...

    async def attest(self, account: AccountId, report: PermissionReport, now: datetime) -> None:
        """Store what the person said about the permissions."""
        ...

    async def shred(self, account: AccountId, now: datetime) -> None:
        """Revoke: destroy data key and box, stop all work; the log is truncated after the commit."""
        ...

    async def expire_pending(self, now: datetime) -> Sequence[Pending]:
        """Delete the pending accounts nobody confirmed in time and return them."""
        ...

    async def hurry(self, account: AccountId, now: datetime, *, ask_in: ConversationId | None = None) -> None:
        """Make balances due now; with `ask_in` also a check whose result goes to that conversation.

        No sooner than an exchange that asked us to slow down allows. A dead key is only ever checked.
        """
        ...

    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[Work]:
        """Take due active and suspended accounts, oldest due first, with a lease, a fence and fresh nonces.

        Whether a suspended one is read again is the poll's to decide.
        """
        ...

    async def suspend_team(self, team: TeamId, now: datetime) -> Sequence[Account]:
        """Suspend a team's active accounts and return them; polls under way can't write any more."""
        ...

    async def holds(self, work: Work) -> bool:
        """Tell whether a claimed account is still the claimer's; asked before the exchange is asked on."""
        ...

    async def failing(self, exchange: str, trouble: str) -> tuple[int, int]:
        """Return how many active accounts of an exchange have this trouble, and how many there are."""
        ...

    async def finish(self, work: Work, progress: Progress) -> None:
        """Write what a poll found and free the account; raises `Fenced` when the lease was lost."""
        ...

    async def release(self, work: Work) -> None:
        """Free a claimed account without a result; never raises `Fenced`."""
        ...
