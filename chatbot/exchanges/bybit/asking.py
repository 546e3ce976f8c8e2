"""Asks Bybit in the name of one key: signs, sends, judges, and tries once more when the time was wrong."""

import re
from collections.abc import Callable
from typing import TypeVar

from chatbot.domain.credentials import Credentials
from chatbot.domain.permissions import Permission
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Http
from chatbot.exchanges.bybit import errors, wire
from chatbot.ports.context import Clock

SIGNABLE_KEY = re.compile(rb"[!-~]{1,128}")
# Bybit refuses a time that is a second ahead of its own, and bears one that is late: ours is set back.
EARLY_MS = 3000
T = TypeVar("T")


class Asker:
    """Sends signed reads for one key."""

    def __init__(self, http: Http, clock: Clock, credentials: Credentials) -> None:
        self._http, self._clock, self._credentials = http, clock, credentials

    async def get(self, path: str, query: str, subject: Permission, parse: Callable[[bytes], T]) -> T:
        """Return what an answer says; `subject` is the permission that its refusal would be about."""
        try:
            return await self._ask(path, query, subject, parse)
        except ExchangeError as error:
            if error.trouble is not Trouble.CLOCK_OR_NONCE:
                raise
        return await self._ask(path, query, subject, parse)

    async def _ask(self, path: str, query: str, subject: Permission, parse: Callable[[bytes], T]) -> T:
        key = self._credentials.api_key
        if not SIGNABLE_KEY.fullmatch(key.reveal()):
            raise ExchangeError(Trouble.BAD_KEY, "a key that can't be a Bybit key")
        timestamp = wire.since_epoch(self._clock.now()) - EARLY_MS
        headers = wire.sign(query, key, self._credentials.api_secret, timestamp)
        answer = await self._http.request("GET", path, query, headers)
        errors.check(answer, subject)
        return parse(answer.body)
