"""What the Web API's documentation allows in a call; anything else is refused in its own words.

`server` asks before it acts. A refusal from here is a mistake of the bot, so it is also kept as a complaint.
"""

import json
from collections.abc import Iterator
from typing import Any

from tests.support.slackapi.blocks import problems as block_problems
from tests.support.slackapi.blocks import size

_WORDS = {"channel", "text", "blocks", "thread_ts", "link_names", "parse"}
_POST = _WORDS | {"mrkdwn", "metadata", "reply_broadcast", "unfurl_links", "unfurl_media"}
PARAMETERS: dict[str, set[str]] = {
    "auth.test": set(),
    "bots.info": {"bot", "team_id"},
    "chat.postMessage": _POST,
    "chat.postEphemeral": _WORDS | {"user"},
    "chat.update": (_WORDS - {"thread_ts"}) | {"ts", "metadata", "file_ids", "reply_broadcast"},
    "chat.delete": {"channel", "ts"},
    "conversations.open": {"users", "channel", "return_im", "prevent_creation"},
    "users.info": {"user", "include_locale"},
    "views.publish": {"user_id", "view", "hash"},
    "files.getUploadURLExternal": {"filename", "length", "alt_txt", "snippet_type"},
    "files.completeUploadExternal": {"files", "channel_id", "initial_comment", "thread_ts", "blocks"},
    "oauth.v2.access": {"client_id", "client_secret", "code", "redirect_uri", "grant_type", "refresh_token"},
    "apps.connections.open": set(),
}
REQUIRED: dict[str, set[str]] = {
    "bots.info": {"bot"},
    "chat.postMessage": {"channel", "text"},
    "chat.postEphemeral": {"channel", "text", "user"},
    "chat.update": {"channel", "text", "ts"},
    "chat.delete": {"channel", "ts"},
    "users.info": {"user"},
    "views.publish": {"user_id", "view"},
    "files.getUploadURLExternal": {"filename", "length"},
    "files.completeUploadExternal": {"files", "channel_id"},
}
SCOPE_OF = {
    "bots.info": "users:read",
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "conversations.open": "im:write",
    "users.info": "users:read",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
}
LONGEST_TEXT = 40_000
# Not in the documentation: from there on Slack answers msg_blocks_too_long, whatever the blocks are.
LONGEST_BLOCKS = 13_200
_VIEW = {"type", "blocks", "callback_id", "external_id"}


class Refused(Exception):
    """Slack says no: an error code, and what else its answer tells."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


class Mistaken(Refused):
    """Slack says no to what the documentation forbids; `why` says what."""

    def __init__(self, error: str, why: str, **more: Any) -> None:
        super().__init__(error, **more)
        self.why = why


def check(method: str, params: dict[str, Any]) -> None:
    """Raise `Mistaken` unless a call is as documented."""
    for error, why in _problems(method, params):
        raise Mistaken(error, why)


def _problems(method: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in params.keys() - PARAMETERS[method]:
        yield "invalid_arguments", f"no parameter {name}"
    for name in REQUIRED.get(method, set()) - params.keys():
        yield ("no_text" if name == "text" else "invalid_arguments"), f"{name} is missing"
    if method.startswith("chat.") and method != "chat.delete":
        yield from _words(method, params)
    if method == "views.publish":
        yield from _view(params["view"])
    if params.get("filename", "").endswith(".png") and not params.get("alt_txt"):
        yield "invalid_arguments", "our own rule: a picture has words for those who can't see it"
    if "metadata" in params:
        yield from _metadata(params["metadata"])


def _words(method: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    text, blocks = params["text"], params.get("blocks")
    if not isinstance(text, str) or not text.strip():
        yield "no_text", "text is always there, for notifications and screen readers"
    if len(text) > LONGEST_TEXT:
        yield "msg_too_long", f"text of {len(text)} characters"
    if "&" in text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "") or "<" in text or ">" in text:
        yield "invalid_arguments", "our own rule: & < > are escaped in text"
    for flag in ("unfurl_links", "unfurl_media") if method == "chat.postMessage" else ():
        if params.get(flag) is not False:
            yield "invalid_arguments", f"our own rule: {flag} is false"
    if params.get("mrkdwn") is not False and method == "chat.postMessage":
        yield "invalid_arguments", "our own rule: mrkdwn is false"
    if params.get("link_names") or params.get("parse") == "full":
        yield "invalid_arguments", "our own rule: nobody is mentioned by a name in a text"
    if blocks is not None:
        yield from (("invalid_blocks", why) for why in block_problems(blocks, 50))
        if size(blocks) > LONGEST_BLOCKS:
            yield "msg_blocks_too_long", f"blocks of {size(blocks)} characters"


def _view(view: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(view, dict) or view.get("type") != "home" or "blocks" not in view:
        yield "invalid_arguments", "a home page has type home and blocks"
        return
    for name in view.keys() - _VIEW:
        yield "invalid_arguments", f"our own rule: no {name} in a home page"
    yield from (("invalid_blocks", why) for why in block_problems(view["blocks"], 100))
    if len(json.dumps(view)) > 250_000:
        yield "view_too_large", "a view has at most 250 kB"


def _metadata(told: Any) -> Iterator[tuple[str, str]]:
    match told:
        case {"event_type": str(), "event_payload": dict(), **more} if not more:
            return
    yield "invalid_metadata_format", f"metadata {told!r}"
