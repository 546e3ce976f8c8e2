"""Chats, people and messages as the fake Bot API knows them; no HTTP in here.

`server` changes it on behalf of the bot, tests on behalf of people.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from tests.support.botapi.rules import Refused

BOT = {"id": 4242, "is_bot": True, "first_name": "Keyherald", "username": "keyherald_bot"}


@dataclass(slots=True)
class Chat:
    """A chat, and why the bot may not write there."""

    id: int
    type: str
    title: str = ""
    forum: bool = False
    topics: set[int] = field(default_factory=set)
    moved_to: int = 0
    admins: set[int] | None = None  # None: everybody is one
    refusal: tuple[int, str] | None = None


@dataclass(slots=True)
class Shown:
    """A message as people see it."""

    id: int
    chat: int
    thread: int
    text: str
    entities: list[dict[str, Any]]
    rows: list[list[dict[str, Any]]]
    photo: bytes = b""
    document: bytes = b""
    silent: bool = False
    protected: bool = False
    by_bot: bool = True
    edits: int = 0

    @property
    def buttons(self) -> list[str]:
        """The words on its buttons."""
        return [button["text"] for row in self.rows for button in row]

    def button(self, text: str) -> dict[str, Any]:
        """Return the button with these words."""
        return next(b for row in self.rows for b in row if b["text"] == text)

    def styled(self, kind: str) -> list[str]:
        """Return the words of one look."""
        raw = self.text.encode("utf-16-le")
        ranges = ((e["offset"], e["offset"] + e["length"]) for e in self.entities if e["type"] == kind)
        return [raw[2 * start : 2 * end].decode("utf-16-le") for start, end in ranges]


class World:
    """Everything that lives at Telegram."""

    def __init__(self) -> None:
        self.chats: dict[int, Chat] = {}
        self.messages: dict[int, Shown] = {}
        self._last = 100

    def next_id(self) -> int:
        self._last += 1
        return self._last

    def person(self, user: int, **fields: Any) -> dict[str, Any]:
        return {"id": user, "is_bot": False, "first_name": f"Person {user}", "language_code": "en", **fields}

    def chat(self, chat: int, kind: str = "private", **fields: Any) -> Chat:
        return self.chats.setdefault(chat, Chat(chat, kind, **fields))

    def chat_json(self, chat: Chat) -> dict[str, Any]:
        extra: dict[str, Any] = {"title": chat.title} if chat.type != "private" else {"first_name": "Person"}
        return {"id": chat.id, "type": chat.type, **({"is_forum": True} if chat.forum else {}), **extra}

    def message_json(self, shown: Shown, sender: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {
            "message_id": shown.id,
            "from": sender,
            "chat": self.chat_json(self.chats[shown.chat]),
            "date": int(time.time()),
        }
        if shown.thread:
            told |= {"message_thread_id": shown.thread, "is_topic_message": True}
        if shown.photo:
            told |= {"photo": [{"file_id": "p", "file_unique_id": "p", "width": 1, "height": 1}]}
            told |= {"caption": shown.text, "caption_entities": shown.entities}
        elif shown.document:
            told |= {"document": {"file_id": "d", "file_unique_id": "d"}, "caption": shown.text}
        else:
            told |= {"text": shown.text, "entities": shown.entities}
        if shown.rows:
            told["reply_markup"] = {"inline_keyboard": shown.rows}
        return told

    def reachable(self, chat_id: Any, thread: Any = None) -> Chat:
        """Return a chat the bot may write to."""
        chat = self.chats.get(int(chat_id))
        if chat is None:
            raise Refused(400, "Bad Request: chat not found")
        if chat.moved_to:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refused(400, text, migrate_to_chat_id=chat.moved_to)
        if chat.refusal:
            raise Refused(*chat.refusal)
        if thread is not None and int(thread) not in chat.topics:
            raise Refused(400, "Bad Request: message thread not found")
        return chat

    def post(self, params: dict[str, Any]) -> Shown:
        """Show a message of the bot."""
        chat = self.reachable(params["chat_id"], params.get("message_thread_id"))
        shown = Shown(
            id=self.next_id(),
            chat=chat.id,
            thread=int(params.get("message_thread_id", 0)),
            text=params.get("text", params.get("caption", "")),
            entities=params.get("entities") or params.get("caption_entities") or [],
            rows=(params.get("reply_markup") or {}).get("inline_keyboard", []),
            photo=params.get("photo", b""),
            document=params.get("document", b""),
            silent=bool(params.get("disable_notification")),
            protected=bool(params.get("protect_content")),
        )
        self.messages[shown.id] = shown
        return shown

    def edit(self, params: dict[str, Any]) -> Shown:
        """Change a message of the bot."""
        self.reachable(params["chat_id"])
        shown = self.messages.get(int(params["message_id"]))
        if shown is None or shown.chat != int(params["chat_id"]):
            raise Refused(400, "Bad Request: message to edit not found")
        if not shown.by_bot:
            raise Refused(400, "Bad Request: message can't be edited")
        if shown.photo or shown.document:
            raise Refused(400, "Bad Request: there is no text in the message to edit")
        rows = (params.get("reply_markup") or {}).get("inline_keyboard", [])
        new = (params["text"], params.get("entities") or [], rows)
        if new == (shown.text, shown.entities, shown.rows):
            raise Refused(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup"
                " are exactly the same as a current content and reply markup of the message",
            )
        shown.text, shown.entities, shown.rows = new
        shown.edits += 1
        return shown

    def delete(self, params: dict[str, Any]) -> bool:
        """Take a message away."""
        chat = self.reachable(params["chat_id"])
        shown = self.messages.get(int(params["message_id"]))
        if shown is None or shown.chat != chat.id:
            raise Refused(400, "Bad Request: message to delete not found")
        del self.messages[shown.id]
        return True
