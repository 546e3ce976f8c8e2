"""Puts the web app together: the link page, health, metrics, and the routes others bring.

Called by bootstrap once per process. Every answer wears the header set, comes through the gate, and
tells a problem as `{"reason": …}`; nothing here knows what a link means.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from chatbot.domain.people import Identity
from chatbot.ports.context import Log
from chatbot.ports.desk import LinkDesk
from chatbot.text import LOCALES
from chatbot.web.headers import Extra, HeadersMiddleware, page_headers, script_hash
from chatbot.web.keypage import Identify, KeyPage, Say, page_file
from chatbot.web.limits import FailureBudget, Gate, origin_of

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
App = Starlette
Ready = Callable[[], Awaitable[Mapping[str, bool]]]


def _nobody(_: str, __: timedelta) -> Identity | None:
    return None


@dataclass(frozen=True, slots=True)
class WebOptions:
    """What an operator chose, and what the other parts add to the app."""

    public_url: str
    locales: Sequence[str] = LOCALES
    trusted_proxies: Sequence[str] = ()
    metrics: Callable[[], bytes] | None = None
    extras: Sequence[Extra] = ()
    budget: FailureBudget = field(default_factory=FailureBudget)
    identify: Identify = _nobody


def create_app(desk: LinkDesk, say: Say, ready: Ready, log: Log, options: WebOptions) -> Starlette:
    """Return the ASGI app."""
    origin = origin_of(options.public_url)
    scheme, _, host = origin.partition("://")
    page = KeyPage(
        desk, say, origin, options.locales, options.trusted_proxies, options.budget, options.identify
    )
    hosts = [host, *(extra_host for extra in options.extras for extra_host in extra.hosts)]
    app = Starlette(
        routes=[
            *page.routes(),
            *_health(ready, options.metrics),
            *(route for extra in options.extras for route in extra.dressed()),
        ],
        middleware=[
            Middleware(HeadersMiddleware, headers=page_headers(script_hash(page_file("key.js")))),
            Middleware(Gate, hosts=hosts, scheme=scheme, log=log),
        ],
        exception_handlers={HTTPException: _problem},
    )
    # A redirect would be built from the Host header.
    app.router.redirect_slashes = False
    return app


def _health(ready: Ready, metrics: Callable[[], bytes] | None) -> list[BaseRoute]:
    async def healthz(_: Request) -> Response:
        return JSONResponse({"ok": True})

    async def readyz(_: Request) -> Response:
        checks = await ready()
        return JSONResponse(dict(checks), 200 if all(checks.values()) else 503)

    routes: list[BaseRoute] = [Route("/healthz", healthz), Route("/readyz", readyz)]
    if metrics:
        read = metrics

        async def numbers(_: Request) -> Response:
            return Response(read(), media_type=METRICS_TYPE)

        routes.append(Route("/metrics", numbers))
    return routes


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  for the type checker
    return JSONResponse({"reason": error.detail}, error.status_code, error.headers)
