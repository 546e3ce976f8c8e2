"""Stores of people, the places they talk in, their guides and their one-time links.

All are part of one unit of work (`stores.py`). Times are aware UTC and passed in.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from chatbot.domain.conversations import GuideId, GuideState
from chatbot.domain.links import Link
from chatbot.domain.notices import Hush
from chatbot.domain.people import Conversation, ConversationId, Identity, Person, PersonId, Place, TeamId


class People(Protocol):
    """Persons and their settings."""

    async def meet(
        self, who: Identity, name: str, locale: str, defaults: tuple[str, str], now: datetime
    ) -> Person:
        """Return the person of an identity, made on first sight with (timezone, currency) defaults.

        One that is linked is its main person, under the identity and name that act now.
        """
        ...

    async def get(self, person: PersonId) -> Person:
        """Return a person; raises KeyError when there is none."""
        ...

    async def change(
        self, person: PersonId, *, locale: str = "", timezone: str = "", currency: str = "", shade: str = ""
    ) -> None:
        """Change those settings that are not empty."""
        ...

    async def keep_phrase(self, person: PersonId, phrase: str) -> None:
        """Keep the words that the link page shows to this person; empty for none."""
        ...

    async def owns(self, person: PersonId) -> bool:
        """Tell whether anything of an account of theirs is stored, connected or not."""
        ...

    async def forget(self, person: PersonId) -> None:
        """Delete the person, all that are linked to them, and every row of theirs.

        The audit keeps the ids without a name.
        """
        ...


class Conversations(Protocol):
    """Places the bot talks in."""

    async def enter(self, place: Place, team: TeamId, person: PersonId | None) -> Conversation:
        """Return the conversation of a place, made or revived; `person` only for a private one."""
        ...

    async def get(self, conversation: ConversationId) -> Conversation:
        """Return a conversation; raises KeyError when there is none."""
        ...

    async def private_of(self, person: PersonId, near: Place | None = None) -> Conversation | None:
        """Return a live private conversation of the person; with `near` only where the same bot speaks."""
        ...

    async def privates_of(self, person: PersonId) -> Sequence[Conversation]:
        """Return the live private conversations of the person, one for each bot."""
        ...

    async def leave(self, conversation: ConversationId) -> None:
        """Mark a conversation as no longer reachable; its pending posts are gone.

        A group's subscriptions end too, with those of all its topics: being let in again restarts nothing.
        """
        ...

    async def hush(self, conversation: ConversationId) -> Hush:
        """Return when a place is quiet or muted; never for one that is not known."""
        ...

    async def set_quiet(self, conversation: ConversationId, quiet: str, zone: str) -> None:
        """Set the quiet hours of a place, as `domain.notices.parse_quiet` reads them; empty for none.

        `zone` empty is that of who reads.
        """
        ...

    async def mute(self, conversation: ConversationId, until: datetime | None) -> None:
        """Hold back what is not urgent in a place until then; None lifts the mute."""
        ...

    async def leave_workspace(self, platform: str, workspace: str, now: datetime) -> Sequence[PersonId]:
        """Mark every conversation of a workspace as unreachable; return whom we talked to there in private.

        What waits for them is gone, also what is just being sent; subscriptions of its groups end.
        """
        ...

    async def rejoin_workspace(self, platform: str, workspace: str) -> None:
        """Let the private conversations of a workspace be live again; its groups ask for us anew."""
        ...

    async def forget_empty(self) -> None:
        """Delete what remains of people who were forgotten: private places of nobody, with nothing to say."""
        ...

    async def move(self, old: Place, channel: str) -> None:
        """Follow a place to its new channel; every topic of it moves along."""
        ...


class Guides(Protocol):
    """How far people are in a guide."""

    async def start(
        self, person: PersonId, conversation: ConversationId, exchange: str, step: str
    ) -> GuideState:
        """Begin a guide; an earlier one of the same person ends."""
        ...

    async def current(self, person: PersonId) -> GuideState | None:
        """Return the guide the person is in."""
        ...

    async def go(self, guide: GuideId, step: str) -> None:
        """Set the step shown now."""
        ...

    async def note(self, guide: GuideId, *, label: str) -> None:
        """Set the label for the account to come."""
        ...

    async def note_of(self, person: PersonId, *, trouble: str) -> None:
        """Set the trouble that really happened in the guide the person is in, if any."""
        ...

    async def end(self, person: PersonId) -> bool:
        """End the person's guide; tell whether there was one."""
        ...


class Links(Protocol):
    """One-time links."""

    async def minted_since(self, person: PersonId, since: datetime) -> int:
        """Count the links minted for a person since a time that brought no key."""
        ...

    async def mint(self, link: Link, now: datetime) -> None:
        """Store a new link; every other open link of the person is revoked and its key wiped."""
        ...

    async def open_of(self, who: Identity, now: datetime) -> bytes | None:
        """Return the id of somebody's newest link that can still be used; changes nothing."""
        ...

    async def look(self, link: bytes, now: datetime) -> Link | None:
        """Return a link that can still be used; changes nothing."""
        ...

    async def opened(self, link: bytes, now: datetime) -> bool:
        """Note that the page was opened, and tell whether that was the first time; consumes nothing."""
        ...

    async def claim(self, link: bytes, now: datetime, until: datetime) -> Link | None:
        """Take the link for one try by one conditional update; None when it is taken or over."""
        ...

    async def give_back(self, link: Link, *, count: bool) -> None:
        """Open a claimed link again, or end it when `Link.left` says so; raises `Fenced`.

        Without `count` the try is given back.
        """
        ...

    async def use(self, link: Link) -> None:
        """End a claimed link for good and wipe its private key. Raises `Fenced`."""
        ...

    async def revoke_of(self, person: PersonId) -> int:
        """End every open link of a person."""
        ...

    async def revoke_of_team(self, team: TeamId) -> int:
        """End every open link of a team."""
        ...

    async def expire(self, now: datetime) -> Sequence[Link]:
        """End the links whose time is over, wipe their keys and return them."""
        ...
