"""Named leases: which process owns a bot token or the embedded engine, and until when."""

from datetime import datetime

from sqlalchemy import Column, Table, Text, delete, or_

from storage.columns import METADATA, Time
from storage.transaction import Transaction

LEASES = Table(
    "leases",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("until", Time, nullable=False),
)


class LeaseStore:
    """Implements `ports.mail.Leases`."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def take(self, name: str, owner: str, now: datetime, until: datetime) -> bool:
        wanted = self._tx.insert(LEASES).values(name=name, owner=owner, until=until)
        free = or_(LEASES.c.owner == owner, LEASES.c.until <= now)
        taken = wanted.on_conflict_do_update(
            index_elements=["name"], set_={"owner": owner, "until": until}, where=free
        ).returning(LEASES.c.name)
        return await self._tx.first(taken) is not None

    async def drop(self, name: str, owner: str) -> None:
        await self._tx.run(delete(LEASES).where(LEASES.c.name == name, LEASES.c.owner == owner))
