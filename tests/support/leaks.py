"""Looks for a secret wherever one could have been left: files, log, chat, and the text of errors.

The search knows the ways in which bytes are usually written down: plain, hex, base64 in its three
positions, JSON and URL escapes. A key is shown by its last four characters, so those alone are no leak.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tests.support.bot import Bot


def forms(secret: str) -> set[bytes]:
    """Return the ways in which a secret may be written."""
    raw = secret.encode()
    plain = {
        secret,
        secret.upper(),
        secret.lower(),
        secret[::-1],
        quote(secret),
        json.dumps(secret)[1:-1],
        raw.hex(),
    }
    return {form.encode() for form in plain} | set(_base64(raw))


def _base64(raw: bytes) -> Iterator[bytes]:
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # The first and last letters depend on the neighbours.
            yield encode(b"\0" * shift + raw)[4:-4]


def in_files(folder: Path, secret: str) -> list[str]:
    """Return the files below a folder that hold a secret: database, its log and index among them."""
    wanted = forms(secret)
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return [path.name for path in files if any(form in _content(path) for form in wanted)]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        # A server at work deletes files of its own meanwhile; what is gone keeps nothing.
        return b""


def in_text(text: str, secret: str) -> bool:
    """Tell whether a text holds a secret."""
    return any(form in text.encode() for form in forms(secret))


def found(bot: Bot, folder: Path, *secrets: str) -> list[str]:
    """Return every place that holds one of the secrets; an empty list is what a test wants."""
    said = "\n".join(f"{m.message!r}" for m in bot.chat.messages) + repr(bot.chat.toasts)
    places = {"log": repr(bot.log.lines), "chat": said}
    leaks = [name for secret in secrets for name, text in places.items() if in_text(text, secret)]
    return leaks + [name for secret in secrets for name in in_files(folder, secret)]
