"""Installations, home pages and the end of a workspace, row by row, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from chatbot.domain.credentials import CredentialState
from chatbot.domain.messages import Button, Post, message
from chatbot.domain.outbox import Next, OutboxState, Promise
from chatbot.domain.people import Place, TeamId
from chatbot.errors import Fenced
from chatbot.ports.accounts import Progress
from chatbot.ports.installs import Installation
from chatbot.ports.stores import UnitOfWork
from storage.buttons import BUTTONS
from storage.database import Database
from storage.homes import HOMES
from storage.outbox import OUTBOX
from storage.transaction import Transaction
from tests.storage.rows import MINUTE, NOW, SECOND, World, connect, link, post, take

T1, T2, E1 = TeamId("slack:T1"), TeamId("slack:T2"), TeamId("slack:E1")


async def test_an_installation_is_found_until_it_ends_and_again_when_it_is_kept_again(store: UnitOfWork):
    """Only its own team's; the end destroys its tokens and is told once."""
    await store.installations.keep(Installation(T1, "", b"one"), NOW)
    await store.installations.keep(Installation(T2, "", b"two"), NOW)
    await store.installations.keep(Installation(T1, "E1", b"newer"), NOW + SECOND)

    assert await store.installations.find(T1) == Installation(T1, "E1", b"newer")
    assert not await store.installations.ended(T1)
    assert await store.installations.end(T1, NOW + MINUTE)
    assert not await store.installations.end(T1, NOW + MINUTE)
    assert await store.installations.find(T1) is None
    assert await store.installations.ended(T1)
    assert await store.installations.find(T2) == Installation(T2, "", b"two")
    assert not await store.installations.ended(T2)

    await store.installations.keep(Installation(T1, "", None), NOW + 2 * MINUTE)
    assert await store.installations.find(T1) == Installation(T1, "", None)
    assert not await store.installations.ended(T1)


async def test_nobody_who_was_never_let_in_has_ended(store: UnitOfWork):
    """Teams without an installation are read as ever."""
    assert not await store.installations.end(T1, NOW)
    assert not await store.installations.ended(T1)
    assert not await store.installations.ended(TeamId("home"))


async def test_the_word_of_an_earlier_end_ends_nothing(store: UnitOfWork):
    """What was let in again since then stays."""
    await store.installations.keep(Installation(T1, "", b"new"), NOW)

    assert not await store.installations.end(T1, NOW - SECOND)
    assert await store.installations.find(T1) == Installation(T1, "", b"new")


async def test_the_parts_of_an_organisation_are_known_by_its_id(store: UnitOfWork):
    """Those that end with it and come back with it; nobody is a part of no organisation."""
    await store.installations.keep(Installation(E1, "E1", b"all"), NOW)
    await store.installations.keep(Installation(T1, "E1", b"of it"), NOW)
    await store.installations.keep(Installation(T2, "", b"own"), NOW)

    assert await store.installations.parts("E1") == [E1, T1]
    assert await store.installations.parts("") == []
    await store.installations.end(T1, NOW)
    assert await store.installations.parts("E1") == [E1, T1]


async def test_a_state_is_redeemed_once_and_in_time(store: UnitOfWork):
    """What nobody came back with is swept."""
    for number in range(3):
        await store.installations.issue(b"state-%d" % number, NOW + MINUTE, NOW)

    assert await store.installations.redeem(b"state-0", NOW + MINUTE - SECOND)
    assert not await store.installations.redeem(b"state-0", NOW)
    assert not await store.installations.redeem(b"state-1", NOW + MINUTE)
    assert not await store.installations.redeem(b"another", NOW)
    assert await store.installations.prune(NOW + MINUTE - SECOND) == 0
    assert await store.installations.prune(NOW + MINUTE) == 2


async def test_a_home_page_is_known_by_when_it_was_opened_and_what_it_shows(store: UnitOfWork, world: World):
    """Latest first; opened again it shows nothing known; a place that was left is not written to."""
    await store.homes.opened(world.chat, NOW - MINUTE)
    await store.homes.opened(world.bobs_chat, NOW)
    await store.homes.shown(world.chat, "digest")

    first, second = await store.homes.open_since(NOW - MINUTE, 5)
    assert (first.conversation, first.person, first.digest) == (world.bobs_chat, world.bob, "")
    assert (second.conversation, second.person, second.digest) == (world.chat, world.alice, "digest")
    assert [home.person for home in await store.homes.open_since(NOW - MINUTE, 1)] == [world.bob]
    assert [home.person for home in await store.homes.open_since(NOW, 5)] == [world.bob]

    await store.homes.opened(world.chat, NOW + SECOND)
    assert [home.digest for home in await store.homes.open_since(NOW, 5)] == ["", ""]
    await store.conversations.leave(world.bobs_chat.id)
    assert [home.person for home in await store.homes.open_since(NOW, 5)] == [world.alice]


async def test_pages_are_forgotten_with_their_place_only(store: UnitOfWork, world: World):
    """However long ago it was opened, a page that can still be replaced is known."""
    await store.homes.opened(world.chat, NOW)
    await store.homes.opened(world.bobs_chat, NOW)
    await store.conversations.leave(world.bobs_chat.id)

    assert await store.homes.prune() == 1
    assert await store.homes.prune() == 0
    assert await store.homes.of_person(world.alice.id) == [world.chat]
    assert await store.homes.of_person(world.bob.id) == []


async def test_forgetting_somebody_forgets_their_page(database: Database, settled: World):
    """With their private conversation."""
    async with database.uow() as store:
        await store.homes.opened(settled.chat, NOW)
        await store.people.forget(settled.alice.id)
    async with database.transaction() as tx:
        assert await _count(tx, HOMES) == 0


async def test_a_page_takes_the_place_of_the_last_with_all_it_left(database: Database, settled: World):
    """Rows and buttons of one page are kept; other posts, other people and a page on its way lose nothing."""
    async with database.uow() as store:
        await store.outbox.put(settled.chat.id, _page("other", home=False), Promise.REPLY, NOW, key="other")
        await store.outbox.put(settled.bobs_chat.id, _page("bob"), Promise.CARD, NOW, key="bob")
        for delivery in await take(store):
            await store.outbox.begin(delivery)
            await store.outbox.sent(delivery, "", NOW)
        for number in range(21):
            await store.outbox.put(
                settled.chat.id, _page(f"{number}"), Promise.CARD, NOW, key=f"reply:{number}"
            )
            (delivery,) = await take(store)
            await store.outbox.begin(delivery)
            if number % 3 == 1:
                await store.outbox.failed(delivery, Next(OutboxState.PARKED), "refused", NOW)
            else:
                await store.outbox.sent(delivery, "", NOW)
        await store.outbox.put(settled.chat.id, _page("next"), Promise.CARD, NOW)
    async with database.transaction() as tx:
        assert await _count(tx, OUTBOX) == await _count(tx, BUTTONS) == 4


def _page(words: str, *, home: bool = True) -> Post:
    shown = message(words, buttons=((Button("Press", "run", ("help",)),),))
    return Post(shown, card="home", home=True) if home else Post(shown)


async def _count(tx: Transaction, table) -> int:
    row = await tx.first(select(func.count()).select_from(table))
    assert row is not None
    return int(row[0])


async def test_a_suspended_team_is_fenced_off_its_polls(store: UnitOfWork, world: World):
    """What a poll under way found is refused, and nobody else's; what was dead stays dead."""
    await connect(store, world.bob, world.bobs_chat, "b1")
    await connect(store, world.bob, world.bobs_chat, "b2")
    works = {str(work.account.id): work for work in await store.accounts.claim(NOW, NOW + MINUTE, 5)}
    dead = Progress(NOW, works["b2"].nonce, state=CredentialState.DEAD)
    await store.accounts.finish(works["b2"], dead)
    assert await store.accounts.holds(works["b1"])

    suspended = await store.accounts.suspend_team(world.bob.team, NOW)

    assert [(account.id, account.state) for account in suspended] == [("b1", CredentialState.SUSPENDED)]
    assert not await store.accounts.holds(works["b1"])
    with pytest.raises(Fenced):
        await store.accounts.finish(works["b1"], Progress(NOW, works["b1"].nonce))
    states = {account.id: account.state for account in await store.accounts.of_team(world.bob.team)}
    assert states == {"b1": CredentialState.SUSPENDED, "b2": CredentialState.DEAD}
    assert await store.accounts.holds(works["a1"])
    await store.accounts.finish(works["a1"], Progress(NOW + MINUTE, works["a1"].nonce))
    assert await store.accounts.suspend_team(world.bob.team, NOW) == []


async def test_a_suspended_account_can_be_looked_at_again_at_once(store: UnitOfWork, world: World):
    """Its lease does not outlive the suspension; an answer somebody waited for is no longer owed."""
    await connect(store, world.bob, world.bobs_chat, "b1")
    (bobs,) = await store.accounts.of_person(world.bob.id)
    await store.accounts.hurry(bobs.id, NOW, ask_in=world.bobs_chat.id)
    await store.accounts.claim(NOW, NOW + MINUTE, 5)
    await store.accounts.suspend_team(world.bob.team, NOW)

    (again,) = await store.accounts.claim(NOW, NOW + MINUTE, 5)

    assert (again.account.id, again.account.state) == ("b1", CredentialState.SUSPENDED)
    assert again.asked_in is None


async def test_a_workspace_is_left_with_its_groups_and_what_waits_there(store: UnitOfWork, world: World):
    """Its people are named; their private targets stay for later; nobody else loses anything."""
    group = await store.conversations.enter(Place("slack", "C1", "T1", private=False), world.bob.team, None)
    twin = await store.conversations.enter(
        Place("slack", "C1", "T2", private=False), TeamId("slack:T2"), None
    )
    account = await connect(store, world.bob, world.bobs_chat, "b1")
    for place in (world.bobs_chat, group, twin):
        await store.subscriptions.ensure(account.id, "fills", place.id)
        await store.outbox.put(place.id, post(), Promise.ALERT, NOW)
        await store.outbox.put(place.id, post("second"), Promise.ALERT, NOW)
    await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW)
    sending = {delivery.place: delivery for delivery in await take(store)}
    await store.outbox.begin(sending[group.place])

    assert await store.conversations.leave_workspace("slack", "T1", NOW) == [world.bob.id]

    for place in (world.bobs_chat, group):
        assert not (await store.conversations.get(place.id)).live
        with pytest.raises(Fenced):
            await store.outbox.sent(sending[place.place], "m", NOW)
    for place in (world.chat, twin):
        assert (await store.conversations.get(place.id)).live
        await store.outbox.begin(sending[place.place])
        await store.outbox.sent(sending[place.place], "m", NOW)
    assert await store.conversations.private_of(world.bob.id) is None
    assert [left.place for left in await take(store)] == [twin.place]
    assert (await store.outbox.counts())["gone"] == 4
    assert await store.conversations.leave_workspace("slack", "T1", NOW) == []

    await store.conversations.rejoin_workspace("slack", "T1")
    targets = await store.subscriptions.of_account(account.id, "fills")
    assert {sub.conversation for sub in targets} == {world.bobs_chat.id, twin.id}
    assert await store.conversations.private_of(world.bob.id) == world.bobs_chat
    assert not (await store.conversations.get(group.id)).live
    assert [left.place for left in await take(store)] == []


async def test_the_links_of_a_team_end_together(store: UnitOfWork, world: World):
    """Those of another team can still be used."""
    await store.links.mint(link(world.alice, world.chat, b"alice"), NOW)
    await store.links.mint(replace(link(world.bob, world.bobs_chat, b"bob"), team=world.bob.team), NOW)

    assert await store.links.revoke_of_team(world.bob.team) == 1
    assert await store.links.look(b"bob", NOW) is None
    assert await store.links.look(b"alice", NOW) is not None


async def test_what_went_to_private_chats_of_a_workspace_comes_home_once(store: UnitOfWork, world: World):
    """What comes there already ends, groups are left alone, and a post under way is fenced off."""
    group = await store.conversations.enter(Place("slack", "C1", "T1", private=False), world.bob.team, None)
    for kind, place in (("fills", world.bobs_chat), ("keys", world.bobs_chat), ("keys", world.chat)):
        await store.subscriptions.ensure(world.account.id, kind, place.id)
    await store.subscriptions.ensure(world.account.id, "fills", group.id)
    await store.subscriptions.ensure(
        world.account.id, "balances", world.bobs_chat.id, NOW, NOW.date().isoformat()
    )
    (taken,) = await store.subscriptions.claim_due("balances", NOW, NOW + MINUTE, 5)

    moved = await store.subscriptions.bring_home([world.account.id], "slack", "T1", world.chat.id)

    assert moved == {world.account.id}
    for kind, places in (("fills", {world.chat.id, group.id}), ("keys", {world.chat.id})):
        told = await store.subscriptions.of_account(world.account.id, kind)
        assert {sub.conversation for sub in told} == places
    with pytest.raises(Fenced):
        await store.subscriptions.posted(taken, NOW, NOW.date().isoformat(), None, "", NOW)
    (again,) = await store.subscriptions.claim_due("balances", NOW, NOW + MINUTE, 5)
    assert again.conversation == world.chat.id
