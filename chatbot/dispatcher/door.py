"""Who acts, asked of the platforms for a whole batch of updates at once, and for a moment only.

A platform or workspace that answers slowly, or not at all, must hold up nobody else: its updates are put off,
those of one person in their order, while the asking goes on.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chatbot.dispatcher import answers
from chatbot.dispatcher.installs import workspace_ended
from chatbot.domain.people import Standing
from chatbot.domain.updates import Incoming, Sender
from chatbot.errors import SendError, Verdict
from chatbot.ports.context import Context
from chatbot.ports.mail import InboxRow
from chatbot.registry import Registry

MOMENT = 1.0
# With what the inbox itself allows, a person waits a good half minute before an apology.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (3, 12, 20))

Parse = Callable[[str, Mapping[str, Any]], Incoming | None]
_Question = tuple[str, str, str, str, bool]
_Person = tuple[str, str, str]


class Door:
    """Knows who acts in the updates of a batch, or that this can't be told yet."""

    def __init__(self, registry: Registry, ctx: Context, parse: Parse) -> None:
        """Take the handlers, of which some ask for more, and how an update is read."""
        self._registry = registry
        self._ctx = ctx
        self._parse = parse
        self._asking: dict[_Question, asyncio.Task[Standing]] = {}
        self._batch: dict[_Question, asyncio.Task[Standing]] = {}
        self._late: dict[_Person, datetime] = {}

    async def ask(self, rows: Sequence[InboxRow]) -> None:
        """Ask who acts in these, side by side, and wait for the answers for a moment."""
        now = self._ctx.clock.now()
        self._late = {person: until for person, until in self._late.items() if until > now}
        asked = {await self._question(*update): update[1].who for update in self._heard(rows)}
        self._batch = {question: self._task(question, who) for question, who in asked.items()}
        if self._batch:
            await asyncio.wait(set(self._batch.values()), timeout=MOMENT)

    async def standing(self, platform: str, incoming: Incoming) -> Standing:
        """Return the standing of who acts; raises `SendError` when it is not told yet, or not their turn."""
        who = incoming.who
        if await workspace_ended(platform, who, self._ctx):
            return Standing.NONE
        task = self._batch.get(await self._question(platform, incoming))
        if _person(platform, who) in self._late:
            raise SendError(Verdict.UNSENT, "an earlier update of theirs waits")
        if task is None or not task.done():
            raise SendError(Verdict.UNSENT, "who somebody is was not told in time")
        return task.result()

    async def put_off(self, row: InboxRow, incoming: Incoming) -> bool:
        """Let an update wait, and what else they do behind it; false once it has waited long enough."""
        person = _person(row.platform, incoming.who)
        until = self._late.get(person)
        if until is None and row.attempts > len(PAUSES):
            return False
        async with self._ctx.uow() as store:
            if until is not None:
                await store.inbox.release([row], until)
            else:
                until = self._late[person] = self._ctx.clock.now() + PAUSES[row.attempts - 1]
                await store.inbox.fail(row, "who acts is not known", park=False, until=until)
        return True

    def close(self) -> None:
        """Ask no more."""
        for task in self._asking.values():
            task.cancel()

    def _heard(self, rows: Sequence[InboxRow]) -> Iterator[tuple[str, Incoming]]:
        for row in rows:
            try:
                incoming = self._parse(row.platform, row.raw)
            except Exception as odd:
                self._ctx.log.info("update_odd", row=row.id, error=type(odd).__name__)
                continue
            if incoming and incoming.who.user and not answers.talk_among_others(incoming):
                yield row.platform, incoming

    async def _question(self, platform: str, incoming: Incoming) -> _Question:
        who, chief = incoming.who, await answers.for_chiefs(incoming, self._registry, self._ctx)
        return platform, who.workspace, who.user, who.channel if chief else "", chief

    def _task(self, question: _Question, who: Sender) -> asyncio.Task[Standing]:
        asking = self._asking.get(question)
        if asking is None:
            asking = self._asking[question] = asyncio.create_task(self._answer(question, who))
            asking.add_done_callback(lambda task: self._over(question, task))
        return asking

    async def _answer(self, question: _Question, who: Sender) -> Standing:
        return await self._ctx.postbox.standing(question[0], who, chief=question[-1])

    def _over(self, question: _Question, task: asyncio.Task[Standing]) -> None:
        del self._asking[question]
        if not task.cancelled():
            # Taken note of: nobody may be waiting for it any more.
            task.exception()


def _person(platform: str, who: Sender) -> _Person:
    return platform, who.workspace, who.user
