"""A practice exchange behind a gate: closed, it lets requests wait, so that a test can act in between."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from chatbot.practice import Practice, open_practice
from tests.support.practice import serve


@dataclass
class Gate:
    """Stands before the exchange; `waiting` counts who stands there, `shut` who will."""

    state: Practice
    app: Any
    origin: str = ""
    waiting: int = 0
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def shut(self) -> None:
        """Let every request from now on wait."""
        self.waiting = 0
        self.opened.clear()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not self.opened.is_set():
            self.waiting += 1
            await self.opened.wait()
        await self.app(scope, receive, send)


@asynccontextmanager
async def gated() -> AsyncIterator[Gate]:
    """Run a practice Bitso behind an open gate."""
    gate = Gate(*open_practice("bitso"))
    gate.opened.set()
    async with serve(gate) as gate.origin:
        try:
            yield gate
        finally:
            gate.opened.set()
