"""What an exchange tells about itself, and what its client can read.

An exchange is one file in `chatbot/exchanges/` with an `EXCHANGE` that fulfils `Exchange`.
Everything else (help, form, guide, table) reads these attributes; nothing names an exchange.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.credentials import CredentialField, Credentials
from chatbot.domain.expiry import ExpiryRule
from chatbot.domain.fills import Fill
from chatbot.domain.pacing import Budget
from chatbot.domain.permissions import Permission, PermissionReport
from chatbot.domain.secrets import SecretShape

# So many fills behind a cursor may come again, so that one that became visible late is still found.
OVERLAP = 25


@dataclass(frozen=True, slots=True)
class Page:
    """Some fills, the opaque cursor to go on from, and whether there may be more beyond it.

    A fill may come twice, on two pages or in two readings: storing keeps each once.
    """

    fills: tuple[Fill, ...]
    cursor: str
    more: bool


@dataclass(frozen=True, slots=True)
class Head:
    """The first contact with an account's fills: where new ones begin and where history ends."""

    after: str
    before: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a key has proven: its permissions, its balances, and where fills begin (None: not readable)."""

    report: PermissionReport
    balances: tuple[Balance, ...]
    head: Head | None


class ExchangeClient(Protocol):
    """Reads one account. Every method may raise `ExchangeError`; none can write."""

    @property
    def last_nonce(self) -> int:
        """The highest nonce used so far."""
        ...

    async def prove(self) -> Proof:
        """Read balances and try the harmless reads; raises when balances can't be read."""
        ...

    async def balances(self) -> tuple[Balance, ...]:
        """Return all balances that are not zero."""
        ...

    async def fills_after(self, cursor: str) -> Page:
        """Return fills newer than the cursor, oldest first, after up to `OVERLAP` that came before.

        The first reading of an hour may begin earlier, never before the first cursor.
        """
        ...

    async def fills_before(self, cursor: str) -> Page:
        """Return fills older than the cursor, newest first."""
        ...


class Exchange(Protocol):
    """An exchange that describes itself.

    `labels` are the exchange's own words for the permissions; `tick` those a monitoring key needs,
    `unreported` those that no read can tell. `key_page` is where a key is made. `poll_seconds` is the
    shortest interval that the exchange's limits allow, `history_seconds` the pause between two
    pages of history (half the rate limit); `budget` what one address may ask, all keys together
    (None: each key is counted by itself).
    `history_days` is how far back the exchange lets a key see fills (0: all of them). `reads_withdrawals`
    and `reads_transfers` say whether known withdrawals and transfers between the person's own accounts
    can be read with the ticks we ask for. `max_addresses` is how many a key can be bound to (0: no limit
    known). `quotes` are the moneys that its public markets trade for one another, its main one first, for
    whoever needs a rate between them.
    """

    name: str
    title: str
    key_page: str
    fields: tuple[CredentialField, ...]
    labels: Mapping[Permission, str]
    tick: tuple[Permission, ...]
    tick_to_trade: tuple[Permission, ...]
    unreported: frozenset[Permission]
    shapes: tuple[SecretShape, ...]
    allow: frozenset[tuple[str, str]]
    poll_seconds: int
    history_seconds: float
    budget: Budget | None
    history_days: int
    expiry: ExpiryRule
    reads_withdrawals: bool
    reads_transfers: bool
    max_addresses: int
    quotes: tuple[str, ...]

    def client(self, credentials: Credentials, nonce: int) -> ExchangeClient:
        """Return a client whose nonces are all greater than `nonce`."""
        ...

    async def prices(self) -> Prices:
        """Return the last prices of all markets; public, no key."""
        ...

    async def reachable(self) -> float:
        """Return seconds by which the exchange's clock is ahead of ours; raises when out of reach."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


class Exchanges(Mapping[str, Exchange]):
    """All exchanges by name; iterating gives those with a file of their own, and others once used."""

    @property
    @abstractmethod
    def others(self) -> Sequence[str]:
        """The names that can be used beyond those; none when the extra for them is not installed."""

    @abstractmethod
    def of_account(self, name: str) -> Exchange:
        """Return the exchange of a stored account, which may be one that can't be read here any more."""
