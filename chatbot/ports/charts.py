"""Who draws pictures, as handlers see it."""

from typing import Protocol

from chatbot.domain.pictures import Picture


class Charts(Protocol):
    """Draws what a handler describes."""

    async def draw(self, picture: Picture) -> bytes | None:
        """Return the picture as PNG; None when it can't be drawn now, which must never cost the message."""
        ...
