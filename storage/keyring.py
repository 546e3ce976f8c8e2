"""What ties a database to its master keys: the pepper of the fingerprints and a canary, both sealed.

Bootstrap calls `open_vault` once the database is migrated. A start with a master key that is not the one
the database was sealed with is refused here, before anything could be sealed under the wrong one.
"""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import Column, LargeBinary, Table, Text, delete, func, select

from chatbot.domain.secrets import Secret
from chatbot.errors import ConfigError, VaultError
from storage.accounts import ACCOUNTS
from storage.columns import METADATA
from storage.database import Database
from storage.installations import INSTALLATIONS
from storage.links import LINKS
from storage.masterkeys import MasterKeys
from storage.transaction import Transaction
from storage.vault import Sealer, Vault, sealed_under

KEYRING = Table(
    "keyring",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
CANARY = "canary"
PEPPER = "pepper"
_SONG = b"keyherald"


async def holds_credentials(database: Database) -> bool:
    """Tell whether anything is stored that only its own master key can open."""
    async with database.transaction() as tx:
        return bool(await _credential_keys(tx))


async def open_vault(database: Database, keys: MasterKeys) -> Vault:
    """Return the vault of a database; its keyring is made on first use.

    Raises:
        ConfigError: when a master key is missing, is another one, or the keyring is lost.
    """
    sealer = Sealer(keys)
    async with database.transaction() as tx:
        used = await _credential_keys(tx)
        if keys.created and not used:
            await tx.run(delete(KEYRING))
        ring = await _ring(tx)
        used += _keys_of(ring.values())
        _refuse_unknown(used, keys)
        ring = ring if used else await _new_ring(tx, sealer)
    return Vault(sealer, _pepper(sealer, ring))


async def keys_in_use(tx: Transaction) -> Counter[str]:
    """Count what is sealed under each master key: credentials, links, installations, the keyring."""
    private = select(LINKS.c.sealed_private_key).where(LINKS.c.sealed_private_key.is_not(None))
    links = [row[0] for row in await tx.all(private)]
    tokens = select(INSTALLATIONS.c.sealed).where(INSTALLATIONS.c.sealed.is_not(None))
    installed = [row[0] for row in await tx.all(tokens)]
    return (
        await _credential_keys(tx)
        + _keys_of(links)
        + _keys_of(installed)
        + _keys_of((await _ring(tx)).values())
    )


def keyring_purpose(name: str) -> str:
    """Return what a row of the keyring is sealed for."""
    return f"keyring/{name}"


def _refuse_unknown(used: Counter[str], keys: MasterKeys) -> None:
    # Links don't count: one that can't be opened is replaced in a minute, and must not hold up the start.
    lost = sorted(used.keys() - keys.ids)
    if lost:
        raise ConfigError(
            f"The database was sealed with master key {', '.join(lost)}, which is not among yours:"
            " put it back after the newer ones."
        )


async def _credential_keys(tx: Transaction) -> Counter[str]:
    sealed = ACCOUNTS.c.wrapped_dek.is_not(None)
    counted = select(ACCOUNTS.c.kek_id, func.count().label("rows")).where(sealed)
    rows = await tx.all(counted.group_by(ACCOUNTS.c.kek_id))
    return Counter({str(row.kek_id): int(row.rows) for row in rows})


def _keys_of(blobs: Iterable[bytes]) -> Counter[str]:
    return Counter(filter(None, map(_key_of, blobs)))


def _key_of(blob: bytes) -> str:
    # A damaged value names no key; whoever opens it says so.
    try:
        return sealed_under(blob)
    except VaultError:
        return ""


async def _ring(tx: Transaction) -> Mapping[str, bytes]:
    return {row.name: row.sealed for row in await tx.all(select(KEYRING))}


async def _new_ring(tx: Transaction, sealer: Sealer) -> Mapping[str, bytes]:
    for name, value in ((CANARY, _SONG), (PEPPER, secrets.token_bytes(32))):
        row = tx.insert(KEYRING).values(name=name, sealed=sealer.seal_bytes(keyring_purpose(name), value))
        # Two processes may start at once: the first one's keyring stands.
        await tx.run(row.on_conflict_do_nothing())
    return await _ring(tx)


def _pepper(sealer: Sealer, ring: Mapping[str, bytes]) -> Secret:
    if not ring.keys() >= {CANARY, PEPPER}:
        raise ConfigError("The database has lost its keyring: restore a backup that is whole.")
    try:
        sealer.open_bytes(keyring_purpose(CANARY), ring[CANARY])
        return Secret(sealer.open_bytes(keyring_purpose(PEPPER), ring[PEPPER]))
    except VaultError:
        raise ConfigError(
            "This master key is not the one this database was sealed with: put the right key back."
        ) from None
