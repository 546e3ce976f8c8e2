"""What waits in the outbox for one bot, or for a home page, stands in nobody else's way."""

from datetime import timedelta

from chatbot.domain.outbox import Next, OutboxState, Promise
from chatbot.domain.people import Place, TeamId
from chatbot.ports.stores import UnitOfWork
from tests.storage.rows import MINUTE, NOW, SECOND, World, post, take

PLATFORMS = ("telegram", "web", "slack")
LATER = NOW + timedelta(days=91)


async def queue(store: UnitOfWork, *workspaces: str) -> None:
    """Queue one post in each workspace, and one on a platform without any."""
    for number, workspace in enumerate(workspaces):
        where = await store.conversations.enter(
            Place("slack", f"U{number}", workspace), TeamId(f"slack:{workspace}"), None
        )
        await store.outbox.put(where.id, post(workspace), Promise.ALERT, NOW)
    where = await store.conversations.enter(Place("web", "you"), TeamId("home"), None)
    await store.outbox.put(where.id, post("web"), Promise.ALERT, NOW)


async def test_bots_with_enough_to_do_are_passed_over(store: UnitOfWork):
    """What waits for them stays as it is; a platform that is one bot is named by itself."""
    await queue(store, "T1", "T1", "T2")
    others = await store.outbox.claim(NOW, NOW + MINUTE, 9, (), PLATFORMS, ("slack:T1", "web"))
    assert [delivery.place.bot for delivery in others] == ["slack:T2"]
    left = await store.outbox.claim(NOW, NOW + MINUTE, 9, (), PLATFORMS)
    assert [(d.place.bot, d.attempts) for d in left] == [("slack:T1", 1), ("slack:T1", 1), ("web", 1)]


async def test_a_home_page_and_its_chat_wait_for_themselves_alone(store: UnitOfWork, world: World):
    """A page that fails, or is under way, holds up no post; and the other way round."""
    page = post("page", card="home", home=True)
    await store.outbox.put(world.chat.id, page, Promise.CARD, NOW)
    await store.outbox.put(world.chat.id, post("first"), Promise.ALERT, NOW)
    await store.outbox.put(world.chat.id, post("second"), Promise.ALERT, NOW)
    shown, first = await take(store)
    assert (shown.home, first.message.plain()) == (True, "first")
    await store.outbox.failed(shown, Next(OutboxState.PENDING, 300), "away", NOW)
    await store.outbox.begin(first)
    await store.outbox.sent(first, "m", NOW)
    (second,) = await take(store, NOW + SECOND)
    assert second.message.plain() == "second"


async def test_two_pages_of_one_person_keep_their_order(store: UnitOfWork, world: World):
    """The newer one is what is seen in the end."""
    await store.outbox.put(world.chat.id, post("old", home=True), Promise.CARD, NOW)
    await store.outbox.put(world.chat.id, post("new", home=True), Promise.CARD, NOW)
    (old,) = await take(store)
    assert old.message.plain() == "old"
    assert await take(store) == []


async def test_an_update_that_is_put_off_waits_for_its_time(store: UnitOfWork):
    """Counted as a try or not, it comes when it is due, in its order, and others come before."""
    for event in ("one", "two", "three"):
        await store.inbox.put("slack", event, {"event": event}, NOW)
    one, two, three = await store.inbox.claim(NOW, NOW + MINUTE, 9)
    await store.inbox.fail(one, "not known", park=False, until=NOW + 3 * SECOND)
    await store.inbox.release([two], NOW + 3 * SECOND)
    await store.inbox.release([three])
    early = await store.inbox.claim(NOW + SECOND, NOW + 2 * SECOND, 9)
    assert [row.raw["event"] for row in early] == ["three"]
    await store.inbox.done(early[0])
    due = await store.inbox.claim(NOW + 3 * SECOND, LATER, 9)
    assert [(row.raw["event"], row.attempts) for row in due] == [("one", 2), ("two", 1)]
