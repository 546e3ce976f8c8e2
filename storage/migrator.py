"""Brings a database to the schema of this code, and refuses one that a newer Keyherald wrote.

Runs Alembic inside one transaction of the caller: two migrators wait for each other (SQLite's write lock,
an advisory lock on PostgreSQL), and an interrupted one leaves the schema as it was.
"""

from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from chatbot.errors import ConfigError

FOLDER = Path(__file__).parent / "migrations"
_ADVISORY_LOCK = 4_735_402_617
# Alembic keeps the running migration in module globals.
_ONE_AT_A_TIME = Lock()


def head() -> str:
    """Return the revision this code needs."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def revision(connection: Connection) -> str:
    """Return the revision the database has; empty for a new one."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def refuse_newer(connection: Connection) -> str:
    """Return the database's revision; raises `ConfigError` when this code does not know it."""
    found = revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found and found not in known:
        raise ConfigError(
            f"The database was written by a newer Keyherald (revision {found}): "
            "install that version, or restore a backup made by this one."
        )
    return found


def upgrade(connection: Connection) -> None:
    """Run the missing migrations."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
    if refuse_newer(connection) == head():
        return
    config = _config()
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
