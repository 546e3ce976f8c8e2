"""Finds the guide of an exchange: `guides/<language>/<exchange>.md`, the one source of its text.

Bootstrap hands `load_guide` to the context. A language that has no guide for an exchange yet gets the
English one; a file that can't be read stops the first who asks, and the tests before that. An exchange
without a file of its own, read through ccxt, gets the general guide `other.md` under its own name.
"""

import re
from functools import cache
from pathlib import Path

from chatbot.domain.conversations import Guide, parse_guide
from chatbot.errors import Unknown, mark

_FOLDER = Path(__file__).parent / "guides"
_GENERAL = "other"
_NAME = re.compile(r"[a-z0-9]{2,20}")


@cache
def load_guide(exchange: str, locale: str) -> Guide:
    """Return the guide of an exchange in a language, or in English; the general one where it has none.

    Raises:
        Unknown: when no exchange can have that name.
    """
    own = any(exchange in _listed(language) for language in (locale, "en"))
    name = exchange if own or not _NAME.fullmatch(exchange) else _GENERAL
    for language in (locale, "en"):
        if name in _listed(language):
            path = _FOLDER / language / f"{name}.md"
            return parse_guide(exchange, language, path.read_text(encoding="utf-8"))
    raise Unknown(mark("There is no guide for “{name}” yet."), name=exchange[:32])


@cache
def _listed(language: str) -> frozenset[str]:
    # Names come from people: only what is really in the folder is ever opened.
    folders = [folder for folder in _FOLDER.iterdir() if folder.name == language]
    return frozenset(path.stem for folder in folders for path in folder.glob("*.md"))
