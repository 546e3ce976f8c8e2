"""The keyring: a database opens with the master key it was sealed with, and says so when it doesn't."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from chatbot.domain.credentials import AccountId
from chatbot.errors import ConfigError
from storage.database import Database
from storage.keyline import MasterKey
from storage.keyring import CANARY as CANARY_ROW
from storage.keyring import KEYRING, PEPPER, holds_credentials, keys_in_use, open_vault
from storage.links import LINKS
from storage.masterkeys import MasterKeys
from storage.vault import Vault
from tests.storage.rows import NOW
from tests.support.sealed import fill, open_all
from tests.support.vaults import CANARY, EXCHANGE, TEAM, credentials, new_keys

MINE = credentials("key", "secret")


def mark(vault: Vault) -> bytes:
    return vault.fingerprint(TEAM, EXCHANGE, MINE)


async def refusal(database: Database, keys: MasterKeys) -> str:
    with pytest.raises(ConfigError) as caught:
        await open_vault(database, keys)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0]


async def test_the_keyring_is_made_once(database: Database):
    """The first start makes the pepper, later ones and other master keys keep it."""
    keys = new_keys("k1")
    first = mark(await open_vault(database, keys))
    newer = MasterKeys(new_keys("k2").keys + keys.keys)

    assert mark(await open_vault(database, keys)) == first
    assert mark(await open_vault(database, newer)) == first


async def test_two_first_starts_at_once_share_one_keyring(database_url: str):
    """Two processes that start on a fresh database agree on what they find there."""
    keys = new_keys("k1")
    one, other = Database(database_url), Database(database_url)
    await one.migrate()

    vaults = await asyncio.gather(open_vault(one, keys), open_vault(other, keys))

    assert mark(vaults[0]) == mark(vaults[1])
    await one.close()
    await other.close()


WRONG = "This master key is not the one this database was sealed with: put the right key back."
LOST = "The database has lost its keyring: restore a backup that is whole."


async def test_another_key_of_the_same_name_is_refused(database: Database):
    """A key that only bears the right id is noticed before anything is sealed under it."""
    await open_vault(database, new_keys("k1"))

    assert await refusal(database, new_keys("k1")) == WRONG


async def test_an_unknown_key_is_named(database: Database):
    """When rows need a key that is not there, the sentence names it; several are named together."""
    await fill(database, new_keys("k1"), 1)
    said = "The database was sealed with master key {}, which is not among yours: put it back after the newer ones."

    assert await refusal(database, new_keys("k2")) == said.format("k1")
    async with database.transaction() as tx:
        await tx.run(update(KEYRING).values(sealed=b"\x02k0" + bytes(60)))
    assert await refusal(database, new_keys("k2")) == said.format("k0, k1")


@pytest.mark.parametrize("name", [CANARY_ROW, PEPPER])
async def test_a_changed_keyring_is_refused(database: Database, name: str):
    """Canary and pepper both have to open."""
    keys = new_keys("k1")
    await open_vault(database, keys)
    async with database.transaction() as tx:
        await tx.run(update(KEYRING).where(KEYRING.c.name == name).values(sealed=b"\x02k1" + bytes(60)))

    assert await refusal(database, keys) == WRONG


@pytest.mark.parametrize("names", [[CANARY_ROW], [PEPPER], [CANARY_ROW, PEPPER]])
async def test_a_lost_keyring_is_not_made_anew(database: Database, names: list[str]):
    """Beside sealed credentials a new pepper would not know their keys again."""
    keys = new_keys("k1")
    await fill(database, keys, 1)
    async with database.transaction() as tx:
        await tx.run(KEYRING.delete().where(KEYRING.c.name.in_(names)))

    assert await refusal(database, keys) == LOST


async def test_a_new_key_file_may_start_an_empty_database_over(database: Database):
    """Without a credential a lost key costs nothing: the key that was just made takes its place."""
    before = mark(await open_vault(database, new_keys("lost")))
    fresh = replace(new_keys("new"), created=True)

    assert mark(await open_vault(database, fresh)) != before
    assert mark(await open_vault(database, replace(fresh, created=False)))


async def test_a_new_key_file_never_replaces_a_key_in_use(database: Database):
    """With a credential in the database the lost key must come back."""
    await fill(database, new_keys("lost"), 1)

    assert "sealed with master key lost" in await refusal(database, replace(new_keys("new"), created=True))


async def test_a_link_under_a_lost_key_does_not_hold_up_the_start(database: Database):
    """A link lives for minutes; its person gets another one."""
    keys = new_keys("k1")
    await fill(database, keys, 1)
    async with database.transaction() as tx:
        await tx.run(update(LINKS).values(sealed_private_key=b"\x02k0" + bytes(60)))

    assert mark(await open_vault(database, keys))


async def test_credentials_are_looked_for_before_a_key_is_made(database: Database):
    """Only a stored credential counts, and no longer once it is revoked."""
    assert not await holds_credentials(database)
    await fill(database, new_keys("k1"), 1)
    assert await holds_credentials(database)

    async with database.uow() as store:
        await store.accounts.shred(AccountId("a00000"), NOW)

    assert not await holds_credentials(database)


async def test_what_is_sealed_is_counted_by_key(database: Database):
    """Credentials, links and the keyring count; a damaged value names no key."""
    await fill(database, new_keys("k1"), 3, 2)
    async with database.transaction() as tx:
        assert await keys_in_use(tx) == {"k1": 7}
        await tx.run(update(LINKS).values(sealed_private_key=b"damaged"))
        assert await keys_in_use(tx) == {"k1": 5}


async def test_the_database_holds_nothing_readable(fresh_sqlite: str):
    """Neither the file nor its log holds any part of a credential or of the master key."""
    database = Database(fresh_sqlite)
    await database.migrate()
    keys: tuple[MasterKey, ...] = (sealing := new_keys("k1")).keys
    await fill(database, sealing, 20)
    found = await open_all(database, sealing)
    folder = Path(fresh_sqlite.removeprefix("sqlite:///")).parent
    stored = b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
    await database.close()

    assert found == (20, 2)
    assert len(stored) > 10_000
    assert CANARY.encode() not in stored
    assert keys[0].key.reveal() not in stored
