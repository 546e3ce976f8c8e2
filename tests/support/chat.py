"""A chat that keeps a transcript, in the place of a platform."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chatbot.domain.messages import Button, Message
from chatbot.domain.outbox import Delivery
from chatbot.domain.pacing import Pace
from chatbot.domain.people import Identity, Place, Standing
from chatbot.domain.updates import Happened, Incoming, Pressed, Said, Sender
from chatbot.errors import SendError
from chatbot.ports.platforms import CommandInfo, Inlet


@dataclass(slots=True)
class Shown:
    """A message as it stands in a chat."""

    id: str
    chat: str
    message: Message
    repeat: bool = False
    edits: int = 0
    silent: bool = False

    @property
    def text(self) -> str:
        """The words, without buttons."""
        return self.message.plain()

    @property
    def buttons(self) -> list[Button]:
        """All buttons, row by row."""
        return [button for row in self.message.buttons for button in row]

    @property
    def labels(self) -> list[str]:
        """The words on the buttons."""
        return [button.text for button in self.buttons]


UNLIMITED = Pace(per_second=1000, chat_seconds=0, group_per_minute=100_000)


@dataclass(slots=True)
class Chat:
    """A platform that keeps a transcript; `refuse` makes the next deliveries fail."""

    name: str = "web"
    pace: Pace = UNLIMITED
    messages: list[Shown] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    toasts: list[str] = field(default_factory=list)
    refuse: list[SendError] = field(default_factory=list)
    sends: int = 0
    standings: dict[str, Standing] = field(default_factory=dict)
    reaches_out: bool = False
    workspace: str = ""
    by_hand: str = ""

    async def start(self, inlet: Inlet, commands: Sequence[CommandInfo]) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    async def standing(self, who: Sender, *, chief: bool) -> Standing:
        """Say what the test set: a chief, unless it says otherwise."""
        del chief
        return self.standings.get(who.user, Standing.CHIEF)

    def private_place(self, who: Identity) -> Place | None:
        """Return the person's own chat where this chat may write unasked."""
        return Place(self.name, who.user, who.workspace) if self.reaches_out else None

    def parse(self, raw: Mapping[str, Any]) -> Incoming | None:
        """Read what `type`, `press` and `tell` stored."""
        who = Sender(
            raw["user"],
            raw["user"].title(),
            raw["chat"],
            self.workspace,
            private=raw["chat"] == raw["user"],
            locale=raw.get("locale", ""),
            title="" if raw["chat"] == raw["user"] else raw["chat"].title(),
        )
        if raw["kind"] == "said":
            return Said(who, raw["text"], raw["id"], pasted=raw.get("pasted", ""))
        if raw["kind"] == "happened":
            return Happened(who, raw["what"], raw["detail"])
        return Pressed(who, raw["button"], raw["id"], answer="x")

    async def deliver(self, delivery: Delivery) -> str:
        """Write into the transcript, or fail as told."""
        self.sends += 1
        if self.refuse:
            raise self.refuse.pop(0)
        if delivery.erase:
            self.erased.append(delivery.erase)
            return delivery.erase
        old = next((m for m in self.messages if m.id == delivery.edit), None)
        if old is not None:
            old.message, old.edits, old.repeat = delivery.message, old.edits + 1, delivery.repeat
            return old.id
        shown = Shown(
            f"m{len(self.messages) + 1}",
            delivery.place.channel,
            delivery.message,
            delivery.repeat,
            silent=delivery.silent,
        )
        self.messages.append(shown)
        return shown.id

    async def answer(self, pressed: Pressed, toast: str) -> None:
        """Keep the toast."""
        self.toasts.append(toast)

    def identify(self, proof: str, life: timedelta) -> Identity | None:
        del life
        if not proof.startswith("signed:"):
            return None
        return Identity(self.name, proof.removeprefix("signed:"), self.workspace)

    def private_url(self, payload: str, workspace: str = "") -> str:
        """Return an address that names the payload."""
        return f"https://chat.example/?start={payload}"

    def routes(self) -> Sequence[Any]:
        """Return no route."""
        return ()

    async def check(self) -> str:
        """Return the name."""
        return self.name
