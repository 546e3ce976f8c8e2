"""From a raw update to neutral words; pure, and strict about who is speaking.

`Telegram.parse` calls it on stored updates. Whatever has no attributable person (anonymous admins, channel
posts, other bots, forwards, inline results, edits) is None. A broken update raises; the caller parks it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chatbot.domain.updates import Happened, Incoming, Pressed, Said, Sender

Json = Mapping[str, Any]
# Written by the inlet when it took a secret out of an update.
PASTED = "pasted"
_NOT_OWN_WORDS = (
    "via_bot",
    "forward_origin",
    "forward_date",
    "is_automatic_forward",
    "sender_chat",
    "sender_business_bot",
)
_OUT = frozenset({"left", "kicked"})


def read(raw: Json, username: str) -> Incoming | None:
    """Return what happened; `username` is the bot's own, to tell commands to other bots apart."""
    if "message" in raw:
        return _message(raw["message"], username, str(raw.get(PASTED, "")))
    if "callback_query" in raw:
        return _press(raw["callback_query"])
    if "my_chat_member" in raw:
        return _membership(raw["my_chat_member"])
    return None


def _message(message: Json, username: str, pasted: str) -> Incoming | None:
    if "migrate_to_chat_id" in message:
        return Happened(
            _sender(message.get("from", {}), message), "moved", str(message["migrate_to_chat_id"])
        )
    person = message.get("from")
    if not person or person.get("is_bot"):
        return None
    if pasted and not message.get("sender_chat"):
        # Forwarded or typed: it must go from this chat, and its words are not read as a command.
        return _said(person, message, "", pasted)
    if any(message.get(mark) for mark in _NOT_OWN_WORDS):
        return None
    words = message.get("text") or message.get("caption")
    if not words:
        return None
    text = _own_command(words, username)
    if text is None:
        return None
    return _said(person, message, text, "")


def _said(person: Json, message: Json, text: str, pasted: str) -> Said:
    at = datetime.fromtimestamp(message["date"], UTC)
    return Said(_sender(person, message), text, str(message["message_id"]), pasted, at)


def _own_command(text: str, username: str) -> str | None:
    if not text.startswith("/"):
        return text
    command, *_ = text.split(maxsplit=1)
    name, at, addressee = command.partition("@")
    if at and username and addressee.lower() != username.lower():
        return None
    return name + text[len(command) :]


def _press(query: Json) -> Pressed | None:
    message, button = query.get("message"), query.get("data")
    if not message or not button or query["from"].get("is_bot"):
        return None
    return Pressed(_sender(query["from"], message), button, str(message["message_id"]), str(query["id"]))


def _membership(change: Json) -> Happened | None:
    was, now = _is_in(change["old_chat_member"]), _is_in(change["new_chat_member"])
    if was is now:
        return None
    return Happened(_sender(change["from"], change), "joined" if now else "left")


def _is_in(member: Json) -> bool:
    return member["status"] not in _OUT and bool(member.get("is_member", True))


def _sender(person: Json, where: Json) -> Sender:
    chat = where["chat"]
    names = (person.get("first_name", ""), person.get("last_name", ""))
    return Sender(
        user=str(person.get("id", "")),
        name=" ".join(filter(None, names)),
        channel=str(chat["id"]),
        thread=str(where["message_thread_id"]) if where.get("is_topic_message") else "",
        private=chat["type"] == "private",
        locale=str(person.get("language_code", "")),
        title=str(chat.get("title", "")),
    )
