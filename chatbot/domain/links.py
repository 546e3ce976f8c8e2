"""The one-time link: token, fingerprint, what is sealed, and the rules of its life.

`open -> verifying -> used`, with `expired` and `revoked` as the other ends. Opening never consumes;
a claim is one conditional update in `storage/links.py` with a lease and a fence.
"""

import base64
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chatbot.domain.people import ConversationId, PersonId, TeamId
from chatbot.domain.secrets import Secret

TRIES = 3
# Tries that are given back are bounded too, or a link would be a way to hammer the exchange.
CLAIMS = 12
LEASE = timedelta(seconds=30)
MINTS_PER_HOUR = 5
LONGEST_MINUTES = 60
CONFIRM_WITHIN = timedelta(minutes=10)
INFO = "keyherald/link/1"
APP_PATH = "/key-app"
PAD = 512
NEWLINE, SPACE, TILDE = b"\n ~"


class LinkState(StrEnum):
    """Where a link is in its life."""

    OPEN = "open"
    VERIFYING = "verifying"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Link:
    """A minted link as stored; the token itself is never kept, only its hash."""

    id: bytes
    team: TeamId
    person: PersonId
    conversation: ConversationId
    exchange: str
    label: str
    state: LinkState
    public_key: bytes
    sealed_private_key: bytes | None
    expires_at: datetime
    attempts: int = 0
    fence: int = 0
    card: str = ""

    @property
    def tries_left(self) -> int:
        """How many more keys may be tried."""
        return max(0, TRIES - self.attempts)

    def left(self, *, count: bool) -> int:
        """Return the tries left after the one under way; none ends the link."""
        return 0 if self.fence >= CLAIMS else max(0, TRIES - self.attempts + (not count))


class MalformedSecret(ValueError):
    """The opened plaintext is not the length-prefixed list it should be."""


def b64url(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64url(text: str) -> bytes:
    """Return the bytes of unpadded base64url text; raises ValueError when it is not exactly that."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    # The decoder also takes `+`, `/`, padding and stray last bits: many texts for the same bytes.
    if b64url(data) != text:
        raise ValueError("not base64url")
    return data


def link_id(token: bytes) -> bytes:
    """Return the primary key of a link: the hash of its token."""
    return hashlib.sha256(b"link" + token).digest()


def fingerprint(public_key: bytes) -> bytes:
    """Return the 128 bits of the public key's hash that travel in the fragment."""
    return hashlib.sha256(public_key).digest()[:16]


def page_url(public_url: str, token: bytes, public_key: bytes, locale: str) -> str:
    """Return the address of the page; everything secret is in the fragment."""
    return f"{public_url}/key#{b64url(token)}.{b64url(fingerprint(public_key))}.{locale}"


def app_url(public_url: str, public_key: bytes, locale: str) -> str:
    """Return the address of the page inside a platform: it opens nothing, the platform says who asks.

    The public key's mark is for a swapped key in the calls' answers. Unlike one in a fragment it is seen by
    a proxy, which could answer with a redirect to another mark: no more than one that edits the page can do.
    """
    return f"{public_url}{APP_PATH}?lang={locale}&k={b64url(fingerprint(public_key))}"


def info(link: Link, origin: str) -> bytes:
    """Return the HPKE context: label, link, team, exchange and origin, each length-prefixed."""
    return pack([INFO.encode(), link.id, link.team.encode(), link.exchange.encode(), origin.encode()])


def pack(parts: list[bytes]) -> bytes:
    """Join parts so that no two lists give the same bytes (4-byte big-endian lengths)."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def read_fields(
    plaintext: bytes | bytearray, names: list[str], long: Collection[str] = ()
) -> dict[str, Secret]:
    """Read what the page sealed: a count, then length-prefixed UTF-8 values, then zero padding.

    Only the values named in `long` may hold line ends. Nothing is copied but into the secrets.

    Raises:
        MalformedSecret: when the count, a length, the encoding or the padding is wrong.
    """
    if len(plaintext) % PAD or not plaintext or plaintext[0] != len(names):
        raise MalformedSecret
    values: dict[str, Secret] = {}
    at = 1
    with memoryview(plaintext) as view:
        for name in names:
            size = int.from_bytes(view[at : at + 4], "big")
            raw = view[at + 4 : at + 4 + size]
            if len(raw) != size or not _printable(raw, lines=name in long):
                raise MalformedSecret
            values[name] = Secret(raw)
            at += 4 + size
        if any(view[at:]) or len(view) - at >= PAD:
            raise MalformedSecret
    return values


def _printable(raw: memoryview, *, lines: bool) -> bool:
    """Tell whether there is something, and nothing but printable ASCII and line ends where they belong."""
    return any(byte != NEWLINE for byte in raw) and all(
        SPACE <= byte <= TILDE or (lines and byte == NEWLINE) for byte in raw
    )


def code_for(random: int) -> str:
    """Return the four digits shown on the page and in the chat."""
    return f"{random % 10_000:04d}"
