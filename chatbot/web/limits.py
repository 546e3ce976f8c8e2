"""What is turned away before any link is looked at: hosts, origins, sizes, and too many failures.

`Gate` stands before every route (host, header size, body size, unhandled errors); `check_call` before the
page's two calls; `FailureBudget` slows an address that keeps failing without touching the others.
"""

import ipaddress
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chatbot.ports.context import Log

CALL_BYTES = 8 * 1024
BODY_BYTES = 1024 * 1024
HEADER_BYTES = 32 * 1024
# Probes come by address; nothing is built from their Host.
ANY_HOST_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})

# Some proxies write the port along: `7.7.7.7:5000`, `[2001:db8::1]:5000`.
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([^:]+):\d+")
_FAILED = JSONResponse({"reason": "Something went wrong here. Try again later."}, 500)


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL as browsers write an Origin."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{plain_host(parts.netloc, parts.scheme)}"


def plain_host(host: str, scheme: str) -> str:
    """Return a Host value in lower case and without the port the scheme implies."""
    return host.lower().removesuffix(":443" if scheme == "https" else ":80")


def client_address(scope: Scope, trusted: Collection[str]) -> str:
    """Return who is calling: the right-most hop that is not one of our own proxies.

    A hop that is no address ends the walk: the last good one answers for it, never all such callers as one.
    """
    hops = [hop.strip() for name, value in scope["headers"] if name == b"x-forwarded-for"
            for hop in value.decode("latin-1").split(",")]  # fmt: skip
    peer = _address(scope["client"][0] if scope.get("client") else "")
    nets = [ipaddress.ip_network(net, strict=False) for net in trusted]
    while hops and peer and any(peer in net for net in nets):
        hop = _address(hops.pop())
        if hop is None:
            break
        peer = hop
    if isinstance(peer, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((peer, 64), strict=False))
    return str(peer or "unknown")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    found = _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address((found[1] or found[2]) if found else text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


class FailureBudget:
    """Counts failures per address and in all; each pot refills with time.

    When the common pot is empty, only addresses that failed lately are refused: guessing from everywhere
    at once can't lock out a person who never failed.
    """

    def __init__(
        self,
        *,
        each: int = 1000,
        total: int = 20_000,
        refill_seconds: float = 600,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Allow so many failures per address and in all within the refill time."""
        self._limits = (each, total)
        self._refill = refill_seconds
        self._clock = clock
        self._total = (0.0, clock())
        self._each: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, address: str) -> bool:
        """Tell whether this address may try now."""
        each, total = self._limits
        own = self._now(self._each.get(address, (0.0, 0.0)), each)
        return own <= each - 1 and (own == 0 or self._now(self._total, total) <= total - 1)

    def spend(self, address: str) -> None:
        """Note one failure."""
        each, total = self._limits
        now = self._clock()
        self._each[address] = (self._now(self._each.pop(address, (0.0, now)), each) + 1, now)
        self._total = (min(total, self._now(self._total, total) + 1), now)
        while len(self._each) > total:
            self._each.popitem(last=False)

    def _now(self, pot: tuple[float, float], limit: int) -> float:
        used, since = pot
        return max(0.0, used - (self._clock() - since) * limit / self._refill)


def check_call(request: Request, origin: str) -> None:
    """Turn away what our own page would not send: not JSON, another origin, another site."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "Send application/json.")
    if request.headers.get("origin") != origin:
        raise HTTPException(403, "This call is only for our own page.")
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(403, "This call is only for our own page.")


class Gate:
    """Stands before every route; what goes wrong behind it becomes one plain answer."""

    def __init__(self, app: ASGIApp, *, hosts: Collection[str], scheme: str, log: Log) -> None:
        """Wrap the app and let in these Host values."""
        self._app = app
        self._hosts = frozenset(plain_host(host, scheme) for host in hosts)
        self._scheme = scheme
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False
        failure: tuple[str, str] | None = None

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        refusal = self._refusal(scope)
        if refusal:
            await refusal(scope, receive, send)
            return
        try:
            await self._app(scope, _capped(scope, receive), watch)
        except ClientDisconnect:
            return
        except Exception as error:
            failure = (type(error).__name__, _where(error))
        if failure is None:
            return
        # Not inside the except block: there our log would add the traceback, with the error's own words.
        self._log.error("web.failed", path=scope["path"], error=failure[0], where=failure[1])
        if not started:
            await _FAILED(scope, receive, send)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
            return JSONResponse({"reason": "These headers are too long."}, 431)
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}:
            # A proxy may end such a request elsewhere than we do: what follows could be somebody else's.
            return JSONResponse({"reason": "Two lengths for one body."}, 400, {"Connection": "close"})
        announced = dict(scope["headers"]).get(b"content-length", b"")
        if announced.isdigit() and int(announced) > _limit(scope):
            return JSONResponse({"reason": "That is too long."}, 413)
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if scope["path"] in ANY_HOST_PATHS:
            return None
        if len(hosts) != 1 or plain_host(hosts[0], self._scheme) not in self._hosts:
            return JSONResponse({"reason": "No such host here."}, 400)
        return None


def _limit(scope: Scope) -> int:
    return CALL_BYTES if scope["path"].startswith("/api/") else BODY_BYTES


def _capped(scope: Scope, receive: Receive) -> Receive:
    limit, taken = _limit(scope), 0

    async def read() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise HTTPException(413, "That is too long.")
        return message

    return read


def _where(error: BaseException) -> str:
    # File and line only: a message or a traceback could quote what a person typed.
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else ""
