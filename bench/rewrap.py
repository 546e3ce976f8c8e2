"""How long a rotation of the master key takes over 10,000 credentials: `python -m bench.rewrap`.

Seals them on SQLite in a folder of its own, rotates three times, and prints wall and CPU seconds of each.
Ends with 1 when even the fastest took a second or more.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from storage.database import Database
from storage.masterkeys import create_master_key_file, read_master_key_file
from storage.rewrap import rotate
from tests.support.sealed import fill

CREDENTIALS = 10_000
ROUNDS = 3
MOST_SECONDS = 1.0


async def measure(folder: Path) -> float:
    """Rotate a few times and return the fastest run in seconds."""
    path = folder / "keys" / "master.key"
    create_master_key_file(path)
    database = Database(f"sqlite:///{folder / 'bench.sqlite'}")
    await database.migrate()
    await fill(database, read_master_key_file(path), CREDENTIALS)
    fastest = float("inf")
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        report = await rotate(database, read_master_key_file(path))
        took, worked = time.perf_counter() - wall, time.process_time() - cpu
        fastest = min(fastest, took)
        sys.stdout.write(f"{report.rewrapped} rows sealed anew in {took:.2f} s, {worked:.2f} s of CPU\n")
    await database.close()
    return fastest


def main() -> int:
    """Measure in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="keyherald-bench-") as folder:
        return int(asyncio.run(measure(Path(folder))) >= MOST_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
