"""The way in: pasted secrets are taken out of a raw update, then it is stored, then the worker is woken.

Nothing acts on an update before its commit. Addresses of one-time links are taken out too: platforms
send the message under a pressed button along, with the link in it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from chatbot.domain.secrets import HIDDEN, SecretShape, find_pasted
from chatbot.ports.context import Context

UPDATES = "updates"
PASTED = "pasted"
_WORD = re.compile(r"\S+")
_WRITTEN = frozenset({"text", "caption", "query"})
# What somebody else wrote, shown along: a secret in it is not this sender's, and gone with that message.
_OF_OTHERS = frozenset({"reply_to_message", "external_reply", "quote", "pinned_message"})
# Made by a platform or by us; a random id may look like a secret.
_IDS = frozenset({"id", "data", "button", "chat_instance", "user", "chat", "channel", "team"})
# Who speaks: a name everybody sees anyway, and a McDonaldJr must not lose it.
_SPEAKER = "from"


class Scrubber:
    """Knows what keys and secrets look like, and removes them from texts and raw updates."""

    def __init__(self, shapes: Sequence[SecretShape]) -> None:
        """Take the shapes of all exchanges."""
        self._shapes = shapes

    def text(self, text: str) -> str:
        """Return the text, or a marker in its place when it seems to hold a key or secret."""
        return HIDDEN if find_pasted(text, self._shapes) else text

    def update(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """Return the update without secrets; `pasted` names the exchange when something was removed."""
        found: list[str] = []
        clean: dict[str, Any] = self._walk(raw, "", found)
        return {**clean, PASTED: found[0]} if found else clean

    def _walk(self, value: Any, name: str, found: list[str]) -> Any:
        if isinstance(value, Mapping):
            return {
                key: inner if key == _SPEAKER else self._walk(inner, key, [] if key in _OF_OTHERS else found)
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self._walk(inner, name, found) for inner in value]
        if not isinstance(value, str):
            return value
        if name not in _IDS and (exchange := find_pasted(value, self._shapes)):
            found += [exchange] if name in _WRITTEN else []
            return HIDDEN
        return _without_links(value)


def _without_links(text: str) -> str:
    return _WORD.sub(lambda word: "" if "/key#" in word[0] else word[0], text) if "/key#" in text else text


class StoredInlet:
    """Fulfils `Inlet` over the inbox."""

    def __init__(self, ctx: Context, scrubber: Scrubber) -> None:
        """Take what stores and wakes, and what cleans."""
        self._ctx = ctx
        self._scrubber = scrubber

    async def put(self, platform: str, event_id: str, raw: Mapping[str, Any]) -> bool:
        """Store an update once; returns after the commit."""
        clean = self._scrubber.update(raw)
        async with self._ctx.uow() as store:
            new = await store.inbox.put(platform, event_id, clean, self._ctx.clock.now())
        if new:
            self._ctx.metrics.update(platform)
        self._ctx.queue.nudge(UPDATES)
        return new
