"""Where people talk: what a platform takes in, sends out, and how fast it may.

A platform translates and transports; it holds no business word. Raw updates go to the `Inlet`
before anything acts on them; messages come as `Delivery` and leave as the platform's own structure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any, Protocol

from chatbot.domain.outbox import Delivery
from chatbot.domain.pacing import Pace
from chatbot.domain.people import Identity, Place, Role, Standing
from chatbot.domain.updates import Incoming, Pressed, Sender


class Section(IntEnum):
    """What a command is for; help and the platforms' lists keep this order."""

    BEGIN = 0
    READ = 1
    KEYS = 2
    SETTINGS = 3


@dataclass(frozen=True, slots=True)
class CommandInfo:
    """A command as a platform lists it: name, English msgid of its purpose, who may use it and what for."""

    name: str
    about: str
    role: Role
    private: bool
    section: Section = Section.SETTINGS


__all__ = ["CommandInfo", "Inlet", "Pace", "Platform", "Section"]


class Inlet(Protocol):
    """Takes raw updates in: removes pasted secrets, stores, wakes the worker."""

    async def put(self, platform: str, event_id: str, raw: Mapping[str, Any]) -> bool:
        """Store a raw update; false when this event was stored before. Returns after the commit."""
        ...


class Platform(Protocol):
    """One chat platform."""

    name: str
    pace: Pace
    # How people take a message of theirs away, as an English msgid; empty where the bot may do it for them.
    by_hand: str

    async def start(self, inlet: Inlet, commands: Sequence[CommandInfo]) -> None:
        """Check the token, register commands, begin to receive."""
        ...

    async def stop(self) -> None:
        """Stop receiving and close connections."""
        ...

    def parse(self, raw: Mapping[str, Any]) -> Incoming | None:
        """Turn a raw update into neutral words; None for one that means nothing to us."""
        ...

    async def deliver(self, delivery: Delivery) -> str:
        """Send, edit or erase one message and return its id; raises `SendError`."""
        ...

    async def answer(self, pressed: Pressed, toast: str) -> None:
        """Show a short text to who pressed, or just stop the spinner; never raises."""
        ...

    async def standing(self, who: Sender, *, chief: bool) -> Standing:
        """Return what the platform says of somebody in a place; asked before anything is done for them.

        Whether they are an admin there is only told with `chief`. Raises `SendError` when nobody can say now.
        """
        ...

    def private_place(self, who: Identity) -> Place | None:
        """Return where somebody can be written to in private unasked, None for nowhere."""
        ...

    def identify(self, proof: str, life: timedelta) -> Identity | None:
        """Return who opened a page inside the platform no longer than `life` ago, by what it handed the page.

        None for a proof that is forged, older, or another platform's.
        """
        ...

    def private_url(self, payload: str, workspace: str = "") -> str:
        """Return the address that opens the private chat with a start payload, or an empty string."""
        ...

    def routes(self) -> Sequence[Any]:
        """Return the ASGI routes this platform needs (webhook, chat page)."""
        ...

    async def check(self) -> str:
        """Return who the bot is on this platform; raises `SendError` when the token is refused."""
        ...
