"""What an edited message keeps: its reference, and the mark that it may be a repeat."""

from chatbot.domain.outbox import Delivery, Next, OutboxState, Promise, ref_for
from chatbot.ports.stores import UnitOfWork
from tests.storage.rows import NOW, World, post, take


async def _put(store: UnitOfWork, world: World, key: str, *, fresh: bool = False) -> Delivery:
    await store.outbox.put(world.chat.id, post(key, card="c", fresh=fresh), Promise.ALERT, NOW, key=key)
    (delivery,) = await take(store)
    await store.outbox.begin(delivery)
    return delivery


async def _sent(store: UnitOfWork, delivery: Delivery) -> Delivery:
    await store.outbox.sent(delivery, delivery.edit or f"message of {delivery.id}", NOW)
    return delivery


async def test_an_edited_message_keeps_its_reference(store: UnitOfWork, world: World):
    """What people quote to one another stays true; a message that begins anew has one of its own."""
    first = await _sent(store, await _put(store, world, "k1"))
    edit = await _sent(store, await _put(store, world, "k2"))
    below = await _sent(store, await _put(store, world, "k3", fresh=True))

    assert (first.ref, edit.ref, below.ref) == (ref_for("k1"), ref_for("k1"), ref_for("k3"))
    assert (first.edit, edit.edit, below.edit) == ("", f"message of {first.id}", "")
    assert (await _put(store, world, "k4")).ref == ref_for("k3")


async def test_a_marked_message_stays_marked_while_it_is_edited(store: UnitOfWork, world: World):
    """Nobody knows if an earlier one stands above it, however often it changes; one that begins anew is none."""
    unsure = await _put(store, world, "k1")
    await store.outbox.failed(unsure, Next(OutboxState.PENDING, repeat=True), "timed out", NOW)
    (again,) = await take(store)
    await store.outbox.begin(again)
    await _sent(store, again)
    edit = await _put(store, world, "k2")

    assert [(one.repeat, one.ref) for one in (unsure, again, edit)] == [
        (False, ref_for("k1")), (True, ref_for("k1")), (True, ref_for("k1")),
    ]  # fmt: skip
    await store.outbox.failed(edit, Next(OutboxState.PENDING, repeat=edit.repeat), "refused", NOW)
    assert (await store.outbox.counts())["marked"] == 1
    (edit_again,) = await take(store)
    assert edit_again.repeat
    await store.outbox.begin(edit_again)
    await _sent(store, edit_again)
    assert not (await _sent(store, await _put(store, world, "k3", fresh=True))).repeat
    assert not (await _put(store, world, "k4")).repeat
