"""The web chat for the platform contract: typed and read through its own calls, as its page does."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from chatbot.domain.messages import Message, message
from chatbot.domain.updates import Incoming
from chatbot.platforms.webchat import WebChat
from tests.contracts.platform_adapter import Seen
from tests.support import webchat

YOU = "you"


class WebChatChat:
    """The chat "You" of a started bot."""

    def __init__(self, platform: WebChat, inlet: webchat.FakeInlet, client: httpx.AsyncClient) -> None:
        self.platform = platform
        self.longest = 0
        self._inlet = inlet
        self._client = client

    async def say(self, text: str) -> Incoming | None:
        return await self._stored("/chat/say", {"text": text, "chat": YOU})

    async def press(self, seen: Seen, button: str) -> Incoming | None:
        [view] = [view for view in await self._views() if view["id"] == seen.id]
        [pressed] = [item["id"] for row in view["buttons"] for item in row if item["text"] == button]
        return await self._stored("/chat/press", {"button": pressed})

    async def screen(self) -> list[Seen]:
        return [
            Seen(view["id"], webchat.text_of(view), webchat.labels_of(view)) for view in await self._views()
        ]

    async def deliver(self, message: Message | str, **fields: Any) -> str:
        return await self.platform.deliver(webchat.delivery(_message(message), **fields))

    async def _views(self) -> list[dict[str, Any]]:
        news = (await self._client.get("/chat/messages?after=0")).json()
        shown = [view for view in news["messages"] if view["from"] == "bot" and not view["deleted"]]
        return sorted(shown, key=lambda view: view["order"])

    async def _stored(self, path: str, body: dict[str, str]) -> Incoming | None:
        (await self._client.post(path, json=body)).raise_for_status()
        return self.platform.parse(json.loads(json.dumps(self._inlet.stored[-1])))


def _message(given: Message | str) -> Message:
    return message(given) if isinstance(given, str) else given


@asynccontextmanager
async def opened() -> AsyncIterator[WebChatChat]:
    """A started bot whose page is open."""
    platform, inlet = await webchat.running_chat()
    async with webchat.asking(platform) as client:
        yield WebChatChat(platform, inlet, client)
    await platform.stop()
