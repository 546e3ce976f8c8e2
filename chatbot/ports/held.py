"""The store of what quiet hours and mutes hold back until it can be told together.

Part of one unit of work (`stores.py`). Times are aware UTC and passed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chatbot.domain.messages import Message
from chatbot.domain.people import ConversationId, Person, PersonId
from chatbot.ports.records import Subscription


@dataclass(frozen=True, slots=True)
class HeldPost:
    """A post that waits: when it came, and its subscription as it is now (None: it was ended since).

    `shown` tells that an earlier state of its card stands in the chat. A post of several accounts has their
    owners as `others`, and goes as soon as one of them ended it.
    """

    seq: int
    at: datetime
    kind: str
    key: str
    message: Message
    reader: Person
    subscription: Subscription | None
    card: str = ""
    shown: bool = False
    urgent: bool = False
    silent: bool = False
    others: Sequence[Person] = ()


class Held(Protocol):
    """What is held back, each thing once, by the keys that the outbox has too."""

    async def add(  # noqa: PLR0913  the row has these columns
        self,
        sub: Subscription,
        message: Message,
        key: str,
        now: datetime,
        until: datetime,
        *,
        card: str = "",
        locale: str = "en",
        urgent: bool = False,
        silent: bool = False,
        also: Sequence[str] = (),
    ) -> bool:
        """Hold a post until then; false when its key was held or queued before.

        A newer state of a card takes the place of the older one, and is as loud as that. `also` names the
        subscriptions whose accounts it shows besides.
        """
        ...

    async def knows(self, key: str) -> bool:
        """Tell whether a key is held, or was."""
        ...

    async def waits(self, conversation: ConversationId, now: datetime) -> bool:
        """Tell whether something held is to be told there now, so that nothing may overtake it."""
        ...

    async def supersede(self, conversation: ConversationId, card: str, now: datetime) -> None:
        """Let go of a card's older state, because a newer one is queued."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[ConversationId]:
        """Return some conversations in which something held has to be looked at, longest waiting first.

        Found among the first `limit` posts; none when nothing is left.
        """
        ...

    async def open(self, conversation: ConversationId) -> Sequence[HeldPost]:
        """Return all that is held for a conversation, in order of arrival; nobody else tells it meanwhile."""
        ...

    async def keep(self, posts: Sequence[HeldPost], until: datetime) -> None:
        """Hold some posts on until then."""
        ...

    async def put_off(self, conversation: ConversationId, until: datetime) -> None:
        """Look at nothing that is held for a conversation before then; not even whether it can be read."""
        ...

    async def over(self, posts: Sequence[HeldPost], now: datetime) -> None:
        """Let go of some posts, told or given up; their keys stay."""
        ...

    async def look_again(self, person: PersonId) -> None:
        """Have all that is held of a person's accounts looked at anew, after they changed their settings."""
        ...
