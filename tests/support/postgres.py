"""A real PostgreSQL server for the tests: own folder, own port, loopback only, gone afterwards.

conftest starts one per test process, on first use. Nothing is shared with a server the system may run.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

DEBIAN = Path("/usr/lib/postgresql")
USER = "keyherald"
# Test data may die with the machine: no write has to reach the disk.
OPTIONS = (
    "-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off -c synchronous_commit=off"
    " -c full_page_writes=off -c max_connections=200"
)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, the folder of all it keeps, and the way to ask it for databases."""

    port: int
    folder: Path

    def url(self, database: str) -> str:
        """Return the address of one database, as DATABASE_URL takes it."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database and drop it afterwards, whoever is still connected."""
        name = f"test_{uuid.uuid4().hex}"
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield self.url(name)
        finally:
            self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user=USER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)


def find_programs() -> Path | None:
    """Return the folder of initdb and pg_ctl: from PATH, or where Debian hides its newest one."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    by_version = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return by_version[-1].parent if by_version else None


@contextmanager
def running(programs: Path) -> Iterator[Server]:
    """Run a server in a temporary folder until the block ends."""
    with tempfile.TemporaryDirectory(prefix="keyherald-postgres-") as name:
        folder = Path(name)
        owner = _owner()
        if owner:
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        data = folder / "data"
        _call(programs / "initdb", "-D", data, "-U", USER, *_INITDB, folder=folder, owner=owner)
        port = _start(programs, folder, owner)
        try:
            yield Server(port, folder)
        finally:
            _call(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop", folder=folder, owner=owner)


_INITDB = ("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")


def _start(programs: Path, folder: Path, owner: pwd.struct_passwd | None) -> int:
    attempts = 5
    for left in reversed(range(attempts)):
        port = _free_port()
        arguments = ("-D", folder / "data", "-l", folder / "log", "-o", f"-p {port} {OPTIONS}", "-w", "start")
        try:
            _call(programs / "pg_ctl", *arguments, folder=folder, owner=owner)
        except RuntimeError:
            # Somebody else may have taken the port between finding it and using it.
            if not left:
                raise
        else:
            return port
    raise AssertionError


def _call(*command: str | Path, folder: Path, owner: pwd.struct_passwd | None) -> None:
    # pg_ctl leaves the server holding its output: a pipe would never end, so it goes to a file.
    output = folder / "calls"
    with output.open("wb") as sink:
        result = subprocess.run(
            command,
            check=False,
            cwd=folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            user=owner.pw_uid if owner else None,
            group=owner.pw_gid if owner else None,
            extra_groups=[owner.pw_gid] if owner else None,
        )
    if result.returncode:
        raise RuntimeError(f"{command[0]} failed: {output.read_text(errors='replace')}{_log(folder)}")


def _log(folder: Path) -> str:
    log = folder / "log"
    return log.read_text(errors="replace") if log.exists() else ""


def _owner() -> pwd.struct_passwd | None:
    # PostgreSQL refuses to run as root; whoever runs the tests as root lends it another user.
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
