"""Finds the guide of an exchange: `guides/<language>/<exchange>.md`, the one source of its text.

Bootstrap hands `load_guide` to the context. A language that has no guide for an exchange yet gets the
English one; a file that can't be read stops the first who asks, and the tests before that.
"""

from functools import cache
from pathlib import Path

from chatbot.domain.conversations import Guide, parse_guide
from chatbot.errors import Unknown, mark

_FOLDER = Path(__file__).parent / "guides"


@cache
def load_guide(exchange: str, locale: str) -> Guide:
    """Return the guide of an exchange in a language, or in English.

    Raises:
        Unknown: when the exchange has no guide at all.
    """
    for language in (locale, "en"):
        if exchange in _listed(language):
            path = _FOLDER / language / f"{exchange}.md"
            return parse_guide(exchange, language, path.read_text(encoding="utf-8"))
    raise Unknown(mark("There is no guide for “{name}” yet."), name=exchange[:32])


@cache
def _listed(language: str) -> frozenset[str]:
    # Names come from people: only what is really in the folder is ever opened.
    folders = [folder for folder in _FOLDER.iterdir() if folder.name == language]
    return frozenset(path.stem for folder in folders for path in folder.glob("*.md"))
