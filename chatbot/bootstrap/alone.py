"""One process for each SQLite file: a lock beside it that the kernel gives back however the process ends.

`parts.build` takes it before anything is opened, so that whoever holds it may take back at once whatever
an earlier process left claimed. Commands that only look (`migrate`, `doctor`) do without.
"""

import os
import sys
from pathlib import Path

from chatbot.errors import ConfigError


class Alone:
    """Holds the lock of a database file until closed."""

    def __init__(self, database: Path) -> None:
        """Take the lock; raises ConfigError when another process has it."""
        database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = database.with_name(f"{database.name}.lock")
        try:
            self._file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            reason = f"The database file {database} can't be used ({error.strerror}): check its folder."
            raise ConfigError(reason) from None
        if not _taken(self._file):
            os.close(self._file)
            raise ConfigError(
                f"Another Keyherald is already running on this database ({database}): stop it first, or give"
                " this one another DATA_DIR; web and worker side by side need PostgreSQL."
            )

    def close(self) -> None:
        """Give the lock back; the file stays, or two processes could lock two files of one name."""
        os.close(self._file)


def _taken(file: int) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl  # noqa: PLC0415  not there on every system

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
