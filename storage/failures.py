"""What a database error means: `StorageError` for the world's troubles, the error itself for our bugs.

The border of storage: nothing of SQLAlchemy or a driver leaves it. A reason never holds a parameter,
so it may be logged; a driver's own text is used only where it can't quote one.
"""

import sqlite3
from collections.abc import Callable
from typing import TypeVar

import psycopg
from sqlalchemy import exc

from chatbot.errors import StorageError

Result = TypeVar("Result")

# A statement that this schema can't run: no such column, bad syntax.
_SQLITE_BUG = sqlite3.SQLITE_ERROR

_CONNECTING = {
    "resolve": "its host name is not known",
    "translate host name": "its host name is not known",
    "refused": "nobody listens at its address",
    "timeout": "it did not answer in time",
    "password": "it refuses the user or the password",
    "authentication": "it refuses the user or the password",
    "does not exist": "it has no such database or user",
    "closed": "the connection was closed",
    "terminat": "the connection was closed",
    "lost": "the connection was closed",
}


def guarded(work: Callable[[], Result]) -> Result:
    """Do database work; what fails outside our code rises as `StorageError`, a bug as it is."""
    try:
        return work()
    except exc.DBAPIError as error:
        if _is_bug(error):
            raise
        # The cause holds the parameters, so it stays behind.
        raise StorageError(_reason(error.orig), retry=_passes(error)) from None
    except OSError as error:
        raise StorageError(f"{type(error).__name__}: {error.strerror}", retry=True) from None
    except exc.TimeoutError:
        raise StorageError("no free database connection", retry=True) from None
    except exc.PendingRollbackError:
        raise StorageError("the database connection broke in this transaction", retry=True) from None


def _is_bug(error: exc.DBAPIError) -> bool:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        # Errors of the module itself, such as a wrong number of parameters, have no code.
        code = getattr(cause, "sqlite_errorcode", None)
        return code == _SQLITE_BUG or (code is None and isinstance(cause, sqlite3.ProgrammingError))
    return isinstance(cause, psycopg.ProgrammingError) and not isinstance(
        cause, psycopg.errors.InsufficientPrivilege
    )


def _reason(cause: BaseException | None) -> str:
    if isinstance(cause, sqlite3.Error):
        return f"{getattr(cause, 'sqlite_errorname', type(cause).__name__)}: {cause}"
    if isinstance(cause, psycopg.Error) and cause.sqlstate is not None:
        return f"{type(cause).__name__} ({cause.sqlstate})"
    # Without a code the connection failed. The driver's text may quote a part of the address, and a
    # password with a raw `@` makes one half of itself the host name: only our own words go on.
    text = str(cause).lower()
    said = next((ours for theirs, ours in _CONNECTING.items() if theirs in text), "the connection failed")
    return f"{type(cause).__name__}: {said}"


def _passes(error: exc.DBAPIError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    damaged = code is not None and code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
    return isinstance(error, exc.OperationalError | exc.InterfaceError | exc.InternalError) and not damaged
