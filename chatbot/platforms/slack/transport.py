"""The Web API over HTTP: slack_sdk's client as a plain caller of methods, one for each workspace.

Everything else in this package calls through `Api`. A call is one request, never sent on to another address,
and answers with Slack's JSON or raises `SendError`. It is never retried but for one thing: a token that Slack
refused, and that another process has renewed meanwhile. No log line, error or repr holds a token.
"""

import asyncio
import ipaddress
import json
import logging
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from chatbot.errors import ConfigError, SendError, Verdict
from chatbot.platforms.slack.verdicts import verdict_on

# Slow answers are better than unknown outcomes: reference/reliability.md 4.1.
READ_SECONDS = 45.0
CONTROL_SECONDS = 10.0
CONNECTIONS = 64
_JSON = frozenset({
    "auth.test", "chat.delete", "chat.postEphemeral", "chat.postMessage", "chat.update",
    "conversations.open", "views.publish",
})  # fmt: skip
_LOG = "slack_sdk.web"
C = TypeVar("C", bound=AsyncWebClient)
# What the client and the session let through; the library's own reading of an answer raises the last two.
_FAILURES = (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, ValueError, LookupError)


class TokenSource(Protocol):
    """Who knows the token of each workspace."""

    async def token(self, workspace: str, wide: str = "") -> str:
        """Return the token that speaks in a workspace; raises `SendError` when there is none."""
        ...

    def forget(self, workspace: str) -> None:
        """Look the token up anew: Slack refused the one that was given."""
        ...


class Client(AsyncWebClient):
    """slack_sdk's client without what it does on its own."""

    def __init__(self, token: str, api_url: str, session: aiohttp.ClientSession | None = None) -> None:
        """Take a token (empty for none) and the session of all; without one each call makes its own."""
        # With no level of its own the library would spell out every request before it is not logged.
        super().__init__(
            token or None, api_url, session=session, retry_handlers=[], logger=logging.getLogger(_LOG)
        )
        if is_loopback(api_url):
            self.proxy = None  # one from the environment is meant for the internet

    async def api_call(
        self,
        api_method: str,
        *,
        auth: dict[str, Any] | None = None,
        data: Any = None,
        **more: Any,
    ) -> AsyncSlackResponse:
        # aiohttp is giving up the class that slack_sdk makes of `auth`; Slack takes both as parameters too.
        words = {**(data or {}), **auth} if auth else data
        return await super().api_call(api_method, data=words, **more)

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        req_args["allow_redirects"] = False
        answer: dict[str, Any] = await super()._request(
            http_verb=http_verb, api_url=api_url, req_args=req_args
        )
        if not isinstance(answer["data"], dict):
            answer["data"] = {}
        return answer

    def __repr__(self) -> str:
        return "Client[slack]"


class Api:
    """Calls methods by name for a workspace; connections are opened when first needed."""

    def __init__(self, tokens: TokenSource, api_url: str) -> None:
        """Take who knows the tokens, and the address that method names are put behind."""
        quiet()
        self.url = api_url
        self._tokens = tokens
        self._clients: dict[str, Client] = {}
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        workspace: str,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        wide: str = "",
        seconds: float = READ_SECONDS,
    ) -> dict[str, Any]:
        """Call one method for a workspace; raises `SendError`."""
        token = await self._tokens.token(workspace, wide)
        try:
            return await _call(self._client_of(workspace, token), method, params or {}, seconds)
        except SendError as error:
            refused = error
        if refused.verdict is Verdict.UNAUTHORISED:
            self._tokens.forget(workspace)
            fresh = await self._tokens.token(workspace, wide)
            if fresh != token:
                return await _call(self._client_of(workspace, fresh), method, params or {}, seconds)
        raise refused

    def _client_of(self, workspace: str, token: str) -> Client:
        client = self._clients.get(workspace)
        if client is None or client.session is not self.session or client.token != token:
            client = self._clients[workspace] = self.client(token)
        return client

    async def ask(
        self,
        token: str,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        seconds: float = CONTROL_SECONDS,
    ) -> dict[str, Any]:
        """Call one method with a token of the caller's, empty for none; raises `SendError`."""
        return await _call(self.client(token), method, params or {}, seconds)

    async def upload(self, url: str, content: bytes, *, seconds: float = READ_SECONDS) -> None:
        """Post bytes to an address that Slack gave; raises `SendError`."""
        proxy = self.client("").proxy
        failure: Exception | None = None
        try:
            async with (
                asyncio.timeout(seconds),
                self.session.post(url, data=content, proxy=proxy, allow_redirects=False) as answer,
            ):
                if answer.status != 200:
                    failure = SendError(Verdict.UNSENT, f"HTTP {answer.status} to an upload")
        except _FAILURES as error:
            failure = verdict_on(error)
        if failure is not None:
            raise failure

    def client(self, token: str) -> Client:
        """Return a client; raises `ConfigError` when it would send anything twice."""
        return refuse_retries(Client(token, self.url, self.session))

    @property
    def session(self) -> aiohttp.ClientSession:
        """The connections of all clients."""
        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=None, connect=10, sock_connect=5, sock_read=READ_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def disconnect(self) -> None:
        """Close all connections; the next call opens them again."""
        session, self._session = self._session, None
        self._clients.clear()
        if session is not None:
            await session.close()

    def __repr__(self) -> str:
        return "Api[slack]"


def refuse_retries(client: C) -> C:
    """Return the client; slack_sdk's own retries post twice when the wire is cut after the first post."""
    if client.retry_handlers:
        raise ConfigError("A client for Slack would send messages twice: its retry_handlers must be empty.")
    return client


def is_loopback(url: str) -> bool:
    """Tell whether an address leads to this very machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def quiet() -> None:
    """Keep the libraries from logging what is sent and who asked."""
    for name in ("slack_sdk", _LOG, "slack_bolt"):
        logging.getLogger(name).setLevel(logging.WARNING)


async def _call(client: Client, method: str, params: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    body: dict[str, Any] = {"json" if method in _JSON else "data": _body(method, params)}
    failure: SendError | None = None
    try:
        async with asyncio.timeout(seconds):
            answer = await client.api_call(method, **body)
    except _FAILURES as error:
        failure = verdict_on(error)
    if failure is not None:
        raise failure
    data: dict[str, Any] = answer.data  # type: ignore[assignment]  # made sure of by Client
    return data


def _body(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    if method in _JSON:
        return dict(params)
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in params.items()}
