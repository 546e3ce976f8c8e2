"""The code that makes two people one: shown on one side, typed on the other, ten minutes, once.

Forty random bits in letters and digits that nobody mistakes for each other; only the hash is stored.
"""

import hashlib
import unicodedata
from datetime import timedelta

# No I, O, 0 or 1: nobody has to tell them apart.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH = 8
COUNT = len(ALPHABET) ** LENGTH
LIFE = timedelta(minutes=10)
WRONG_CODES = 5
WRONG_WITHIN = timedelta(hours=1)


def spell(number: int) -> str:
    """Return the code of a random number below `COUNT`, as `ABCD-2345`."""
    letters = ""
    for _ in range(LENGTH):
        number, at = divmod(number, len(ALPHABET))
        letters += ALPHABET[at]
    return f"{letters[: LENGTH // 2]}-{letters[LENGTH // 2 :]}"


def read(words: str) -> str | None:
    """Return the code that somebody typed as `spell` writes it; None when it can't be one.

    Capitals, spaces, dashes and other points between the letters don't matter.
    """
    letters = "".join(letter for letter in words.upper() if unicodedata.category(letter)[0] not in "PZ")
    if len(letters) != LENGTH or not set(letters) <= set(ALPHABET):
        return None
    return f"{letters[: LENGTH // 2]}-{letters[LENGTH // 2 :]}"


def digest(code: str) -> bytes:
    """Return what is kept of a code."""
    return hashlib.sha256(b"keyherald/link-code/1" + code.encode()).digest()
