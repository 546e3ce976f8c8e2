"""Questions to owners: one for each place, answered once; what places are called; what a button stands for."""

import asyncio

from chatbot.domain.messages import Button, message
from chatbot.domain.messages import Post as Shown
from chatbot.domain.notices import SHARED, Kind
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Place
from chatbot.ports.consents import Consent
from chatbot.ports.stores import UnitOfWork
from storage.database import Database
from tests.storage.rows import NOW, World, connect, take


async def test_a_question_is_kept_until_it_is_answered(store: UnitOfWork, world: World):
    """With its person, place and accounts; asked anew it is the newer one; another person has none."""
    await store.consents.ask(world.alice.id, world.group, ["a0"], NOW)  # type: ignore[list-item]
    await store.consents.ask(world.alice.id, world.group, [world.account.id], NOW)

    (found,) = await store.consents.of_person(world.alice.id)

    assert found == Consent(world.alice, world.group, (world.account.id,), asked=True)
    assert await store.consents.of_person(world.bob.id) == []
    assert await store.consents.take(world.bob.id, world.group) is None
    assert await store.consents.take(world.alice.id, world.group) == found
    assert await store.consents.take(world.alice.id, world.group) is None
    assert await store.consents.of_person(world.alice.id) == []


async def test_what_is_not_asked_sleeps_with_its_place(store: UnitOfWork, world: World):
    """Found for the channel with its topics, not among open questions; a place that shut asks nothing."""
    topic = await store.conversations.enter(
        Place("telegram", "-7", thread="3", private=False), world.alice.team, None
    )
    await store.consents.ask(world.alice.id, topic, [world.account.id], NOW, asked=False)

    assert await store.consents.of_person(world.alice.id) == []
    assert [one.conversation for one in await store.consents.dormant(world.group.place)] == [topic]
    await store.consents.ask(world.alice.id, topic, [world.account.id], NOW)
    assert await store.consents.dormant(world.group.place) == []
    await store.conversations.leave(topic.id)
    assert await store.consents.of_person(world.alice.id) == []


async def test_a_question_goes_with_its_person_and_moves_with_its_place(store: UnitOfWork, world: World):
    """A supergroup's question comes along; of somebody who was forgotten none is kept."""
    await store.consents.ask(world.alice.id, world.group, [world.account.id], NOW)
    await store.conversations.move(world.group.place, "-100")
    (found,) = await store.consents.of_person(world.alice.id)
    assert found.conversation.place.channel == "-100"

    await store.people.forget(world.alice.id)

    assert await store.consents.dormant(found.conversation.place) == []
    assert await store.consents.take(world.alice.id, world.group) is None


async def test_of_two_answers_one_finds_the_question(database: Database, settled: World):
    """Pressed twice at once, also in two processes."""
    async with database.uow() as store:
        await store.consents.ask(settled.alice.id, settled.group, [settled.account.id], NOW)

    async def answer() -> bool:
        async with database.uow() as store:
            return await store.consents.take(settled.alice.id, settled.group) is not None

    assert sorted(await asyncio.gather(answer(), answer())) == [False, True]


async def test_a_place_is_called_as_it_was_last_seen(store: UnitOfWork, world: World):
    """A title is kept while nobody names another; deliveries carry it too."""
    named = Place("telegram", "-7", private=False, title="Desk")
    assert (await store.conversations.enter(named, world.alice.team, None)).place.title == "Desk"
    assert (await store.conversations.enter(world.group.place, world.alice.team, None)).place.title == "Desk"
    await store.outbox.put(world.group.id, Shown(message("x")), Promise.REPLY, NOW)

    assert [delivery.place.title for delivery in await take(store)] == ["Desk"]


async def test_all_that_goes_to_a_channel_is_found(store: UnitOfWork, world: World):
    """With its topics for the channel, alone for a topic; of every owner and team."""
    other = await connect(store, world.bob, world.bobs_chat, "b1")
    topic = await store.conversations.enter(
        Place("telegram", "-7", thread="3", private=False), world.alice.team, None
    )
    for kind in SHARED:
        await store.subscriptions.ensure(world.account.id, kind, world.group.id)
    await store.subscriptions.ensure(other.id, Kind.FILLS, topic.id)

    whole = await store.subscriptions.of_channel(world.group.place)
    alone = await store.subscriptions.of_channel(topic.place)

    assert {(one.account.id, one.conversation.id) for one in whole} == {
        (world.account.id, world.group.id), (other.id, topic.id),
    }  # fmt: skip
    assert [one.account.id for one in alone] == [other.id]


async def test_what_a_button_stands_for_is_known_whoever_presses(store: UnitOfWork, world: World):
    """To ask the platform before it is known whether they may; nothing for a button that never was."""
    asks = Shown(message("x", buttons=((Button("Go", "here.yes", ("p",)),),)))
    await store.outbox.put(world.chat.id, asks, Promise.REPLY, NOW, reader=world.alice.id)
    (delivery,) = await take(store)
    pressed = delivery.message.buttons[0][0].action

    found = await store.outbox.peek(pressed)

    assert found is not None
    assert (found.action, found.args) == ("here.yes", ("p",))
    assert await store.outbox.peek("nothing") is None
