"""`WebChat`: the Platform port over an in-memory board and a page.

What a person writes or presses goes through the inlet like any platform's update; what the bot says comes
as deliveries. A delivery taken once is not taken again, and nothing outlives the process: an edit of a
message from before a restart is refused as gone, so the bot posts anew.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from starlette.exceptions import HTTPException

from chatbot.domain.messages import Button, File, Line, Message, Piece, to_json
from chatbot.domain.outbox import Delivery, Promise
from chatbot.domain.people import Identity, Place, Standing
from chatbot.domain.updates import Incoming, Pressed, Said, Sender
from chatbot.errors import SendError, Verdict
from chatbot.platforms.webchat.board import BOT, Board, Content
from chatbot.platforms.webchat.door import Door
from chatbot.platforms.webchat.routes import Routes
from chatbot.platforms.webchat.scene import PLATFORM, Scene
from chatbot.platforms.webchat.words import render_page
from chatbot.ports.platforms import CommandInfo, Inlet, Pace
from chatbot.text import Translator

HOLD_SECONDS = 20.0
KEPT_DELIVERIES = 10_000


class WebChat:
    """Chats for one person at one machine."""

    name = PLATFORM
    by_hand = ""
    pace = Pace(per_second=1000, chat_seconds=0, group_per_minute=100_000)

    def __init__(
        self,
        token: str,
        origin: str,
        scrub: Callable[[str], str],
        scene: Scene | None = None,
        *,
        hold_seconds: float = HOLD_SECONDS,
    ) -> None:
        """Take the session's token, `http://localhost:<port>`, and what removes secrets from an echo.

        The inlet removes pasted secrets from what is stored, and tells nobody what it stored; `scrub` must
        remove the same ones from what the page shows as the person's own words.
        """
        self._origin = origin.rstrip("/")
        self._token = token
        self._scrub = scrub
        self._scene = scene or Scene()
        self._hold = hold_seconds
        self._door = Door(token, self._origin)
        self._board = Board()
        self._taken: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._inlet: Inlet | None = None
        self._commands: Sequence[CommandInfo] = ()

    @property
    def address(self) -> str:
        """The address to open; only ever for the terminal, its fragment is the session's token."""
        return f"{self._origin}/chat#{self._token}"

    @property
    def hosts(self) -> tuple[str, ...]:
        """The Host values under which the page may be asked for."""
        return self._door.hosts

    async def start(self, inlet: Inlet, commands: Sequence[CommandInfo]) -> None:
        """Begin to take in what people write."""
        self._inlet, self._commands = inlet, commands

    async def stop(self) -> None:
        """Take nothing more in and end the calls that wait for news."""
        self._inlet = None
        self._board.close()

    def parse(self, raw: Mapping[str, Any]) -> Incoming | None:
        """Read what `say` and `press` stored."""
        seat = self._scene.seat(str(raw.get("chat")))
        if seat is None or seat.user != raw.get("user"):
            return None
        who, message = seat.sender(), str(raw.get("message", ""))
        if raw.get("kind") == "press":
            return Pressed(who, str(raw["button"]), message, answer=str(raw["id"]))
        if raw.get("kind") == "say":
            at = datetime.fromisoformat(str(raw["at"]))
            return Said(who, str(raw["text"]), message, pasted=str(raw.get("pasted") or ""), at=at)
        return None

    async def deliver(self, delivery: Delivery) -> str:
        """Show, change or take away a message; a delivery shown before is left as it is."""
        taken = self._taken.get(delivery.id)
        said = _digest(delivery.message)
        if taken and taken[1] == said:
            return taken[0]
        if taken and self._board.find(taken[0], delivery.place.channel):
            # The same row with newer words: what it showed the first time is what it changes now.
            delivery = replace(delivery, edit=delivery.edit or taken[0])
        shown = self._deliver(delivery)
        self._taken[delivery.id] = (shown, said)
        if len(self._taken) > KEPT_DELIVERIES:
            self._taken.popitem(last=False)
        return shown

    async def answer(self, pressed: Pressed, toast: str) -> None:
        """Show a short text in the chat of the press, or only end its wait."""
        self._board.toast(pressed.who.channel, toast, pressed.answer)

    async def standing(self, who: Sender, *, chief: bool) -> Standing:
        del who, chief  # nobody comes in here but the person at this machine
        return Standing.CHIEF

    def private_place(self, who: Identity) -> Place | None:
        del who
        return None

    def identify(self, proof: str, life: timedelta) -> Identity | None:
        del proof, life  # nothing here vouches for anybody
        return None

    def private_url(self, payload: str, workspace: str = "") -> str:
        """Return the address that the page takes as: go to the private chat and start with this."""
        del workspace  # there are none here
        return f"{self._origin}/chat?start={quote(payload, safe='')}"

    def routes(self) -> Sequence[Any]:
        """Return the page and its calls."""
        return Routes(self, self._door).all()

    async def check(self) -> str:
        """Return who the bot is here."""
        return "web chat"

    def page(self) -> str:
        """Return the page, which holds no secret."""
        return render_page(self._scene.translator)

    def about(self) -> dict[str, Any]:
        """Return chats, commands, practice buttons and notes."""
        return self._scene.about(self._commands)

    def image(self, message: str) -> bytes | None:
        """Return the picture of a message."""
        return self._board.image(message)

    def file(self, message: str) -> File | None:
        """Return the file of a message."""
        return self._board.file(message)

    async def changes(self, after: int) -> dict[str, Any]:
        """Return what changed after a version, held until something does."""
        return {**await self._board.changes(after, self._hold), "chats": self._scene.chats()}

    async def say(self, chat: str, text: str) -> str | None:
        """Store what a person wrote, then show it to them."""
        seat = self._scene.seat(chat)
        if seat is None:
            return None
        # Its place is taken now, so that no answer overtakes it; it is seen once it is stored.
        message = self._board.post(chat, seat.user, _plain(self._scrub(text)), shown=False)
        try:
            await self._put("say", seat.chat, seat.user, message, text=text)
        except BaseException:
            self._board.drop(message)
            raise
        self._board.show(message)
        return message

    async def press(self, button: str) -> str | None:
        """Store that a button was pressed by whoever sits in its chat."""
        entry = self._board.holder(button)
        seat = self._scene.seat(entry.chat) if entry else None
        if entry is None or seat is None:
            return None
        return await self._put("press", seat.chat, seat.user, entry.id, button=button)

    async def _put(self, kind: str, chat: str, user: str, message: str, **content: str) -> str:
        if self._inlet is None:
            raise HTTPException(503, "The bot is not running.")
        event = self._board.event_id()
        at = datetime.now(UTC).isoformat()
        raw = {"kind": kind, "id": event, "chat": chat, "user": user, "message": message, "at": at, **content}
        await self._inlet.put(PLATFORM, event, raw)
        return event

    def _deliver(self, delivery: Delivery) -> str:
        chat = delivery.place.channel
        if self._scene.seat(chat) is None:
            raise SendError(Verdict.GONE, f"no chat {chat}")
        target = delivery.erase or delivery.edit
        if not target:
            return self._board.post(chat, BOT, self._content(delivery), silent=delivery.silent)
        entry = self._board.find(target, chat)
        if entry is None:
            raise SendError(Verdict.EDIT_GONE, "the message is not there any more")
        if delivery.erase:
            self._board.erase(entry)
        else:
            self._board.change(entry, self._content(delivery))
        return entry.id

    def _content(self, delivery: Delivery) -> Content:
        shown = delivery.message
        body, t = to_json(shown)["body"], Translator(delivery.locale)
        if delivery.repeat:
            body.insert(0, _note(t.say("↻ may be a repeat · ref {ref}", ref=delivery.ref)))
        elif delivery.promise is Promise.ALERT:
            body.append(_note(t.say("ref {ref}", ref=delivery.ref)))
        rows = tuple(tuple(self._button(b) for b in row if not b.app) for row in shown.buttons)
        return Content(tuple(body), rows, shown.image, shown.file)

    def _button(self, button: Button) -> Mapping[str, str]:
        if not button.url:
            return {"text": button.text, "id": button.action}
        start = self.private_url("")
        if button.url.startswith(start):
            return {"text": button.text, "url": button.url, "start": unquote(button.url.removeprefix(start))}
        return {"text": button.text, "url": button.url}


def _digest(message: Message) -> bytes:
    # Not the message itself: what was erased, and old pictures, are not kept.
    words = hashlib.sha256(json.dumps(to_json(message)).encode())
    words.update(message.image.png if message.image else b"")
    words.update(message.file.content if message.file else b"")
    return words.digest()


def _note(text: str) -> dict[str, Any]:
    return {"line": [[text, "plain", ""]], "note": True}


def _plain(text: str) -> Content:
    lines = Message(tuple(Line((Piece(line),)) for line in text.split("\n")))
    return Content(tuple(to_json(lines)["body"]))
