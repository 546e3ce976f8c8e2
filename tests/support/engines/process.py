"""A browser or its driver as a process: what it says is read from a file, and it surely ends."""

import asyncio
import os
import re
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Launched:
    """A running program and the file it writes to."""

    process: Process
    output: Path

    async def says(self, pattern: re.Pattern[str]) -> re.Match[str]:
        """Wait until it has written something."""
        async with asyncio.timeout(PATIENCE):
            while not (found := pattern.search(self.output.read_text(errors="replace"))):
                assert self.process.returncode is None, self.output.read_text(errors="replace")
                await asyncio.sleep(0.05)
        return found


@asynccontextmanager
async def launched(
    command: Sequence[str], folder: Path, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Launched]:
    """Run a program with a home of its own until the block ends; what it started ends with it."""
    output = folder / f"{Path(command[0]).name}.log"
    environment = {
        "PATH": os.environ.get("PATH", ""), "HOME": str(folder), "TMPDIR": str(folder), "LC_ALL": "C.UTF-8",
        "XDG_RUNTIME_DIR": str(folder), **(settings or {}),
    }  # fmt: skip
    with output.open("wb") as written:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, env=environment, stdin=asyncio.subprocess.DEVNULL,
            stdout=written, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        yield Launched(process, output)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
