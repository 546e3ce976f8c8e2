"""What the platform contract needs of each platform: a person's private chat that can be driven and read.

A platform joins by one file `adapters/<name>.py` with an async context manager `opened()` that yields a `Chat`.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from chatbot.domain.messages import Message
from chatbot.domain.updates import Incoming
from chatbot.ports.platforms import Platform


@dataclass(frozen=True, slots=True)
class Seen:
    """A message of the bot as the person sees it now."""

    id: str
    text: str
    buttons: list[str] = field(default_factory=list)


class Chat(Protocol):
    """A private chat; `longest` is how much one message may hold, 0 for no limit."""

    platform: Platform
    longest: int

    async def say(self, text: str) -> Incoming | None:
        """Type something, and return what the platform makes of the stored raw update."""
        ...

    async def press(self, seen: Seen, button: str) -> Incoming | None:
        """Press a button, and return what the platform makes of the stored raw update."""
        ...

    async def screen(self) -> list[Seen]:
        """Return the bot's messages as they stand, oldest first."""
        ...

    async def deliver(self, message: Message | str, **fields: Any) -> str:
        """Deliver a message to this chat, with other fields of the `Delivery` as given."""
        ...
