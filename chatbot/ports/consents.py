"""The store of what places may be sent, as soon as the owner of the accounts says yes.

Part of one unit of work (`stores.py`). Times are aware UTC and passed in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chatbot.domain.credentials import AccountId
from chatbot.domain.people import Conversation, Person, PersonId, Place


@dataclass(frozen=True, slots=True)
class Consent:
    """A question to an owner: may this place be sent the news of these accounts?

    `asked` is false while nobody needs an answer: the place shut its door and may open it again.
    """

    person: Person
    conversation: Conversation
    accounts: tuple[AccountId, ...]
    asked: bool


class Consents(Protocol):
    """Questions without an answer, one for each owner and place."""

    async def ask(
        self,
        person: PersonId,
        conversation: Conversation,
        accounts: Sequence[AccountId],
        now: datetime,
        *,
        asked: bool = True,
    ) -> None:
        """Keep a question, in the place of an earlier one."""
        ...

    async def of_person(self, person: PersonId) -> Sequence[Consent]:
        """Return what a person was asked and did not answer, for places that can be reached."""
        ...

    async def dormant(self, place: Place) -> Sequence[Consent]:
        """Return what was not asked again yet for a channel and its threads."""
        ...

    async def take(self, person: PersonId, conversation: Conversation) -> Consent | None:
        """Return an open question and end it: only the first answer finds it."""
        ...
