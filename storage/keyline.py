"""One master key as a line of text: `id:key`, or `id:service:wrapped key` where a key service keeps it.

A key that is malformed or guessable is refused in one sentence that never shows any part of it.
"""

import base64
import binascii
import itertools
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from chatbot.domain.secrets import Secret
from chatbot.errors import ConfigError
from storage.kms import SERVICES, find_keeper, purpose, unwrap

KEY_BYTES = 32
HOW = "`openssl rand -base64 32` makes one"
# Keys from public documents or somebody's default: NIST, GCM's paper, RFC 8439, Password Pusher, IEEE.
PUBLISHED = frozenset({
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
    "0c110f7f9d93d2122f36debf8a24bf835f33f248681714776b336849b801f693",
    "4c973dbc7364621674f8b5b89e5c15511fced9216490fb1c1a2caa0ffe0407e5",
})  # fmt: skip
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


@dataclass(frozen=True, slots=True)
class MasterKey:
    """One key-encryption key and the id that sealed rows name it by."""

    id: str
    key: Secret


def parse_line(entry: str, number: int, source: str, kms: str = "") -> MasterKey:
    """Return the key of an entry; `source` names the place in a refusal, `kms` the service that unwraps it.

    Raises:
        ConfigError: when the entry is malformed, its key is guessable, or the service does not give it.
    """
    name, colon, rest = entry.partition(":")
    service, wrapped, encoded = rest.rpartition(":")
    known = not wrapped or service in SERVICES
    if not colon or not _ID.fullmatch(name) or not _BASE64.fullmatch(encoded) or not known:
        raise ConfigError(
            f"Entry {number} of {_within(source)} is not a master key: write an id of up to 32 letters and"
            f" digits, a colon and the key in base64 ({HOW})."
        )
    key = _decode(encoded)
    if key is not None and wrapped:
        key = unwrap(service, key, name, kms)
    if key is None or len(key) != KEY_BYTES:
        raise ConfigError(f"Master key {name} in {_within(source)} is not 32 bytes in base64: {HOW}.")
    fault = _fault(key)
    if fault:
        raise ConfigError(f"Master key {name} in {_within(source)} {fault}: {HOW} that nobody can guess.")
    return MasterKey(name, Secret(key))


def new_line(kms: str = "") -> tuple[str, str]:
    """Return the id and the line of a new random master key, wrapped where a KMS_KEY is set.

    Raises:
        ConfigError: when the service doesn't wrap it, or doesn't open what it wrapped.
    """
    name, key = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(3)}", secrets.token_bytes(KEY_BYTES)
    if not kms:
        return name, f"{name}:{base64.b64encode(key).decode()}\n"
    keeper = find_keeper(kms)
    wrapped = keeper.wrap(key, purpose(name))
    # A login that may only encrypt would leave a line that stops the next start.
    if not secrets.compare_digest(keeper.unwrap(wrapped, purpose(name)), key):
        raise ConfigError("The key service gave back another key than it was given: check KMS_KEY.")
    return name, f"{name}:{kms.partition(':')[0].strip()}:{base64.b64encode(wrapped).decode()}\n"


def _within(source: str) -> str:
    return source[0].lower() + source[1:] if source.startswith("The ") else source


def _decode(encoded: str) -> bytes | None:
    bare = encoded.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except binascii.Error:
        return None


def _fault(key: bytes) -> str:
    if not any(key):
        return "is all zeros"
    if any(key == key[:size] * (KEY_BYTES // size) for size in (1, 2, 4, 8)):
        return "repeats itself"
    if key.hex() in PUBLISHED:
        return "is a published test key"
    steps = {(after - before) % 256 for before, after in itertools.pairwise(key)}
    # 32 random bytes miss these marks less than once in 10**13 keys; typed and counted ones don't.
    if len(steps) == 1 or len(set(key)) < KEY_BYTES // 2 or all(32 <= byte < 127 for byte in key):
        return "is not random"
    return ""
