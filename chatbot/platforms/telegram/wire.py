"""python-telegram-bot's requests over aiohttp, at a third of the CPU that its own way over httpx takes.

`transport` makes one for messages and one for polling. Whatever fails rises as the library's own error with
aiohttp's as its cause, which is what `verdicts` goes by; no text here holds the URL, which holds the token.
"""

import asyncio
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from telegram._utils.types import ODVInput
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData
from yarl import URL

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# An idle connection is given up before a server would do so: one that goes away while we write to it
# leaves an unknown outcome behind.
KEEP_OPEN_SECONDS = 5.0
# As many steps the loop needs to notice that the server has closed one: read the end, close, forget.
NOTICE_STEPS = 3


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds to wait for an answer's next byte, for a connection, and for one of ours to be free."""

    read: float
    connect: float
    pool: float


class Wire(BaseRequest):
    """Makes each request once, over at most so many connections; opened by its first request."""

    __slots__ = ("_closed", "_connections", "_patience", "_session", "_tls", "_trust_env")

    def __init__(self, connections: int, patience: Patience, tls: ssl.SSLContext, *, trust_env: bool) -> None:
        """Take how to connect; `trust_env` says whether proxies of the environment are used."""
        self._connections = connections
        self._patience = patience
        self._tls = tls
        self._trust_env = trust_env
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    @property
    def read_timeout(self) -> float | None:
        """How long an answer may take unless told otherwise."""
        return self._patience.read

    async def initialize(self) -> None:
        """Let requests be made (again)."""
        self._closed = False

    async def shutdown(self) -> None:
        """Close the connections; a request after that is a bug."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,
        write_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002  the read timeout covers it
        connect_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002  ours is fixed
        pool_timeout: ODVInput[float] = BaseRequest.DEFAULT_NONE,  # noqa: ARG002  as above
    ) -> tuple[int, bytes]:
        """Make one request and return status and body, whatever they are.

        Raises:
            NetworkError: with aiohttp's error as its cause; `TimedOut` when it took too long.
        """
        patience = self._patience
        read = read_timeout if isinstance(read_timeout, int | float) else patience.read
        timeout = aiohttp.ClientTimeout(
            connect=patience.pool + patience.connect, sock_connect=patience.connect, sock_read=read
        )
        for _ in range(NOTICE_STEPS):
            await asyncio.sleep(0)
        try:
            async with self._open().request(
                method,
                URL(url, encoded=True),
                timeout=timeout,
                allow_redirects=False,
                **_body(request_data),
            ) as answer:
                return answer.status, await answer.read()
        except TimeoutError as late:
            raise TimedOut from late
        except (aiohttp.ClientError, aiohttp.EofStream, OSError) as broken:
            raise NetworkError(type(broken).__name__) from broken

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise RuntimeError("the connections to Telegram are closed")
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._connections, ssl=self._tls, keepalive_timeout=KEEP_OPEN_SECONDS
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                trust_env=self._trust_env,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.USER_AGENT},
            )
        return self._session


def _body(asked: RequestData | None) -> dict[str, Any]:
    if asked is None:
        return {}
    files = asked.multipart_data
    if not files:
        return {"data": urlencode(asked.json_parameters).encode(), "headers": FORM}
    form = aiohttp.FormData()
    for name, text in asked.json_parameters.items():
        form.add_field(name, text)
    for name, (filename, content, kind) in files.items():
        form.add_field(name, content, filename=filename, content_type=kind)
    return {"data": form}
