"""The way out for ccxt's requests: our own guarded HTTP, to the hosts of one exchange and no other.

ccxt's own sessions are never opened. All keys of an exchange share these connections and one budget.
"""

import asyncio
import math
import re
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from numbers import Real
from urllib.parse import urlsplit

from chatbot.domain.pacing import Budget, Meter
from chatbot.errors import ExchangeError, ForbiddenCall, Trouble
from chatbot.exchanges._http import TOO_MANY, Answer, Http

# Asked before signing, so a longer wait makes no signature old.
LONGEST_TURN = 10
WINDOW_SECONDS = 30
PLAIN_URL = re.compile(r"https?://[!-~]+")


def budget(rate_limit: object) -> Budget:
    """Return the budget that ccxt's `rateLimit` means: milliseconds between two requests of weight 1."""
    each = _whole(rate_limit) if rate_limit else 1000
    return Budget(max(2, WINDOW_SECONDS * 1000 // each), WINDOW_SECONDS)


class _Host(Http):
    async def send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        return await self._ask(method, url, headers, body)


class Wire:
    """Connections to the hosts of one exchange."""

    def __init__(self, origins: Iterable[str], allowance: Budget, *, trusted: bool) -> None:
        """Take the hosts; `trusted` ones were set by the operator and may be private addresses."""
        self._hosts = {origin: _Host(origin, (), origin if trusted else "") for origin in origins}
        self._meter = Meter(allowance)
        self.date: datetime | None = None

    async def turn(self, weight: object) -> None:
        """Wait for a share of the budget; raises RATE_LIMIT when that would take too long."""
        now = asyncio.get_running_loop().time()
        wait = self._meter.take(now, _whole(weight), LONGEST_TURN)
        if wait > LONGEST_TURN:
            raise ExchangeError(Trouble.RATE_LIMIT, "our own budget for this exchange", wait=int(wait) + 1)
        if wait:
            await asyncio.sleep(wait)

    async def send(self, method: str, url: str, headers: dict[str, str], body: str | None) -> Answer:
        """Send what the guard has let through; raises `ForbiddenCall` for any other host."""
        parts = urlsplit(url)
        host = self._hosts.get(f"{parts.scheme}://{parts.netloc}")
        if host is None or not PLAIN_URL.fullmatch(url) or method not in {"GET", "POST"}:
            raise ForbiddenCall(f"{method} to a host or in a form that is not the exchange's")
        answer = await host.send(method, url, headers, (body or "").encode())
        self.date = answer.date or self.date
        if answer.status in TOO_MANY:
            self._meter.hold(max(answer.wait, 1), asyncio.get_running_loop().time())
        return answer

    async def close(self) -> None:
        """Close all connections."""
        for host in self._hosts.values():
            await host.close()


def _whole(weight: object) -> int:
    return max(1, math.ceil(Decimal(str(weight)))) if isinstance(weight, Real) else 1
