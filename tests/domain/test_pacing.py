"""The pace of a platform is kept in every window of time, however messages come."""

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
