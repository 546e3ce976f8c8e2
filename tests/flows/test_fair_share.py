"""One workspace with a dead, slow or busy bot: everybody else is told what is new all the same."""

import asyncio

import pytest

from chatbot.domain.messages import Post, message
from chatbot.domain.outbox import Delivery, Promise
from chatbot.domain.pacing import Pace
from chatbot.domain.people import Place, TeamId
from chatbot.errors import SendError, Verdict
from tests.support.bot import YOU, Bot
from tests.support.chat import Chat
from tests.support.rows import rows
from tests.support.workspaces import BO, Town, Workspaces, beside

MANY = 120


async def queue(bot: Bot, workspace: str, users: int, words: str) -> None:
    """Queue an alert for so many people of a workspace."""
    async with bot.ctx.uow() as store:
        for number in range(users):
            place = Place("slack", f"u{number}", workspace)
            where = await store.conversations.enter(place, TeamId(f"slack:{workspace}"), None)
            await store.outbox.put(where.id, Post(message(words)), Promise.ALERT, bot.clock.now())


class Posts:
    """Lets T1's posts hang or fail, and tells when the last of the others' has arrived."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, what: SendError | None = None) -> None:
        self.what, self.opened, self.others = what, asyncio.Event(), asyncio.Event()
        self.tried = 0
        monkeypatch.setattr(Workspaces, "deliver", self._deliver)
        monkeypatch.setattr(Chat, "deliver", self._deliver)
        self.told: list[str] = []

    async def _deliver(self, delivery: Delivery) -> str:
        place = delivery.place
        if place.workspace == "T1":
            self.tried += 1
            if self.what is not None:
                raise self.what
            await self.opened.wait()
        else:
            self.told.append(place.bot)
            if {"web", "slack:T2"} <= set(self.told):
                self.others.set()
        return "1"


@pytest.fixture
async def town(bot: Bot) -> Town:
    """T1 with a backlog, then one new thing for somebody of T2 and somebody on the web."""
    opened = await beside(bot)
    opened.pages.pace = Pace(per_second=5.0, chat_seconds=1.05, group_per_minute=57)
    await opened.slack.type("/start", as_=BO)
    await opened.web.type("/start")
    await queue(opened.slack, "T1", MANY, "old news")
    opened.slack.clock.advance(seconds=2)
    await queue(opened.slack, "T2", 1, "news")
    async with bot.ctx.uow() as store:
        where = await store.conversations.enter(Place("web", YOU), TeamId("home"), None)
        await store.outbox.put(where.id, Post(message("news")), Promise.ALERT, bot.clock.now())
    return opened


async def test_a_workspace_that_hangs_holds_up_nobody_else(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its posts take their share of what is under way, and no more."""
    posts = Posts(monkeypatch)
    job = asyncio.ensure_future(town.slack.registry.jobs["deliver_messages"].run(town.slack.ctx))
    async with asyncio.timeout(20):
        await posts.others.wait()
    assert posts.tried <= 20
    posts.opened.set()
    await job
    states = {row["state"] for row in await rows(town.slack, "outbox")}
    assert (states, posts.tried) == ({"sent"}, MANY)


async def test_a_workspace_with_a_dead_token_is_asked_a_few_times_a_minute(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits there is left alone meanwhile: nothing of it is lost, and nobody else waits for it."""
    posts = Posts(monkeypatch, SendError(Verdict.UNAUTHORISED, "token_revoked"))
    for _ in range(6):
        await town.slack.turn(seconds=9, jobs=("deliver_messages",))
    assert posts.others.is_set()
    assert posts.tried <= 20
    waiting = [row for row in await rows(town.slack, "outbox", team="slack:T1") if row["state"] == "pending"]
    assert len(waiting) == MANY
    assert max(row["attempts"] for row in waiting) <= 2
