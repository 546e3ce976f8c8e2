"""Taking over from a process that died: what it had claimed is free at once, and it can write no more."""

import pytest

from chatbot.domain.outbox import Promise
from chatbot.errors import Fenced
from storage.takeover import end_leases
from tests.storage.rows import MINUTE, NOW, SECOND, link, post, settle, take


async def test_a_claimed_link_is_free_at_once(database):
    """A person whose submission died with the bot tries again without waiting."""
    async with database.uow() as store:
        world = await settle(store)
        await store.links.mint(link(world.alice, world.chat), NOW)
        lost = await store.links.claim(b"link", NOW, NOW + MINUTE)
        assert await store.links.claim(b"link", NOW + SECOND, NOW + MINUTE) is None
    await end_leases(database, NOW + SECOND)

    async with database.uow() as store:
        assert await store.links.claim(b"link", NOW + 2 * SECOND, NOW + MINUTE) is not None
    with pytest.raises(Fenced):
        async with database.uow() as store:
            await store.links.use(lost)


async def test_work_and_updates_are_free_at_once(database):
    """Accounts are polled and updates handled again right after a restart."""
    async with database.uow() as store:
        await settle(store)
        await store.inbox.put("telegram", "7", {}, NOW)
        assert len(await store.inbox.claim(NOW, NOW + MINUTE, 10)) == 1
        assert len(await store.accounts.claim(NOW, NOW + MINUTE, 10)) == 1
    await end_leases(database, NOW + SECOND)

    async with database.uow() as store:
        assert len(await store.inbox.claim(NOW + SECOND, NOW + MINUTE, 10)) == 1
        assert len(await store.accounts.claim(NOW + SECOND, NOW + MINUTE, 10)) == 1


@pytest.mark.parametrize("begun", [False, True])
async def test_a_message_is_repeated_with_a_mark_only_where_it_had_begun(database, begun):
    """Ending the lease early says nothing about what was sent: `begun` still does."""
    async with database.uow() as store:
        world = await settle(store)
        await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW, key="fill:1")
        delivery = (await take(store))[0]
        if begun:
            await store.outbox.begin(delivery)
    await end_leases(database, NOW + SECOND)

    async with database.uow() as store:
        again = await take(store, NOW + 9 * SECOND)
    assert [found.repeat for found in again] == [begun]
