"""`Slack`, the platform that bootstrap makes from its settings.

It ties the parts of this package together: start and stop of receiving, and the `Platform` port. With a
token of the settings it serves one workspace, with a client id as many as install the app.
"""

import asyncio
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chatbot.domain.outbox import Delivery
from chatbot.domain.people import Identity, Place, Standing
from chatbot.domain.updates import Incoming, Pressed, Sender
from chatbot.errors import ConfigError, EdgeError, SendError, VaultError, Verdict, mark
from chatbot.platforms.slack.clients import backoff, bare_client
from chatbot.platforms.slack.oauth import Installer
from chatbot.platforms.slack.reading import DEFAULT_COMMAND, read
from chatbot.platforms.slack.receiving import Receiver
from chatbot.platforms.slack.sending import Courier
from chatbot.platforms.slack.standing import Standings
from chatbot.platforms.slack.tokens import Bots, OneToken, Tokens
from chatbot.platforms.slack.transport import CONTROL_SECONDS, Api, refuse_retries
from chatbot.platforms.slack.writing import calls, toast_call
from chatbot.ports.context import Clock, Log
from chatbot.ports.installs import Installs
from chatbot.ports.platforms import CommandInfo, Inlet, Pace
from chatbot.text import Translator

DEFAULT_API_URL = "https://slack.com/api/"
NO_CODE = "none"
REFUSED = "token refused"
ACQUAINT_SECONDS = 5.0
_WHOSE = re.compile(r"xoxb-(\d+)-(\d+)-")


class Slack:
    """Chats on Slack; `state` says in words how receiving goes."""

    name = "slack"
    # A bot's token deletes a bot's own messages only.
    by_hand = mark(
        "point at it, press ⋮ (More actions), then Delete message; on a phone, hold it down first."
    )
    # One a second in a channel is the stated limit, "several hundred" a minute the one of a workspace.
    pace = Pace(per_second=5.0, chat_seconds=1.05, group_per_minute=57)

    def __init__(  # noqa: PLR0913  each is a setting of its own
        self,
        *,
        public_url: str,
        clock: Clock,
        log: Log,
        installs: Installs | None = None,
        token: str = "",
        signing_secret: str = "",
        app_token: str = "",
        client_id: str = "",
        client_secret: str = "",
        api_url: str = DEFAULT_API_URL,
        command: str = DEFAULT_COMMAND,
        commands: Sequence[CommandInfo] = (),
        translate: Callable[[str], Translator] = Translator,
    ) -> None:
        """Take revealed secrets: of one workspace (`token`), or of an app that many install (`client_id`).

        `commands` are those that count without a slash in private, before `start` tells them too.

        Raises:
            ConfigError: when they don't go together.
        """
        _refuse_odd(token, signing_secret, app_token, client_id, client_secret)
        self.lease_name = f"slack:{client_id or _whose(token)}"
        self._installs = installs
        self._token = token
        self._app_token = app_token
        self._client = (client_id, client_secret)
        self._clock = clock
        self._log = log
        self._command = command
        self._names = frozenset(entry.name for entry in commands)
        self._translate = translate
        self._app = ""
        self._stage = ""
        self._inlet: Inlet | None = None
        self._meeting: asyncio.Task[None] | None = None
        self._acquainting = asyncio.Lock()
        self._strange_until = float("-inf")
        api_url = api_url or DEFAULT_API_URL
        self._one = OneToken(token) if token or installs is None else None
        self._bots: Bots = self._one or OneToken("")
        installer: Installer | None = None
        if installs is not None and self._one is None:
            given: dict[str, Any] = {"client_id": client_id, "client_secret": client_secret}
            given |= {"clock": clock, "log": log}
            self._bots = Tokens(installs, bare_client(api_url), **given)
            shown: dict[str, Any] = {"public_url": public_url, "api_url": api_url, "command": command}
            installer = Installer(installs, self._bots, **given, **shown, translate=translate)
        self._api = Api(self._bots, api_url)
        self._courier = Courier(self._api, clock, log, self.pace.chat_seconds)
        self._standings = Standings(self._ask, self._bots, clock)
        ways: dict[str, Any] = {"signing_secret": signing_secret, "app_token": app_token}
        self._receiver = Receiver(
            self._bots, api_url=api_url, clock=clock, log=log, installer=installer, **ways
        )

    @property
    def state(self) -> str:
        """How receiving goes: starting, receiving, unreachable, token refused, stopped."""
        return self._stage or self._receiver.state

    async def start(self, inlet: Inlet, commands: Sequence[CommandInfo]) -> None:
        if self._client[0] and self._installs is None:
            raise ConfigError("Many workspaces on Slack need a database to keep their tokens in.")
        refuse_retries(self._receiver.app.client)
        refuse_retries(self._api.client(self._token))
        self._names = frozenset(entry.name for entry in commands)
        self._inlet = inlet
        failure = await self._introduce()
        await self._receiver.start(inlet)
        if failure is not None:
            self._stage = _stage_of(failure)
            self._meeting = asyncio.create_task(self._meet(failure))

    async def stop(self) -> None:
        meeting, self._meeting = self._meeting, None
        if meeting is not None:
            meeting.cancel()
            await asyncio.wait({meeting})
        await self._receiver.stop()
        self._inlet, self._stage = None, ""
        await self._api.disconnect()

    def parse(self, raw: Mapping[str, Any]) -> Incoming | None:
        incoming = read(raw, self._names, self._command)
        # The dispatcher has asked for their standing by now; a process that only stores has not.
        return replace(incoming, who=self._standings.known(incoming.who)) if incoming else None

    async def deliver(self, delivery: Delivery) -> str:
        return await self._courier.carry(delivery, calls(delivery, self._translate(delivery.locale)))

    async def answer(self, pressed: Pressed, toast: str) -> None:
        if not toast.strip():
            return
        who = pressed.who
        try:
            channel = pressed.answer or await self._courier.chat_with(who.workspace, who.user)
            call = toast_call(who.user, toast, who.thread)
            where = {"channel": channel}
            await self._api.call(who.workspace, call.method, where | call.params, seconds=CONTROL_SECONDS)
        except SendError as late:
            self._log.info("slack_answer_ignored", reason=late.reason)

    async def standing(self, who: Sender, *, chief: bool) -> Standing:
        await self._acquaint()
        found = await self._standings.of(who, chief)
        if not self._app and (bot := await self._bots.bot(who.workspace)):
            self._app = bot.app
        return found

    def private_place(self, who: Identity) -> Place | None:
        """Return the person's own chat with the app; it is opened when something is first sent there."""
        if who.platform != self.name or not who.workspace:
            return None
        return Place(self.name, who.user, who.workspace, private=True)

    def identify(self, proof: str, life: timedelta) -> Identity | None:
        """Return nobody: no page is opened inside Slack."""
        del proof, life
        return None

    def private_url(self, payload: str, workspace: str = "") -> str:
        del payload  # Slack carries none
        if not self._app or not workspace:
            return ""
        return f"slack://app?team={workspace}&id={self._app}&tab=messages"

    def routes(self) -> Sequence[Any]:
        return self._receiver.routes()

    async def check(self) -> str:
        try:
            return await self._check()
        finally:
            if self._inlet is None:
                await self._api.disconnect()

    async def _check(self) -> str:
        if not self._token:
            return await self._check_client()
        facts = await self._api.ask(self._token, "auth.test")
        if self._app_token:
            await self._api.ask(self._app_token, "apps.connections.open")
        return f"@{facts.get('user') or facts.get('user_id')} ({facts.get('team') or facts.get('team_id')})"

    async def _check_client(self) -> str:
        name, secret = self._client
        asked = {"client_id": name, "client_secret": secret, "code": NO_CODE}
        try:
            await self._api.ask("", "oauth.v2.access", asked)
        except SendError as refused:
            # Slack looks at the client first: that it finds fault with the code alone is good news.
            if refused.reason != "invalid_code":
                raise
        return f"app {name}"

    async def _ask(self, workspace: str, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        return await self._api.call(workspace, method, params, seconds=CONTROL_SECONDS)

    async def _acquaint(self) -> None:
        """Learn whose token it is where nobody started us: a process that stands by handles updates too."""
        async with self._acquainting:
            if self._one is None or self._one.known:
                return
            now = self._clock.monotonic()
            failure = await self._introduce() if now >= self._strange_until else None
            if self._one.known:
                return
            if failure is not None:
                self._strange_until = now + ACQUAINT_SECONDS
        raise SendError(Verdict.UNSENT, "not known yet whose token it is")

    async def _introduce(self) -> EdgeError | VaultError | None:
        """Learn whose token it is and note that it lets us in; return why that failed."""
        if self._one is None:
            return None
        try:
            bot = self._one.met(await self._api.ask(self._token, "auth.test"))
            facts = await self._api.ask(self._token, "bots.info", {"bot": bot.id}) if bot.id else {}
            if self._installs is not None:
                await self._installs.alive(bot.home)
        except (EdgeError, VaultError) as failure:
            return failure
        found = facts.get("bot")
        self._app = str(found.get("app_id") or "") if isinstance(found, dict) else ""
        self._stage = ""
        self._log.info("slack_introduced", workspace=bot.home)
        return None

    async def _meet(self, failure: EdgeError | VaultError | None) -> None:
        tries = 0
        while failure is not None:
            self._stage = _stage_of(failure)
            if self._stage == REFUSED:
                advice = "Put the bot token that Slack shows for this app into SLACK_BOT_TOKEN."
                self._log.error("slack_token_refused", reason=str(failure), advice=advice)
                return
            tries += 1
            self._log.warning("slack_unreachable", reason=str(failure), tries=tries)
            await self._clock.sleep(max(getattr(failure, "wait", 0.0), backoff(tries)))
            failure = await self._introduce()
        self._stage = ""


def _stage_of(failure: EdgeError | VaultError) -> str:
    refused = isinstance(failure, SendError) and failure.verdict is Verdict.UNAUTHORISED
    return REFUSED if refused else "unreachable"


def _whose(token: str) -> str:
    """Return a name for the bot of a token that does not tell the token."""
    found = _WHOSE.match(token)
    return f"{found[1]}-{found[2]}" if found else hashlib.sha256(token.encode()).hexdigest()[:16]


def _refuse_odd(token: str, signing_secret: str, app_token: str, client_id: str, client_secret: str) -> None:
    if client_id:
        fits = client_secret and signing_secret and not token and not app_token
        wanted = "SLACK_CLIENT_ID goes with SLACK_CLIENT_SECRET and SLACK_SIGNING_SECRET, and with no token."
    else:
        fits = token.startswith("xoxb-") and token.isprintable() and " " not in token
        fits = fits and (app_token.startswith("xapp-") if app_token else bool(signing_secret))
        wanted = (
            "Slack needs SLACK_BOT_TOKEN (xoxb-…) and SLACK_APP_TOKEN (xapp-…) or SLACK_SIGNING_SECRET, or "
            "else SLACK_CLIENT_ID for many workspaces."
        )
    if not fits:
        raise ConfigError(wanted)
