"""Slack for the platform contract: typed and read through the fake Slack, signed over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from chatbot.domain.messages import Message
from chatbot.domain.updates import Incoming
from tests.contracts.platform_adapter import Seen
from tests.support import slackapi, slacks


class SlackChat:
    """One person's private conversation with the app."""

    def __init__(self, rig: slacks.Rig) -> None:
        self.platform = rig.slack
        self.longest = slackapi.LONGEST
        self._rig = rig

    async def say(self, text: str) -> Incoming | None:
        return self._read(await self._rig.api.say(slacks.ANA, text))

    async def press(self, seen: Seen, button: str) -> Incoming | None:
        return self._read(await self._rig.api.press(self._rig.api.world.messages[seen.id], button))

    async def screen(self) -> list[Seen]:
        return [Seen(m.id, m.words, m.buttons) for m in self._rig.api.shown(slacks.ANA)]

    async def deliver(self, message: Message | str, **fields: Any) -> str:
        return await self.platform.deliver(slacks.delivery(message, clock=self._rig.clock, **fields))

    def _read(self, sent: slackapi.Sent) -> Incoming | None:
        assert sent.status == 200
        return self.platform.parse(list(self._rig.shelf.rows.values())[-1])


@asynccontextmanager
async def opened() -> AsyncIterator[SlackChat]:
    """A started app of one workspace, and somebody in it."""
    async with slackapi.running() as api, slacks.rig(api) as rig:
        api.world.person(slacks.ANA)
        await rig.start()
        yield SlackChat(rig)
        assert api.complaints == []
