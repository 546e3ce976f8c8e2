"""What an exchange that is read through ccxt tells about itself: facts from ccxt, the rest in plain words."""

import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from chatbot.domain.balances import Prices
from chatbot.domain.credentials import CredentialField, Credentials
from chatbot.domain.expiry import ExpiryRule
from chatbot.domain.permissions import Permission
from chatbot.errors import Unknown, mark
from chatbot.exchanges.other import SHAPES, rows
from chatbot.exchanges.other.client import OtherClient
from chatbot.exchanges.other.unified import TICKERS, TIME, Library
from chatbot.exchanges.other.walk import LONGEST_HISTORY
from chatbot.ports.context import Clock

KEY_PARTS = frozenset({"apiKey", "secret"})
PASSPHRASE = "password"  # noqa: S105  ccxt's word for the field
FIELDS = (
    CredentialField("api_key", "API key", secret=False),
    CredentialField("api_secret", "API secret", secret=True),
)
THIRD = CredentialField("passphrase", "API passphrase", secret=True)
SLOWEST_POLL, FASTEST_POLL = 60, 5
HALF_SECOND = timedelta(milliseconds=500)


class Other:
    """What an exchange read through ccxt tells about itself, and its public prices."""

    # One tick at nearly all of them; its name differs.
    labels: Mapping[Permission, str] = {
        Permission.BALANCES: "Read (or: View, Query, General)",
        Permission.TRADE: "Trade",
        Permission.TRANSFER: "Transfer",
        Permission.WITHDRAW: "Withdraw",
    }
    tick = (Permission.BALANCES,)
    tick_to_trade = (Permission.TRADE,)
    unreported = frozenset({Permission.TRADE, Permission.TRANSFER, Permission.WITHDRAW})
    shapes = SHAPES
    expiry = ExpiryRule()
    reads_withdrawals = False
    reads_transfers = False
    max_addresses = 0
    quotes: tuple[str, ...] = ()

    def __init__(self, name: str, clock: Clock, origin: str = "") -> None:
        """Read ccxt's facts; opens nothing yet.

        Raises:
            KeyError: when ccxt can't read balances there.
            Unknown: when a key is made of parts that our form can't take.
        """
        self._clock, self._library = clock, Library(name, clock, origin)
        facts = self._library.facts
        self.name, self.title = name, str(facts.name)
        _take_parts(self.title, self._library.parts)
        self.key_page = _page(facts.urls)
        if not self._library.can("fetchBalance") or not self.key_page:
            raise KeyError(name)
        self.fields = FIELDS + ((THIRD,) if PASSPHRASE in self._library.parts else ())
        reach = self._library.reach
        asked = frozenset().union(*(reach[read].endpoints for read in reach))
        self.allow = frozenset((endpoint.method, endpoint.path) for endpoint in asked)
        self.budget = self._library.budget
        each = self.budget.seconds / self.budget.requests
        self.poll_seconds = min(SLOWEST_POLL, max(FASTEST_POLL, math.ceil(20 * each)))
        self.history_seconds: float = max(1, math.ceil(10 * each))
        self.history_days = min(self._library.rules.days or LONGEST_HISTORY, LONGEST_HISTORY)

    def client(self, credentials: Credentials, nonce: int) -> OtherClient:
        return OtherClient(self._library, self._clock, credentials, nonce)

    async def prices(self) -> Prices:
        """Return the last prices of all spot markets; none where the exchange has no list of them."""
        await self._library.markets()
        tickers = await self._public(TICKERS) if self._library.can("fetchTickers") else {}
        return rows.prices(tickers, self._clock.now())

    async def reachable(self) -> int:
        """Return whole seconds by which the exchange's clock is ahead; 0 when it doesn't tell its time."""
        before = self._clock.now()
        if self._library.can("fetchTime"):
            told = rows.moment(await self._public(TIME))
        else:
            await self._library.markets(again=True)
            date = self._library.wire.date
            # The header has lost its fraction, half a second on average.
            told = date + HALF_SECOND if date else before
        return round((told - before - (self._clock.now() - before) / 2).total_seconds())

    async def close(self) -> None:
        await self._library.wire.close()

    async def _public(self, read: str) -> Any:
        return await self._library.keyless().read(read)


def factory(name: str) -> Callable[..., Other]:
    """Return what builds the exchange of that name."""
    return partial(Other, name)


def _take_parts(title: str, parts: frozenset[str]) -> None:
    if parts - {PASSPHRASE} != KEY_PARTS:
        raise Unknown(
            mark(
                "I can't read {exchange}: a key there is made of {parts}, and my secure page takes API key, "
                "API secret and passphrase only."
            ),
            exchange=title,
            parts=", ".join(sorted(parts)) or "?",
        )


def _page(urls: Mapping[str, Any]) -> str:
    listed: list[str] = []
    for name in ("www", "doc"):
        found = urls.get(name)
        listed += [found] if isinstance(found, str) else found or []
    return next((address for address in listed if str(address).startswith("https://")), "")
