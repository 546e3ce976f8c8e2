"""What `chatbot/ports` promises of every store, held on SQLite and on PostgreSQL.

Races, crashes and broken databases have their own files in `tests/storage/`.
"""

from collections.abc import AsyncIterator

import pytest

from chatbot.domain.conversations import GuideId
from chatbot.domain.links import LinkState
from chatbot.domain.people import ConversationId, Identity, PersonId, Place
from chatbot.errors import Fenced
from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from tests.storage.rows import MINUTE, NOW, World, connect, fill, link, meet, settle


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A migrated database of each kind."""
    opened = Database(database_url)
    await opened.migrate()
    yield opened
    await opened.close()


@pytest.fixture
async def store(database: Database) -> AsyncIterator[UnitOfWork]:
    """One open unit of work."""
    async with database.uow() as stores:
        yield stores


@pytest.fixture
async def world(store: UnitOfWork) -> World:
    """Two people, three conversations, one active account."""
    return await settle(store)


async def test_a_person_is_met_once(store: UnitOfWork, world: World):
    """A second meeting brings the new name, and leaves the person's own settings alone."""
    await store.people.change(world.alice.id, timezone="America/Mexico_City", currency="MXN")

    again = await store.people.meet(Identity("telegram", "1"), "Alicia", "pt", ("UTC", "USD"), NOW)

    assert again == await store.people.get(world.alice.id)
    assert (again.id, again.name, again.locale) == (world.alice.id, "Alicia", "en")
    assert (again.timezone, again.currency) == ("America/Mexico_City", "MXN")


async def test_workspaces_are_teams_and_everybody_else_is_at_home(store: UnitOfWork, world: World):
    """One Slack workspace is one team; Telegram and the web chat share one."""
    web = await store.people.meet(Identity("web", "you"), "", "en", ("UTC", "USD"), NOW)

    assert world.alice.team == web.team == "home"
    assert world.bob.team != "home"


async def test_nobody_is_a_key_error(store: UnitOfWork):
    """Asking for a person or conversation that never was is a bug of the caller."""
    with pytest.raises(KeyError):
        await store.people.get(PersonId("nobody"))
    with pytest.raises(KeyError):
        await store.conversations.get(ConversationId("nowhere"))


async def test_a_name_no_database_can_hold_is_cleaned(store: UnitOfWork):
    """NUL and half a surrogate pair in a name stop nothing."""
    met = await store.people.meet(Identity("telegram", "9"), "a\0b\ud800", "en", ("UTC", "USD"), NOW)

    assert met.name == "ab?"


async def test_a_place_is_one_conversation(store: UnitOfWork, world: World):
    """Entering again finds the same row; a topic is a conversation of its own."""
    again = await store.conversations.enter(Place("telegram", "1"), world.alice.team, world.alice.id)
    topic = await store.conversations.enter(
        Place("telegram", "-7", thread="3", private=False), world.alice.team, None
    )

    assert again == world.chat == await store.conversations.get(world.chat.id)
    assert topic.id != world.group.id
    assert await store.conversations.private_of(world.alice.id) == world.chat


async def test_a_left_conversation_comes_back_when_entered(store: UnitOfWork, world: World):
    """Who blocked the bot has no live chat until they write again."""
    await store.conversations.leave(world.chat.id)

    assert await store.conversations.private_of(world.alice.id) is None
    assert not (await store.conversations.get(world.chat.id)).live

    await store.conversations.enter(world.chat.place, world.alice.team, world.alice.id)
    assert await store.conversations.private_of(world.alice.id) == world.chat


async def test_a_person_is_in_one_guide(store: UnitOfWork, world: World):
    """A guide keeps its step, label and trouble; a new one takes its place."""
    old = await store.guides.start(world.alice.id, world.chat.id, "bitso", "first")
    guide = await store.guides.start(world.alice.id, world.chat.id, "bitso", "first")
    await store.guides.go(guide.id, "second")
    await store.guides.go(old.id, "gone")
    await store.guides.note(guide.id, label="Main")
    await store.guides.note_of(world.alice.id, trouble="bad_key")
    await store.guides.note_of(world.bob.id, trouble="bad_key")

    current = await store.guides.current(world.alice.id)

    assert current is not None
    assert (current.id, current.step, current.label, current.trouble) == (
        guide.id,
        "second",
        "Main",
        "bad_key",
    )
    assert await store.guides.end(world.alice.id) is True
    assert await store.guides.end(world.alice.id) is False
    assert await store.guides.current(world.alice.id) is None
    await store.guides.go(GuideId("none"), "anything")


async def test_a_new_link_ends_the_old_one(store: UnitOfWork, world: World):
    """One open link per person; every mint counts."""
    await store.links.mint(link(world.alice, world.chat, b"old"), NOW - MINUTE)
    await store.links.mint(link(world.bob, world.bobs_chat, b"bob"), NOW)
    await store.links.mint(link(world.alice, world.chat, b"new"), NOW)

    assert await store.links.look(b"old", NOW) is None
    assert await store.links.look(b"new", NOW) == link(world.alice, world.chat, b"new")
    assert await store.links.look(b"bob", NOW) is not None
    assert await store.links.minted_since(world.alice.id, NOW - MINUTE) == 2
    assert await store.links.minted_since(world.alice.id, NOW) == 1


async def test_a_link_gives_three_tries(store: UnitOfWork, world: World):
    """Looking takes nothing, a wrong key takes a try, trouble on the way gives it back."""
    await store.links.mint(link(world.alice, world.chat), NOW)
    for count, left in ((True, 2), (False, 2), (True, 1), (True, 0)):
        claimed = await store.links.claim(b"link", NOW, NOW + MINUTE)
        assert claimed is not None
        assert await store.links.claim(b"link", NOW, NOW + MINUTE) is None
        await store.links.give_back(claimed, count=count)
        seen = await store.links.look(b"link", NOW)
        assert (seen.tries_left if seen else 0) == left

    assert await store.links.claim(b"link", NOW, NOW + MINUTE) is None


async def test_a_link_without_tries_is_over_at_once(store: UnitOfWork, world: World):
    """It does not wait for its time, so that nobody is told of its end twice."""
    await store.links.mint(link(world.alice, world.chat), NOW)
    for _ in range(3):
        claimed = await store.links.claim(b"link", NOW, NOW + MINUTE)
        assert claimed is not None
        await store.links.give_back(claimed, count=True)

    assert await store.links.expire(NOW + 60 * MINUTE) == []


async def test_tries_that_are_given_back_come_to_an_end(store: UnitOfWork, world: World):
    """A dozen claims at most, whatever became of them."""
    await store.links.mint(link(world.alice, world.chat), NOW)
    for _ in range(12):
        claimed = await store.links.claim(b"link", NOW, NOW + MINUTE)
        assert claimed is not None
        await store.links.give_back(claimed, count=False)

    assert await store.links.claim(b"link", NOW, NOW + MINUTE) is None
    assert await store.links.look(b"link", NOW) is None


async def test_a_left_group_loses_its_targets_with_all_its_topics(store: UnitOfWork, world: World):
    """A private chat keeps its own: only its owner can come back to it."""
    topic = await store.conversations.enter(
        Place("telegram", "-7", thread="3", private=False), world.alice.team, None
    )
    for place in (world.chat, world.group, topic):
        await store.subscriptions.ensure(world.account.id, "fills", place.id)
    await store.conversations.leave(world.chat.id)
    await store.conversations.leave(world.group.id)
    for place in (world.chat, world.group, topic):
        await store.conversations.enter(place.place, world.alice.team, None)

    [left] = await store.subscriptions.of_account(world.account.id, "fills")
    assert left.conversation == world.chat.id


async def test_who_owns_an_account_is_known(store: UnitOfWork, world: World):
    """Also once it is revoked: what was read of it is still stored."""
    await store.accounts.shred(world.account.id, NOW)

    assert await store.people.owns(world.alice.id)
    assert not await store.people.owns(world.bob.id)


async def test_a_used_link_is_dead(store: UnitOfWork, world: World):
    """After use there is nothing to claim, to look at, or to expire."""
    await store.links.mint(link(world.alice, world.chat), NOW)
    claimed = await store.links.claim(b"link", NOW, NOW + MINUTE)
    assert claimed is not None
    assert (claimed.state, claimed.attempts, claimed.fence) == (LinkState.VERIFYING, 1, 1)
    await store.links.use(claimed)

    for late in (store.links.use(claimed), store.links.give_back(claimed, count=True)):
        with pytest.raises(Fenced):
            await late
    assert await store.links.look(b"link", NOW) is None
    assert await store.links.claim(b"link", NOW, NOW + MINUTE) is None
    assert await store.links.expire(NOW + 60 * MINUTE) == []


async def test_an_expired_link_is_told_once_and_not_during_a_try(store: UnitOfWork, world: World):
    """Who submitted in time is not cut off; afterwards the link ends and loses its key."""
    await store.links.mint(link(world.alice, world.chat), NOW)
    late = NOW + 10 * MINUTE
    claimed = await store.links.claim(b"link", late - MINUTE, late + MINUTE)

    assert claimed is not None
    assert await store.links.expire(late) == []
    (ended,) = await store.links.expire(late + MINUTE)
    assert (ended.state, ended.sealed_private_key) == (LinkState.EXPIRED, None)
    assert await store.links.expire(late + MINUTE) == []
    with pytest.raises(Fenced):
        await store.links.use(claimed)


async def test_revoking_a_persons_links_fences_off_a_try(store: UnitOfWork, world: World):
    """A link that was ended while its key was being tried takes no result any more."""
    await store.links.mint(link(world.alice, world.chat), NOW)
    claimed = await store.links.claim(b"link", NOW, NOW + MINUTE)
    assert claimed is not None

    assert await store.links.revoke_of(world.alice.id) == 1
    assert await store.links.revoke_of(world.alice.id) == 0
    with pytest.raises(Fenced):
        await store.links.use(claimed)


async def test_an_update_is_stored_and_handled_once(store: UnitOfWork):
    """Order of arrival; a repeat is noticed even after the content was dropped."""
    for number in ("1", "2"):
        assert await store.inbox.put("telegram", number, {"text": "\0\ud800 " + number}, NOW)
    assert not await store.inbox.put("telegram", "1", {}, NOW)
    assert await store.inbox.put("slack", "1", {}, NOW + MINUTE)

    first, second = await store.inbox.claim(NOW, NOW + MINUTE, 2)
    assert (first.raw, second.raw) == ({"text": "\0\ud800 1"}, {"text": "\0\ud800 2"})
    await store.inbox.done(first)
    await store.inbox.fail(second, "no such command", park=False)
    assert not await store.inbox.put("telegram", "1", {}, NOW)
    (again, third) = await store.inbox.claim(NOW, NOW + MINUTE, 5)
    assert (again.id, again.attempts, third.platform) == (second.id, 2, "slack")
    with pytest.raises(Fenced):
        await store.inbox.done(second)
    await store.inbox.fail(again, "poison", park=True)
    assert await store.inbox.claim(NOW, NOW + MINUTE, 5) == []
    (third_again,) = await store.inbox.claim(NOW + MINUTE, NOW + 2 * MINUTE, 5)
    assert (third_again.id, third_again.attempts) == (third.id, 2)


async def test_a_lease_has_one_owner(store: UnitOfWork):
    """Renewed by its owner, refused to others until it is over or dropped."""
    until = NOW + MINUTE

    assert await store.leases.take("token", "a", NOW, until)
    assert await store.leases.take("token", "a", NOW, until)
    assert not await store.leases.take("token", "b", NOW, until)
    await store.leases.drop("token", "b")
    assert not await store.leases.take("token", "b", NOW, until)
    assert await store.leases.take("token", "b", until, until + MINUTE)
    await store.leases.drop("token", "b")
    assert await store.leases.take("token", "a", NOW, until)


async def test_forgetting_takes_one_person_only(store: UnitOfWork, world: World):
    """Nothing of theirs stays, nothing of others goes; the audit keeps their id."""
    carol = await meet(store, "3")
    carols_chat = await store.conversations.enter(Place("telegram", "3"), carol.team, carol.id)
    kept = await connect(store, carol, carols_chat, "c1")
    await store.links.mint(link(world.alice, world.chat), NOW)
    await store.guides.start(world.alice.id, world.chat.id, "bitso", "first")
    await store.fills.add(world.account.id, [fill("1")], NOW)
    await store.subscriptions.ensure(world.account.id, "fills", world.group.id)
    await store.audit.note(world.alice.team, world.alice.id, "connect", world.account.id, "done", NOW)

    await store.people.forget(world.alice.id)

    with pytest.raises(KeyError):
        await store.people.get(world.alice.id)
    with pytest.raises(KeyError):
        await store.conversations.get(world.chat.id)
    assert await store.accounts.get(world.account.id, world.alice.team) is None
    assert await store.links.look(b"link", NOW) is None
    assert await store.fills.recent([world.account.id], 5) == []
    assert await store.conversations.get(world.group.id) == world.group
    assert await store.accounts.of_team(world.alice.team) == [kept]
    assert [entry.actor for entry in await store.audit.recent(world.alice.team, 5)] == [world.alice.id]
