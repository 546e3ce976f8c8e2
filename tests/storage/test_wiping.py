"""What was destroyed is in no file any more: not in the database, not in its log."""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from tests.storage.rows import MINUTE, NOW, SEALED, World, link, pending, settle

CANARY = b"canary-7f3a9c-must-not-stay"


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    """An SQLite file in a folder of its own."""
    return tmp_path / "keyherald.sqlite"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    """The database in that file."""
    opened = Database(f"sqlite:///{file}")
    await opened.migrate()
    yield opened
    await opened.close()


async def _shred(store: UnitOfWork, world: World) -> None:
    await store.accounts.shred(pending(world.alice, world.chat, "a2").account.id, NOW)


async def _expire(store: UnitOfWork, _: World) -> None:
    await store.accounts.expire_pending(NOW + 60 * MINUTE)
    await store.links.expire(NOW + 60 * MINUTE)


async def _forget(store: UnitOfWork, world: World) -> None:
    await store.people.forget(world.alice.id)


async def _use(store: UnitOfWork, _: World) -> None:
    claimed = await store.links.claim(b"link", NOW, NOW + MINUTE)
    assert claimed is not None
    await store.links.use(claimed)


async def _exhaust(store: UnitOfWork, _: World) -> None:
    for _try in range(3):
        claimed = await store.links.claim(b"link", NOW, NOW + MINUTE)
        assert claimed is not None
        await store.links.give_back(claimed, count=True)


async def _revoke(store: UnitOfWork, world: World) -> None:
    await store.links.revoke_of(world.alice.id)


async def _mint(store: UnitOfWork, world: World) -> None:
    await store.links.mint(link(world.alice, world.chat, b"next"), NOW)


Act = Callable[[UnitOfWork, World], Awaitable[None]]


@pytest.mark.parametrize(
    ("what", "act"),
    [
        ("account", _shred),
        ("account", _expire),
        ("account", _forget),
        ("link", _use),
        ("link", _exhaust),
        ("link", _revoke),
        ("link", _mint),
        ("link", _expire),
        ("link", _forget),
    ],
)
async def test_destroyed_bytes_are_in_no_file(database: Database, file: Path, what: str, act: Act):
    """After the commit not one copy is left, while the bot goes on running."""
    async with database.uow() as store:
        world = await settle(store)
        if what == "account":
            sealed = replace(SEALED, wrapped_dek=CANARY + b"-dek", box=CANARY + b"-box")
            await store.accounts.add(pending(world.alice, world.chat, "a2"), sealed, b"p", NOW)
        else:
            await store.links.mint(replace(link(world.alice, world.chat), sealed_private_key=CANARY), NOW)
    assert _found(file)

    async with database.uow() as store:
        await act(store, world)

    assert _found(file) == []


async def test_a_reader_only_delays_the_wiping(database: Database, file: Path):
    """While somebody reads the log, say a backup, it can't be cut: the next commit does it."""
    async with database.uow() as store:
        world = await settle(store)
        await store.links.mint(replace(link(world.alice, world.chat), sealed_private_key=CANARY), NOW)
    with closing(sqlite3.connect(file)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM links").fetchone()
        async with database.uow() as store:
            await store.links.revoke_of(world.alice.id)
        assert _found(file)

    await database.check()

    assert _found(file) == []


def _found(file: Path) -> list[str]:
    return [path.name for path in file.parent.iterdir() if CANARY in path.read_bytes()]
