"""What the Bot API's documentation allows in a request; anything else is told in its own words.

`server` asks before it acts. A refusal here is a mistake of the bot, so it is also kept as a complaint.
"""

import re
from collections.abc import Iterator
from typing import Any

_SEND = {"chat_id", "message_thread_id", "disable_notification", "protect_content", "reply_markup"}
PARAMETERS: dict[str, set[str]] = {
    "getMe": set(),
    "getChatMember": {"chat_id", "user_id"},
    "getUpdates": {"offset", "limit", "timeout", "allowed_updates"},
    "getWebhookInfo": set(),
    "setWebhook": {"url", "secret_token", "allowed_updates", "drop_pending_updates", "max_connections"},
    "deleteWebhook": {"drop_pending_updates"},
    "setMyCommands": {"commands", "scope", "language_code"},
    "sendMessage": _SEND | {"text", "entities", "link_preview_options"},
    "sendPhoto": _SEND | {"photo", "caption", "caption_entities"},
    "sendDocument": _SEND | {"document", "caption", "caption_entities"},
    "editMessageText": {
        "chat_id",
        "message_id",
        "text",
        "entities",
        "link_preview_options",
        "reply_markup",
    },
    "deleteMessage": {"chat_id", "message_id"},
    "answerCallbackQuery": {"callback_query_id", "text", "show_alert"},
}
_SCOPES = {
    "default",
    "all_private_chats",
    "all_group_chats",
    "all_chat_administrators",
    "chat",
    "chat_administrators",
    "chat_member",
}
_STYLES = {"bold", "italic", "code", "pre", "text_link"}


class Refused(Exception):
    """The Bot API says no."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def check(method: str, params: dict[str, Any]) -> None:
    """Raise `Refused` unless a request is as documented."""
    for problem in _problems(method, params):
        raise Refused(400, f"Bad Request: {problem}")


def units(text: str) -> int:
    """Return a text's length as Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


def _problems(method: str, params: dict[str, Any]) -> Iterator[str]:
    yield from (f"no parameter {name} in {method}" for name in params.keys() - PARAMETERS[method])
    for texts, styles, limit in (("text", "entities", 4096), ("caption", "caption_entities", 1024)):
        if texts in params and method != "answerCallbackQuery":
            yield from _text(params[texts], params.get(styles) or [], limit)
    if method in {"sendMessage", "editMessageText"}:
        if not params.get("text", "").strip():
            yield "message text is empty"
        if not (params.get("link_preview_options") or {}).get("is_disabled"):
            yield "our own rule: no link previews"
    if method == "answerCallbackQuery" and len(params.get("text", "")) > 200:
        yield "MESSAGE_TOO_LONG"
    if method == "setMyCommands":
        yield from _commands(params)
    yield from _keyboard(params.get("reply_markup") or {}, int(params.get("chat_id", 0)))


def _text(text: str, entities: list[dict[str, Any]], limit: int) -> Iterator[str]:
    if units(text) > limit:
        yield "message is too long"
    if len(entities) > 100:
        yield "too many entities"
    raw, end = text.encode("utf-16-le"), 0
    for entity in entities:
        start, length = entity["offset"], entity["length"]
        if entity["type"] not in _STYLES:
            yield f"entity type {entity['type']}"
        if entity["type"] == "text_link" and not re.match(r"https?://", entity.get("url", "")):
            yield "text_link without URL"
        if length < 1 or start < end or start + length > units(text):
            yield f"entity out of bounds: {entity}"
        for edge in (start, start + length):
            if 0xDC <= (raw[2 * edge + 1] if 2 * edge + 1 < len(raw) else 0) <= 0xDF:
                yield f"entity inside a character: {entity}"
        end = start + length


def _keyboard(markup: dict[str, Any], chat: int) -> Iterator[str]:
    rows = markup.get("inline_keyboard", [])
    if sum(len(row) for row in rows) > 100 or any(len(row) > 8 for row in rows):
        yield "too many buttons"
    for button in (button for row in rows for button in row):
        kinds = button.keys() - {"text"}
        if not button.get("text") or units(button["text"]) > 64:
            yield "BUTTON_TEXT_INVALID"
        if kinds == {"callback_data"}:
            if not 1 <= len(button["callback_data"].encode()) <= 64:
                yield "BUTTON_DATA_INVALID"
        elif kinds == {"web_app"}:
            if chat < 0:
                yield "BUTTON_TYPE_INVALID"
            if not button["web_app"]["url"].startswith("https://"):
                yield "inline keyboard button Web App URL is invalid: Only HTTPS links are allowed"
        elif kinds != {"url"} or not re.match(r"https?://\S+$", button["url"]):
            yield f"inline keyboard button URL '{button.get('url')}' is invalid: Wrong HTTP URL"


def _commands(params: dict[str, Any]) -> Iterator[str]:
    if params.get("scope", {"type": "default"})["type"] not in _SCOPES:
        yield "BOT_COMMAND_SCOPE_INVALID"
    if not re.fullmatch(r"([a-z]{2})?", params.get("language_code", "")):
        yield "LANGUAGE_CODE_INVALID"
    if len(params["commands"]) > 100:
        yield "BOT_COMMANDS_TOO_MUCH"
    for command in params["commands"]:
        if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
            yield "BOT_COMMAND_INVALID"
        if not 1 <= len(command["description"]) <= 256:
            yield "BOT_COMMAND_DESCRIPTION_INVALID"
