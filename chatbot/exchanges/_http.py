"""The one guarded way out to an exchange; only exchange files use it.

A request leaves only when its method and full path stand on the exchange's allow-list: anything else
raises `ForbiddenCall` before a socket opens. Every call has a deadline and a cap on what it reads, follows
no redirect and keeps no cookie. Whatever goes wrong becomes an `ExchangeError` that remembers no header.
Where an exchange counts what one address asks, all accounts share one budget here.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn
from urllib.parse import urlsplit

import aiohttp
from aiohttp import http_exceptions
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import DefaultResolver
from yarl import URL

from chatbot.domain.pacing import Budget, Meter
from chatbot.errors import ConfigError, ExchangeError, ForbiddenCall, Trouble

DEADLINE_SECONDS = 10
MAX_BYTES = 8 * 1024 * 1024
LONGEST_WAIT = 15 * 60
# For more than this the poll is better put off: a signed time grows old, the key's lease runs.
LONGEST_TURN = 5
TOO_MANY = frozenset({418, 429})
USER_AGENT = "Keyherald (read-only account monitor)"
# As many as are ever asked at a time; a connection is opened only when no other is free.
CONNECTIONS = 200
# Longer than the usual poll interval, so that a poll does not pay for a TLS handshake each time.
KEEP_OPEN_SECONDS = 75
PLAIN_PATH = re.compile(r"/(?:[A-Za-z0-9_.\-]+/)*[A-Za-z0-9_.\-]*")
PLAIN_QUERY = re.compile(r"(?:[A-Za-z0-9_.,:=&\-]|%[0-9A-Fa-f]{2})*")

# All that aiohttp, the system and TLS may raise about a call; a test holds aiohttp's own list against it.
FOREIGN = (
    aiohttp.ClientError,
    aiohttp.EofStream,
    http_exceptions.HttpProcessingError,
    TimeoutError,
    asyncio.IncompleteReadError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, type and body; `wait` is Retry-After in seconds.

    `headers` are the answer's own, found in any case, for an exchange that signs or counts in them.
    """

    status: int
    content_type: str
    body: bytes
    wait: int = 0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def date(self) -> datetime | None:
        """The server's clock; None when it doesn't tell."""
        return _date(self.headers.get("Date", ""))


class Http:
    """One session to one exchange."""

    def __init__(
        self,
        home: str,
        allow: Collection[tuple[str, str]],
        origin: str = "",
        budget: Budget | None = None,
    ) -> None:
        """Take the production origin, the allow-list, another origin when the operator set one, a budget."""
        self._origin = _plain_origin(origin or home)
        self._allow = _plain_allow_list(allow)
        self._trusted = bool(origin)
        self._meter = Meter(budget) if budget else None
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def request(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        weight: int = 1,
    ) -> Answer:
        """Send one request and return the answer, whatever its status unless it redirects.

        A body goes out as it is: its Content-Type is the caller's, and without one there is none. It may
        wait up to `LONGEST_TURN` seconds for its share of the budget (`weight` shares), so a signed time
        has to stay good for twice as long.

        Raises:
            ForbiddenCall: when method and path are not on the allow-list; nothing was sent.
            ExchangeError: UNREACHABLE when no whole answer came in time, RATE_LIMIT when the budget is
                used up and nothing was sent.
        """
        if (method, path) not in self._allow or not PLAIN_QUERY.fullmatch(query):
            raise ForbiddenCall(f"{method} {path}")
        url = f"{self._origin}{path}?{query}" if query else f"{self._origin}{path}"
        await self._turn(weight)
        return await self._ask(method, url, headers or {}, body)

    async def close(self) -> None:
        """Close the session; later requests fail as unreachable."""
        self._closed = True
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _turn(self, weight: int) -> None:
        if self._meter is None:
            return
        wait = self._meter.take(asyncio.get_running_loop().time(), weight, LONGEST_TURN)
        if wait > LONGEST_TURN:
            raise ExchangeError(Trouble.RATE_LIMIT, "our own budget for this exchange", wait=int(wait) + 1)
        if wait:
            await asyncio.sleep(wait)

    async def _ask(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        try:
            answer = await self._send(method, url, headers, body)
        except FOREIGN as error:
            reason = _reason(error)
        else:
            if self._meter is not None and answer.status in TOO_MANY:
                self._meter.hold(max(answer.wait, 1), asyncio.get_running_loop().time())
            return answer
        # Raised here and not in the except block: the cause may carry the request's headers.
        raise ExchangeError(Trouble.UNREACHABLE, reason)

    async def _send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        async with asyncio.timeout(DEADLINE_SECONDS):
            response = await self._open().request(
                # As it was signed: without `encoded` some escapes would be written anew.
                method,
                URL(url, encoded=True),
                headers=headers,
                data=body or None,
                allow_redirects=False,
            )
            try:
                return await _answer(response)
            finally:
                # Given back when read to its end, else closed.
                response.release()

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            _give_up("closed")
        if self._session is None:
            resolver = None if self._trusted else PublicResolver(urlsplit(self._origin).hostname or "")
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=CONNECTIONS, resolver=resolver, keepalive_timeout=KEEP_OPEN_SECONDS
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
                skip_auto_headers=["Content-Type"],
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session


class PublicResolver(AbstractResolver):
    """Resolves one host, and only to addresses of the public internet."""

    def __init__(self, host: str, inner: AbstractResolver | None = None) -> None:
        """Take the one host that may be looked up."""
        self._host = host
        self._inner = inner or DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the host's addresses; raises OSError when one of them is not public."""
        if host != self._host:
            raise OSError("another host")
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(result["host"]) for result in found):
            raise OSError("a private address")
        return found

    async def close(self) -> None:
        """Release the inner resolver."""
        await self._inner.close()


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the public internet."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    inside = getattr(parsed, "ipv4_mapped", None) or parsed
    return inside.is_global and not inside.is_multicast


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    if 300 <= response.status < 400:
        _give_up("redirect")
    headers = response.headers
    body = await _read(response)
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return Answer(response.status, kind, body, _wait(headers.get("Retry-After", "")), headers)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := await response.content.readany():
        size += len(part)
        if size > MAX_BYTES:
            _give_up("too large")
        parts.append(part)
    return b"".join(parts)


def _give_up(reason: str) -> NoReturn:
    raise ExchangeError(Trouble.UNREACHABLE, reason)


def _reason(error: BaseException) -> str:
    """Name the failure in our own words: a foreign text could quote the request."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return "name not resolved"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "TLS"
    if isinstance(error, aiohttp.ClientPayloadError | http_exceptions.HttpProcessingError):
        return "broken answer"
    return "connection"


def _wait(text: str) -> int:
    """Read Retry-After, seconds or date; 0 when absent or senseless, never more than 15 minutes."""
    if not text:
        return 0
    if text.strip().isascii() and text.strip().isdigit():
        return min(int(text.strip()[:9]), LONGEST_WAIT)
    until = _date(text)
    if until is None:
        return 0
    return max(0, min(int((until - datetime.now(UTC)).total_seconds()) + 1, LONGEST_WAIT))


def _date(text: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(text)
        return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _plain_origin(origin: str) -> str:
    parts = urlsplit(origin.rstrip("/"))
    extra = parts.path or parts.query or parts.fragment or parts.username or parts.password
    if parts.scheme not in {"http", "https"} or not parts.hostname or extra:
        raise ConfigError(
            "An exchange's address must be an origin such as http://127.0.0.1:9000, without a path."
        )
    return f"{parts.scheme}://{parts.netloc}"


def _plain_allow_list(allow: Collection[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    for method, path in allow:
        if method not in {"GET", "POST"} or not PLAIN_PATH.fullmatch(path) or ".." in path:
            raise ForbiddenCall(f"{method} {path}")
    return frozenset(allow)
