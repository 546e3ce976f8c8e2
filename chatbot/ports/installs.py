"""Where the bot is installed: workspaces that let it in, each with a token of its own, and home pages.

The stores are part of one unit of work (`stores.py`); `Installs` is what a platform itself is handed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chatbot.domain.people import Conversation, Person, PersonId, TeamId


@dataclass(frozen=True, slots=True)
class Installation:
    """One workspace's installation, or a whole organisation's: `wide` is the id of the latter.

    `sealed` holds its tokens; None when they stand in the settings.
    """

    team: TeamId
    wide: str
    sealed: bytes | None


def purpose_of(team: TeamId) -> str:
    """Return what an installation's tokens are sealed for."""
    return f"installation:{team}"


class Installations(Protocol):
    """Installations, one row for each workspace or organisation, and the states of those under way."""

    async def keep(self, installation: Installation, now: datetime) -> None:
        """Store an installation, in the place of an earlier one; it is live from now on.

        With an organisation's the workspaces that ended together with it are live again.
        """
        ...

    async def renew(self, team: TeamId, sealed: bytes) -> bool:
        """Replace the tokens of a live installation that has its own; false when it ended meanwhile."""
        ...

    async def find(self, team: TeamId) -> Installation | None:
        """Return the live installation of a workspace or organisation."""
        ...

    async def end(self, team: TeamId, now: datetime) -> bool:
        """End an installation and destroy its tokens; tell whether it was live. It is remembered as ended.

        One that was kept after `now` stays: the word of an earlier end may come late.
        """
        ...

    async def parts(self, wide: str) -> Sequence[TeamId]:
        """Return the teams that are or were let in by an organisation's installation, itself among them."""
        ...

    async def ended(self, team: TeamId) -> bool:
        """Tell whether the workspace of a team has thrown us out and not let us in again."""
        ...

    async def issue(self, state: bytes, until: datetime, now: datetime) -> None:
        """Remember the hash of a state that an installation may come back with; sweeps the old ones."""
        ...

    async def redeem(self, state: bytes, now: datetime) -> bool:
        """Take such a hash, once and in time."""
        ...

    async def prune(self, now: datetime) -> int:
        """Delete the hashes whose time is over; return how many."""
        ...


@dataclass(frozen=True, slots=True)
class Home:
    """A home page that somebody opened: whose it is, where, and a digest of what it shows."""

    conversation: Conversation
    person: Person
    digest: str


class Homes(Protocol):
    """Home pages inside a platform."""

    async def opened(self, conversation: Conversation, now: datetime) -> None:
        """Note that somebody looks at their home page."""
        ...

    async def open_since(self, since: datetime, limit: int) -> Sequence[Home]:
        """Return the pages opened since a time, latest first, of live conversations."""
        ...

    async def shown(self, conversation: Conversation, digest: str) -> None:
        """Note what a page was made to show."""
        ...

    async def of_person(self, person: PersonId) -> Sequence[Conversation]:
        """Return where somebody opened a page; it stays there with what it shows until it is replaced."""
        ...

    async def prune(self) -> int:
        """Forget the pages of conversations that are no longer live; return how many."""
        ...


class Installs(Protocol):
    """The installations as a platform sees them: tokens in clear for the moment of use, states as text.

    What is kept is JSON-ready; it is sealed before it is stored. Raises `StorageError` or `VaultError`.
    """

    async def find(self, workspace: str, wide: str = "") -> Mapping[str, Any] | None:
        """Return what is kept for a workspace, or else for the organisation it is part of."""
        ...

    async def keep(self, workspace: str, wide: str, kept: Mapping[str, Any]) -> None:
        """Keep what an installation brought."""
        ...

    async def renew(self, workspace: str, kept: Mapping[str, Any]) -> bool:
        """Keep renewed tokens; false, and nothing is kept, when the installation ended meanwhile."""
        ...

    async def alive(self, workspace: str) -> None:
        """Note that a workspace whose token stands in the settings lets us in."""
        ...

    async def ended(self, workspace: str) -> bool:
        """Tell whether a workspace has thrown us out and not let us in again."""
        ...

    async def issue_state(self, seconds: int) -> str:
        """Return a random state that can be redeemed once within so many seconds."""
        ...

    async def redeem_state(self, state: str) -> bool:
        """Take a state back, once."""
        ...

    async def turn(self, name: str, seconds: int) -> bool:
        """Take the turn for something that only one process may do at a time; it ends by itself."""
        ...
