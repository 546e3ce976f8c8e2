"""Takes back at once what a process before this one left claimed.

Bootstrap calls it on SQLite, where the lock beside the file proves that nobody else is at work: after a
crash nothing waits for a lease to run out. Fences keep a late write out all the same.
"""

from datetime import datetime

from sqlalchemy import update

from storage.accounts import ACCOUNTS
from storage.database import Database
from storage.inbox import INBOX
from storage.links import LINKS
from storage.outbox import OUTBOX
from storage.subscriptions import SUBSCRIPTIONS

_LEASED = (ACCOUNTS, INBOX, LINKS, OUTBOX, SUBSCRIPTIONS)


async def end_leases(database: Database, now: datetime) -> None:
    """Let every lease end now; whoever finds the row decides what its work had come to."""
    async with database.transaction() as tx:
        for table in _LEASED:
            await tx.run(update(table).where(table.c.lease_until > now).values(lease_until=now))
