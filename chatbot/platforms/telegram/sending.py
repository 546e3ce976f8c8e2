"""Posts the requests of one delivery, each once, and says what became of them.

`Telegram.deliver` calls it. What failed before anything was shown goes back to the outbox with its verdict;
once a part may be on the screen, nothing short of "unknown" lets the whole be sent again unmarked, so a later
part that is limited or surely unsent waits here, inside the delivery's lease.
"""

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from telegram.error import BadRequest, TelegramError

from chatbot.errors import SendError, Verdict
from chatbot.platforms.telegram.transport import Api
from chatbot.platforms.telegram.verdicts import verdict_on
from chatbot.platforms.telegram.writing import Call
from chatbot.ports.context import Clock

LONGEST_SECONDS = 60.0
_STYLING = re.compile(r"entit(y|ies)(?! too large)")
_LOOKS = frozenset({"entities", "caption_entities"})
_WAITS = frozenset({Verdict.UNSENT, Verdict.LIMITED})
_ENDS = frozenset({Verdict.GONE, Verdict.REFUSED})


class Courier:
    """Carries the parts of a message to Telegram in order."""

    def __init__(self, api: Api, clock: Clock, gap: float) -> None:
        """Take the seconds to leave between two parts."""
        self._api = api
        self._clock = clock
        self._gap = gap

    async def carry(self, calls: Sequence[Call], deadline: datetime) -> Any:
        """Make the calls and return the last result.

        Raises:
            SendError: an unknown outcome is raised last, so that no tail is lost behind it.
        """
        result = await self._first(calls[0], deadline)
        doubt = result if isinstance(result, SendError) else None
        for call in calls[1:]:
            await self._clock.sleep(self._gap)
            result = await self._later(call, deadline)
            doubt = result if isinstance(result, SendError) else doubt
        if doubt:
            raise doubt
        return result

    async def _first(self, call: Call, deadline: datetime) -> Any:
        result = await self._post(call, deadline)
        if isinstance(result, SendError) and result.verdict is not Verdict.UNKNOWN:
            raise result
        return result

    async def _later(self, call: Call, deadline: datetime) -> Any:
        while True:
            result = await self._post(call, deadline)
            if not isinstance(result, SendError) or result.verdict is Verdict.UNKNOWN:
                return result
            if result.verdict in _ENDS:
                raise result
            wait = max(result.wait, self._gap)
            if result.verdict not in _WAITS or wait >= self._left(deadline):
                return SendError(Verdict.UNKNOWN, f"a later part was not sent: {result.reason}")
            await self._clock.sleep(wait)

    async def _post(self, call: Call, deadline: datetime) -> Any:
        left = self._left(deadline)
        if left <= 0:
            return SendError(Verdict.UNSENT, "the lease ran out before sending")
        try:
            async with asyncio.timeout(min(left, LONGEST_SECONDS)):
                return await self._api.call(call.method, call.params)
        except TelegramError as error:
            plain = _plain(call)
            if not _misread(error) or plain == call:
                return verdict_on(error)
        except TimeoutError:
            return SendError(Verdict.UNKNOWN, "no complete answer in time")
        # The looks were refused, so nothing was shown: the words go out without them.
        return await self._post(plain, deadline)

    def _left(self, deadline: datetime) -> float:
        return (deadline - self._clock.now()).total_seconds()


def _misread(error: TelegramError) -> bool:
    """Tell whether it was the looks of a text that were refused, in Telegram's several words for it."""
    return isinstance(error, BadRequest) and bool(_STYLING.search(error.message.lower()))


def _plain(call: Call) -> Call:
    return Call(call.method, {name: value for name, value in call.params.items() if name not in _LOOKS})
