"""The store of troubles that last: one spell for each trouble of an account until it is well again.

Part of one unit of work (`stores.py`). Times are aware UTC and passed in.
"""

from collections.abc import Sequence
from typing import Protocol

from chatbot.domain.credentials import AccountId
from chatbot.domain.people import TeamId
from chatbot.domain.repeats import Spell


class Troubles(Protocol):
    """What is the matter with accounts that can't be read, and how often that was told."""

    async def of_account(self, account: AccountId) -> Sequence[Spell]:
        """Return the spells of an account, oldest first."""
        ...

    async def save(self, account: AccountId, team: TeamId, spell: Spell) -> None:
        """Keep a spell as it is now."""
        ...

    async def end(self, account: AccountId) -> None:
        """Let go of all spells of an account: it is well again."""
        ...
