"""Telegram for the platform contract: typed and read through the fake Bot API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chatbot.domain.messages import Message
from chatbot.domain.updates import Incoming
from tests.contracts.platform_adapter import Seen
from tests.support import botapi, telegrams


class TelegramChat:
    """One person's private chat with the bot."""

    def __init__(self, rig: telegrams.Rig) -> None:
        self.platform = rig.telegram
        self.longest = 4096
        self._rig = rig

    async def say(self, text: str) -> Incoming | None:
        await self._rig.api.say(telegrams.ANA, text)
        return await self._stored()

    async def press(self, seen: Seen, button: str) -> Incoming | None:
        await self._rig.api.press(self._rig.api.world.messages[int(seen.id)], button)
        return await self._stored()

    async def screen(self) -> list[Seen]:
        return [Seen(str(m.id), m.text, m.buttons) for m in self._rig.api.shown(telegrams.ANA)]

    async def deliver(self, message: Message | str, **fields: Any) -> str:
        return await self.platform.deliver(telegrams.delivery(message, **fields))

    async def _stored(self) -> Incoming | None:
        shelf = self._rig.shelf
        before = len(shelf.rows)
        await self._rig.api.until(lambda: len(shelf.rows) > before or not self._rig.api.updates)
        return self.platform.parse(list(shelf.rows.values())[-1])


@asynccontextmanager
async def opened() -> AsyncIterator[TelegramChat]:
    """A started bot with one person in the private chat."""
    async with botapi.running() as api, telegrams.rig(api) as rig:
        api.world.chat(telegrams.ANA)
        await rig.start()
        yield TelegramChat(rig)
        assert api.complaints == []
