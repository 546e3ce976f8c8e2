"""Takes updates in, by long polling or by webhook: first stored, then confirmed.

`Telegram` runs it. The offset moves, and the webhook answers 200, only after the inlet has committed, so a
crash at any point brings an update again instead of losing it. Pending updates are never dropped.
"""

import hmac
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from telegram.error import Conflict, TelegramError

from chatbot.errors import KeyheraldError, SendError, StorageError, Verdict
from chatbot.platforms.telegram.transport import POLL_SPARE_SECONDS, Api
from chatbot.platforms.telegram.verdicts import verdict_on
from chatbot.ports.context import Clock, Log
from chatbot.ports.platforms import Inlet

ALLOWED_UPDATES = ("message", "callback_query", "my_chat_member")
HOLD_SECONDS = 50
BODY_BYTES = 1024 * 1024
SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105  a name, not a password
_JITTER = random.SystemRandom()
# What a bug of ours, or an update that nobody foresaw, may set off while an update is stored.
_STUMBLES = (
    KeyheraldError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
_STUMBLES_AT_ONE = 5


def backoff(tries: int, first: float = 1.0) -> float:
    """Return seconds to wait after so many failures in a row: doubling, at most a minute."""
    return float(min(60.0, first * 2 ** min(tries - 1, 10)))


def jittered(seconds: float) -> float:
    """Return somewhat less, so that many bots don't come back at once."""
    return seconds * _JITTER.uniform(0.7, 1.0)


class Poller:
    """Our own long poll; `state` says in words how it goes."""

    def __init__(self, api: Api, clock: Clock, log: Log, *, hold: int = HOLD_SECONDS) -> None:
        """Take for how many seconds the server may hold a poll."""
        self._api = api
        self._clock = clock
        self._log = log
        self._hold = hold
        self._offset = 0
        self._stumbles = 0
        self.state = "starting"

    async def run(self, inlet: Inlet) -> None:
        """Poll until cancelled, or until the token is refused; nothing that goes wrong ends it."""
        self.state = "starting"
        tries = conflicts = 0
        while True:
            failure = await self._turn(inlet)
            if failure is None:
                tries = conflicts = 0
                self.state = "receiving"
            elif isinstance(failure, Conflict):
                tries, conflicts = 0, conflicts + 1
                self._warn_of_conflict(conflicts)
                await self._clock.sleep(backoff(conflicts, 10.0))
            elif isinstance(failure, SendError) and failure.verdict is Verdict.UNAUTHORISED:
                self.state = "token refused"
                return
            else:
                tries, conflicts = tries + 1, 0
                self.state = "unreachable"
                self._log.warning("telegram_poll_failed", reason=failure.reason, tries=tries)
                await self._clock.sleep(max(getattr(failure, "wait", 0), jittered(backoff(tries))))

    async def _turn(self, inlet: Inlet) -> SendError | StorageError | Conflict | None:
        try:
            await self._take(inlet)
        except Conflict as other:
            return other
        except TelegramError as error:
            return verdict_on(error)
        except StorageError as away:
            return away
        except _STUMBLES as bug:
            self._log.error("telegram_poll_stumbled")
            return SendError(Verdict.UNSENT, type(bug).__name__)
        return None

    async def _take(self, inlet: Inlet) -> None:
        wish = {"timeout": self._hold, "limit": 100, "allowed_updates": ALLOWED_UPDATES}
        if self._offset:
            wish["offset"] = self._offset
        batch = await self._api.call("getUpdates", wish, seconds=self._hold + POLL_SPARE_SECONDS)
        if not isinstance(batch, list):
            raise TelegramError("updates that are no list")
        for raw in batch:
            await self._store(inlet, raw)
        if not batch:
            # All is confirmed now. After a quiet week Telegram restarts its numbers anywhere, also below.
            self._offset = 0

    async def _store(self, inlet: Inlet, raw: Any) -> None:
        number = number_of(raw)
        if number is None:
            self._log.error("telegram_update_without_number")
            return
        try:
            await inlet.put("telegram", str(number), raw)
        except StorageError:
            raise
        except _STUMBLES as bug:
            self._stumbles += 1
            if self._stumbles < _STUMBLES_AT_ONE and not isinstance(bug, UnicodeError):
                raise
            # Nothing stores it, now or later; the ones behind it must not wait for it.
            self._log.error("telegram_update_unstorable", update=number)
        self._stumbles = 0
        self._offset = number + 1

    def _warn_of_conflict(self, conflicts: int) -> None:
        self.state = "conflict"
        if conflicts == 1:
            self._log.warning(
                "telegram_conflict",
                advice="Another program receives with this token, or a webhook is set. Stop the other one, "
                "or make a token of its own with @BotFather.",
            )


def number_of(raw: Any) -> int | None:
    """Return an update's number, None when this is no update."""
    number = raw.get("update_id") if isinstance(raw, dict) else None
    return number if isinstance(number, int) else None


def webhook(secret: str, inlet: Callable[[], Inlet | None]) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that takes pushed updates and stores them before it answers."""

    async def receive(request: Request) -> Response:
        given = request.headers.get(SECRET_HEADER, "")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            return Response(status_code=401)
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        raw = _update(body)
        if raw is None:
            return Response(status_code=400)
        return Response(status_code=await _store(inlet(), raw))

    return receive


async def _store(inlet: Inlet | None, raw: dict[str, Any]) -> int:
    if inlet is None:
        return 503
    try:
        await inlet.put("telegram", str(raw["update_id"]), raw)
    except StorageError:
        return 503
    return 200


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            return None
    return bytes(body)


def _update(body: bytes) -> dict[str, Any] | None:
    try:
        raw = json.loads(body)
    except ValueError:
        return None
    return raw if number_of(raw) is not None else None
