"""A secret in memory, and how to notice one that was pasted into a chat.

`Secret` refuses every way in which text usually leaks; `.reveal()` is the one, greppable way out.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn, final

HIDDEN = "[removed: looked like an API key]"
SHORTEST_SHOWN = 8
_MASK = "Secret(****)"
_REFUSED = "a secret can't be turned into text or copied"
_NO_TEXT = "a secret is made of bytes or well-formed text"
_WIPED = "the secret has been wiped"


@final
class Secret:
    """Bytes that must not be printed, formatted, pickled, copied or serialised."""

    __slots__ = ("_value", "_wiped")

    def __init__(self, value: bytes | bytearray | memoryview | str) -> None:
        """Take a private copy (text as UTF-8); raises ValueError or TypeError that don't show the value."""
        self._value = bytearray()
        self._wiped = False
        raw = _utf8(value) if isinstance(value, str) else value
        if not isinstance(raw, bytes | bytearray | memoryview):
            raise TypeError(_NO_TEXT)
        self._value = bytearray(raw)

    def reveal(self) -> bytearray:
        """Return the bytes themselves, to be read at once; allowed in few files, held by a test.

        No copy: that would stay in memory after `wipe`. Raises ValueError after `wipe`.
        """
        # Signing with an empty secret would look like a key the exchange no longer knows.
        if self._wiped:
            raise ValueError(_WIPED)
        return self._value

    def wipe(self) -> None:
        """Overwrite the value in memory; the object is empty afterwards."""
        self._value[:] = bytes(len(self._value))
        self._value.clear()
        self._wiped = True

    def last4(self) -> str:
        """Return the last four characters, the only part ever shown; nothing of a value that is too short."""
        if len(self._value) < SHORTEST_SHOWN:
            return "****"
        return self._value[-4:].decode("ascii", "replace")

    def __bool__(self) -> bool:
        return bool(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return _MASK

    def __del__(self) -> None:
        self.wipe()

    def _refuse(self, *_: object) -> NoReturn:
        raise TypeError(_REFUSED)

    __str__ = __format__ = __bytes__ = __iter__ = __contains__ = _refuse
    __reduce__ = __reduce_ex__ = __getstate__ = __setstate__ = __copy__ = __deepcopy__ = _refuse


def _utf8(text: str) -> bytes:
    # The codec's own error would carry the whole text in `.object`.
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError(_NO_TEXT)
    return text.encode()


@dataclass(frozen=True, slots=True)
class SecretShape:
    """What a key or secret of one exchange looks like; `pattern` matches a whole word."""

    exchange: str
    pattern: str


def find_pasted(text: str, shapes: Iterable[SecretShape]) -> str | None:
    """Return the name of the exchange whose key or secret seems to be in the text, or None."""
    shown = "".join(char for char in text if unicodedata.category(char) != "Cf")
    words = {form for word in re.findall(r"[A-Za-z0-9+/=_\-]{8,}", shown) for form in _forms(word)}
    for shape in shapes:
        compiled = re.compile(shape.pattern)
        if any(compiled.fullmatch(word) for word in words):
            return shape.exchange
    return None


def _forms(word: str) -> Iterator[str]:
    # People paste `secret=VALUE`, `_VALUE_` and `-VALUE`; base64 may itself end in `=`.
    for part in (word, word.partition("=")[2], word.rpartition("=")[2]):
        yield part
        yield part.strip("_-/=+")
