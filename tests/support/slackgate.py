"""The receiving half of Slack alone: an inlet that can be held, a receiver without the rest, signed requests."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette

from chatbot.platforms.slack.receiving import Receiver
from chatbot.platforms.slack.tokens import Bot, OneToken
from tests.support import slackapi
from tests.support.slackapi.people import SIGNING_SECRET
from tests.support.slackapi.world import BOT, BOT_ID
from tests.support.slacks import EVENTS, ApiClock, Shelf
from tests.support.telegrams import Notes


class Held(Shelf):
    """An inlet that stores nothing until it is let go, or fails."""

    def __init__(self, failure: BaseException | None = None) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.failure = failure

    async def put(self, platform: str, event_id: str, raw: Mapping[str, Any]) -> bool:
        if self.failure is not None:
            raise self.failure
        await self.go.wait()
        return await super().put(platform, event_id, raw)


class Lookup:
    """Says of every workspace the same."""

    def __init__(self, found: Bot | Exception | None) -> None:
        self.found = found
        self.forgotten: list[str] = []

    async def bot(self, workspace: str, wide: str = "") -> Bot | None:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    async def token(self, workspace: str, wide: str = "") -> str:
        raise AssertionError("nothing needs a token here")

    async def admit(self, workspace: str, wide: str) -> None:
        raise AssertionError("no organisation here")

    def forget(self, workspace: str) -> None:
        self.forgotten.append(workspace)


def one_workspace() -> OneToken:
    """Return a token that Slack has told us the workspace of."""
    one = OneToken("xoxb-1")
    one.met({"team_id": "T1", "user_id": BOT, "bot_id": BOT_ID})
    return one


@asynccontextmanager
async def receiver(
    shelf: Shelf, bots: Any = None
) -> AsyncIterator[tuple[Receiver, slackapi.SlackApi, Notes]]:
    """A receiver of its own, people whose Slack calls it, and its log."""
    notes = Notes()
    found = Receiver(
        bots or one_workspace(),
        api_url="http://127.0.0.1:1/api/",
        clock=ApiClock(),
        log=notes,
        signing_secret=SIGNING_SECRET,
    )
    await found.start(shelf)
    people = slackapi.SlackApi()
    people.target, people.http = EVENTS, client(found.routes())
    yield found, people, notes
    await found.stop()


def client(routes: Iterable[Any]) -> httpx.AsyncClient:
    """Return what calls these routes without a socket."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=list(routes))))


def signed(body: bytes, kind: str = "application/json") -> dict[str, str]:
    """Return the headers of a good signature."""
    stamp = str(int(time.time()))
    made = SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=stamp, body=body)
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": made or "", "Content-Type": kind}


async def until(holds: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait until something holds that nobody tells of."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  there is no event for it
            await asyncio.sleep(0.005)
