"""Links made straight into a running installation's database, for rigs that need many of them fast.

What the guide would take minutes for, this does through the same stores and the same vault.
"""

import itertools
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from chatbot.domain.links import Link, LinkState, link_id, page_url
from chatbot.domain.people import Identity, Place
from storage.database import Database
from storage.keyring import open_vault
from storage.masterkeys import read_master_key_file
from storage.takeover import end_leases
from storage.vault import Vault

_people = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Mint:
    """A second hand on the database of an installation."""

    database: Database
    vault: Vault
    url: str

    async def link(self) -> str:
        """Mint a link for somebody new and return its address."""
        now, token, number = datetime.now(UTC), secrets.token_bytes(32), str(next(_people))
        keys = self.vault.link_keys(link_id(token))
        async with self.database.uow() as store:
            person = await store.people.meet(Identity("telegram", number), "Ana", "en", ("UTC", "USD"), now)
            chat = await store.conversations.enter(Place("telegram", number), person.team, person.id)
            link = Link(
                id=link_id(token), team=person.team, person=person.id, conversation=chat.id, exchange="bitso",
                label="Bitso", state=LinkState.OPEN, public_key=keys.public,
                sealed_private_key=keys.sealed_private, expires_at=now + timedelta(minutes=10),
            )  # fmt: skip
            await store.links.mint(link, now)
        return page_url(self.url, token, keys.public, "en")

    async def end_leases(self) -> None:
        """Let time pass for whoever died with a lease in hand."""
        await end_leases(self.database, datetime.now(UTC))

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        async with self.database.transaction() as tx:
            return [tuple(row) for row in await tx.all(text(query))]


@asynccontextmanager
async def mint(database_url: str, master_key: str, url: str) -> AsyncIterator[Mint]:
    """Open the database of an installation that is already up."""
    database = Database(database_url)
    try:
        yield Mint(database, await open_vault(database, read_master_key_file(Path(master_key))), url)
    finally:
        await database.close()
