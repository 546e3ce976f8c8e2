"""What the link page's two calls are answered with; the web edge knows only this."""

from dataclasses import dataclass
from typing import Protocol

from chatbot.domain.credentials import CredentialField
from chatbot.domain.people import Identity


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step of the guide as the page's side panel shows it, in the person's language."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What the page needs to show its form and to seal: binary values are raw bytes.

    `phrase` is what the owner chose in chat to know our page by; empty when there is none. `steps` are the
    last ones of the guide and what comes after them.
    """

    pk: bytes
    exchange: str
    label: str
    fields: tuple[CredentialField, ...]
    info: bytes
    seconds_left: int
    tries_left: int
    phrase: str = ""
    steps: tuple[ShownStep, ...] = ()


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
    """Opens links and takes submissions.

    `holder` is a link's token, or who opened the page as their platform vouches: then it is their one
    open link that is meant.
    """

    async def open(self, holder: str | Identity, locale: str) -> OpenedLink | None:
        """Return what the page needs; changes nothing. None: the link can't be used."""
        ...

    async def submit(
        self, holder: str | Identity, sealed: bytes, locale: str
    ) -> Accepted | Refused | BadSeal | None:
        """Take one try. None: the link can't be used, for whatever reason."""
        ...
