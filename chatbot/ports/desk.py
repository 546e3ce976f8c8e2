"""What the link page's two calls are answered with; the web edge knows only this."""

from dataclasses import dataclass
from typing import Protocol

from chatbot.domain.credentials import CredentialField


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What the page needs to show its form and to seal: binary values are raw bytes."""

    pk: bytes
    exchange: str
    label: str
    fields: tuple[CredentialField, ...]
    info: bytes
    seconds_left: int
    tries_left: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """The key was taken; the four digits to compare in the chat."""

    code: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The key was not taken: a sentence for the person, and how many tries are left."""

    reason: str
    tries_left: int


@dataclass(frozen=True, slots=True)
class BadSeal:
    """What was posted can't be opened; one answer whatever the cause."""


class LinkDesk(Protocol):
    """Opens links and takes submissions."""

    async def open(self, token: str, locale: str) -> OpenedLink | None:
        """Return what the page needs; changes nothing. None: the link can't be used."""
        ...

    async def submit(self, token: str, sealed: bytes, locale: str) -> Accepted | Refused | BadSeal | None:
        """Take one try. None: the link can't be used, for whatever reason."""
        ...
