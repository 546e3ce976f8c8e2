"""The pace of a platform is kept in every window of time, however messages come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.pacing import Pace, Pacer
from chatbot.domain.people import ConversationId, Place

CHATS = [ConversationId(f"c{n}") for n in range(4)]
TELEGRAM = Pace(per_second=25, chat_seconds=1, group_per_minute=20)
paces = st.builds(
    Pace, st.sampled_from([1.0, 5.0, 25.0]), st.sampled_from([0.0, 1.0, 3.0]), st.integers(1, 20)
)
waits = st.lists(st.floats(0, 20), min_size=1, max_size=120)


def place(chat: ConversationId) -> Place:
    """Return a group for every other chat."""
    return Place("telegram", chat, private=chat in CHATS[::2])


@given(paces, waits, st.randoms(use_true_random=False))
def test_no_window_holds_more_than_the_pace(pace, pauses, random) -> None:
    """A sender who asks and obeys never sends too much: in a second, in a chat, in a group's minute."""
    pacer, now, sent = Pacer(), 0.0, []
    for pause in pauses:
        now += pause
        busy = pacer.busy(now)
        free = [chat for chat in CHATS if chat not in busy]
        if not free:
            continue
        chat = random.choice(free)
        now = max(now, pacer.slot("telegram", pace, now))
        pacer.sent(chat, place(chat), pace, now)
        sent.append((now, chat))
    for at, chat in sent:
        assert sum(at <= t < at + 1 for t, _ in sent) <= pace.per_second
        same = [t for t, c in sent if c == chat and t > at]
        assert all(t - at >= pace.chat_seconds for t in same)
        if not place(chat).private:
            assert sum(at <= t < at + 60 for t, c in sent if c == chat) <= pace.group_per_minute


@given(st.floats(0, 1000), st.floats(0, 1000))
def test_a_hold_is_kept_to_the_second(now, seconds) -> None:
    """A conversation is busy until its hold is over, and free then."""
    pacer = Pacer()
    pacer.hold(CHATS[0], seconds, now)
    assert (CHATS[0] in pacer.busy(now + seconds * 0.999)) == (now + seconds * 0.999 < now + seconds)
    assert pacer.busy(now + seconds) == []


def test_a_shorter_hold_does_not_end_a_longer_one() -> None:
    """The later end counts."""
    pacer = Pacer()
    pacer.hold(CHATS[0], 60, 0)
    pacer.hold(CHATS[0], 5, 0)
    pacer.hold_bot("telegram", 60, 0)
    pacer.hold_bot("telegram", 5, 0)
    assert pacer.busy(59) == [CHATS[0]]
    assert pacer.held("telegram", 59) == 1


def test_a_held_platform_gives_no_slot_before_its_time() -> None:
    """Asking how long it is held takes no slot; other platforms go on."""
    pacer = Pacer()
    pacer.hold_bot("telegram", 60, 0)
    for _ in range(1000):
        assert pacer.held("telegram", 10) == 50
    assert pacer.slot("telegram", TELEGRAM, 10) == 60
    assert pacer.slot("slack", TELEGRAM, 10) == 10
    assert pacer.held("telegram", 61) == 0


def test_a_stall_is_not_caught_up() -> None:
    """After a pause the pace is as before: no burst at the right average."""
    pacer = Pacer()
    pacer.slot("telegram", TELEGRAM, 0)
    slots = [pacer.slot("telegram", TELEGRAM, 100) for _ in range(50)]
    assert slots[0] == 100
    assert slots[-1] >= 101.9


BUSY = Pace(per_second=28.5, chat_seconds=1, group_per_minute=20, most=30)


@given(st.integers(1, 4), st.integers(1, 60), st.data())
def test_whenever_the_platform_counts_it_no_second_holds_too_many(most, number, data) -> None:
    """However long a message is on its way and whenever it is counted, the strict limit is kept."""
    pace = Pace(per_second=1000, chat_seconds=0, group_per_minute=1, most=most)
    ways = data.draw(st.lists(st.floats(0, 3), min_size=number, max_size=number))
    shares = data.draw(st.lists(st.floats(0, 1), min_size=number, max_size=number))
    pacer, now, counted = Pacer(), 0.0, []
    under_way: dict[str, float] = {}
    for each, (way, share) in enumerate(zip(ways, shares, strict=True)):
        while wait := pacer.leave("bot", pace, str(each), now):
            now += wait
            for message in [m for m, until in under_way.items() if until <= now]:
                pacer.landed("bot", message, under_way.pop(message))
        under_way[str(each)] = now + way
        counted.append(now + way * share)
    for at in counted:
        assert sum(at <= other < at + 1 for other in counted) <= most


def test_a_message_that_is_not_sent_after_all_keeps_no_place_for_ever() -> None:
    """What was handed back is forgotten after a second, as if it had been sent."""
    pacer = Pacer()
    one = Pace(per_second=1000, chat_seconds=0, group_per_minute=1, most=1)
    assert pacer.leave("bot", one, "a", 0) == 0
    assert pacer.leave("bot", one, "b", 100) > 0
    pacer.landed("bot", "a", 100)
    pacer.landed("bot", "a", 200)
    assert pacer.leave("bot", one, "b", 101) > 0
    assert pacer.leave("bot", one, "b", 101.02) == 0


def test_bots_do_not_share_a_second() -> None:
    """What one bot sends takes nothing from another."""
    pacer = Pacer()
    one = Pace(per_second=1000, chat_seconds=0, group_per_minute=1, most=1)
    assert pacer.leave("telegram", one, "a", 0) == 0
    assert pacer.leave("slack", one, "b", 0) == 0


def test_a_long_queue_leaves_a_few_at_a_time_and_no_slower() -> None:
    """Neighbours share a moment, nobody leaves before its own slot, and the pace is as without."""
    pacer = Pacer()
    slots = [pacer.slot("telegram", BUSY, 0) for _ in range(300)]
    assert slots == sorted(slots)
    assert all(slot >= each / BUSY.per_second - 1e-6 for each, slot in enumerate(slots))
    assert len(set(slots)) < 110
    assert slots[-1] <= 299 / BUSY.per_second + 0.11


def test_a_short_queue_waits_for_no_neighbours() -> None:
    """Who answers a few people answers each as soon as the pace allows."""
    pacer = Pacer()
    slots = [pacer.slot("telegram", BUSY, 0) for _ in range(4)]
    assert slots == pytest.approx([each / BUSY.per_second for each in range(4)])
