"""Where master keys come from: MASTER_KEY, a guarded file, or systemd's credentials folder.

Bootstrap calls `find_master_keys`, `keyherald rewrap` calls `add_master_key`; only the vault uses the keys.
A key that is missing, malformed or guessable is refused in one sentence that never shows any part of it.
"""

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from chatbot.errors import ConfigError
from storage.keyline import HOW, MasterKey, new_line, parse_line

CREDENTIAL_NAME = "master.key"
FILE_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The master keys, newest first; `file` is the one they can be read from again and added to.

    `kms` is the KMS_KEY that unwraps them and wraps new ones; empty where none is set.
    """

    keys: tuple[MasterKey, ...]
    file: Path | None = None
    created: bool = False
    kms: str = ""

    @property
    def newest(self) -> MasterKey:
        """The key that seals from now on."""
        return self.keys[0]

    @property
    def ids(self) -> frozenset[str]:
        """The ids of all keys."""
        return frozenset(key.id for key in self.keys)

    def reload(self) -> "MasterKeys":
        """Read the file again, where there is one; a key service is asked only for keys that are new.

        Raises:
            ConfigError: when the file can't be accepted, or the service does not give a new key.
        """
        return self if self.file is None else read_master_key_file(self.file, self.kms, self.keys)


def find_master_keys(
    text: str | None,
    file: Path | None,
    credentials: Path | None,
    *,
    fallback: Path | None = None,
    create: bool = False,
    kms: str = "",
) -> MasterKeys:
    """Return the keys of MASTER_KEY, MASTER_KEY_FILE, $CREDENTIALS_DIRECTORY or the fallback file.

    With `create` a missing fallback file is made; the result then says `created`. Blocking where `kms`
    names a key service.

    Raises:
        ConfigError: when there is no key, two places are set, or a key or its file can't be accepted.
    """
    if text and text.strip() and file:
        raise ConfigError("Set MASTER_KEY or MASTER_KEY_FILE, not both.")
    if text and text.strip():
        return parse_master_keys(text, "MASTER_KEY", kms=kms)
    if file:
        return read_master_key_file(file, kms)
    if credentials and (credentials / CREDENTIAL_NAME).exists():
        return _read_credential(credentials / CREDENTIAL_NAME, kms)
    if fallback and (fallback.exists() or create):
        created = create and create_if_missing(fallback, kms)
        return replace(read_master_key_file(fallback, kms), created=created)
    raise ConfigError(
        "There is no master key: set MASTER_KEY_FILE to a file of mode 0600 with one line, an id, a colon"
        f" and 32 random bytes in base64 ({HOW})."
    )


def parse_master_keys(
    text: str, source: str, file: Path | None = None, kms: str = "", held: Sequence[MasterKey] = ()
) -> MasterKeys:
    """Read `id:base64` lines or a comma list, newest first; `source` names the place in a refusal.

    Keys that are `held` already are not read again.

    Raises:
        ConfigError: when an entry is malformed, an id is there twice, or a key is not 32 random bytes.
    """
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    entries = [entry.strip() for line in lines for entry in line.split(",") if entry.strip()]
    if not entries:
        raise ConfigError(f"{source} holds no master key: write an id, a colon and the key ({HOW}).")
    known = {key.id: key for key in held}
    keys = tuple(
        known.get(entry.partition(":")[0]) or parse_line(entry, number, source, kms)
        for number, entry in enumerate(entries, 1)
    )
    ids = [key.id for key in keys]
    for name in ids:
        if ids.count(name) > 1:
            raise ConfigError(f"{source} holds master key {name} twice: give each key its own id.")
    return MasterKeys(keys, file, kms=kms)


def read_master_key_file(path: Path, kms: str = "", held: Sequence[MasterKey] = ()) -> MasterKeys:
    """Read a file of master keys that nobody else can read or replace; keys that are `held` stay.

    Raises:
        ConfigError: when it is missing, no regular file, someone else's, too open, or holds no good keys.
    """
    return parse_master_keys(_guarded_text(path, 0o077), f"The master key file {path}", path, kms, held)


def create_if_missing(path: Path, kms: str = "") -> bool:
    """Make a master key file unless there is one, and tell whether it was made; raises ConfigError."""
    if path.exists():
        return False
    create_master_key_file(path, kms)
    return True


def create_master_key_file(path: Path, kms: str = "") -> str:
    """Make a file with one new master key, mode 0600 in a folder of mode 0700, and return the key's id.

    Raises:
        ConfigError: when the file is there already or can't be written.
    """
    name, line = new_line(kms)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(path, line)
    except FileExistsError:
        raise ConfigError(f"There already is a master key file {path}: use it or name another.") from None
    except OSError as error:
        raise _unwritable(path, error) from None
    return name


def add_master_key(path: Path, kms: str = "") -> str:
    """Put a new key before the others in a master key file, all at once or not at all; return its id.

    Raises:
        ConfigError: when the file can't be accepted as it is, or can't be written.
    """
    target = path.resolve()
    name, line = new_line(kms)
    try:
        with _locked(target.parent):
            old = _guarded_text(target, 0o077)
            parse_master_keys(old, f"The master key file {path}", kms=kms)
            _replace(target, line + old)
    except OSError as error:
        raise _unwritable(path, error) from None
    return name


def _read_credential(path: Path, kms: str) -> MasterKeys:
    # systemd shows a credential it grants by ACL as group-readable, and its folder as ours alone.
    return parse_master_keys(_guarded_text(path, 0o037), f"The systemd credential {CREDENTIAL_NAME}", kms=kms)


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
