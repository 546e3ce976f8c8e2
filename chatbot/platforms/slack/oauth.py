"""Lets many workspaces install the app: bolt's OAuth flow over our own stores and our own pages.

`GET /slack/install` sends a person to Slack with a state that works once, for ten minutes, in that browser;
`GET /slack/oauth` takes them back, keeps the tokens sealed and says what to do next.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from logging import Logger
from typing import Any

import aiohttp
from slack_bolt.adapter.starlette.async_handler import to_starlette_response
from slack_bolt.error import BoltError
from slack_bolt.oauth.async_callback_options import AsyncCallbackOptions, AsyncFailureArgs, AsyncSuccessArgs
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.errors import SlackClientError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chatbot.errors import StorageError, VaultError
from chatbot.platforms.slack.clients import QUIET, bare_client
from chatbot.platforms.slack.pages import HEADERS, page
from chatbot.platforms.slack.reading import DEFAULT_COMMAND, arrived
from chatbot.platforms.slack.tokens import Bot, Bots, OneToken, Tokens, by_our_clock
from chatbot.ports.context import Clock, Log
from chatbot.ports.installs import Installs
from chatbot.ports.platforms import Inlet
from chatbot.text import Translator, nearest_locale

__all__ = ["SCOPES", "Bot", "Bots", "Installer", "OneToken", "Tokens"]

# What the app asks of a workspace; docs/slack.md says what each is for.
SCOPES = (
    "commands",
    "chat:write",
    "im:write",
    "users:read",
    "files:write",
    "app_mentions:read",
    "im:history",
)
INSTALL_PATH, RETURN_PATH = "/slack/install", "/slack/oauth"
STATE_SECONDS = 600
# The prefix has browsers refuse one that another host of the same domain set.
COOKIE = "__Host-keyherald-install"
# Each begun or finished installation writes to the database, and nobody has to be known for it.
AT_ONCE, WITHIN_SECONDS = 60, 60.0
_STATE = re.compile(r"[A-Za-z0-9_-]{20,128}")
_VALUE = re.compile(r"[\x21-\x7e]{1,512}")
_HOME = re.compile(r"[TE][A-Z0-9]{1,31}")
_TOKEN = re.compile(r"(xoxe\.)?xoxb-[A-Za-z0-9.-]+")
_CUT = (
    SlackClientError,
    aiohttp.ClientError,
    OSError,
    TimeoutError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class Installer:
    """The two addresses, and the flow that bolt runs behind them."""

    def __init__(  # noqa: PLR0913  each is a setting of its own
        self,
        installs: Installs,
        tokens: Bots,
        *,
        client_id: str,
        client_secret: str,
        public_url: str,
        api_url: str,
        clock: Clock,
        log: Log,
        command: str = DEFAULT_COMMAND,
        translate: Callable[[str], Translator] = Translator,
    ) -> None:
        """Take revealed secrets, and under which address browsers reach us."""
        self.inlet: Inlet | None = None
        self._installs = installs
        self._tokens = tokens
        self._clock = clock
        self._log = log
        self._command = command
        self._translate = translate
        self._again = public_url.rstrip("/") + INSTALL_PATH
        self._begun: deque[float] = deque(maxlen=AT_ONCE)
        settings = AsyncOAuthSettings(
            client_id=client_id,
            client_secret=client_secret,
            scopes=SCOPES,
            user_scopes=[],
            redirect_uri=public_url.rstrip("/") + RETURN_PATH,
            install_path=INSTALL_PATH,
            install_page_rendering_enabled=False,
            redirect_uri_path=RETURN_PATH,
            callback_options=AsyncCallbackOptions(self._succeeded, self._failed),
            authorization_url=api_url.removesuffix("/api/") + "/oauth/v2/authorize",
            installation_store=_Store(self._keep),
            state_store=_States(installs),
            state_cookie_name=COOKIE,
            state_expiration_seconds=STATE_SECONDS,
            logger=QUIET,
        )
        client = bare_client(api_url)
        # Made by bolt for a way of renewing tokens that isn't ours, with a client that tries again.
        settings.authorize.token_rotator = None  # type: ignore[attr-defined]
        self.flow = AsyncOAuthFlow(client=client, logger=QUIET, settings=settings)

    def routes(self) -> Sequence[Route]:
        """Return the two addresses."""
        return (
            Route(INSTALL_PATH, self._install, methods=["GET"]),
            Route(RETURN_PATH, self._return, methods=["GET"]),
        )

    async def _install(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(headers=HEADERS)
        return await self._run(request, self.flow.handle_installation, {})

    async def _return(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(headers=HEADERS)
        query = {}
        for name in ("error", "state", "code"):
            given = request.query_params.getlist(name)
            if len(given) > 1 or not all(map(_VALUE.fullmatch, given)):
                return self._stopped(request.headers, "invalid_state", 400)
            query.update({name: given} if given else {})
        if "error" not in query and not _STATE.fullmatch("".join(query.get("state", ()))):
            return self._stopped(request.headers, "invalid_state", 400)
        return await self._run(request, self.flow.handle_callback, query)

    async def _run(
        self, request: Request, step: Callable[[AsyncBoltRequest], Any], query: Mapping[str, Sequence[str]]
    ) -> Response:
        if self.inlet is None:
            return self._stopped(request.headers, "not_running", 503)
        now = self._clock.monotonic()
        if len(self._begun) == AT_ONCE and now - self._begun[0] < WITHIN_SECONDS:
            return self._stopped(request.headers, "too_many", 429)
        self._begun.append(now)
        headers: dict[str, str | Sequence[str]] = {
            name: request.headers.getlist(name)
            for name in ("cookie", "accept-language")
            if name in request.headers
        }
        try:
            answer = await step(AsyncBoltRequest(body="", query=dict(query), headers=headers))
        except (StorageError, VaultError):
            return self._stopped(request.headers, "storage_error", 503)
        except _CUT as cut:
            self._log.warning("slack_install_cut", error=type(cut).__name__)
            return self._stopped(request.headers, "invalid_code", 502)
        response = to_starlette_response(answer)
        response.headers.update(HEADERS)
        return response

    async def _succeeded(self, args: AsyncSuccessArgs) -> BoltResponse:
        t = self._speaker(args.request.headers)
        # Slack's own ids, shown to nobody in another shape than Slack's.
        app, team = args.installation.app_id or "", args.installation.team_id or ""
        known = re.fullmatch(r"A[A-Z0-9]+", app) and _HOME.fullmatch(team)
        shown = page(
            t,
            200,
            t.say("Keyherald is installed"),
            t.say(
                "Open the bot in Slack and send {command} help. It tells you what to do next.",
                command=self._command,
            ),
            (t.say("Open in Slack"), f"https://slack.com/app_redirect?app={app}&team={team}")
            if known
            else None,
        )
        return self._as_bolt(shown)

    async def _failed(self, args: AsyncFailureArgs) -> BoltResponse:
        status = 403 if args.reason == "access_denied" else args.suggested_status_code
        return self._as_bolt(
            self._stopped(args.request.headers, args.reason, 400 if status == 200 else status)
        )

    def _as_bolt(self, shown: Response) -> BoltResponse:
        gone = self.flow.settings.state_utils.build_set_cookie_for_deletion()
        kind = shown.headers["content-type"]
        return BoltResponse(
            status=shown.status_code,
            body=bytes(shown.body).decode(),
            headers={"content-type": kind, "set-cookie": gone},
        )

    def _stopped(self, headers: Mapping[str, Any], reason: str, status: int) -> Response:
        t = self._speaker(headers)
        titles = {
            "access_denied": t.say("Nothing was installed"),
            "not_running": t.say("Not now"),
            "storage_error": t.say("Not now"),
            "too_many": t.say("Not now"),
        }
        texts = {
            "access_denied": t.say("You said no at Slack. You can start again whenever you like."),
            "invalid_browser": self._worn_out(t),
            "invalid_state": self._worn_out(t),
            "not_running": t.say("I can't finish an installation at the moment. Try again in a few minutes."),
            "storage_error": t.say(
                "I can't finish an installation at the moment. Try again in a few minutes."
            ),
            "too_many": t.say("Too many installations were begun at once. Try again in a minute."),
        }
        if reason not in titles:
            self._log.warning(
                "slack_install_failed", reason=reason if reason in texts else "refused by Slack"
            )
        title = titles.get(reason) or t.say("The installation did not work")
        text = texts.get(reason) or t.say(
            "Slack did not complete it. Start again; if it fails again, tell whoever runs this bot."
        )
        return page(t, status, title, text, (t.say("Start again"), self._again))

    @staticmethod
    def _worn_out(t: Translator) -> str:
        return t.say("This way back from Slack works once, for 10 minutes, in the browser it was begun in.")

    def _speaker(self, headers: Mapping[str, Any]) -> Translator:
        given = headers.get("accept-language", "")
        hints = (given if isinstance(given, str) else "".join(given[:1]))[:200].split(",")
        spoken = (nearest_locale(hint.partition(";")[0].strip()) for hint in hints)
        return self._translate(next(filter(None, spoken), "en"))

    async def _keep(self, installation: Installation) -> None:
        wide = str(installation.enterprise_id or "") if installation.is_enterprise_install else ""
        home = wide or str(installation.team_id or "")
        if not _HOME.fullmatch(home) or not _TOKEN.fullmatch(installation.bot_token or ""):
            raise BoltError("an installation without a workspace or a bot token")
        kept = {
            "home": home,
            "wide": wide,
            "team_id": installation.team_id,
            "enterprise_id": installation.enterprise_id,
            "app_id": installation.app_id,
            "bot_id": installation.bot_id,
            "bot_user_id": installation.bot_user_id,
            "bot_token": installation.bot_token,
            "bot_refresh_token": installation.bot_refresh_token,
            "bot_token_expires_at": by_our_clock(installation.bot_token_expires_at, self._clock),
        }
        try:
            await self._installs.keep(home, wide, kept)
            self._tokens.forget(home)
            if self.inlet is not None:
                by = str(installation.user_id or "")
                await self.inlet.put("slack", f"J:{home}:{self._clock.now().isoformat()}", arrived(home, by))
        except (StorageError, VaultError) as away:
            self._log.error("slack_install_not_stored", workspace=home, error=type(away).__name__)
            raise BoltError("not stored") from None
        self._log.info("slack_installed", workspace=home, wide=bool(wide))


class _Store(AsyncInstallationStore):
    """Bolt only ever saves here; who looks for a token asks `Tokens`."""

    def __init__(self, keep: Callable[[Installation], Any]) -> None:
        self._keep = keep

    @property
    def logger(self) -> Logger:
        return QUIET

    async def async_save(self, installation: Installation) -> None:
        await self._keep(installation)


class _States(AsyncOAuthStateStore):
    def __init__(self, installs: Installs) -> None:
        self._installs = installs

    @property
    def logger(self) -> Logger:
        return QUIET

    async def async_issue(self, *_: Any, **__: Any) -> str:
        return await self._installs.issue_state(STATE_SECONDS)

    async def async_consume(self, state: str) -> bool:
        return await self._installs.redeem_state(state)
