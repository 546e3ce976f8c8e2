"""The headers on every answer, and the way a mounted part may wear its own.

The set grades A+ on the Observatory and without findings in csp_evaluator. The script's hash stands in
the policy and in the page's `integrity`, so a changed byte is a script the browser refuses to run.
"""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SCOPE_KEY = "keyherald.headers"

_DENIED = (
    "accelerometer autoplay camera clipboard-read display-capture encrypted-media fullscreen geolocation "
    "gyroscope hid magnetometer microphone midi payment publickey-credentials-get screen-wake-lock serial "
    "usb xr-spatial-tracking"
)


def script_hash(script: bytes) -> str:
    """Return the hash that policy and page carry for a script, as `sha384-…`."""
    return "sha384-" + base64.b64encode(hashlib.sha384(script).digest()).decode()


def page_headers(script: str) -> dict[str, str]:
    """Return the header set for answers whose only script has this hash."""
    policy = (
        f"default-src 'none'; script-src '{script}'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Embedder-Policy": "require-corp",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Origin-Agent-Cluster": "?1",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in _DENIED.split()),
        "Cache-Control": "no-store",
        "X-Robots-Tag": "noindex, nofollow, noarchive, nosnippet",
        "X-DNS-Prefetch-Control": "off",
    }


def framed_by(headers: Mapping[str, str], origin: str) -> dict[str, str]:
    """Return the headers that differ for a page which one origin may frame."""
    policy = headers["Content-Security-Policy"]
    return {
        "Content-Security-Policy": policy.replace("frame-ancestors 'none'", f"frame-ancestors {origin}"),
        # The older header knows no such exception.
        "X-Frame-Options": "",
    }


@dataclass(frozen=True, slots=True)
class Extra:
    """Routes others bring; `headers` replace ours by name (empty: left out), `hosts` are let in besides."""

    routes: tuple[BaseRoute, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()

    def dressed(self) -> list[BaseRoute]:
        """Return the routes so that their answers wear these headers."""
        return [_Dressed(route, self.headers) for route in self.routes]


class _Dressed(BaseRoute):
    def __init__(self, route: BaseRoute, headers: Mapping[str, str]) -> None:
        self._route = route
        self._headers = headers

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return self._route.matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[SCOPE_KEY].update(self._headers)
        await self._route.handle(scope, receive, send)


class HeadersMiddleware:
    """Puts the header set on every answer; a header the answer already carries stays."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        """Wrap the app."""
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers that stand in the scope once the answer starts."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        wanted = scope[SCOPE_KEY] = dict(self._headers)

        async def dress(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in wanted.items():
                    if value:
                        headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, dress)
