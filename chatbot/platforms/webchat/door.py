"""Who may come in: this machine, by our own host name, from our own page, with the session's token.

Every route of the web chat asks the door first. A browser holds a cookie that no script and no other site
can use; a program sends the token itself.
"""

import hmac
import json
import secrets
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
LOOPBACK_PEERS = ("127.", "::1", "::ffff:127.")
BODY_BYTES = 16 * 1024


class Door:
    """Checks requests to the web chat of one origin."""

    def __init__(self, token: str, origin: str) -> None:
        """Take the session token and the page's own origin, which gives the port."""
        port = urlsplit(origin).port or 80
        self.hosts = tuple(f"{host}:{port}" if port != 80 else host for host in LOOPBACK)
        self._token = token
        self._pass = secrets.token_urlsafe(32)
        # Cookies are shared by all ports of a host: two bots side by side need two names.
        self._cookie = f"keyherald_chat_{port}"

    def check_place(self, request: Request) -> None:
        """Turn away other machines, foreign host names (DNS rebinding) and other sites' pages."""
        peer = request.client.host if request.client else ""
        host = request.headers.get("host", "").lower()
        origin = request.headers.get("origin")
        if not peer.startswith(LOOPBACK_PEERS) or host not in self.hosts:
            raise HTTPException(403, "The web chat is only for this machine.")
        if origin is not None and origin.lower() != f"http://{host}":
            raise HTTPException(403, "This call is only for our own page.")

    def check_session(self, request: Request) -> None:
        """Turn away whoever has neither the token nor the cookie of this session."""
        self.check_place(request)
        if self._has_token(request):
            return
        if not _same(request.cookies.get(self._cookie, ""), self._pass):
            raise HTTPException(401, "Open the address printed in the terminal.")
        if request.method not in {"GET", "HEAD"} and "origin" not in request.headers:
            raise HTTPException(403, "This call is only for our own page.")

    def admit(self, request: Request) -> Response:
        """Exchange the token for the cookie."""
        self.check_place(request)
        if not self._has_token(request):
            raise HTTPException(401, "Open the address printed in the terminal.")
        response = Response(status_code=204)
        response.set_cookie(self._cookie, self._pass, path="/chat", httponly=True, samesite="strict")
        return response

    def _has_token(self, request: Request) -> bool:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and _same(value.strip(), self._token)


async def read_object(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request, refusing anything large or else."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise HTTPException(413, "That is too long.")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise HTTPException(400, "Send a JSON object.")
    return data


def read_text(data: dict[str, Any], name: str, limit: int) -> str:
    """Return a text of the object that can be stored as it is."""
    value = data.get(name)
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise HTTPException(400, f"{name} must be a text.")
    if len(value) > limit:
        raise HTTPException(413, "That is too long.")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise HTTPException(400, f"{name} must be a text.") from None
    return value


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
