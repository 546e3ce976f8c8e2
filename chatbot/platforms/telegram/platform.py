"""`Telegram`, the platform that bootstrap makes from a token.

It ties the parts of this package together: start and stop of receiving, and the `Platform` port. A process
that only delivers (a worker) never calls `start`, but calls `check` once so that the bot's name is known.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from starlette.routing import Route
from telegram.error import BadRequest, TelegramError

from chatbot.domain.outbox import Delivery
from chatbot.domain.people import Identity, Place, Standing
from chatbot.domain.updates import Incoming, Pressed, Sender
from chatbot.errors import ConfigError, SendError, Verdict
from chatbot.platforms.telegram.listing import listings
from chatbot.platforms.telegram.miniapp import user_of
from chatbot.platforms.telegram.reading import read
from chatbot.platforms.telegram.receiving import (
    ALLOWED_UPDATES,
    Poller,
    backoff,
    jittered,
    webhook,
)
from chatbot.platforms.telegram.sending import Courier
from chatbot.platforms.telegram.transport import CONTROL_SECONDS, Api
from chatbot.platforms.telegram.verdicts import reason_of, verdict_on
from chatbot.platforms.telegram.writing import calls
from chatbot.ports.context import Clock, Log
from chatbot.ports.platforms import CommandInfo, Inlet, Pace
from chatbot.text import Translator

DEFAULT_API_URL = "https://api.telegram.org"
CHIEFS = frozenset({"creator", "administrator"})
WEBHOOK_PATH = "/telegram/webhook"
_TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]+")
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,256}")
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Telegram:
    """Chats on Telegram; `state` says in words how receiving goes."""

    name = "telegram"
    by_hand = ""
    # 30 a second and 20 a minute in a group are the stated limits; a little less held them strictly.
    pace = Pace(per_second=28.6, chat_seconds=1.05, group_per_minute=18, most=30)

    def __init__(
        self,
        *,
        token: str,
        public_url: str,
        clock: Clock,
        log: Log,
        api_url: str = DEFAULT_API_URL,
        webhook_secret: str | None = None,
        translate: Callable[[str], Translator] = Translator,
    ) -> None:
        """Take a revealed token; with a webhook secret updates are pushed, without they are polled.

        Raises:
            ConfigError: when the token or the secret can't be one.
        """
        if not _TOKEN.fullmatch(token):
            raise ConfigError("TELEGRAM_BOT_TOKEN must look like 123456:ABC…, as @BotFather gives it.")
        if webhook_secret is not None and not _SECRET.fullmatch(webhook_secret):
            raise ConfigError("TELEGRAM_WEBHOOK_SECRET needs 32 to 256 letters, digits, _ or -.")
        self.lease_name = f"telegram:{token.partition(':')[0]}"
        self.username = ""
        self._api = Api(token, api_url or DEFAULT_API_URL)
        self._token = token
        self._secret = webhook_secret
        self._webhook_url = public_url.rstrip("/") + WEBHOOK_PATH
        self._clock = clock
        self._log = log
        self._translate = translate
        self._courier = Courier(self._api, clock, self.pace.chat_seconds)
        self._poller = Poller(self._api, clock, log)
        self._inlet: Inlet | None = None
        self._receiving: asyncio.Task[None] | None = None

    @property
    def state(self) -> str:
        """How receiving goes: starting, receiving, unreachable, conflict, token refused, stopped."""
        return self._poller.state

    async def start(self, inlet: Inlet, commands: Sequence[CommandInfo]) -> None:
        await self._api.connect()
        self._inlet = inlet
        self._poller.state = "starting"
        failure = await self._introduce(commands)
        self._receiving = asyncio.create_task(self._receive(inlet, commands, failure))
        self._receiving.add_done_callback(self._ended)

    async def stop(self) -> None:
        receiving, self._receiving = self._receiving, None
        if receiving is not None:
            receiving.cancel()
            await asyncio.wait({receiving})
        self._inlet = None
        await self._api.disconnect()

    def parse(self, raw: Mapping[str, Any]) -> Incoming | None:
        return read(raw, self.username)

    async def deliver(self, delivery: Delivery) -> str:
        result = await self._courier.carry(
            calls(delivery, self._translate(delivery.locale)), delivery.deadline
        )
        if isinstance(result, dict) and "message_id" in result:
            return str(result["message_id"])
        known = delivery.edit or delivery.erase
        if known:
            return known
        raise SendError(Verdict.UNKNOWN, "an answer without a message id")

    async def answer(self, pressed: Pressed, toast: str) -> None:
        if not pressed.answer:
            return
        words = {"callback_query_id": pressed.answer, "text": toast[:200]}
        try:
            await self._api.call("answerCallbackQuery", words, seconds=CONTROL_SECONDS)
        except TelegramError as late:
            self._log.info("telegram_answer_ignored", reason=reason_of(late))

    async def standing(self, who: Sender, *, chief: bool) -> Standing:
        """Return a person's standing; guests and bots never get as far as here on Telegram."""
        if not chief or who.private:
            return Standing.PERSON
        try:
            member = await self._api.facts("getChatMember", chat_id=who.channel, user_id=int(who.user))
        except TelegramError as error:
            failure = verdict_on(error)
            if failure.retry:
                raise failure from None
            return Standing.PERSON
        return Standing.CHIEF if member.get("status") in CHIEFS else Standing.PERSON

    def private_place(self, who: Identity) -> Place | None:
        """Return nothing: a bot can't write to somebody here who never wrote to it."""
        del who
        return None

    def identify(self, proof: str, life: timedelta) -> Identity | None:
        user = user_of(proof, self._token, self._clock.now(), life)
        return Identity(self.name, user) if user else None

    def private_url(self, payload: str, workspace: str = "") -> str:
        del workspace  # there are none here
        if not self.username:
            return ""
        start = f"?start={payload}" if _PAYLOAD.fullmatch(payload) else ""
        return f"https://t.me/{self.username}{start}"

    def routes(self) -> Sequence[Any]:
        if self._secret is None:
            return ()
        return (Route(WEBHOOK_PATH, webhook(self._secret, lambda: self._inlet), methods=["POST"]),)

    async def check(self) -> str:
        failure = await self._meet()
        if failure:
            raise failure
        return f"@{self.username}"

    async def _meet(self) -> SendError | None:
        try:
            me = await self._api.facts("getMe")
        except TelegramError as error:
            return verdict_on(error)
        self.username = str(me.get("username", ""))
        return None

    async def _receive(
        self, inlet: Inlet, commands: Sequence[CommandInfo], failure: SendError | None
    ) -> None:
        tries = 0
        while failure and failure.verdict is not Verdict.UNAUTHORISED:
            tries += 1
            self._poller.state = "unreachable"
            self._log.warning("telegram_unreachable", reason=failure.reason, tries=tries)
            await self._clock.sleep(max(failure.wait, jittered(backoff(tries))))
            failure = await self._introduce(commands)
        if failure is None and self._secret is None:
            await self._poller.run(inlet)
        elif failure is None:
            self._poller.state = "receiving"
        else:
            self._poller.state = "token refused"
        if self.state == "token refused":
            self._log.error(
                "telegram_token_refused",
                advice="Put the bot's current token from @BotFather into the settings.",
            )

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        # When it was not told to end, whoever started it may look at the state and start it again.
        if error is not None and task is self._receiving:
            self._poller.state = "stopped"
            self._log.error("telegram_receiving_stopped", error=type(error).__name__)

    async def _introduce(self, commands: Sequence[CommandInfo]) -> SendError | None:
        failure = await self._meet()
        if failure:
            return failure
        try:
            await (self._leave_webhook() if self._secret is None else self._set_webhook(self._secret))
            for call in listings(commands, self._translate):
                await self._list(call.params)
        except TelegramError as error:
            return verdict_on(error)
        return None

    async def _set_webhook(self, secret: str) -> None:
        wish = {
            "url": self._webhook_url,
            "secret_token": secret,
            "allowed_updates": ALLOWED_UPDATES,
            "drop_pending_updates": False,
        }
        await self._api.call("setWebhook", wish, seconds=CONTROL_SECONDS)

    async def _leave_webhook(self) -> None:
        url = str((await self._api.facts("getWebhookInfo")).get("url", ""))
        if url == self._webhook_url:
            wish = {"drop_pending_updates": False}
            await self._api.call("deleteWebhook", wish, seconds=CONTROL_SECONDS)
        elif url:
            self._log.warning(
                "telegram_webhook_of_another",
                url=url.replace(self._token, "…"),
                advice="Nothing arrives here until it is removed there, or this bot gets a token of its own.",
            )

    async def _list(self, params: dict[str, Any]) -> None:
        try:
            await self._api.call("setMyCommands", params, seconds=CONTROL_SECONDS)
        except BadRequest as refused:
            self._log.warning("telegram_commands_refused", reason=reason_of(refused))
