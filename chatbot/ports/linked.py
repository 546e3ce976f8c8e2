"""The store of people who are one person on several platforms, and of the codes that join them.

It is part of one unit of work (`stores.py`). Times are aware UTC and passed in. One of the identities is the
main one: accounts and settings stand under it, and `People.meet` returns it whoever of them acts.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chatbot.domain.credentials import Account, AccountId
from chatbot.domain.people import Person, PersonId
from chatbot.ports.vault import SealedCredential


@dataclass(frozen=True, slots=True)
class Held:
    """An account with its sealed credential, which a revoked one has no more."""

    account: Account
    sealed: SealedCredential | None


@dataclass(frozen=True, slots=True)
class Resealed:
    """A credential sealed for another team, with its fingerprint there."""

    sealed: SealedCredential
    fingerprint: bytes


class Linked(Protocol):
    """Codes, joins and partings."""

    async def show(self, person: PersonId, code: bytes, until: datetime, now: datetime) -> None:
        """Keep the hash of a person's new code; an earlier one of theirs is over, and old ones are swept."""
        ...

    async def shown_by(self, code: bytes, now: datetime) -> Person | None:
        """Return whose live code has this hash; changes nothing."""
        ...

    async def take(self, code: bytes, now: datetime) -> bool:
        """Use a live code up by one conditional delete; false when somebody was faster or it is over."""
        ...

    async def identities(self, main: PersonId) -> Sequence[Person]:
        """Return everybody who is this person, each as on their own: the main first, then as they came."""
        ...

    async def lock(self, *mains: PersonId) -> bool:
        """Let nobody else act as these persons until the transaction ends.

        False when one of them is a main no more.
        """
        ...

    async def held(self, owner: PersonId) -> Sequence[Held]:
        """Return all accounts of a person whatever their state, locked, oldest first."""
        ...

    async def hand_over(self, account: AccountId, to: Person, fresh: Resealed | None) -> None:
        """Give an account and all its rows to somebody else; `fresh` where it has a credential to reseal.

        Polls and scheduled posts under way with the old owner are fenced off.
        """
        ...

    async def join(
        self, person: PersonId, main: PersonId, came_with: Collection[AccountId], now: datetime
    ) -> None:
        """Make somebody, and whoever was linked to them, the same person as `main`.

        Their conversations and buttons become the main's, their own code is over. The accounts they came with
        are remembered. What they own is handed over by the caller.
        """
        ...

    async def company(self, person: PersonId, main: PersonId) -> Sequence[Person]:
        """Return who goes along when somebody linked to `main` leaves: those who came with them."""
        ...

    async def brought(self, person: PersonId, main: PersonId) -> Collection[AccountId]:
        """Return the accounts that somebody linked to `main` came with, and whoever goes along with them."""
        ...

    async def part(self, person: Person, main: Person) -> bool:
        """Make a linked identity a person of its own again; false when it is not linked to `main`.

        Whoever came with them goes along and is linked to them. Their conversations are theirs again. What
        goes from the one's accounts to where only the other can act goes to the owner's private conversation,
        or ends. Codes of both are over.
        """
        ...
