"""What every Slack test needs: an app at a fake Slack, a clock that never waits, and deliveries."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from starlette.applications import Starlette

from chatbot.domain.messages import Message, message
from chatbot.domain.outbox import Delivery, Promise
from chatbot.domain.people import ConversationId, Place
from chatbot.platforms.slack import Slack
from tests.support.slackapi import SlackApi, token_of
from tests.support.slackapi.people import SIGNING_SECRET
from tests.support.telegrams import COMMANDS, Notes

ANA = "UANA"
PUBLIC_URL = "https://bot.example.com"
EVENTS = f"{PUBLIC_URL}/slack/events"


class ApiClock:
    """Sleeping only moves the hands; the fake Slack reads the same clock."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.began = datetime.now(UTC)

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += max(0.0, seconds)


@dataclass
class Shelf:
    """An inlet that keeps raw updates by their key."""

    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    async def put(self, platform: str, event_id: str, raw: Mapping[str, Any]) -> bool:
        new = event_id not in self.rows
        self.rows.setdefault(event_id, raw)
        return new


@dataclass
class Rig:
    """An app and everything around it."""

    api: SlackApi
    slack: Slack
    clock: ApiClock
    notes: Notes
    shelf: Shelf

    async def start(self) -> None:
        await self.slack.start(self.shelf, COMMANDS)
        self.api.target = EVENTS
        transport = httpx.ASGITransport(Starlette(routes=self.slack.routes()))
        self.api.http = httpx.AsyncClient(transport=transport)


@asynccontextmanager
async def rig(api: SlackApi, **settings: Any) -> AsyncIterator[Rig]:
    """An app of this Slack for one workspace over HTTP, not yet started; stopped at the end."""
    clock, notes = ApiClock(), Notes()
    api.world.now = lambda: clock.now().timestamp()
    wanted: dict[str, Any] = {"token": token_of("T1"), "signing_secret": SIGNING_SECRET, "api_url": api.url}
    slack = Slack(public_url=PUBLIC_URL, clock=clock, log=notes, **(wanted | settings))
    try:
        yield Rig(api, slack, clock, notes, Shelf())
    finally:
        await slack.stop()


def delivery(shown: Message | str, user: str = ANA, clock: ApiClock | None = None, **fields: Any) -> Delivery:
    """A delivery to a person's private place."""
    now = clock.now() if clock else datetime.now(UTC)
    words: dict[str, Any] = {
        "id": "d1",
        "conversation": ConversationId("c1"),
        "place": Place("slack", user, "T1"),
        "message": message(shown) if isinstance(shown, str) else shown,
        "promise": Promise.REPLY,
        "fence": 1,
        "attempts": 1,
        "ref": "7K2Q",
        "deadline": now + timedelta(seconds=75),
    }
    return Delivery(**(words | fields))
