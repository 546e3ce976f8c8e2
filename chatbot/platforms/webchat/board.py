"""The messages of the web chat, in memory, with a version that grows with every change.

The platform writes, the page's long poll reads what changed since the version it knows. Ids carry a random
part of this process, so a message from before a restart is never taken for one of now.
"""

import asyncio
import contextlib
import secrets
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from chatbot.domain.messages import File, Image

KEPT_MESSAGES = 1000
KEPT_TOASTS = 50
BOT = "bot"


@dataclass(frozen=True, slots=True)
class Content:
    """What a message shows: JSON-ready lines and tables, rows of buttons, an image or a file."""

    body: tuple[Mapping[str, Any], ...] = ()
    buttons: tuple[tuple[Mapping[str, str], ...], ...] = ()
    image: Image | None = None
    file: File | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A message at one version; `order` is its place in the chat, `shown` false until it may be seen."""

    id: str
    chat: str
    sender: str
    at: datetime
    order: int
    content: Content
    silent: bool = False
    edited: bool = False
    deleted: bool = False
    shown: bool = True
    version: int = 0

    def view(self) -> dict[str, Any]:
        """Return the message as the page reads it."""
        image, file = self.content.image, self.content.file
        return {
            "id": self.id, "chat": self.chat, "from": self.sender, "order": self.order,
            "at": self.at.isoformat(), "body": self.content.body, "buttons": self.content.buttons,
            "image": _picture(image, f"/chat/image/{self.id}?v={self.version}") if image else None,
            "file": {"url": f"/chat/file/{self.id}", "name": file.name} if file else None,
            "silent": self.silent, "edited": self.edited, "deleted": self.deleted,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Toast:
    """A short text that passes; `press` names the press it answers."""

    chat: str
    text: str
    press: str
    version: int

    def view(self) -> dict[str, Any]:
        """Return the toast as the page reads it."""
        return {"chat": self.chat, "text": self.text, "press": self.press}


class Board:
    """All messages of all chats; the oldest fall off."""

    def __init__(self) -> None:
        """Start empty, at version 1: a first look at version 0 is answered at once."""
        self.version = 1
        self._boot = secrets.token_hex(4)
        self._count = 0
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._toasts: deque[Toast] = deque(maxlen=KEPT_TOASTS)
        self._changed = asyncio.Event()
        self._closed = False

    def event_id(self) -> str:
        """Return an id that no other event or message ever has."""
        self._count += 1
        return f"{self._boot}-{self._count}"

    def post(
        self, chat: str, sender: str, content: Content, *, silent: bool = False, shown: bool = True
    ) -> str:
        """Put a message at the end of its chat and return its id."""
        new = self.event_id()
        self._keep(
            Entry(new, chat, sender, datetime.now(UTC), self._count, content, silent=silent, shown=shown)
        )
        while len(self._entries) > KEPT_MESSAGES:
            self._entries.popitem(last=False)
        return new

    def find(self, message: str, chat: str) -> Entry | None:
        """Return a message of a chat that is still there."""
        entry = self._entries.get(message)
        return entry if entry and entry.chat == chat and not entry.deleted else None

    def change(self, entry: Entry, content: Content) -> None:
        """Show other content in the place of the old."""
        self._keep(replace(entry, content=content, edited=True))

    def erase(self, entry: Entry) -> None:
        """Take a message away together with what it said."""
        self._keep(replace(entry, content=Content(), deleted=True))

    def show(self, message: str) -> None:
        """Let a held-back message be seen, unless it was erased meanwhile."""
        entry = self._entries.get(message)
        if entry and not entry.deleted:
            self._keep(replace(entry, shown=True))

    def drop(self, message: str) -> None:
        """Forget a message that nobody has seen."""
        self._entries.pop(message, None)

    def holder(self, button: str) -> Entry | None:
        """Return the newest message that carries this button."""
        return next((entry for entry in reversed(self._entries.values()) if _has(entry, button)), None)

    def image(self, message: str) -> bytes | None:
        """Return the picture of a message."""
        entry = self._entries.get(message)
        return entry.content.image.png if entry and entry.content.image else None

    def file(self, message: str) -> File | None:
        """Return the file of a message."""
        entry = self._entries.get(message)
        return entry.content.file if entry else None

    def toast(self, chat: str, text: str, press: str) -> None:
        """Say something that passes; an empty text only ends the wait for the press."""
        self._toasts.append(Toast(chat, text, press, self._bump()))

    async def changes(self, after: int, seconds: float) -> dict[str, Any]:
        """Return what changed after a version, waiting so long for something to change."""
        known = after if after <= self.version else 0
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.version <= known and not self._closed:
                    await self._changed.wait()
        return {
            "version": self.version,
            "messages": [
                entry.view() for entry in self._entries.values() if entry.shown and entry.version > known
            ],
            "toasts": [toast.view() for toast in self._toasts if toast.version > known],
        }

    def close(self) -> None:
        """Let everybody go who waits for a change."""
        self._closed = True
        self._changed.set()

    def _keep(self, entry: Entry) -> None:
        self._entries[entry.id] = replace(entry, version=self._bump())

    def _bump(self) -> int:
        self.version += 1
        self._changed.set()
        self._changed = asyncio.Event()
        return self.version


def _picture(image: Image, url: str) -> dict[str, Any]:
    # With its size from the PNG's header the page keeps the room free, and nothing jumps once it is there.
    width, height = (int.from_bytes(image.png[at : at + 4]) for at in (16, 20))
    return {"url": url, "alt": image.alt, "width": width, "height": height}


def _has(entry: Entry, button: str) -> bool:
    return any(item.get("id") == button for row in entry.content.buttons for item in row)
