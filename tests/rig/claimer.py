"""One of several processes that race for links on the same database; run as a program by the claim race.

Reads a line `<link id in hex> <tries> <lease seconds>`, tries that often at once, and answers with how many
tries were claimed, used, and fenced off. A negative lease is over before it began, so that others claim too.
"""

import asyncio
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta

from chatbot.errors import Fenced
from storage.database import Database


async def race(database: Database, link: bytes, lease: timedelta, seen: Counter[str]) -> None:
    """Claim the link once and use it, if it can be had."""
    now = datetime.now(UTC)
    async with database.uow() as store:
        claimed = await store.links.claim(link, now, now + lease)
    if claimed is None:
        return
    seen["claimed"] += 1
    await asyncio.sleep(0)
    try:
        async with database.uow() as store:
            await store.links.use(claimed)
    except Fenced:
        seen["fenced"] += 1
    else:
        seen["used"] += 1


async def main(url: str) -> None:
    """Race for every link that is named, until the input ends."""
    database = Database(url, wait_seconds=60)
    loop = asyncio.get_running_loop()
    while asked := await loop.run_in_executor(None, sys.stdin.readline):
        link, tries, seconds = asked.split()
        seen: Counter[str] = Counter()
        lease = timedelta(seconds=float(seconds))
        await asyncio.gather(*(race(database, bytes.fromhex(link), lease, seen) for _ in range(int(tries))))
        sys.stdout.write(f"{seen['claimed']} {seen['used']} {seen['fenced']}\n")
        sys.stdout.flush()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
