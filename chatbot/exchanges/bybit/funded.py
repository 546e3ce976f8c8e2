"""Remembers which keys could read the Funding account: where one could, a refusal is no empty account.

Without that, a right that is gone for a moment would look like money that left. For as long as the process
runs, under a fingerprint made with a secret of this process, never under the key.
"""

import hmac
import secrets

from chatbot.domain.secrets import Secret

MOST_KEYS = 10_000


class Funded:
    """The keys that have read the Funding account."""

    def __init__(self) -> None:
        """Start with none."""
        self._salt = secrets.token_bytes(32)
        self._marks: dict[bytes, None] = {}

    def add(self, key: Secret) -> None:
        """Note that this key could read it."""
        while len(self._marks) >= MOST_KEYS:
            # The oldest; its next good reading brings it back.
            del self._marks[next(iter(self._marks))]
        self._marks[self._mark(key)] = None

    def has(self, key: Secret) -> bool:
        """Tell whether this key could read it before."""
        return self._mark(key) in self._marks

    def _mark(self, key: Secret) -> bytes:
        return hmac.digest(self._salt, key.reveal(), "sha256")
