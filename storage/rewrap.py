"""`keyherald rewrap`: everything sealed under an older master key is sealed under the newest one.

The command line calls `rotate`. Killed at any row and run again it goes on where it was: each row changes
by itself, only while it is still what was read, and only after the new seal has been opened once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Row, Table, bindparam, select, update

from chatbot.domain.credentials import AccountId
from chatbot.domain.people import TeamId
from chatbot.errors import VaultError
from chatbot.ports.installs import purpose_of
from chatbot.ports.vault import SealedCredential
from storage.accounts import ACCOUNTS
from storage.database import Database
from storage.installations import INSTALLATIONS
from storage.keyring import KEYRING, keyring_purpose, keys_in_use, open_vault
from storage.links import LINKS
from storage.masterkeys import MasterKeys, add_master_key
from storage.vault import Sealer, link_purpose, rewrap_credential, sealed_under

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class RewrapReport:
    """What a run did, what it could not open, and which older master keys nothing needs any more."""

    newest: str
    added: bool
    rewrapped: int
    broken: tuple[str, ...]
    left: Mapping[str, int]
    retired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of sealed row: where it stands, and how the new values of a row are made."""

    table: Table
    key: Column[Any]
    sealed: Column[Any]
    bound: tuple[Column[Any], ...]
    renew: Callable[[Sealer, Row[Any]], dict[str, Any]]


def _renew_account(sealer: Sealer, row: Row[Any]) -> dict[str, Any]:
    if row.kek_id == sealer.newest:
        return {}
    owner = (AccountId(row.id), TeamId(row.team), str(row.exchange))
    fresh = rewrap_credential(sealer, owner, SealedCredential(row.kek_id, row.wrapped_dek, row.box))
    return {"kek_id": fresh.kek_id, "wrapped_dek": fresh.wrapped_dek}


def _renew_link(sealer: Sealer, row: Row[Any]) -> dict[str, Any]:
    return _renew_small(sealer, "sealed_private_key", link_purpose(row.id), row.sealed_private_key)


def _renew_installation(sealer: Sealer, row: Row[Any]) -> dict[str, Any]:
    return _renew_small(sealer, "sealed", purpose_of(TeamId(row.team)), row.sealed)


def _renew_ring(sealer: Sealer, row: Row[Any]) -> dict[str, Any]:
    return _renew_small(sealer, "sealed", keyring_purpose(row.name), row.sealed)


def _renew_small(sealer: Sealer, column: str, purpose: str, blob: bytes) -> dict[str, Any]:
    if sealed_under(blob) == sealer.newest:
        return {}
    return {column: sealer.reseal_bytes(purpose, blob)}


_BOX = (ACCOUNTS.c.team, ACCOUNTS.c.exchange, ACCOUNTS.c.kek_id, ACCOUNTS.c.box)
# The keyring last: as long as it names the old key, a start without that key is refused.
_KINDS = (
    _Kind(ACCOUNTS, ACCOUNTS.c.id, ACCOUNTS.c.wrapped_dek, _BOX, _renew_account),
    _Kind(LINKS, LINKS.c.id, LINKS.c.sealed_private_key, (), _renew_link),
    _Kind(INSTALLATIONS, INSTALLATIONS.c.team, INSTALLATIONS.c.sealed, (), _renew_installation),
    _Kind(KEYRING, KEYRING.c.name, KEYRING.c.sealed, (), _renew_ring),
)


async def rotate(
    database: Database, keys: MasterKeys, *, batch: int = 500, progress: Progress = lambda _done, _of: None
) -> RewrapReport:
    """Add a new master key to the key file, unless an earlier rotation is not over yet, and rewrap.

    Raises:
        ConfigError: when the keys are not those of this database, or the file can't be written.
    """
    await open_vault(database, keys)
    async with database.transaction() as tx:
        used = await keys_in_use(tx)
    added = keys.file is not None and used.keys() <= {keys.newest.id}
    if keys.file is not None and added:
        # In a thread: a key service may be asked.
        await asyncio.to_thread(add_master_key, keys.file, keys.kms)
        keys = await asyncio.to_thread(keys.reload)
    return await rewrap(database, keys, batch=batch, progress=progress, added=added)


async def rewrap(
    database: Database,
    keys: MasterKeys,
    *,
    batch: int = 500,
    progress: Progress = lambda _done, _of: None,
    added: bool = False,
) -> RewrapReport:
    """Seal everything under the newest master key, `batch` rows a transaction; safe to kill and run again.

    Raises:
        ConfigError: when the keys are not those of this database.
    """
    await open_vault(database, keys)
    sealer = Sealer(keys)
    total = sum((await _left(database, sealer)).values())
    done = 0
    broken: list[str] = []
    for kind in _KINDS:
        async for rows in _batches(database, kind, batch):
            changes = _renewed(sealer, kind, rows, broken)
            done += await _write(database, kind, changes)
            progress(done, total)
    left = await _left(database, sealer)
    retired = tuple(key.id for key in keys.keys if key.id != sealer.newest and key.id not in left)
    return RewrapReport(sealer.newest, added, done, tuple(broken), left, retired)


async def _left(database: Database, sealer: Sealer) -> dict[str, int]:
    async with database.transaction() as tx:
        # Old wraps must not outlive their rotation in SQLite's log.
        tx.wipe_log()
        used = await keys_in_use(tx)
    return {key: count for key, count in used.items() if key != sealer.newest}


async def _batches(database: Database, kind: _Kind, size: int) -> AsyncIterator[Sequence[Row[Any]]]:
    columns = select(kind.key, kind.sealed, *kind.bound)
    page = columns.where(kind.sealed.is_not(None)).order_by(kind.key).limit(size)
    rows: Sequence[Row[Any]] = ()
    while True:
        following = page.where(kind.key > getattr(rows[-1], kind.key.name)) if rows else page
        async with database.transaction() as tx:
            rows = await tx.all(following)
        if not rows:
            return
        yield rows


def _renewed(
    sealer: Sealer, kind: _Kind, rows: Sequence[Row[Any]], broken: list[str]
) -> list[dict[str, Any]]:
    changes = []
    for row in rows:
        key = getattr(row, kind.key.name)
        try:
            values = kind.renew(sealer, row)
        except VaultError:
            broken.append(f"{kind.table.name} {key.hex() if isinstance(key, bytes) else key}")
            continue
        if values:
            changes.append({"row_key": key, "row_was": getattr(row, kind.sealed.name), **values})
    return changes


async def _write(database: Database, kind: _Kind, changes: list[dict[str, Any]]) -> int:
    if not changes:
        return 0
    unchanged = (kind.key == bindparam("row_key"), kind.sealed == bindparam("row_was"))
    columns = [name for name in changes[0] if name not in {"row_key", "row_was"}]
    async with database.transaction() as tx:
        return await tx.run(
            update(kind.table).where(*unchanged).values({name: bindparam(name) for name in columns}), changes
        )
