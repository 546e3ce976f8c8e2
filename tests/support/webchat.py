"""A web chat with a make-believe bot behind it, for the tests of its calls and of its page."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chatbot.domain.messages import Message
from chatbot.domain.outbox import Delivery, Promise
from chatbot.domain.people import ConversationId, Place, Role
from chatbot.errors import mark
from chatbot.platforms.webchat import Note, PracticeButton, Scene, WebChat
from chatbot.ports.platforms import CommandInfo

TOKEN = "a-session-token-of-the-tests"
SECRET = "0123456789abcdef0123456789abcdef"
HIDDEN = "[removed]"
COMMANDS = (
    CommandInfo("balances", mark("What you have"), Role.MEMBER, private=True),
    CommandInfo("connect", mark("Connect an exchange account"), Role.MEMBER, private=True),
    CommandInfo("fills", mark("Your latest fills"), Role.MEMBER, private=True),
    CommandInfo("help", mark("What I can do"), Role.MEMBER, private=False),
    CommandInfo("here", mark("Send alerts to this place"), Role.MEMBER, private=False),
    CommandInfo("revoke", mark("Cut an account off"), Role.ADMIN, private=True),
    CommandInfo("start", mark("Say hello"), Role.MEMBER, private=True),
)
SCENE = Scene(
    practice=(PracticeButton("Buy", "/practice/buy"), PracticeButton("Withdraw", "/practice/withdraw")),
    notes=(Note("Practice key", "practiceKEY0a1b2"), Note("Practice secret", "5ecre7" * 6)),
)
_numbers = itertools.count(1)


class FakeInlet:
    """Keeps what came in, or fails when told to."""

    def __init__(self) -> None:
        self.stored: list[Mapping[str, Any]] = []
        self.events: list[str] = []
        self.broken = False

    async def put(self, platform: str, event_id: str, raw: Mapping[str, Any]) -> bool:
        if self.broken:
            raise RuntimeError("the database is away")
        assert platform == "web"
        self.events.append(event_id)
        self.stored.append({**raw, "text": scrub(raw["text"])} if "text" in raw else raw)
        return True


def scrub(text: str) -> str:
    return text.replace(SECRET, HIDDEN)


async def running_chat(
    origin: str = "http://localhost:8080", hold: float = 0.05
) -> tuple[WebChat, FakeInlet]:
    chat, inlet = WebChat(TOKEN, origin, scrub, SCENE, hold_seconds=hold), FakeInlet()
    await chat.start(inlet, COMMANDS)
    return chat, inlet


def delivery(message: Message, chat: str = "you", **changes: Any) -> Delivery:
    values: dict[str, Any] = {
        "id": f"d{next(_numbers)}", "conversation": ConversationId(f"web:{chat}"), "place": Place("web", chat),
        "message": message, "promise": Promise.REPLY, "fence": 1, "attempts": 1, "ref": "7K2Q",
        "deadline": datetime(2030, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    return Delivery(**{**values, **changes})


def text_of(view: Mapping[str, Any]) -> str:
    """Return the words of a message as the page shows them."""
    return "\n".join(
        "\n".join(" ".join(row) for row in part["table"])
        if "table" in part
        else "".join(text for text, *_ in part["line"])
        for part in view["body"]
    )


def labels_of(view: Mapping[str, Any]) -> list[str]:
    """Return the words on a message's buttons."""
    return [button["text"] for row in view["buttons"] for button in row]


@asynccontextmanager
async def asking(
    chat: WebChat, token: str | None = TOKEN, *, host: str = "localhost:8080", peer: str = "127.0.0.1"
) -> AsyncIterator[httpx.AsyncClient]:
    """Ask a web chat without a socket, with the session's token, another one, or none."""
    transport = httpx.ASGITransport(
        Starlette(routes=chat.routes()), raise_app_exceptions=False, client=(peer, 50_000)
    )
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers) as client:
        yield client


async def news(page: httpx.AsyncClient, after: int = 0) -> dict[str, Any]:
    """Ask for what changed after a version."""
    return (await page.get(f"/chat/messages?after={after}")).raise_for_status().json()


async def views(page: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Return the messages that stand on the page, oldest first."""
    shown = [view for view in (await news(page))["messages"] if not view["deleted"]]
    return sorted(shown, key=lambda view: view["order"])


async def press(page: httpx.AsyncClient, button: str) -> httpx.Response:
    """Press the button with this id."""
    return await page.post("/chat/press", json={"button": button})


@asynccontextmanager
async def serving(practised: list[str]) -> AsyncIterator[tuple[WebChat, FakeInlet]]:
    """Serve a web chat on a free port of this machine until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    chat, inlet = await running_chat(f"http://localhost:{listener.getsockname()[1]}", hold=5)

    async def practise(request: Request) -> Response:
        practised.append(request.path_params["what"])
        return JSONResponse({})

    app = Starlette(routes=[*chat.routes(), Route("/practice/{what}", practise, methods=["POST"])])
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=2)
    )
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    serve = asyncio.create_task(server.serve([listener]))
    try:
        yield chat, inlet
    finally:
        await chat.stop()
        server.should_exit = True
        await serve
        listener.close()
