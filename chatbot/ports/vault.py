"""What keeps secrets: seals a credential under its own key, and opens what the link page sealed."""

from dataclasses import dataclass
from typing import Protocol

from chatbot.domain.credentials import AccountId, Credentials
from chatbot.domain.people import TeamId


@dataclass(frozen=True, slots=True)
class SealedCredential:
    """A credential as stored: `box` under a data key, the data key wrapped under master key `kek_id`."""

    kek_id: str
    wrapped_dek: bytes
    box: bytes


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """A link's own key pair: the public half for the page, the private half sealed."""

    public: bytes
    sealed_private: bytes


class Vault(Protocol):
    """Seals and opens; knows no database. Every open may raise `VaultError`."""

    def seal(
        self, account: AccountId, team: TeamId, exchange: str, credentials: Credentials
    ) -> SealedCredential:
        """Seal a credential, bound to its account, team and exchange."""
        ...

    def unseal(
        self, account: AccountId, team: TeamId, exchange: str, sealed: SealedCredential
    ) -> Credentials:
        """Open a credential; the caller wipes it after use."""
        ...

    def link_keys(self, link: bytes) -> LinkKeys:
        """Make a key pair for one link."""
        ...

    def open_submission(self, link: bytes, sealed_private: bytes, sealed: bytes, info: bytes) -> bytearray:
        """Open what the page sealed with HPKE; the caller zeroes it."""
        ...

    def seal_bytes(self, purpose: str, data: bytes) -> bytes:
        """Seal something small, bound to its purpose."""
        ...

    def open_bytes(self, purpose: str, blob: bytes) -> bytearray:
        """Open what `seal_bytes` made for the same purpose; the caller zeroes it."""
        ...

    def fingerprint(self, team: TeamId, exchange: str, credentials: Credentials) -> bytes:
        """Return a keyed hash of the API key, to notice the same key twice."""
        ...
