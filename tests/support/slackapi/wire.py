"""Requests as Slack's methods are called, and answers with the headers Slack sends."""

import base64
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support import botapi
from tests.support.botapi.wire import Asked

# Parameters that are JSON inside a form; everything else is a plain word there.
_JSON = frozenset({"blocks", "metadata", "view", "files"})
_FLAGS = frozenset(
    {"mrkdwn", "link_names", "unfurl_links", "unfurl_media", "return_im", "include_locale", "reply_broadcast"}
)


@dataclass(frozen=True, slots=True)
class Answer(botapi.Answer):
    """What goes back, with headers such as Retry-After."""

    headers: dict[str, str] = field(default_factory=dict)

    def wire(self) -> bytes:
        """Return the bytes of the whole answer."""
        plain = isinstance(self.body, str)
        payload = self.body.encode() if plain else json.dumps(self.body).encode()
        kinds = ("text/html" if self.body.startswith("<") else "text/plain") if plain else "application/json"
        told = {"Content-Type": kinds, "Content-Length": str(len(payload)), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        return f"HTTP/1.1 {self.status} X\r\n{head}\r\n".encode() + payload


def params_of(asked: Asked) -> dict[str, Any]:
    """Return a call's parameters from its address and its body, typed as JSON would have them."""
    parts = urlsplit(asked.path)
    found = {name: _typed(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True)}
    kind = asked.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return found | json.loads(asked.body or b"{}")
    if kind.startswith("application/x-www-form-urlencoded"):
        pairs = parse_qsl(asked.body.decode(), keep_blank_values=True)
        return found | {name: _typed(name, value) for name, value in pairs}
    return found


def token_in(asked: Asked, params: dict[str, Any]) -> str:
    """Return the token a call was made with; it may stand in a parameter, as older clients do."""
    given = params.pop("token", "")
    scheme, _, bearer = asked.headers.get("authorization", "").partition(" ")
    return bearer if scheme == "Bearer" else str(given)


def basic_in(asked: Asked) -> tuple[str, str]:
    """Return the client id and secret of HTTP's basic authorisation."""
    scheme, _, rest = asked.headers.get("authorization", "").partition(" ")
    if scheme != "Basic":
        return "", ""
    name, _, secret = base64.b64decode(rest).decode().partition(":")
    return unquote(name), unquote(secret)


def _typed(name: str, value: str) -> Any:
    if name in _FLAGS:
        return value in {"1", "true", "True"}
    if name in _JSON:
        with suppress(ValueError):
            return json.loads(value)
    return value
