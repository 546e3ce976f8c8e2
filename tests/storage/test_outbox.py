"""The outbox row by row: order, buttons, cards, and what a crash leaves behind."""

from dataclasses import replace

import pytest

from chatbot.domain.messages import Button, Image, Message, Post, message
from chatbot.domain.outbox import Next, OutboxState, Promise, ref_for
from chatbot.domain.people import Place
from chatbot.errors import Fenced
from chatbot.ports.mail import Press
from chatbot.ports.stores import UnitOfWork
from tests.storage.rows import MINUTE, NOW, SECOND, World, post, take


async def _send(store: UnitOfWork, message_id: str = "m", now=NOW):
    (delivery,) = await take(store, now)
    await store.outbox.begin(delivery)
    await store.outbox.sent(delivery, message_id, now)
    return delivery


async def test_a_post_arrives_as_it_was_queued(store: UnitOfWork, world: World):
    """Words, image, place, language, reference and every flag reach the platform."""
    picture = Message(message("a\0b\ud800 *_[<@", ("c")).body, image=Image(b"\x89PNG", "a chart"))
    queued = Post(picture, card="c", silent=True, protect=True)
    await store.outbox.put(
        world.group.id, queued, Promise.REPORT, NOW, key="fill:1", reader=world.alice.id, locale="es"
    )

    (delivery,) = await take(store)

    assert delivery.message == picture
    assert (delivery.place, delivery.conversation) == (world.group.place, world.group.id)
    assert (delivery.promise, delivery.ref, delivery.locale) == (Promise.REPORT, ref_for("fill:1"), "es")
    assert (delivery.card, delivery.silent, delivery.protect) == ("c", True, True)
    assert (delivery.attempts, delivery.fence, delivery.deadline) == (1, 1, NOW + MINUTE)
    assert (delivery.edit, delivery.erase, delivery.repeat) == ("", "", False)


async def test_a_key_is_queued_once(store: UnitOfWork, world: World):
    """The same thing is not told twice, not even after it was sent."""
    assert await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW, key="k")
    await _send(store)

    assert not await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW, key="k")
    assert await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW)


async def test_a_conversation_hears_in_order_and_one_at_a_time(store: UnitOfWork, world: World):
    """A later post waits for an earlier one, even for one that has to wait itself."""
    for text in ("first", "second"):
        await store.outbox.put(world.chat.id, post(text), Promise.ALERT, NOW)
    await store.outbox.put(world.group.id, post("other"), Promise.ALERT, NOW + SECOND)

    first, other = await take(store, NOW + SECOND)
    assert (first.message.plain(), other.message.plain()) == ("first", "other")
    await store.outbox.failed(first, Next(OutboxState.PENDING, 30), "unsent", NOW)
    assert await take(store, NOW + 29 * SECOND) == []
    (again,) = await take(store, NOW + 30 * SECOND)
    assert (again.id, again.attempts, again.repeat) == (first.id, 2, False)
    await store.outbox.begin(again)
    await store.outbox.sent(again, "m", NOW)
    assert (await _send(store, now=NOW + 30 * SECOND)).message.plain() == "second"


async def test_a_busy_conversation_is_left_alone(store: UnitOfWork, world: World):
    """A conversation whose platform asked for a pause is skipped, the others go on."""
    await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW)
    await store.outbox.put(world.group.id, post(), Promise.ALERT, NOW)

    (delivery,) = await take(store, busy=(world.chat.id,))

    assert delivery.conversation == world.group.id


async def test_what_was_only_claimed_goes_out_unmarked(store: UnitOfWork, world: World):
    """A crash before the first byte is no reason for a mark; the crashed one is fenced off."""
    await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW)
    (crashed,) = await take(store)

    assert await take(store, NOW + MINUTE - SECOND) == []
    (again,) = await take(store, NOW + MINUTE)

    assert (again.id, again.repeat, again.attempts) == (crashed.id, False, 2)
    with pytest.raises(Fenced):
        await store.outbox.begin(crashed)


@pytest.mark.parametrize(
    ("promise", "repeated"), [(Promise.ALERT, True), (Promise.REPORT, False), (Promise.REPLY, False)]
)
async def test_what_had_begun_follows_its_promise(
    store: UnitOfWork, world: World, promise: Promise, repeated: bool
):
    """After a crash in the middle only an alert comes again, with its mark and its first reference."""
    await store.outbox.put(world.chat.id, post(), promise, NOW)
    (crashed,) = await take(store)
    await store.outbox.begin(crashed)

    again = await take(store, NOW + 2 * MINUTE)

    assert [(d.id, d.repeat, d.ref) for d in again] == [(crashed.id, True, crashed.ref)] * repeated
    counts = await store.outbox.counts()
    assert (counts["unknown"], counts["marked"]) == (int(not repeated), int(repeated))
    for late in (
        store.outbox.sent(crashed, "m", NOW),
        store.outbox.failed(crashed, Next(OutboxState.PARKED), "late", NOW),
    ):
        with pytest.raises(Fenced):
            await late


async def test_a_mark_once_needed_stays(store: UnitOfWork, world: World):
    """The first try may have been taken, whatever became of the second."""
    await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW)
    for repeat in (True, False):
        (delivery,) = await take(store)
        await store.outbox.begin(delivery)
        await store.outbox.failed(delivery, Next(OutboxState.PENDING, repeat=repeat), "?", NOW)

    assert [d.repeat for d in await take(store)] == [True]


async def test_what_takes_its_worker_down_is_parked(store: UnitOfWork, world: World):
    """A poison row is put aside after eight crashes, and the others flow."""
    await store.outbox.put(world.chat.id, post("poison"), Promise.ALERT, NOW)
    await store.outbox.put(world.chat.id, post("next"), Promise.ALERT, NOW)
    seen = []
    for crash in range(10):
        for delivery in await take(store, NOW + crash * 10 * MINUTE):
            await store.outbox.begin(delivery)
            seen.append(delivery.message.plain())

    assert seen == ["poison"] * 8 + ["next"] * 2
    assert (await store.outbox.counts())["parked"] == 1


async def test_what_was_only_claimed_is_never_parked(store: UnitOfWork, world: World):
    """However often its worker dies, a row that merely stood in the same batch goes out unmarked."""
    await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW)
    seen = [await take(store, NOW + minute * MINUTE) for minute in range(20)]

    assert [[d.repeat for d in taken] for taken in seen] == [[False]] * 20


async def test_a_card_is_edited_in_place(store: UnitOfWork, world: World):
    """The second post of a card edits the first one's message; a fresh one starts anew below."""
    edits = []
    for number, fresh in enumerate((False, False, True, False)):
        await store.outbox.put(world.chat.id, post(card="c", fresh=fresh), Promise.CARD, NOW)
        edits.append((await _send(store, f"m{number // 2}")).edit)

    assert edits == ["", "m0", "", "m1"]


async def test_a_card_whose_message_is_gone_is_sent_anew(store: UnitOfWork, world: World):
    """When the platform no longer knows the message, the same row goes out as a new one."""
    await store.outbox.put(world.chat.id, post(card="c"), Promise.CARD, NOW)
    await _send(store, "old")
    await store.outbox.put(world.chat.id, post(card="c"), Promise.CARD, NOW)
    (delivery,) = await take(store)
    await store.outbox.begin(delivery)
    await store.outbox.failed(delivery, Next(OutboxState.PENDING, fresh=True), "edit gone", NOW)

    assert (await _send(store, "new")).edit == ""
    await store.outbox.put(world.chat.id, post(card="c"), Promise.CARD, NOW)
    unchanged = (await take(store))[0]
    assert unchanged.edit == "new"
    await store.outbox.begin(unchanged)
    await store.outbox.failed(unchanged, Next(OutboxState.SENT), "unchanged", NOW)
    assert (await store.outbox.counts())["sent"] == 3


async def test_an_unsent_card_gives_way_to_a_newer_one(store: UnitOfWork, world: World):
    """Nobody is shown a stale card first; a wish to start anew and a key are inherited or kept."""
    await store.outbox.put(world.chat.id, post("0", card="c"), Promise.CARD, NOW)
    await _send(store, "m0")
    await store.outbox.put(world.chat.id, post("1", card="c", fresh=True), Promise.CARD, NOW, key="one")
    await store.outbox.put(world.chat.id, post("2", card="c"), Promise.CARD, NOW)
    await store.outbox.put(world.chat.id, post("3", card="c"), Promise.CARD, NOW)
    await store.outbox.put(world.group.id, post("group", card="c"), Promise.CARD, NOW)

    shown, group = await take(store)

    assert (shown.message.plain(), shown.edit, group.message.plain()) == ("3", "", "group")
    assert not await store.outbox.put(world.chat.id, post(), Promise.CARD, NOW, key="one")


async def test_a_card_that_may_be_on_its_way_stays(store: UnitOfWork, world: World):
    """Only what surely never left is dropped for a newer card."""
    await store.outbox.put(world.chat.id, post("old", card="c"), Promise.ALERT, NOW)
    (old,) = await take(store)
    await store.outbox.begin(old)
    await store.outbox.put(world.chat.id, post("new", card="c"), Promise.ALERT, NOW)
    await store.outbox.failed(old, Next(OutboxState.PENDING, repeat=True), "?", NOW)
    await store.outbox.put(world.chat.id, post("newest", card="c"), Promise.ALERT, NOW)

    assert (await _send(store, "m0")).message.plain() == "old"
    newest = await _send(store, "m0")
    assert (newest.message.plain(), newest.edit) == ("newest", "m0")


async def test_erasing_is_a_delivery_of_its_own(store: UnitOfWork, world: World):
    """A message to be deleted keeps its id and touches no card."""
    await store.outbox.put(world.chat.id, post(), Promise.REPLY, NOW, erase="m7")

    (delivery,) = await take(store)

    assert (delivery.erase, delivery.edit) == ("m7", "")


async def test_a_button_is_for_its_reader_in_its_place_and_time(store: UnitOfWork, world: World):
    """The platform sees a short random id; it works for the right person only, and as often as pressed."""
    rows = ((Button("Next", "guide", ("g", "2"), minutes=5), Button("Open", url="https://example.org/")),)
    shared = ((Button("Mute 2 h", "mute", anyone=True),),)
    await store.outbox.put(
        world.group.id, Post(message("x", buttons=rows + shared)), Promise.REPLY, NOW, reader=world.alice.id
    )
    (delivery,) = await take(store)
    (mine, link), (everybodys,) = delivery.message.buttons

    assert link == rows[0][1]
    assert replace(mine, action="guide", args=("g", "2")) == rows[0][0]
    assert 20 < len(mine.action) <= 32
    press = store.outbox.press
    for _ in range(2):
        assert await press(mine.action, world.alice.id, world.group.id, NOW) == Press("guide", ("g", "2"))
    assert await press(mine.action, world.bob.id, world.group.id, NOW) is None
    assert await press(mine.action, world.alice.id, world.chat.id, NOW) is None
    assert await press(mine.action, world.alice.id, world.group.id, NOW + 5 * MINUTE) is None
    assert await press("nothing", world.alice.id, world.group.id, NOW) is None
    assert await press(everybodys.action, world.bob.id, world.group.id, NOW) == Press("mute", ())


async def test_nobody_hears_in_a_conversation_that_was_left(store: UnitOfWork, world: World):
    """Pending posts are gone, later ones are not kept for it, and nothing blocks."""
    await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW)
    await store.outbox.put(world.group.id, post(), Promise.ALERT, NOW)
    claimed = {d.conversation: d for d in await take(store)}
    await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW)
    await store.conversations.leave(world.chat.id)
    await store.conversations.leave(world.group.id)

    await store.outbox.failed(claimed[world.chat.id], Next(OutboxState.GONE), "blocked", NOW)
    assert await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW, key="k")
    assert await take(store, NOW + 2 * MINUTE) == []
    assert (await store.outbox.counts())["gone"] == 4
    assert not await store.outbox.put(world.chat.id, post(), Promise.ALERT, NOW, key="k")


async def test_a_group_that_moved_takes_all_along(store: UnitOfWork, world: World):
    """A group that became a supergroup keeps posts and subscriptions; a row of the new one is merged in."""
    old = world.group.place
    topic = await store.conversations.enter(replace(old, thread="5"), world.alice.team, None)
    moved = Place("telegram", "-1007", private=False)
    twin = await store.conversations.enter(moved, world.alice.team, None)
    for place in (world.group, twin):
        await store.subscriptions.ensure(world.account.id, "fills", place.id)
    await store.subscriptions.ensure(world.account.id, "keys", twin.id)
    await store.outbox.put(world.group.id, post("0", card="c"), Promise.CARD, NOW)
    await _send(store, "old")
    for number, place in enumerate((world.group, twin, topic)):
        await store.outbox.put(place.id, post(str(number), card="c"), Promise.ALERT, NOW)

    await store.conversations.move(old, "-1007")
    await store.conversations.move(old, "-1007")
    await store.conversations.move(moved, "-1007")

    assert await store.conversations.enter(moved, world.alice.team, None) == replace(world.group, place=moved)
    assert (await store.conversations.get(topic.id)).place == replace(moved, thread="5")
    with pytest.raises(KeyError):
        await store.conversations.get(twin.id)
    kinds = [
        s for kind in ("fills", "keys") for s in await store.subscriptions.of_account(world.account.id, kind)
    ]
    assert [(s.kind, s.conversation) for s in kinds] == [("fills", world.group.id), ("keys", world.group.id)]
    first, in_topic = await take(store)
    assert (first.message.plain(), first.place, first.edit) == ("0", moved, "")
    assert in_topic.place == replace(moved, thread="5")
