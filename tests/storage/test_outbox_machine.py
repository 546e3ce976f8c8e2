"""The outbox under every mixture of crashes, lost answers and refusals that Hypothesis can think of.

Held at every step: a conversation hears in order, nothing is told twice without a mark, and only what may be
repeated is. Held once the faults stop: nothing is lost, and each card shows its last state.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete

from chatbot.domain.outbox import Delivery, Promise, after_failure
from chatbot.domain.people import ConversationId
from chatbot.errors import Fenced, Verdict
from storage.conversations import CONVERSATIONS
from storage.database import Database
from storage.people import PEOPLE
from tests.storage.rows import NOW, post, settle

Result = TypeVar("Result")
LEASE = timedelta(seconds=75)
POSTS = st.tuples(st.integers(0, 1), st.sampled_from(Promise), st.sampled_from(["", "", "c"]))


@dataclass
class Taken:
    """One request that the chat server took."""

    number: int
    marked: bool
    edited: bool


@dataclass
class Server:
    """A chat server that remembers all it was sent, and what each message shows now."""

    taken: dict[str, list[Taken]] = field(default_factory=dict)
    shown: dict[str, int] = field(default_factory=dict)

    def take(self, delivery: Delivery) -> str:
        number = int(delivery.message.plain())
        heard = self.taken.setdefault(delivery.conversation, [])
        heard.append(Taken(number, delivery.repeat, bool(delivery.edit)))
        message_id = delivery.edit or f"m{sum(map(len, self.taken.values()))}"
        self.shown[message_id] = number
        return message_id


class Fate(Enum):
    """How far a worker gets before it stops for a while, or for ever; DONE and UNKNOWN are recorded."""

    CLAIMED = auto()
    BEGUN = auto()
    TAKEN = auto()
    REFUSED = auto()
    UNKNOWN = auto()
    DONE = auto()


class Machine(RuleBasedStateMachine):
    """Workers that claim, begin, send and record, and that freeze or die in between."""

    def __init__(self, runner: asyncio.Runner, database: Database) -> None:
        super().__init__()
        self.runner, self.database = runner, database
        self.now: datetime = NOW
        self.server = Server()
        self.queued: dict[int, tuple[ConversationId, Promise, str]] = {}
        self.held: list[tuple[Delivery, Fate]] = []
        self.told: dict[str, str] = {}
        self.places = self.run(self._settle())

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self.runner.run(work)

    async def _settle(self) -> list[ConversationId]:
        async with self.database.transaction() as tx:
            for emptied in (CONVERSATIONS, PEOPLE):
                await tx.run(delete(emptied))
        async with self.database.uow() as store:
            world = await settle(store)
        return [world.chat.id, world.group.id]

    @initialize(posts=st.lists(POSTS, min_size=4, max_size=8))
    def begin_with_posts(self, posts: list[tuple[int, Promise, str]]) -> None:
        for where, promise, card in posts:
            self._queue(where, promise, card)

    @rule(post=POSTS)
    def queue(self, post: tuple[int, Promise, str]) -> None:
        self._queue(*post)

    def _queue(self, where: int, promise: Promise, card: str) -> None:
        number = len(self.queued)
        self.queued[number] = (self.places[where], promise, card)

        async def put() -> None:
            async with self.database.uow() as store:
                await store.outbox.put(self.places[where], post(str(number), card=card), promise, self.now)

        self.run(put())

    @rule(seconds=st.sampled_from([1, 40, 80]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(limit=st.integers(1, 3), fates=st.lists(st.sampled_from(Fate), min_size=3, max_size=3))
    def work(self, limit: int, fates: list[Fate]) -> None:
        for delivery, fate in zip(self._claim(limit), fates, strict=False):
            self._go_on(delivery, Fate.CLAIMED, fate)

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 3), fate=st.sampled_from(Fate))
    def a_frozen_worker_goes_on(self, which: int, fate: Fate) -> None:
        delivery, reached = self.held.pop(which % len(self.held))
        self._go_on(delivery, reached, fate)

    def _claim(self, limit: int) -> list[Delivery]:
        async def claim() -> list[Delivery]:
            async with self.database.uow() as store:
                return list(
                    await store.outbox.claim(
                        self.now, self.now + LEASE, limit, (), ("telegram", "web", "slack")
                    )
                )

        return self.run(claim())

    def _go_on(self, delivery: Delivery, reached: Fate, fate: Fate) -> None:
        in_time = self.now < delivery.deadline
        if reached is Fate.CLAIMED and fate is not Fate.CLAIMED:
            if not in_time or not self._record("begin", delivery):
                return
            reached = Fate.BEGUN
        if reached is Fate.BEGUN and fate in {Fate.TAKEN, Fate.REFUSED, Fate.DONE}:
            if not in_time:
                return
            gone = delivery.edit and delivery.edit not in self.server.shown
            reached = Fate.REFUSED if gone or fate is Fate.REFUSED else Fate.TAKEN
            self.told[delivery.id] = "" if reached is Fate.REFUSED else self.server.take(delivery)
        if fate is Fate.UNKNOWN:
            self._fail(delivery, Verdict.UNKNOWN)
        elif fate is not Fate.DONE:
            self.held.append((delivery, reached))
        elif reached is Fate.TAKEN:
            self._record("sent", delivery, self.told[delivery.id], self.now)
        else:
            gone = delivery.edit and delivery.edit not in self.server.shown
            self._fail(delivery, Verdict.EDIT_GONE if gone else Verdict.UNSENT)

    @precondition(lambda self: self.server.shown)
    @rule(which=st.integers(0, 3))
    def a_person_deletes_a_message(self, which: int) -> None:
        shown = sorted(self.server.shown)
        del self.server.shown[shown[which % len(shown)]]

    @invariant()
    def every_conversation_hears_in_order(self) -> None:
        for heard in self.server.taken.values():
            numbers = [taken.number for taken in heard]
            assert numbers == sorted(numbers)

    @invariant()
    def nothing_is_told_twice_without_a_mark(self) -> None:
        for heard in self.server.taken.values():
            for number in {taken.number for taken in heard}:
                sent = [taken for taken in heard if taken.number == number and not taken.edited]
                assert all(taken.marked for taken in sent[1:])
                may_repeat = self.queued[number][1] in {Promise.ALERT, Promise.CARD}
                assert may_repeat or len(sent) <= 1

    def teardown(self) -> None:
        for _ in range(len(self.queued) * 3 + 3):
            self.now += timedelta(minutes=6)
            for delivery in self._claim(3):
                self._go_on(delivery, Fate.CLAIMED, Fate.DONE)
        self.every_conversation_hears_in_order()
        self.nothing_is_told_twice_without_a_mark()
        self._nothing_is_lost()

    def _nothing_is_lost(self) -> None:
        async def counts() -> dict[str, int]:
            async with self.database.uow() as store:
                return dict(await store.outbox.counts())

        left = self.run(counts())
        assert left["pending"] == left["claimed"] == left["begun"] == left["parked"] == left["gone"] == 0
        heard = {taken.number for heard in self.server.taken.values() for taken in heard}
        newest = {(place, card): number for number, (place, _, card) in self.queued.items() if card}
        unheard = [
            promise
            for number, (place, promise, card) in self.queued.items()
            if number not in heard and (not card or newest[place, card] == number)
        ]
        assert not {Promise.ALERT, Promise.CARD} & set(unheard)
        assert len(unheard) <= left["unknown"]

    def _fail(self, delivery: Delivery, verdict: Verdict) -> None:
        self._record("failed", delivery, after_failure(delivery, verdict, 3), verdict.value, self.now)

    def _record(self, what: str, *arguments: object) -> bool:
        async def record() -> None:
            async with self.database.uow() as store:
                await getattr(store.outbox, what)(*arguments)

        try:
            self.run(record())
        except Fenced:
            return False
        return True


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_the_outbox_keeps_its_promises(kind: str, request: pytest.FixtureRequest):
    """No order of events loses a message or repeats one without a mark."""
    database = Database(request.getfixturevalue(f"fresh_{kind}"))
    with asyncio.Runner() as runner:
        runner.run(database.migrate())

        class Here(Machine):
            def __init__(self) -> None:
                super().__init__(runner, database)

        run_state_machine_as_test(
            Here,
            # A failure is at most 25 steps long; making it shorter would take minutes.
            settings=settings(
                max_examples=40, stateful_step_count=25, deadline=None, database=None,
                phases=[Phase.generate], suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
        runner.run(database.close())
