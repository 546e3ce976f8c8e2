"""Fills a database with sealed rows of every kind and opens them all again, for the tests of rotation."""

from sqlalchemy import select

from chatbot.domain.credentials import AccountId
from chatbot.domain.people import Place, TeamId
from chatbot.ports.vault import SealedCredential
from storage.accounts import ACCOUNTS
from storage.database import Database
from storage.keyring import open_vault
from storage.links import LINKS
from storage.masterkeys import MasterKeys
from storage.vault import Sealer, Vault, link_purpose
from tests.storage.rows import NOW, connect, link, meet
from tests.support.vaults import CANARY, credentials


async def fill(database: Database, keys: MasterKeys, accounts: int, links: int = 2) -> None:
    """Seal `accounts` credentials and `links` private keys under the newest key."""
    vault = await open_vault(database, keys)
    async with database.uow() as store:
        owner = await meet(store, "1")
        chat = await store.conversations.enter(Place("telegram", "1"), owner.team, owner.id)
        await connect(store, owner, chat, "model")
        await store.links.mint(link(owner, chat, b"model"), NOW)
    async with database.transaction() as tx:
        account = (await tx.all(select(ACCOUNTS)))[0]._asdict()
        pattern = (await tx.all(select(LINKS)))[0]._asdict()
        await tx.run(ACCOUNTS.delete())
        await tx.run(LINKS.delete())
        await tx.run(ACCOUNTS.insert(), [account | _sealed(vault, owner.team, n) for n in range(accounts)])
        for number in range(links):
            await tx.run(LINKS.insert().values(pattern | _link(vault, number)))


async def open_all(database: Database, keys: MasterKeys) -> tuple[int, int]:
    """Open every credential, link key and the keyring; return how many there are."""
    vault = await open_vault(database, keys)
    sealer = Sealer(keys)
    async with database.transaction() as tx:
        rows = await tx.all(select(ACCOUNTS).where(ACCOUNTS.c.box.is_not(None)))
        links = await tx.all(select(LINKS).where(LINKS.c.sealed_private_key.is_not(None)))
    for row in rows:
        sealed = SealedCredential(row.kek_id, row.wrapped_dek, row.box)
        opened = vault.unseal(AccountId(row.id), TeamId(row.team), row.exchange, sealed)
        assert opened.api_secret.reveal().decode() == f"{CANARY} secret {row.id}"
        assert vault.fingerprint(TeamId(row.team), row.exchange, opened) == row.fingerprint
    for row in links:
        assert len(sealer.open_bytes(link_purpose(row.id), row.sealed_private_key)) == 32
    return len(rows), len(links)


def _sealed(vault: Vault, team: TeamId, number: int) -> dict[str, object]:
    name = AccountId(f"a{number:05d}")
    mine = credentials(f"{CANARY} key {name}", f"{CANARY} secret {name}")
    sealed = vault.seal(name, team, "bitso", mine)
    return {
        "id": name,
        "kek_id": sealed.kek_id,
        "wrapped_dek": sealed.wrapped_dek,
        "box": sealed.box,
        "fingerprint": vault.fingerprint(team, "bitso", mine),
    }


def _link(vault: Vault, number: int) -> dict[str, object]:
    name = bytes([number]) * 32
    return {"id": name, "sealed_private_key": vault.link_keys(name).sealed_private}
