"""Stores of what comes in and goes out: inbox, outbox with its buttons, named leases.

All are part of one unit of work (`stores.py`). Times are aware UTC and passed in.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from chatbot.domain.messages import Post
from chatbot.domain.outbox import Delivery, Next, Promise
from chatbot.domain.people import ConversationId, PersonId


@dataclass(frozen=True, slots=True)
class Press:
    """What a button stands for, once the right person pressed it in time."""

    action: str
    args: tuple[str, ...]


class Sent(NamedTuple):
    """A delivery that its platform took: the id of the message there, and when."""

    delivery: Delivery
    message_id: str
    at: datetime


class Outbox(Protocol):
    """Messages to send. A post's buttons become rows with random ids inside `put`."""

    async def put(  # noqa: PLR0913  the row has these columns
        self,
        conversation: ConversationId,
        post: Post,
        promise: Promise,
        now: datetime,
        *,
        key: str = "",
        reader: PersonId | None = None,
        locale: str = "en",
        erase: str = "",
        whisper: str = "",
        ahead: bool = False,
    ) -> bool:
        """Queue a post; false when the key was queued before.

        One that goes `ahead` leaves before what waits for other conversations, never before its own one's.

        `reader` may press its buttons; `whisper` is the platform's id of the user who alone shall see it.
        """
        ...

    async def claim(
        self,
        now: datetime,
        until: datetime,
        limit: int,
        busy: Sequence[ConversationId],
        platforms: Sequence[str],
        full: Sequence[str] = (),
    ) -> Sequence[Delivery]:
        """Take due messages of these platforms, one per conversation, none of the `busy`, oldest first.

        None either of the bots (`Place.bot`) that have enough to do, or must wait: `full`.

        A row whose lease ran out is taken too: as it was when only claimed, by `after_unknown` when begun.
        """
        ...

    async def begin(self, delivery: Delivery) -> None:
        """Write that bytes are about to leave; raises `Fenced`."""
        ...

    async def begin_all(self, deliveries: Sequence[Delivery]) -> Collection[str]:
        """Do so for many; return the ids of those that are still ours to send."""
        ...

    async def sent(self, delivery: Delivery, message_id: str, now: datetime) -> None:
        """Record success and the card's message; raises `Fenced`."""
        ...

    async def sent_all(self, results: Sequence[Sent]) -> Collection[str]:
        """Do so for many; return the ids of those that were still ours."""
        ...

    async def failed(self, delivery: Delivery, what: Next, reason: str, now: datetime) -> None:
        """Record what follows a failure; raises `Fenced`."""
        ...

    async def press(
        self, button: str, person: PersonId, conversation: ConversationId, now: datetime
    ) -> Press | None:
        """Return what a button does when this person may press it here and now, else None."""
        ...

    async def peek(self, button: str) -> Press | None:
        """Return what a button stands for, whoever may press it."""
        ...

    async def lost_report(self, conversation: ConversationId) -> str | None:
        """Return the newest report that may not have arrived there, unless it was offered again."""
        ...

    async def offered(self, post: str) -> None:
        """Note that a lost report was offered."""
        ...

    async def show_again(
        self, post: str, conversation: ConversationId, reader: PersonId, now: datetime
    ) -> bool | None:
        """Queue a lost report of this conversation again, marked and with its reference.

        False when that was done before, None when it is no longer kept.
        """
        ...

    async def counts(self) -> Mapping[str, int]:
        """Return how many rows are in each state, and how the promises were kept.

        `marked` repeats; `unmarked` ones, sent although an earlier try may have been taken; `lost` alerts.
        """
        ...

    async def prune(self, before: datetime) -> int:
        """Drop the content of some messages that were over before then; return how many, 0 when none is left.

        The row itself stays: its key keeps the same thing from being told again.
        """
        ...


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A raw update to handle; `attempts` counts this one."""

    id: str
    platform: str
    raw: Mapping[str, Any]
    received_at: datetime
    attempts: int
    fence: int


class Inbox(Protocol):
    """Raw updates, each once."""

    async def put(self, platform: str, event_id: str, raw: Mapping[str, Any], now: datetime) -> bool:
        """Store an update; false when it was stored before."""
        ...

    async def claim(self, now: datetime, until: datetime, limit: int) -> Sequence[InboxRow]:
        """Take unhandled updates in order of arrival; one that keeps ending who took it is parked."""
        ...

    async def done(self, row: InboxRow) -> None:
        """Mark an update handled and drop its content; raises `Fenced`."""
        ...

    async def fail(self, row: InboxRow, reason: str, *, park: bool, until: datetime | None = None) -> None:
        """Note a failure, to be tried again after `until`; a parked update is not, and loses its content."""
        ...

    async def release(self, rows: Sequence[InboxRow], until: datetime | None = None) -> None:
        """Give claimed updates back as if they had not been taken, until then; never raises `Fenced`."""
        ...

    async def prune(self, before: datetime) -> int:
        """Delete some updates that are over and came before then; return how many, 0 when none is left."""
        ...


class Leases(Protocol):
    """Who owns a named thing (a bot token, the embedded engine) until when."""

    async def take(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        """Take or renew a lease; false when somebody else holds it."""
        ...

    async def drop(self, name: str, owner: str) -> None:
        """Give a lease up."""
        ...
