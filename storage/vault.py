"""The only place that encrypts: credentials, link keys and small secrets sealed under the master keys.

`storage/keyring.py` opens it at start, bootstrap hands it out as `ports.vault.Vault`. Each credential has a
data key of its own (AES-256-GCM), wrapped under the newest master key (AES-256-GCM-SIV). Both are bound to
account, team and exchange, the wrap to the master key's id too: what is moved, mixed or changed doesn't open.
"""

import contextlib
import ctypes
import hmac
import os
import sys
import time
from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESGCMSIV
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chatbot.domain.credentials import AccountId, Credentials
from chatbot.domain.links import pack
from chatbot.domain.people import TeamId
from chatbot.domain.secrets import Secret
from chatbot.errors import ConfigError, VaultError
from chatbot.ports.vault import LinkKeys, SealedCredential
from storage.masterkeys import MasterKeys

# Part of every sealed row: a new layout gets a new name, and the old one stays readable.
CREDENTIAL = b"keyherald/credential/1"
DATA_KEY = b"keyherald/data-key/1"
SMALL = b"keyherald/small/1"
FINGERPRINT = b"keyherald/fingerprint/1"

KEY = 32
NONCE = 12
TAG = 16
LARGEST_SUBMISSION = 8192
# Seconds between two questions to a key service that did not answer.
PAUSE = 60.0
SUITE = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
UNOPENED = "The sealed value can't be opened: it was changed, moved, or sealed under another master key."
BAD_SUBMISSION = "What the link page sent can't be opened."


class Sealer:
    """Seals small secrets under the newest master key and opens them under the one they name.

    A sealed value whose key is unknown makes it look into the master key file once more, so that a running
    bot follows a rotation.
    """

    def __init__(self, keys: MasterKeys) -> None:
        """Take the master keys, newest first."""
        self._aeads: dict[str, AESGCMSIV] = {}
        self._pause_until = 0.0
        self._adopt(keys)

    @property
    def newest(self) -> str:
        """The id of the master key that seals from now on."""
        return self._keys.newest.id

    def wrap(self, schema: bytes, context: bytes, data: bytes | bytearray) -> tuple[str, bytes]:
        """Return the newest master key's id and the data sealed under it, bound to schema and context."""
        nonce = os.urandom(NONCE)
        bound = pack([schema, self.newest.encode(), context])
        return self.newest, nonce + self._aeads[self.newest].encrypt(nonce, data, bound)

    def unwrap(self, schema: bytes, context: bytes, kek_id: str, wrapped: bytes) -> bytearray:
        """Open what `wrap` sealed; the caller zeroes it. Raises VaultError."""
        return _decrypt(self._aead(kek_id), wrapped, pack([schema, kek_id.encode(), context]))

    def seal_bytes(self, purpose: str, data: bytes | bytearray) -> bytes:
        """Seal a small secret so that it opens for the same purpose only; the result names its key."""
        kek_id, wrapped = self.wrap(SMALL, purpose.encode(), data)
        return bytes([len(kek_id)]) + kek_id.encode() + wrapped

    def open_bytes(self, purpose: str, blob: bytes) -> bytearray:
        """Open what `seal_bytes` sealed for this purpose; the caller zeroes it. Raises VaultError."""
        kek_id = sealed_under(blob)
        return self.unwrap(SMALL, purpose.encode(), kek_id, blob[1 + len(kek_id) :])

    def reseal_bytes(self, purpose: str, blob: bytes) -> bytes:
        """Seal again under the newest master key and prove that it opens; raises VaultError."""
        with _zeroed(self.open_bytes(purpose, blob)) as data:
            fresh = self.seal_bytes(purpose, data)
            with _zeroed(self.open_bytes(purpose, fresh)) as again:
                if not hmac.compare_digest(data, again):
                    raise VaultError(UNOPENED)
        return fresh

    def _aead(self, kek_id: str) -> AESGCMSIV:
        if kek_id not in self._aeads:
            self._look_again()
        if kek_id not in self._aeads:
            raise VaultError(f"There is no master key {kek_id!r}: put it back beside the others.")
        return self._aeads[kek_id]

    def _look_again(self) -> None:
        # Everything waits for the answer: a key service that is away must not hold up each row anew.
        if self._keys.kms and time.monotonic() < self._pause_until:
            return
        try:
            self._adopt(self._keys.reload())
        except ConfigError:
            # A file in the middle of being edited says no more than that the key is unknown.
            self._pause_until = time.monotonic() + PAUSE

    def _adopt(self, keys: MasterKeys) -> None:
        self._keys = keys
        for key in keys.keys:
            self._aeads.setdefault(key.id, AESGCMSIV(bytes(key.key.reveal())))


class Vault:
    """Seals credentials and opens what link pages sealed; every open may raise VaultError."""

    def __init__(self, sealer: Sealer, pepper: Secret) -> None:
        """Take the sealer, and the pepper that keeps fingerprints stable across master keys."""
        self._sealer = sealer
        self._pepper = pepper
        self.seal_bytes = sealer.seal_bytes
        self.open_bytes = sealer.open_bytes

    def seal(
        self, account: AccountId, team: TeamId, exchange: str, credentials: Credentials
    ) -> SealedCredential:
        """Seal a credential under a new data key, bound to its account, team and exchange."""
        context = _context(account, team, exchange)
        with _zeroed(bytearray(os.urandom(KEY))) as data_key, _zeroed(_joined(credentials)) as plain:
            nonce = os.urandom(NONCE)
            box = nonce + AESGCM(data_key).encrypt(nonce, plain, context)
            kek_id, wrapped = self._sealer.wrap(DATA_KEY, context, data_key)
        return SealedCredential(kek_id, wrapped, box)

    def unseal(
        self, account: AccountId, team: TeamId, exchange: str, sealed: SealedCredential
    ) -> Credentials:
        """Open a credential; the caller wipes it after use. Raises VaultError."""
        return open_credential(self._sealer, (account, team, exchange), sealed)

    def link_keys(self, link: bytes) -> LinkKeys:
        """Make a key pair for one link, the private half sealed for it."""
        private = ec.generate_private_key(ec.SECP256R1())
        public = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        scalar = private.private_numbers().private_value.to_bytes(KEY, "big")
        return LinkKeys(public, self._sealer.seal_bytes(link_purpose(link), scalar))

    def open_submission(self, link: bytes, sealed_private: bytes, sealed: bytes, info: bytes) -> bytearray:
        """Open what the page sealed with HPKE (`enc` and ciphertext joined); the caller zeroes it.

        Raises:
            VaultError: always with the same words, whatever is wrong with the submission.
        """
        with _zeroed(self._sealer.open_bytes(link_purpose(link), sealed_private)) as scalar:
            private = ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())
        with contextlib.suppress(InvalidTag, ValueError):
            if len(sealed) <= LARGEST_SUBMISSION:
                return _moved(SUITE.decrypt(sealed, private, info=info))
        raise VaultError(BAD_SUBMISSION)

    def fingerprint(self, team: TeamId, exchange: str, credentials: Credentials) -> bytes:
        """Return a keyed hash of the API key, to notice the same key twice."""
        key = credentials.api_key
        mark = hmac.new(
            self._pepper.reveal(), pack([FINGERPRINT, team.encode(), exchange.encode()]), "sha256"
        )
        # As `pack` would go on, without a copy of the key that nobody zeroes.
        mark.update(len(key).to_bytes(4, "big"))
        mark.update(key.reveal())
        return mark.digest()


def open_credential(
    sealer: Sealer, owner: tuple[AccountId, TeamId, str], sealed: SealedCredential
) -> Credentials:
    """Open the credential of (account, team, exchange) without a whole vault; raises VaultError."""
    context = _context(*owner)
    with _zeroed(sealer.unwrap(DATA_KEY, context, sealed.kek_id, sealed.wrapped_dek)) as data_key:
        if len(data_key) != KEY:
            raise VaultError(UNOPENED)
        with _zeroed(_decrypt(AESGCM(data_key), sealed.box, context)) as plain:
            return _parted(plain)


def rewrap_credential(
    sealer: Sealer, owner: tuple[AccountId, TeamId, str], sealed: SealedCredential
) -> SealedCredential:
    """Wrap the data key of a credential under the newest master key and prove that it opens the box.

    Raises:
        VaultError: when the credential doesn't open as it is; nothing is lost, nothing gained.
    """
    context = _context(*owner)
    with _zeroed(sealer.unwrap(DATA_KEY, context, sealed.kek_id, sealed.wrapped_dek)) as data_key:
        kek_id, wrapped = sealer.wrap(DATA_KEY, context, data_key)
    with _zeroed(sealer.unwrap(DATA_KEY, context, kek_id, wrapped)) as again:
        if len(again) != KEY:
            raise VaultError(UNOPENED)
        _zero(_decrypt(AESGCM(again), sealed.box, context))
    return SealedCredential(kek_id, wrapped, sealed.box)


def link_purpose(link: bytes) -> str:
    """Return what a link's private key is sealed for: this link and nothing else."""
    return f"link/{link.hex()}"


def sealed_under(blob: bytes) -> str:
    """Return the id of the master key a small secret is sealed under; raises VaultError."""
    size = blob[0] if blob else 0
    name = blob[1 : 1 + size]
    if not size or len(name) != size or not name.isascii():
        raise VaultError(UNOPENED)
    return name.decode("ascii")


def _context(account: AccountId, team: TeamId, exchange: str) -> bytes:
    return pack([CREDENTIAL, account.encode(), team.encode(), exchange.encode()])


def _decrypt(aead: AESGCM | AESGCMSIV, box: bytes, bound: bytes) -> bytearray:
    size = len(box) - NONCE - TAG
    if size >= 0:
        plain = bytearray(size)
        with contextlib.suppress(InvalidTag):
            aead.decrypt_into(box[:NONCE], box[NONCE:], bound, plain)
            return plain
    raise VaultError(UNOPENED)


def _joined(credentials: Credentials) -> bytearray:
    parts = [credentials.api_key, credentials.api_secret]
    parts += [credentials.passphrase] if credentials.passphrase is not None else []
    # One buffer of the final size: a growing one would leave copies behind that nobody zeroes.
    plain = bytearray(1 + sum(4 + len(part) for part in parts))
    plain[0] = len(parts)
    at = 1
    for part in parts:
        plain[at : at + 4] = len(part).to_bytes(4, "big")
        plain[at + 4 : at + 4 + len(part)] = part.reveal()
        at += 4 + len(part)
    return plain


def _parted(plain: bytearray) -> Credentials:
    parts: list[Secret] = []
    at = 1
    with memoryview(plain) as view:
        while at < len(view):
            size = int.from_bytes(view[at : at + 4], "big")
            parts.append(Secret(view[at + 4 : at + 4 + size]))
            at += 4 + size
    if not plain or at != len(plain) or len(parts) != plain[0] or len(parts) not in {2, 3}:
        raise VaultError(UNOPENED)
    return Credentials(*parts)


def _moved(data: bytes) -> bytearray:
    """Return bytes that nobody else holds as a buffer that can be zeroed, and overwrite them."""
    moved = bytearray(data)
    # The library offers no way to open into a buffer of ours. One byte alone is shared by all of CPython.
    if sys.implementation.name == "cpython" and len(data) > 1:
        ctypes.memset(id(data) + bytes.__basicsize__ - 1, 0, len(data))
    return moved


@contextlib.contextmanager
def _zeroed(buffer: bytearray) -> Iterator[bytearray]:
    try:
        yield buffer
    finally:
        _zero(buffer)


def _zero(buffer: bytearray) -> None:
    buffer[:] = bytes(len(buffer))
