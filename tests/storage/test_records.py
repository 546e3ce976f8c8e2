"""Fills, balances, subscriptions and the audit, as `chatbot/ports/records.py` promises them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from chatbot.domain.balances import Balance, Prices, Snapshot
from chatbot.errors import Fenced
from chatbot.ports.records import AuditEntry
from chatbot.ports.stores import UnitOfWork
from tests.storage.rows import MINUTE, NOW, World, fill


async def test_a_fill_is_stored_once(store: UnitOfWork, world: World):
    """Only what is new comes back, in order; side and market are part of what makes a fill."""
    first, second, other_side = fill("1"), fill("2", at=NOW + MINUTE), fill("1", side=fill("1").side.SELL)

    assert await store.fills.add(world.account.id, [second, first, second], NOW) == [second, first]
    assert await store.fills.add(world.account.id, [first, other_side], NOW + MINUTE) == [other_side]
    assert await store.fills.add(world.account.id, [first], NOW) == []
    assert (await store.fills.recent([world.account.id], 1)) == [(world.account.id, second)]
    assert len(await store.fills.recent([world.account.id], 9)) == 3


async def test_fills_of_a_forgotten_account_go_nowhere(store: UnitOfWork, world: World):
    """A poll that comes back after its account was deleted stores nothing."""
    await store.people.forget(world.alice.id)

    assert await store.fills.add(world.account.id, [fill("1")], NOW) == []
    await store.balances.add(world.account.id, Snapshot(NOW, ()))
    assert await store.balances.latest(world.account.id) is None


async def test_an_unchanged_balance_only_moves_its_time(store: UnitOfWork, world: World):
    """The same amounts, however written, are one snapshot."""
    one = Snapshot(
        NOW, (Balance("BTC", Decimal("1.50"), Decimal("2E+1")), Balance("MXN", Decimal(0), Decimal(0)))
    )
    same = Snapshot(NOW + MINUTE, (one.balances[1], Balance("BTC", Decimal("1.5"), Decimal(20))))
    other = Snapshot(NOW + 2 * MINUTE, (Balance("BTC", Decimal(1), Decimal(1)),))

    await store.balances.add(world.account.id, one)
    await store.balances.add(world.account.id, same)
    assert await store.balances.latest(world.account.id) == Snapshot(NOW + MINUTE, one.balances)
    await store.balances.add(world.account.id, other)
    assert await store.balances.latest(world.account.id) == other


async def test_prices_are_kept_and_never_older(store: UnitOfWork):
    """The last prices of an exchange survive a restart; an old answer does not overwrite them."""
    new = Prices(NOW, {("BTC", "USD"): Decimal("97123.10")})
    old = Prices(NOW - MINUTE, {("BTC", "USD"): Decimal(1)})
    await store.balances.save_prices("bitso", new)
    await store.balances.save_prices("bitso", old)

    assert await store.balances.prices("bitso") == new
    assert await store.balances.prices("kraken") is None


async def test_subscriptions_know_their_reader(store: UnitOfWork, world: World):
    """The reader is the owner, wherever it goes; only live conversations hear."""
    await store.subscriptions.ensure(world.account.id, "fills", world.group.id)
    await store.subscriptions.ensure(world.account.id, "fills", world.group.id)
    await store.subscriptions.ensure(world.account.id, "fills", world.chat.id)

    found = await store.subscriptions.of_account(world.account.id, "fills")
    assert {(s.conversation, s.reader) for s in found} == {
        (world.group.id, world.alice),
        (world.chat.id, world.alice),
    }
    assert await store.subscriptions.of_account(world.account.id, "keys") == []

    await store.conversations.leave(world.group.id)
    (left,) = await store.subscriptions.of_account(world.account.id, "fills")
    assert left.conversation == world.chat.id


async def test_a_group_can_be_unsubscribed(store: UnitOfWork, world: World):
    """Only the person's own accounts leave, and the number of accounts is told."""
    for kind in ("fills", "balances", "keys"):
        await store.subscriptions.ensure(world.account.id, kind, world.group.id)

    assert await store.subscriptions.remove(world.bob.id, world.group.id) == 0
    assert await store.subscriptions.remove(world.alice.id, world.group.id) == 1
    assert await store.subscriptions.remove(world.alice.id, world.group.id) == 0


async def test_a_scheduled_post_is_claimed_once_and_moves_on(store: UnitOfWork, world: World):
    """The slot, the total and the next due time are written together; a late writer is fenced."""
    today, tomorrow = "2026-11-21", "2026-11-22"
    await store.subscriptions.ensure(world.account.id, "balances", world.chat.id, NOW, today)

    (claimed,) = await store.subscriptions.claim_due("balances", NOW, NOW + MINUTE, 10)
    assert (claimed.slot, claimed.due_at, claimed.reader) == (today, NOW, world.alice)
    assert await store.subscriptions.claim_due("balances", NOW, NOW + MINUTE, 10) == []
    next_due = NOW + timedelta(days=1)
    await store.subscriptions.posted(claimed, next_due, tomorrow, Decimal("12.50"), "USD", NOW)

    (after,) = await store.subscriptions.scheduled_of(world.alice.id)
    assert (after.slot, after.due_at, after.last_total, after.last_currency, after.last_at) == (
        tomorrow, next_due, Decimal("12.5"), "USD", NOW,
    )  # fmt: skip
    (late,) = await store.subscriptions.claim_due("balances", next_due, next_due + MINUTE, 10)
    (again,) = await store.subscriptions.claim_due("balances", next_due + MINUTE, next_due + 2 * MINUTE, 10)
    with pytest.raises(Fenced):
        await store.subscriptions.posted(late, next_due, tomorrow, None, "", NOW)
    await store.subscriptions.posted(again, next_due, tomorrow, None, "", next_due)
    (unpriced,) = await store.subscriptions.scheduled_of(world.alice.id)
    assert (unpriced.last_total, unpriced.last_at) == (Decimal("12.5"), next_due)
    (once_more,) = await store.subscriptions.claim_due("balances", next_due, next_due + MINUTE, 10)
    await store.subscriptions.posted(once_more, next_due + timedelta(days=1), tomorrow, None, "", None)
    assert (await store.subscriptions.scheduled_of(world.alice.id))[0].last_at == next_due


async def test_changing_ones_times_moves_ones_posts_only(store: UnitOfWork, world: World):
    """A new zone moves the due time and fences off a post that was being made."""
    await store.subscriptions.ensure(world.account.id, "balances", world.chat.id, NOW, "2026-11-21")
    (claimed,) = await store.subscriptions.claim_due("balances", NOW, NOW + MINUTE, 10)
    later = NOW + timedelta(hours=5)

    await store.subscriptions.reschedule(world.bob.id, {claimed.id: (NOW, "2000-01-01")})
    await store.subscriptions.reschedule(world.alice.id, {claimed.id: (later, "2026-11-21")})

    with pytest.raises(Fenced):
        await store.subscriptions.posted(claimed, NOW, "2026-11-22", None, "", NOW)
    assert (await store.subscriptions.scheduled_of(world.alice.id))[0].due_at == later


async def test_audit_is_per_team_and_newest_first(store: UnitOfWork, world: World):
    """An admin sees what was done in their own team, the newest first."""
    for number in range(3):
        await store.audit.note(world.alice.team, "telegram:1", "revoke", f"a{number}", "done", NOW)

    assert await store.audit.recent(world.alice.team, 2) == [
        AuditEntry(NOW, "telegram:1", "revoke", "a2", "done"),
        AuditEntry(NOW, "telegram:1", "revoke", "a1", "done"),
    ]
    assert await store.audit.recent(world.bob.team, 2) == []
