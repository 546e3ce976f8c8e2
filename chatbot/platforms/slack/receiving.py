"""Takes in what Slack sends, over HTTP or a socket: first stored, then confirmed.

slack_bolt checks signatures, answers Slack's own questions and knows the payloads; our three steps in it let
in only workspaces that let us in, make the slim row, and store it. Nothing else happens before the answer.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatbot.errors import EdgeError, VaultError
from chatbot.platforms.slack.clients import QUIET, bare_client
from chatbot.platforms.slack.oauth import Installer
from chatbot.platforms.slack.reading import WHOLE, slim
from chatbot.platforms.slack.socketmode import PING_SECONDS, Socket
from chatbot.platforms.slack.tokens import Bot, Bots
from chatbot.ports.context import Clock, Log
from chatbot.ports.platforms import Inlet

PATH = "/slack/events"
BODY_BYTES = 1024 * 1024
SHORT_BYTES = 1024
# Slack gives up after three.
ACK_SECONDS = 2.5
FINISH_SECONDS = 5.0
_BOT = "keyherald_bot"
_SIGNATURE = "x-slack-signature"
_TIMESTAMP = "x-slack-request-timestamp"
_SHAPES = {_SIGNATURE: re.compile(r"v0=[0-9a-f]{64}"), _TIMESTAMP: re.compile(r"[0-9]{1,11}")}
_JSON = re.compile(rb"payload|^\{")
_ID = re.compile(r"[A-Z0-9]{2,32}")
# What a payload that nobody foresaw may set off while it is read.
_ODD = (AttributeError, LookupError, RecursionError, TypeError, ValueError)

Next = Callable[[], Awaitable[Any]]


class Receiver:
    """Receives over HTTP, or by Socket Mode when there is an app token."""

    def __init__(  # noqa: PLR0913  each is a setting of its own
        self,
        bots: Bots,
        *,
        api_url: str,
        clock: Clock,
        log: Log,
        signing_secret: str = "",
        app_token: str = "",
        installer: Installer | None = None,
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        """Take where we are let in, and the revealed secrets of one of the two ways."""
        self._bots = bots
        self._log = log
        self._installer = installer
        self._inlet: Inlet | None = None
        self._state = "starting"
        self._late: set[asyncio.Task[BoltResponse]] = set()
        self._running: asyncio.Task[None] | None = None
        self._verifier = SignatureVerifier(signing_secret) if signing_secret and not app_token else None
        self.app = self._bolt(api_url, signing_secret)
        self._socket = (
            Socket(self.app, app_token, api_url, clock=clock, log=log, ping_seconds=ping_seconds)
            if app_token
            else None
        )

    @property
    def state(self) -> str:
        """How receiving goes: starting, receiving, unreachable, token refused, stopped."""
        return self._socket.state if self._socket and self._state == "receiving" else self._state

    async def start(self, inlet: Inlet) -> None:
        """Begin to take in."""
        self._inlet, self._state = inlet, "receiving"
        if self._installer is not None:
            self._installer.inlet = inlet
        if self._socket is not None:
            self._socket.state = "starting"
            self._running = asyncio.create_task(self._socket.run())
            self._running.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Take nothing more in; what is being stored is stored."""
        self._state = "stopped"
        running, self._running = self._running, None
        if self._socket is not None and running is not None:
            running.cancel()
            await asyncio.wait({running})
            await self._socket.close()
        if self._late:
            await asyncio.wait(self._late, timeout=FINISH_SECONDS)
        self._inlet = None
        if self._installer is not None:
            self._installer.inlet = None

    def routes(self) -> Sequence[Route]:
        """Return where Slack calls us, and where people install the app."""
        own = [Route(PATH, self._take, methods=["POST"])] if self._verifier else []
        return [*own, *(self._installer.routes() if self._installer else ())]

    def _bolt(self, api_url: str, signing_secret: str) -> AsyncApp:
        app = AsyncApp(
            # Bolt silences the logger of this name as it is told to be silent: it must not be our own.
            name="slack_bolt.app",
            logger=QUIET,
            signing_secret=signing_secret,
            client=bare_client(api_url),
            before_authorize=self._let_in,
            authorize=_Admitted(),
            oauth_flow=self._installer.flow if self._installer else None,
        )
        app.middleware(self._store)
        app.error(self._failed)
        return app

    async def _take(self, request: Request) -> Response:
        if self._inlet is None:
            return Response(status_code=503)
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        # Before a byte of it is read as JSON; bolt, which reads first, checks the same again.
        if not self._signed(request, body) and not _asks_for_certificate(request, body):
            return Response(status_code=401)
        try:
            payload = AsyncBoltRequest(body=body.decode(), headers=_headers(request))
        except _ODD as odd:
            self._log.warning("slack_payload_odd", error=type(odd).__name__)
            return Response(status_code=400)
        task = asyncio.create_task(self.app.async_dispatch(payload))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        done, _ = await asyncio.wait({task}, timeout=ACK_SECONDS)
        if not done:
            # It goes on being stored; what Slack sends again is noticed as a repeat.
            self._log.warning("slack_storing_slow")
            return Response(status_code=503)
        return to_starlette_response(task.result())

    def _signed(self, request: Request, body: bytes) -> bool:
        given = {name: request.headers.getlist(name) for name in _SHAPES}
        if any(len(values) != 1 or not _SHAPES[name].fullmatch(values[0]) for name, values in given.items()):
            return False
        assert self._verifier is not None  # noqa: S101  there is no route without
        try:
            return bool(self._verifier.is_valid(body, given[_TIMESTAMP][0], given[_SIGNATURE][0]))
        except UnicodeDecodeError:
            return False

    async def _let_in(self, context: AsyncBoltContext, body: dict[str, Any], next: Next) -> Any:  # noqa: A002  bolt's word
        if body.get("type") == "url_verification":
            return await next()
        workspace, wide = _whose(context, body)
        try:
            bot = await self._bots.bot(workspace, wide) if workspace else None
        except (EdgeError, VaultError) as away:
            self._log.error("slack_installation_unknown", workspace=workspace, error=type(away).__name__)
            return BoltResponse(status=503)
        if bot is None:
            self._log.warning("slack_workspace_unknown", workspace=workspace or "none")
            return BoltResponse(status=200)
        context[_BOT] = (bot, workspace)
        return await next()

    async def _store(self, context: AsyncBoltContext, body: dict[str, Any]) -> BoltResponse:
        bot, workspace = context[_BOT]
        try:
            rows = slim(body, bot, workspace)
        except _ODD as odd:
            self._log.warning("slack_payload_odd", workspace=workspace, error=type(odd).__name__)
            return BoltResponse(status=200)
        inlet = self._inlet
        if inlet is None:
            return BoltResponse(status=503)
        try:
            for key, raw in rows:
                if raw.get("what") == "joined":
                    await self._bots.admit(raw["team"], bot.home)
                await inlet.put("slack", key, raw)
                if raw["kind"] == "happened":
                    self._bots.forget(raw["team"])
        except (EdgeError, VaultError) as away:
            reason = getattr(away, "reason", type(away).__name__)
            self._log.warning("slack_update_not_stored", reason=reason)
            return BoltResponse(status=503)
        return BoltResponse(status=200)

    async def _failed(self, error: Exception) -> BoltResponse:
        self._log.error("slack_update_failed", error=type(error).__name__)
        return BoltResponse(status=500)

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        # When it was not told to end, whoever started it may look at the state and start it again.
        if error is not None and task is self._running:
            self._state = "stopped"
            self._log.error("slack_receiving_stopped", error=type(error).__name__)


class _Admitted(AsyncAuthorize):
    """Tells bolt who we are where `_let_in` found us installed; it needs no token for what we do in it."""

    def __init__(self) -> None:
        """Need nothing: the step before has put it into the context."""

    async def __call__(
        self, *, context: AsyncBoltContext, enterprise_id: str | None, team_id: str | None, **_: Any
    ) -> AuthorizeResult:
        bot: Bot = context[_BOT][0]
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_id=bot.id or None, bot_user_id=bot.user
        )


def _whose(context: AsyncBoltContext, body: Mapping[str, Any]) -> tuple[str, str]:
    # For an organisation's installation the workspace stands in the outer part alone.
    found = (context.team_id or body.get("team_id"), context.enterprise_id)
    workspace, wide = (str(name) if name and _ID.fullmatch(str(name)) else "" for name in found)
    event = body.get("event")
    whole = isinstance(event, dict) and event.get("type") in WHOLE and context.is_enterprise_install
    return (wide if whole else "") or workspace or wide, wide


def _headers(request: Request) -> dict[str, str | Sequence[str]]:
    names = ("content-type", _SIGNATURE, _TIMESTAMP)
    return {name: request.headers[name] for name in names if name in request.headers}


def _asks_for_certificate(request: Request, body: bytes) -> bool:
    # Slack only looks at our certificate then, unsigned; bolt answers, and reads no JSON in such a form.
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return form and len(body) < SHORT_BYTES and b"ssl_check=1" in body.split(b"&") and not _JSON.search(body)


async def _body(request: Request) -> bytes | None:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > BODY_BYTES:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            return None
    return bytes(body)
