"""Where master keys come from: MASTER_KEY, a guarded file, or systemd's credentials folder.

Bootstrap calls `find_master_keys`, `keyherald rewrap` calls `add_master_key`; only the vault uses the keys.
A key that is missing, malformed or guessable is refused in one sentence that never shows any part of it.
"""

import base64
import binascii
import contextlib
import fcntl
import itertools
import os
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from chatbot.domain.secrets import Secret
from chatbot.errors import ConfigError

KEY_BYTES = 32
CREDENTIAL_NAME = "master.key"
FILE_LIMIT = 65_536
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


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The master keys, newest first; `file` is the one they can be read from again and added to."""

    keys: tuple[MasterKey, ...]
    file: Path | None = None
    created: bool = False

    @property
    def newest(self) -> MasterKey:
        """The key that seals from now on."""
        return self.keys[0]

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all keys."""
        return frozenset(key.id for key in self.keys)

    def reload(self) -> "MasterKeys":
        """Read the file again, where there is one; raises ConfigError."""
        return self if self.file is None else read_master_key_file(self.file)


def find_master_keys(
    text: str | None,
    file: Path | None,
    credentials: Path | None,
    *,
    fallback: Path | None = None,
    create: bool = False,
) -> MasterKeys:
    """Return the keys of MASTER_KEY, MASTER_KEY_FILE, $CREDENTIALS_DIRECTORY or the fallback file.

    With `create` a missing fallback file is made; the result then says `created`.

    Raises:
        ConfigError: when there is no key, two places are set, or a key or its file can't be accepted.
    """
    if text and text.strip() and file:
        raise ConfigError("Set MASTER_KEY or MASTER_KEY_FILE, not both.")
    if text and text.strip():
        return parse_master_keys(text, "MASTER_KEY")
    if file:
        return read_master_key_file(file)
    if credentials and (credentials / CREDENTIAL_NAME).exists():
        return _read_credential(credentials / CREDENTIAL_NAME)
    if fallback and (fallback.exists() or create):
        created = create and create_if_missing(fallback)
        return MasterKeys(read_master_key_file(fallback).keys, fallback, created)
    raise ConfigError(
        "There is no master key: set MASTER_KEY_FILE to a file of mode 0600 with one line, an id, a colon"
        f" and 32 random bytes in base64 ({HOW})."
    )


def parse_master_keys(text: str, source: str, file: Path | None = None) -> MasterKeys:
    """Read `id:base64` lines or a comma list, newest first; `source` names the place in a refusal.

    Raises:
        ConfigError: when an entry is malformed, an id is there twice, or a key is not 32 random bytes.
    """
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    entries = [entry.strip() for line in lines for entry in line.split(",") if entry.strip()]
    if not entries:
        raise ConfigError(f"{source} holds no master key: write an id, a colon and the key ({HOW}).")
    keys = tuple(_parse_entry(entry, number, source) for number, entry in enumerate(entries, 1))
    ids = [key.id for key in keys]
    for name in ids:
        if ids.count(name) > 1:
            raise ConfigError(f"{source} holds master key {name} twice: give each key its own id.")
    return MasterKeys(keys, file)


def read_master_key_file(path: Path) -> MasterKeys:
    """Read a file of master keys that nobody else can read or replace.

    Raises:
        ConfigError: when it is missing, no regular file, someone else's, too open, or holds no good keys.
    """
    return parse_master_keys(_guarded_text(path, 0o077), f"The master key file {path}", path)


def create_if_missing(path: Path) -> bool:
    """Make a master key file unless there is one, and tell whether it was made; raises ConfigError."""
    if path.exists():
        return False
    create_master_key_file(path)
    return True


def create_master_key_file(path: Path) -> str:
    """Make a file with one new master key, mode 0600 in a folder of mode 0700, and return the key's id.

    Raises:
        ConfigError: when the file is there already or can't be written.
    """
    name, line = _new_line()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(path, line)
    except FileExistsError:
        raise ConfigError(f"There already is a master key file {path}: use it or name another.") from None
    except OSError as error:
        raise _unwritable(path, error) from None
    return name


def add_master_key(path: Path) -> str:
    """Put a new key before the others in a master key file, all at once or not at all; return its id.

    Raises:
        ConfigError: when the file can't be accepted as it is, or can't be written.
    """
    target = path.resolve()
    name, line = _new_line()
    try:
        with _locked(target.parent):
            old = _guarded_text(target, 0o077)
            parse_master_keys(old, f"The master key file {path}")
            _replace(target, line + old)
    except OSError as error:
        raise _unwritable(path, error) from None
    return name


def _read_credential(path: Path) -> MasterKeys:
    # systemd shows a credential it grants by ACL as group-readable, and its folder as ours alone.
    return parse_master_keys(_guarded_text(path, 0o037), f"The systemd credential {CREDENTIAL_NAME}")


def _parse_entry(entry: str, number: int, source: str) -> MasterKey:
    name, colon, encoded = entry.partition(":")
    if not colon or not _ID.fullmatch(name) or not _BASE64.fullmatch(encoded):
        raise ConfigError(
            f"Entry {number} of {_within(source)} is not a master key: write an id of up to 32 letters and"
            f" digits, a colon and the key in base64 ({HOW})."
        )
    key = _decode(encoded)
    if key is None or len(key) != KEY_BYTES:
        raise ConfigError(f"Master key {name} in {_within(source)} is not 32 bytes in base64: {HOW}.")
    fault = _fault(key)
    if fault:
        raise ConfigError(f"Master key {name} in {_within(source)} {fault}: {HOW} that nobody can guess.")
    return MasterKey(name, Secret(key))


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


def _guarded_text(path: Path, too_open: int) -> str:
    try:
        # A pipe in the file's place must not hold up the start.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise ConfigError(f"The master key file {path} can't be opened ({reason}).") from None
    try:
        _check_guard(path, os.fstat(descriptor), too_open)
        raw = os.read(descriptor, FILE_LIMIT + 1)
    finally:
        os.close(descriptor)
    if len(raw) > FILE_LIMIT or not raw.isascii():
        raise ConfigError(f"The master key file {path} is no text file of keys: point to the right file.")
    return raw.decode("ascii")


def _check_guard(path: Path, status: os.stat_result, too_open: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"The master key file {path} is not a regular file: point to one.")
    if status.st_uid not in {0, os.geteuid()}:
        raise ConfigError(f"The master key file {path} belongs to somebody else: make it yours with chown.")
    if status.st_mode & too_open:
        raise ConfigError(f"Others can read or change the master key file {path}: run chmod 600 {path}.")


def _new_line() -> tuple[str, str]:
    name = f"{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(3)}"
    return name, f"{name}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"


def _unwritable(path: Path, error: OSError) -> ConfigError:
    reason = (error.strerror or "unknown error").lower()
    return ConfigError(f"The master key file {path} can't be written ({reason}).")


def _write_new(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        _sync_folder(path.parent)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    _write_new(fresh, text)
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # Two rotations at once would each drop the other's new key.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
