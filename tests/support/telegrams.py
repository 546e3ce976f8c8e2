"""What every Telegram test needs: a bot at a fake Bot API, a clock that never waits, and deliveries."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chatbot.domain.messages import Message, message
from chatbot.domain.outbox import Delivery, Promise
from chatbot.domain.people import ConversationId, Place, Role
from chatbot.errors import StorageError
from chatbot.platforms.telegram import Telegram
from chatbot.ports.platforms import CommandInfo
from tests.support.botapi import BotApi

ANA = 77
GROUP = -500
PUBLIC_URL = "https://bot.example.com/keyherald"
WEBHOOK_URL = PUBLIC_URL + "/telegram/webhook"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COMMANDS = (
    CommandInfo("balances", "Show balances", Role.MEMBER, private=False),
    CommandInfo("connect", "Connect an exchange", Role.MEMBER, private=True),
    CommandInfo("revoke", "Cut a key off", Role.ADMIN, private=True),
    CommandInfo("start", "Say hello", Role.STRANGER, private=False),
)


class QuickClock:
    """Sleeping only moves the hands; `slept` keeps for how long."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.passed += seconds
        await asyncio.sleep(0.001)  # lets others run, like a real sleep


class Notes:
    """A log that can be read."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def info(self, action: str, **ids: object) -> None:
        self.lines.append(("info", action, ids))

    def warning(self, action: str, **ids: object) -> None:
        self.lines.append(("warning", action, ids))

    def error(self, action: str, **ids: object) -> None:
        self.lines.append(("error", action, ids))

    def actions(self) -> list[str]:
        return [action for _, action, _ in self.lines]


@dataclass
class Shelf:
    """An inlet that keeps raw updates; `away` makes the next puts fail."""

    api: BotApi
    rows: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    puts: list[str] = field(default_factory=list)
    away: int = 0
    broken: type[BaseException] | None = None

    async def put(self, platform: str, event_id: str, raw: Mapping[str, Any]) -> bool:
        self.puts.append(event_id)
        if self.broken:
            raise self.broken
        if self.away:
            self.away -= 1
            raise StorageError("away", retry=True)
        new = event_id not in self.rows
        self.rows.setdefault(event_id, raw)
        async with self.api._changed:
            self.api._changed.notify_all()
        return new


@dataclass
class Rig:
    """A bot and everything around it."""

    api: BotApi
    telegram: Telegram
    clock: QuickClock
    notes: Notes
    shelf: Shelf

    async def start(self) -> None:
        await self.telegram.start(self.shelf, COMMANDS)

    async def until_stored(self, count: int) -> list[Mapping[str, Any]]:
        await self.api.until(lambda: len(self.shelf.rows) >= count)
        return list(self.shelf.rows.values())


@asynccontextmanager
async def rig(api: BotApi, **settings: Any) -> AsyncIterator[Rig]:
    """A bot of this Bot API, not yet started; stopped at the end."""
    clock, notes = QuickClock(), Notes()
    wanted = {"token": api.token, "api_url": api.url, "public_url": PUBLIC_URL, **settings}
    telegram = Telegram(clock=clock, log=notes, **wanted)
    try:
        yield Rig(api, telegram, clock, notes, Shelf(api))
    finally:
        await telegram.stop()


def delivery(shown: Message | str, chat: int = ANA, thread: str = "", **fields: Any) -> Delivery:
    """A delivery to a place."""
    words: dict[str, Any] = {
        "id": "d1",
        "conversation": ConversationId("c1"),
        "place": Place("telegram", str(chat), "", thread, chat > 0),
        "message": message(shown) if isinstance(shown, str) else shown,
        "promise": Promise.REPLY,
        "fence": 1,
        "attempts": 1,
        "ref": "7K2Q",
        "deadline": NOW + timedelta(seconds=75),
    }
    return Delivery(**(words | fields))
