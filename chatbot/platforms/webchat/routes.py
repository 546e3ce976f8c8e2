"""The HTTP side of the web chat: the page, its files, and the few calls it makes.

`WebChat.routes` hands these to the web app. Each call asks the door first; answers are JSON, never cached,
and wear a policy under which the page can load nothing but its own files.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from chatbot.domain.messages import File
from chatbot.platforms.webchat.door import Door, read_object, read_text
from chatbot.platforms.webchat.words import FOLDER

TEXT_CHARS = 4096
BUTTON_CHARS = 256
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
FILES = {
    "chat.css": "text/css",
    "chat.js": "text/javascript",
    "message.js": "text/javascript",
    "page.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}

Endpoint = Callable[[Request], Awaitable[Response]]


class Room(Protocol):
    """What the calls act on."""

    def page(self) -> str:
        """Return the page."""
        ...

    def about(self) -> dict[str, Any]:
        """Return what the page needs once."""
        ...

    def image(self, message: str) -> bytes | None:
        """Return the picture of a message."""
        ...

    def file(self, message: str) -> File | None:
        """Return the file of a message."""
        ...

    async def say(self, chat: str, text: str) -> str | None:
        """Take in what a person wrote; None when there is no such chat."""
        ...

    async def press(self, button: str) -> str | None:
        """Take in a press; None when no message carries the button."""
        ...

    async def changes(self, after: int) -> dict[str, Any]:
        """Return what changed after a version."""
        ...


class Routes:
    """Translates requests for a room."""

    def __init__(self, room: Room, door: Door) -> None:
        """Take what is acted on and who may come in."""
        self._room = room
        self._door = door

    def all(self) -> Sequence[Route]:
        """Return the routes."""
        place, session = self._door.check_place, self._door.check_session
        return (
            Route("/chat", _guarded(place, self._page), methods=["GET"]),
            Route("/chat/session", _guarded(place, self._session), methods=["POST"]),
            Route("/chat/about", _guarded(session, self._about), methods=["GET"]),
            Route("/chat/say", _guarded(session, self._say), methods=["POST"]),
            Route("/chat/press", _guarded(session, self._press), methods=["POST"]),
            Route("/chat/messages", _guarded(session, self._messages), methods=["GET"]),
            Route("/chat/image/{message}", _guarded(session, self._image), methods=["GET"]),
            Route("/chat/file/{message}", _guarded(session, self._download), methods=["GET"]),
            *(Route(f"/chat/{name}", _guarded(place, _file(name)), methods=["GET"]) for name in FILES),
        )

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(self._room.page())

    async def _session(self, request: Request) -> Response:
        return self._door.admit(request)

    async def _about(self, _: Request) -> Response:
        return JSONResponse(self._room.about())

    async def _say(self, request: Request) -> Response:
        data = await read_object(request)
        text = read_text(data, "text", TEXT_CHARS)
        return _taken(await self._room.say(read_text(data, "chat", BUTTON_CHARS), text), "No such chat.")

    async def _press(self, request: Request) -> Response:
        button = read_text(await read_object(request), "button", BUTTON_CHARS)
        return _taken(await self._room.press(button), "No such button.")

    async def _messages(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit() and len(after) <= 15):
            raise HTTPException(400, "after must be a version.")
        return JSONResponse(await self._room.changes(int(after)))

    async def _image(self, request: Request) -> Response:
        png = self._room.image(request.path_params["message"])
        if png is None:
            raise HTTPException(404, "No such picture.")
        return Response(png, media_type="image/png")

    async def _download(self, request: Request) -> Response:
        file = self._room.file(request.path_params["message"])
        if file is None:
            raise HTTPException(404, "No such file.")
        # Never shown in place: whatever it holds, it is only ever saved.
        saved = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}"}
        return Response(file.content, media_type=file.kind, headers=saved)


def _taken(event: str | None, missing: str) -> Response:
    if event is None:
        raise HTTPException(404, missing)
    return JSONResponse({"id": event})


def _file(name: str) -> Endpoint:
    async def serve(_: Request) -> Response:
        return Response((FOLDER / name).read_bytes(), media_type=FILES[name])

    return serve


def _guarded(check: Callable[[Request], None], endpoint: Endpoint) -> Endpoint:
    async def run(request: Request) -> Response:
        try:
            check(request)
            response = await endpoint(request)
        except HTTPException as problem:
            response = JSONResponse({"reason": problem.detail}, problem.status_code)
        response.headers.update(HEADERS)
        return response

    return run
