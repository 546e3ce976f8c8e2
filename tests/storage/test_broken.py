"""A database that is away, locked, full or damaged: every store says so in one way, and recovers."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast, get_type_hints

import pytest
from sqlalchemy import text

from chatbot.domain.balances import Prices, Snapshot
from chatbot.domain.conversations import GuideId
from chatbot.domain.credentials import AccountId
from chatbot.domain.messages import Message
from chatbot.domain.outbox import Delivery, Next, OutboxState, Promise
from chatbot.domain.people import ConversationId, Identity, PersonId, Place, TeamId
from chatbot.errors import ConfigError, StorageError
from chatbot.ports.accounts import Progress, Work
from chatbot.ports.installs import Installation
from chatbot.ports.mail import InboxRow
from chatbot.ports.records import Subscription
from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from storage.stores import Stores
from storage.transaction import Transaction
from tests.storage.linkedcalls import LINKED_CALLS
from tests.storage.rows import MINUTE, NOW, REPORT, SEALED, World, fill, link, pending, post

ALICE, CHAT, ACCOUNT = PersonId("p"), ConversationId("c"), AccountId("a1")
Call = Callable[[UnitOfWork, World], Awaitable[object]]

CALLS: dict[str, Call] = {
    "people.meet": lambda s, w: s.people.meet(Identity("web", "x"), "X", "en", ("UTC", "USD"), NOW),
    "people.get": lambda s, w: s.people.get(ALICE),
    "people.change": lambda s, w: s.people.change(ALICE, locale="es"),
    "people.keep_phrase": lambda s, w: s.people.keep_phrase(ALICE, "blue otter"),
    "people.owns": lambda s, w: s.people.owns(ALICE),
    "people.forget": lambda s, w: s.people.forget(ALICE),
    "conversations.enter": lambda s, w: s.conversations.enter(Place("web", "x"), TeamId("home"), None),
    "conversations.get": lambda s, w: s.conversations.get(CHAT),
    "conversations.private_of": lambda s, w: s.conversations.private_of(ALICE),
    "conversations.privates_of": lambda s, w: s.conversations.privates_of(ALICE),
    "conversations.leave": lambda s, w: s.conversations.leave(CHAT),
    "conversations.leave_workspace": lambda s, w: s.conversations.leave_workspace("slack", "T1", NOW),
    "conversations.rejoin_workspace": lambda s, w: s.conversations.rejoin_workspace("slack", "T1"),
    "conversations.move": lambda s, w: s.conversations.move(w.group.place, "-8"),
    "conversations.forget_empty": lambda s, w: s.conversations.forget_empty(),
    "guides.start": lambda s, w: s.guides.start(ALICE, CHAT, "bitso", "x"),
    "guides.current": lambda s, w: s.guides.current(ALICE),
    "guides.go": lambda s, w: s.guides.go(GuideId("g"), "x"),
    "guides.note": lambda s, w: s.guides.note(GuideId("g"), label="x"),
    "guides.note_of": lambda s, w: s.guides.note_of(ALICE, trouble="x"),
    "guides.end": lambda s, w: s.guides.end(ALICE),
    "links.minted_since": lambda s, w: s.links.minted_since(ALICE, NOW),
    "links.mint": lambda s, w: s.links.mint(link(w.alice, w.chat), NOW),
    "links.look": lambda s, w: s.links.look(b"link", NOW),
    "links.open_of": lambda s, w: s.links.open_of(Identity("web", "x"), NOW),
    "links.opened": lambda s, w: s.links.opened(b"link", NOW),
    "links.claim": lambda s, w: s.links.claim(b"link", NOW, NOW),
    "links.give_back": lambda s, w: s.links.give_back(link(w.alice, w.chat), count=True),
    "links.use": lambda s, w: s.links.use(link(w.alice, w.chat)),
    "links.revoke_of": lambda s, w: s.links.revoke_of(ALICE),
    "links.revoke_of_team": lambda s, w: s.links.revoke_of_team(TeamId("home")),
    "links.expire": lambda s, w: s.links.expire(NOW),
    "accounts.add": lambda s, w: s.accounts.add(pending(w.alice, w.chat, "a2"), SEALED, b"", NOW),
    "accounts.taken": lambda s, w: s.accounts.taken(TeamId("home"), b""),
    "accounts.get": lambda s, w: s.accounts.get(ACCOUNT, TeamId("home")),
    "accounts.pending": lambda s, w: s.accounts.pending(ACCOUNT),
    "accounts.of_person": lambda s, w: s.accounts.of_person(ALICE),
    "accounts.pending_of": lambda s, w: s.accounts.pending_of(ALICE),
    "accounts.of_team": lambda s, w: s.accounts.of_team(TeamId("home")),
    "accounts.activate": lambda s, w: s.accounts.activate(ACCOUNT, NOW),
    "accounts.rename": lambda s, w: s.accounts.rename(ACCOUNT, "x"),
    "accounts.attest": lambda s, w: s.accounts.attest(ACCOUNT, REPORT, NOW),
    "accounts.shred": lambda s, w: s.accounts.shred(ACCOUNT, NOW),
    "accounts.expire_pending": lambda s, w: s.accounts.expire_pending(NOW),
    "accounts.hurry": lambda s, w: s.accounts.hurry(ACCOUNT, NOW),
    "accounts.claim": lambda s, w: s.accounts.claim(NOW, NOW, 1),
    "accounts.suspend_team": lambda s, w: s.accounts.suspend_team(TeamId("home"), NOW),
    "accounts.holds": lambda s, w: s.accounts.holds(_work(w)),
    "accounts.failing": lambda s, w: s.accounts.failing("bitso", "bad_key"),
    "accounts.finish": lambda s, w: s.accounts.finish(_work(w), Progress(NOW, 0)),
    "accounts.release": lambda s, w: s.accounts.release(_work(w)),
    "fills.add": lambda s, w: s.fills.add(ACCOUNT, [fill("1")], NOW),
    "fills.recent": lambda s, w: s.fills.recent([ACCOUNT], 1),
    "balances.add": lambda s, w: s.balances.add(ACCOUNT, Snapshot(NOW, ())),
    "balances.latest": lambda s, w: s.balances.latest(ACCOUNT),
    "balances.save_prices": lambda s, w: s.balances.save_prices("bitso", Prices(NOW, {})),
    "balances.prices": lambda s, w: s.balances.prices("bitso"),
    "subscriptions.ensure": lambda s, w: s.subscriptions.ensure(ACCOUNT, "fills", w.chat.id),
    "subscriptions.of_account": lambda s, w: s.subscriptions.of_account(ACCOUNT, "fills"),
    "subscriptions.claim_due": lambda s, w: s.subscriptions.claim_due(NOW, NOW, 1),
    "subscriptions.posted": lambda s, w: s.subscriptions.posted(
        Subscription("s", ACCOUNT, "fills", CHAT, w.alice), NOW, date(2026, 1, 1), Decimal(1), "USD", NOW
    ),
    "subscriptions.reschedule": lambda s, w: s.subscriptions.reschedule(
        ALICE, {"s": (NOW, date(2026, 1, 1))}
    ),
    "subscriptions.remove": lambda s, w: s.subscriptions.remove(ALICE, CHAT),
    "subscriptions.bring_home": lambda s, w: s.subscriptions.bring_home([ACCOUNT], "slack", "T1", CHAT),
    "subscriptions.scheduled_of": lambda s, w: s.subscriptions.scheduled_of(ALICE),
    "outbox.put": lambda s, w: s.outbox.put(w.chat.id, post(), Promise.ALERT, NOW),
    "outbox.claim": lambda s, w: s.outbox.claim(NOW, NOW, 1, (), ("web",)),
    "outbox.begin": lambda s, w: s.outbox.begin(_delivery(w)),
    "outbox.sent": lambda s, w: s.outbox.sent(_delivery(w), "m", NOW),
    "outbox.failed": lambda s, w: s.outbox.failed(_delivery(w), Next(OutboxState.PARKED), "x", NOW),
    "outbox.press": lambda s, w: s.outbox.press("b", ALICE, CHAT, NOW),
    "outbox.unsure": lambda s, w: s.outbox.unsure(CHAT, "x"),
    "outbox.counts": lambda s, w: s.outbox.counts(),
    "outbox.prune": lambda s, w: s.outbox.prune(NOW),
    "inbox.put": lambda s, w: s.inbox.put("web", "1", {}, NOW),
    "inbox.claim": lambda s, w: s.inbox.claim(NOW, NOW, 1),
    "inbox.done": lambda s, w: s.inbox.done(InboxRow("1", "web", {}, NOW, 1, 1)),
    "inbox.fail": lambda s, w: s.inbox.fail(InboxRow("1", "web", {}, NOW, 1, 1), "x", park=True),
    "inbox.release": lambda s, w: s.inbox.release([InboxRow("1", "web", {}, NOW, 1, 1)]),
    "inbox.prune": lambda s, w: s.inbox.prune(NOW),
    "audit.note": lambda s, w: s.audit.note(TeamId("home"), "x", "x", "x", "x", NOW),
    "audit.count": lambda s, w: s.audit.count(TeamId("home"), "x", "x", "x", NOW),
    "audit.recent": lambda s, w: s.audit.recent(TeamId("home"), 1),
    "leases.take": lambda s, w: s.leases.take("x", "x", NOW, NOW),
    "leases.drop": lambda s, w: s.leases.drop("x", "x"),
    "installations.keep": lambda s, w: s.installations.keep(Installation(TeamId("x"), "", b""), NOW),
    "installations.renew": lambda s, w: s.installations.renew(TeamId("x"), b""),
    "installations.find": lambda s, w: s.installations.find(TeamId("x")),
    "installations.end": lambda s, w: s.installations.end(TeamId("x"), NOW),
    "installations.ended": lambda s, w: s.installations.ended(TeamId("x")),
    "installations.parts": lambda s, w: s.installations.parts("x"),
    "installations.issue": lambda s, w: s.installations.issue(b"x", NOW, NOW),
    "installations.redeem": lambda s, w: s.installations.redeem(b"x", NOW),
    "installations.prune": lambda s, w: s.installations.prune(NOW),
    "homes.opened": lambda s, w: s.homes.opened(w.chat, NOW),
    "homes.open_since": lambda s, w: s.homes.open_since(NOW, 1),
    "homes.shown": lambda s, w: s.homes.shown(w.chat, "x"),
    "homes.of_person": lambda s, w: s.homes.of_person(ALICE),
    "homes.prune": lambda s, w: s.homes.prune(),
    **LINKED_CALLS,
}


def _work(world: World) -> Work:
    return Work(
        world.account, world.alice, SEALED, 1, NOW, 0, cursor=None, history=None, history_pages=0,
        balances_at=None, check_at=None, fills_on=True, failures=0, trouble_told=False, asked_in=None,
    )  # fmt: skip


def _delivery(world: World) -> Delivery:
    return Delivery("d", CHAT, world.chat.place, Message(), Promise.ALERT, 1, 1, "REF", NOW)


def test_every_method_of_every_store_is_tried_here():
    """A method added to a port is a line in this table."""
    ports = get_type_hints(UnitOfWork)
    methods = {f"{name}.{m}" for name, port in ports.items() for m in vars(port) if not m.startswith("_")}

    assert set(CALLS) == methods


async def test_every_method_reports_a_broken_database_alike(
    database_url: str, database: Database, settled: World
):
    """Whatever is asked while the connection breaks, the answer is `StorageError`; afterwards all works again."""
    other = Database(database_url)
    for name, call in CALLS.items():
        with pytest.raises(StorageError) as broken:
            await _call_broken(database, other, call, settled)
        assert broken.value.retry, name
    await other.close()

    async with database.uow() as store:
        assert await store.people.get(settled.alice.id) == settled.alice


async def _call_broken(database: Database, other: Database, call: Call, world: World) -> None:
    async with database.transaction() as tx:
        if database.is_sqlite:
            await _interrupt(tx, lambda: 1)
        else:
            await _cut(tx, other)
        try:
            await call(Stores(tx), world)
        finally:
            if database.is_sqlite:
                await _interrupt(tx, None)


async def _interrupt(tx: Transaction, handler: Callable[[], int] | None) -> None:
    await tx.call(lambda c: cast("Any", c.connection.driver_connection).set_progress_handler(handler, 1))


async def _cut(tx: Transaction, other: Database) -> None:
    row = await tx.first(text("SELECT pg_backend_pid()"))
    assert row is not None
    # pg_terminate_backend waits for the end of it, so that the next statement surely meets it.
    async with other.transaction() as killer:
        await killer.first(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": row[0]})


async def test_a_transaction_whose_connection_broke_is_over(fresh_postgres: str):
    """Whoever goes on after a broken connection hears of it again, and nothing is half-written."""
    database, other = Database(fresh_postgres), Database(fresh_postgres)
    with pytest.raises(StorageError, match="broke"):
        await _go_on(database, other)
    await database.check()
    await database.close()
    await other.close()


async def _go_on(database: Database, other: Database) -> None:
    async with database.transaction() as tx:
        await _cut(tx, other)
        for _ in range(2):
            with suppress(StorageError):
                await tx.first(text("SELECT 1"))
        await tx.first(text("SELECT 1"))


async def test_a_lock_that_is_held_is_waited_for_and_then_told(database_url: str, database: Database):
    """Another process that holds on too long is a trouble that passes."""
    other = Database(database_url, wait_seconds=0.1)
    async with database.uow() as store:
        await store.leases.take("x", "me", NOW, NOW + MINUTE)
        with pytest.raises(StorageError) as locked:
            await _take(other)

    assert locked.value.retry
    assert not await _take(other)
    await other.close()


async def _take(database: Database) -> bool:
    async with database.uow() as store:
        return await store.leases.take("x", "other", NOW, NOW + MINUTE)


@pytest.mark.parametrize("url", ["postgresql://bot:pass-word@127.0.0.1:1/none", "sqlite:////proc/none/db"])
async def test_a_database_that_is_away_is_told_without_its_password(url: str):
    """The reason is fit for a log."""
    database = Database(url)

    with pytest.raises(StorageError) as away:
        await database.check()

    assert away.value.retry
    assert "pass-word" not in away.value.reason
    await database.close()


async def test_a_full_disk_stops_and_lets_go(fresh_sqlite: str):
    """Nothing half-written stays; once there is room again, work goes on by itself."""
    database = Database(fresh_sqlite)
    await database.migrate()
    await _pragma(database, "PRAGMA max_page_count = 1")
    with pytest.raises(StorageError, match="FULL"):
        await _fill_up(database)
    await _pragma(database, "PRAGMA max_page_count = 1000000")

    async with database.uow() as store:
        assert await store.inbox.claim(NOW, NOW, 5) == []
    await _fill_up(database)
    await database.close()


async def _fill_up(database: Database) -> None:
    async with database.uow() as store:
        for number in range(3):
            await store.inbox.put("web", str(number), {"text": "x" * 50_000}, NOW)


async def _pragma(database: Database, statement: str) -> None:
    async with database.transaction() as tx:
        await tx.first(text(statement))


@pytest.mark.parametrize("damage", ["garbage", "flipped"])
async def test_a_damaged_file_stops_the_start(tmp_path: Path, damage: str):
    """A start on a damaged file is refused with what to do, in one sentence."""
    file = tmp_path / "damaged.sqlite"
    if damage == "garbage":
        file.write_bytes(b"this is not a database " * 500)
    else:
        with closing(sqlite3.connect(file)) as made:
            made.execute("CREATE TABLE a (b TEXT)")
            made.executemany("INSERT INTO a VALUES (?)", [("x" * 500,)] * 200)
            made.commit()
        content = bytearray(file.read_bytes())
        content[8192:8300] = b"\xff" * 108
        file.write_bytes(content)
    database = Database(f"sqlite:///{file}")

    for start in (database.open, database.migrate):
        with pytest.raises(ConfigError, match="damaged") as refused:
            await start()
        assert len(str(refused.value).splitlines()) == 1
    await database.close()
