"""What an error proves about a message, by its cause on the wire (reference/reliability.md 4.1).

`sending` and `platform` call `verdict_on`. The library's classes alone don't tell: a pool timeout (surely
unsent) and a lost answer (perhaps delivered) are both its `TimedOut`. Reasons hold no token, no URL and
nothing that was quoted from the message.
"""

import re

import aiohttp
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)

from chatbot.errors import SendError, Verdict
from chatbot.platforms.telegram.transport import Foreign, Limited

# Nothing left this machine: no connection was made, or none was free.
_UNSENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)
_BY_TEXT = (
    (Verdict.UNCHANGED, ("message is not modified",)),
    (
        Verdict.EDIT_GONE,
        (
            "message to edit not found",
            "message can't be edited",
            "message to delete not found",
            "message can't be deleted",
            "message_id_invalid",
            "there is no text in the message to edit",
        ),
    ),
    (
        Verdict.GONE,
        (
            "chat not found",
            "message thread not found",
            "topic_deleted",
            "topic_closed",
            "peer_id_invalid",
            "user is deactivated",
            "group chat was deactivated",
            "bot was kicked",
            "have no rights to send a message",
            "not enough rights to send text messages",
            "chat_write_forbidden",
        ),
    ),
)
_BY_CLASS = (
    (Forbidden, Verdict.GONE),
    (InvalidToken, Verdict.UNAUTHORISED),
    (Conflict, Verdict.UNSENT),
    (Foreign, Verdict.UNSENT),
)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\w+://\S+|\b\d{5,}:[\w-]{20,}")


def verdict_on(error: TelegramError) -> SendError:
    """Return the error with its verdict; the caller raises it outside its `except`, so nothing is chained."""
    if isinstance(error, Limited):
        return SendError(Verdict.LIMITED, "too many requests", wait=error.wait)
    if isinstance(error, RetryAfter):
        # Its public attribute warns on every read; what it pickles to does not.
        return SendError(Verdict.LIMITED, "too many requests", wait=float(error.__reduce__()[1][0]))
    if isinstance(error, ChatMigrated):
        return SendError(Verdict.MOVED, "the group became a supergroup", moved_to=str(error.new_chat_id))
    return SendError(_verdict(error), reason_of(error))


def reason_of(error: TelegramError) -> str:
    """Return what went wrong in a few words that are safe to log."""
    if isinstance(error, BadRequest | Forbidden | InvalidToken | Conflict | Foreign):
        return _QUOTED.sub("…", error.message)[:200]
    name = type(error.__cause__ or error).__name__
    status = re.search(r"\((\d{3})\)", error.message)
    return f"{name} ({status[1]})" if status else name


def _verdict(error: TelegramError) -> Verdict:
    if isinstance(error, BadRequest):
        return _by_text(error.message.lower())
    for kind, verdict in _BY_CLASS:
        if isinstance(error, kind):
            return verdict
    return Verdict.UNSENT if isinstance(error.__cause__, _UNSENT) else Verdict.UNKNOWN


def _by_text(text: str) -> Verdict:
    for verdict, endings in _BY_TEXT:
        if any(ending in text for ending in endings):
            return verdict
    return Verdict.REFUSED
