"""Keyherald as real processes: started, told things by signal, killed, and surely gone at the end.

Output goes to files in the test's own folder, so that no full pipe ever stops a process, and everything a
process said can be searched at the end. Nothing of the developer's environment or `.env` reaches it.
"""

import asyncio
import os
import signal
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from storage.masterkeys import create_master_key_file
from tests.support.sources import ROOT

PATIENCE = 20.0


class Program:
    """One process at a time, of one command line; `restart` goes on in the same files."""

    def __init__(self, command: str, folder: Path, settings: Mapping[str, str], name: str = "") -> None:
        self.command = command
        self.folder = folder
        self.settings = dict(settings)
        self._out = folder / f"{name or command}.stdout"
        self._err = folder / f"{name or command}.stderr"
        self._process: Process | None = None

    async def start(self) -> None:
        """Start it; what it says is added to what was said before."""
        environment = {
            "PATH": os.environ.get("PATH", ""), "HOME": str(self.folder), "TMPDIR": str(self.folder),
            "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **self.settings,
        }  # fmt: skip
        with self._out.open("ab") as out, self._err.open("ab") as err:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "chatbot", *self.command.split(),
                cwd=self.folder, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=err,
            )  # fmt: skip

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def out(self) -> str:
        """Everything it wrote on stdout."""
        return self._out.read_text(errors="replace") if self._out.exists() else ""

    @property
    def err(self) -> str:
        """Everything it wrote on stderr."""
        return self._err.read_text(errors="replace") if self._err.exists() else ""

    def tell(self, name: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(name)

    async def ended(self, seconds: float = PATIENCE) -> int:
        """Wait for its end and return the exit code."""
        assert self._process is not None
        async with asyncio.timeout(seconds):
            return await self._process.wait()

    async def kill(self) -> None:
        """Kill it as nothing can be caught, and wait until it is gone."""
        if self._process is not None:
            self.tell(signal.SIGKILL)
            await self._process.wait()

    async def says(self, text: str, seconds: float = PATIENCE) -> None:
        """Wait until it has written something."""
        await until(
            lambda: text in self.out + self.err or not self.running, seconds, f"{self.command}: {text}"
        )
        assert text in self.out + self.err, self.out + self.err


@asynccontextmanager
async def running(
    command: str, folder: Path, settings: Mapping[str, str], name: str = ""
) -> AsyncIterator[Program]:
    """Run a command until the block ends, whatever happens in it."""
    program = Program(command, folder, settings, name)
    await program.start()
    try:
        yield program
    finally:
        await program.kill()


async def until(holds: Callable[[], object], seconds: float, what: str) -> None:
    """Look again and again until something holds."""
    try:
        async with asyncio.timeout(seconds):
            while not holds():  # noqa: ASYNC110  other processes give no event
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"after {seconds} s still not: {what}") from None


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def master_key(folder: Path) -> str:
    """Return the path of a master key file in the folder, made on first use."""
    path = folder / "keys" / "master.key"
    if not path.exists():
        create_master_key_file(path)
    return str(path)
