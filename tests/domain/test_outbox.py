"""What follows a failed delivery: decided for every message and every verdict, and never at once for ever."""

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.domain.messages import Message
from chatbot.domain.outbox import (
    Delivery,
    OutboxState,
    Promise,
    after_failure,
    after_unknown,
    backoff,
    ref_for,
)
from chatbot.domain.people import ConversationId, Place
from chatbot.errors import Verdict

AT = datetime(2026, 1, 1, tzinfo=UTC)
deliveries = st.builds(
    Delivery, id=st.just("d"), conversation=st.just(ConversationId("c")), place=st.just(Place("web", "you")),
    message=st.just(Message()), promise=st.sampled_from(Promise), fence=st.just(1), attempts=st.integers(1, 1000),
    ref=st.just("ABCD"), deadline=st.just(AT), edit=st.sampled_from(["", "m1"]), erase=st.sampled_from(["", "m2"]), repeat=st.booleans(),
)  # fmt: skip
waits = st.floats(0, 10_000)


@given(deliveries, st.sampled_from(Verdict), waits)
def test_every_verdict_has_a_consequence(delivery, verdict, wait) -> None:
    """After a failure a message waits, is over, or is unknown; never still under way."""
    what = after_failure(delivery, verdict, wait)
    assert what.state not in {OutboxState.CLAIMED, OutboxState.BEGUN}
    assert what.delay >= 0


@given(deliveries, st.sampled_from(Verdict), waits)
def test_only_an_unknown_outcome_adds_a_mark(delivery, verdict, wait) -> None:
    """A mark says that it may have arrived: only then, and only for what is sent anew."""
    what = after_failure(delivery, verdict, wait)
    if what.repeat and not delivery.repeat:
        assert verdict is Verdict.UNKNOWN
        assert delivery.promise in {Promise.ALERT, Promise.CARD}
        assert not delivery.edit
    if delivery.repeat and what.state is OutboxState.PENDING and not (delivery.edit or delivery.erase):
        assert what.repeat or verdict is Verdict.EDIT_GONE


@given(deliveries, waits)
def test_an_alert_is_never_let_go_for_not_knowing(delivery, wait) -> None:
    """Unknown alerts and cards come again; reports and replies do not."""
    what = after_failure(delivery, Verdict.UNKNOWN, wait)
    again = bool(delivery.edit or delivery.erase) or delivery.promise in {Promise.ALERT, Promise.CARD}
    assert what.state is (OutboxState.PENDING if again else OutboxState.UNKNOWN)
    assert what == after_unknown(delivery)


@given(deliveries, st.sampled_from(Verdict), waits)
def test_no_platform_is_asked_in_a_circle(delivery, verdict, wait) -> None:
    """From the third try on a message that is tried again waits at least a second."""
    what = after_failure(dataclasses.replace(delivery, attempts=delivery.attempts + 2), verdict, wait)
    assert what.state is not OutboxState.PENDING or what.delay >= 1


@given(deliveries, waits)
def test_a_limit_is_obeyed(delivery, wait) -> None:
    """Never earlier than the platform said."""
    assert after_failure(delivery, Verdict.LIMITED, wait).delay >= wait


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        (Verdict.UNCHANGED, OutboxState.SENT),
        (Verdict.GONE, OutboxState.GONE),
        (Verdict.REFUSED, OutboxState.PARKED),
        (Verdict.UNSENT, OutboxState.PENDING),
        (Verdict.UNAUTHORISED, OutboxState.PENDING),
        (Verdict.MOVED, OutboxState.PENDING),
    ],
)
@given(deliveries)
def test_what_each_verdict_means(verdict, state, delivery) -> None:
    """The same for every kind of message."""
    assert after_failure(delivery, verdict, 0).state is state


@given(deliveries)
def test_a_message_that_can_not_be_edited_is_sent_anew(delivery) -> None:
    """And one that can't be erased is gone already."""
    what = after_failure(delivery, Verdict.EDIT_GONE, 0)
    assert what.state is (OutboxState.GONE if delivery.erase else OutboxState.PENDING)
    assert what.fresh is not bool(delivery.erase)


def test_pauses_grow_to_five_minutes() -> None:
    """1, 2, 4 … 256, then 300 seconds."""
    pauses = [backoff(attempt) for attempt in range(1, 12)]
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses == sorted(pauses)
    assert (pauses[-1], backoff(10**6), backoff(0)) == (300, 300, 1)


@given(st.text())
def test_a_reference_is_short_and_always_the_same(key) -> None:
    """Four characters that nobody confuses, the same for every repeat."""
    assert len(ref_for(key)) == 4
    assert ref_for(key) == ref_for(key)
    assert not set(ref_for(key)) & set("01IO")
