"""Socket Mode: one websocket that we open, watched, and opened anew before or after it ends.

`Receiver` runs it. slack_sdk's client carries one connection; reconnecting is ours, with waits that grow, for
its own goes on for ever without one. An envelope is confirmed only after its row is stored.
"""

import asyncio
import contextlib
import time
from typing import Any

import aiohttp
from slack_bolt.adapter.socket_mode.async_base_handler import AsyncBaseSocketModeHandler
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from chatbot.platforms.slack.clients import QUIET, backoff, bare_client, code_of
from chatbot.platforms.slack.transport import is_loopback
from chatbot.ports.context import Clock, Log

PING_SECONDS = 10.0
HELLO_SECONDS = 15.0
CLOSE_SECONDS = 3.0
FINISH_SECONDS = 5.0
# A connection that ends sooner counts as a failure, so that the next one waits.
SHORT_SECONDS = 30.0
DISABLED = "link_disabled"
# Slack sends these some seconds before it closes; until then the old connection is as good as ever.
_EARLY = frozenset({"warning", "refresh_requested"})
_REFUSED = frozenset({
    "account_inactive", "app_not_found", "invalid_auth", "missing_scope", "no_permission",
    "not_allowed_token_type", "not_authed", "token_expired", "token_revoked",
})  # fmt: skip
_AWAY = (SlackClientError, aiohttp.ClientError, OSError, TimeoutError, ValueError, LookupError)


class Refused(Exception):
    """Slack does not take the app token."""


class Link(SocketModeClient):
    """One connection; when it ends, it tells why and stays down."""

    def __init__(self, client: Any, app_token: str, ping_seconds: float) -> None:
        """Take the Web API client, which is only asked for its proxy and certificates."""
        super().__init__(
            app_token, QUIET, client, client.proxy, auto_reconnect_enabled=False, ping_interval=ping_seconds
        )
        self.greeted = asyncio.Event()
        self.why = ""
        self._ended = asyncio.Event()

    async def open(self, url: str) -> None:
        """Connect and wait for Slack's greeting."""
        proxy = None if is_loopback(url) else self.proxy
        self.current_session = await self.aiohttp_client_session.ws_connect(
            url, autoping=False, heartbeat=self.ping_interval, proxy=proxy
        )
        self.current_session_monitor = asyncio.ensure_future(self.monitor_current_session())
        self.message_receiver = asyncio.ensure_future(self.receive_messages())
        async with asyncio.timeout(HELLO_SECONDS):
            await self.greeted.wait()

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        """Take Slack's own words aside; everything else goes its usual way."""
        if message.get("type") == "hello":
            self.greeted.set()
        elif message.get("type") == "disconnect":
            self.why = str(message.get("reason") or "disconnect")[:64]
            self._ended.set()
        else:
            await super().run_message_listeners(message, raw_message)

    async def ended(self) -> str:
        """Return why this connection is over, or about to be; a silent one is noticed within a few pings."""
        while not self._ended.is_set():
            try:
                async with asyncio.timeout(self.ping_interval):
                    await self._ended.wait()
            except TimeoutError:
                if not await self.is_connected():
                    return "silent"
        return self.why

    async def shut(self) -> None:
        """Close it, within a bounded time."""
        self.closed = True
        helpers = [self.message_processor, self.current_session_monitor, self.message_receiver]
        running = [helper for helper in helpers if helper is not None]
        for helper in running:
            helper.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        try:
            # One that is dead anyway need not say so.
            if self.current_session is not None:
                with contextlib.suppress(*_AWAY):
                    async with asyncio.timeout(CLOSE_SECONDS):
                        await self.current_session.close()
        finally:
            await self.aiohttp_client_session.close()


class Socket(AsyncBaseSocketModeHandler):
    """Keeps one connection up; `state` says in words how it goes."""

    app: AsyncApp

    def __init__(
        self, app: AsyncApp, app_token: str, api_url: str, *, clock: Clock, log: Log, ping_seconds: float
    ) -> None:
        """Take the bolt app that payloads are handed to."""
        self.app = app
        self.state = "starting"
        self._token = app_token
        self._web = bare_client(api_url)
        self._clock = clock
        self._log = log
        self._ping = ping_seconds
        self._link: Link | None = None
        self._busy: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Receive until cancelled, or until the app token is refused."""
        tries, refusal = 0, ""
        while not refusal:
            try:
                link = await self._open()
            except Refused as refused:
                refusal = str(refused)
            except _AWAY as away:
                tries += 1
                await self._wait(tries, _reason(away), _pause(away))
            else:
                tries = await self._stay(link, tries)
        self.state = "token refused"
        self._log.error(
            "slack_app_token_refused",
            reason=refusal,
            advice="Put an app-level token with the scope connections:write into SLACK_APP_TOKEN, and turn "
            "Socket Mode on in the app's settings.",
        )

    async def close(self) -> None:
        """Let what is being stored be stored, then close everything."""
        if self._busy:
            await asyncio.wait(self._busy, timeout=FINISH_SECONDS)
        await self._drop()
        self.state = "stopped"

    async def handle(self, client: AsyncBaseSocketModeClient, req: SocketModeRequest) -> None:
        """Hand an envelope to bolt and confirm it when bolt says 200, that is: when it is stored."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  a coroutine runs in one
        self._busy.add(task)
        try:
            started = time.monotonic()
            response = await run_async_bolt_app(self.app, req)
            await send_async_response(client, req, response, started)
        except _AWAY as away:
            # Slack sends it again, and a repeat is noticed.
            self._log.info("slack_envelope_not_confirmed", reason=type(away).__name__)
        finally:
            self._busy.discard(task)

    async def _open(self) -> Link:
        answer = await self._ticket()
        link = Link(self._web, self._token, self._ping)
        link.socket_mode_request_listeners.append(self.handle)
        try:
            await link.open(str(answer["url"]))
        except BaseException:
            await link.shut()
            raise
        old, self._link = self._link, link
        if old is not None:
            await old.shut()
        return link

    async def _ticket(self) -> Any:
        try:
            return (await self._web.apps_connections_open(app_token=self._token)).data
        except SlackApiError as error:
            if code_of(error) in _REFUSED:
                raise Refused(code_of(error)) from None
            raise

    async def _stay(self, link: Link, tries: int) -> int:
        self.state = "receiving"
        since = self._clock.monotonic()
        self._log.info("slack_socket_open")
        why = await link.ended()
        tries = tries + 1 if self._clock.monotonic() - since < SHORT_SECONDS else 0
        if why not in _EARLY:
            await self._drop()
            self.state = "unreachable"
        if why == DISABLED:
            self._log.error("slack_socket_mode_off", advice="Turn Socket Mode on in the app's settings.")
        if tries:
            await self._wait(tries, why, 0.0)
        else:
            self._log.info("slack_socket_renewed", reason=why)
        return tries

    async def _wait(self, tries: int, reason: str, at_least: float) -> None:
        if self._link is None:
            self.state = "unreachable"
        self._log.warning("slack_socket_failed", reason=reason, tries=tries)
        await self._clock.sleep(max(at_least, backoff(tries)))

    async def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            await link.shut()


def _reason(away: BaseException) -> str:
    return (code_of(away) if isinstance(away, SlackApiError) else "") or type(away).__name__


def _pause(away: BaseException) -> float:
    headers = getattr(getattr(away, "response", None), "headers", None) or {}
    try:
        return min(600.0, float(headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0
