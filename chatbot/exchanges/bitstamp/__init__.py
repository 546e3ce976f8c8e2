"""Bitstamp: balances, fills and prices, read with a key that need not be able to do anything else.

Bitstamp reports no permissions of a key, so trade, transfer and withdraw always stay unknown. Its reads are
POST requests: `ALLOW` holds whole paths, and is all that is ever sent. Deposits, withdrawals and transfers
stand among the transactions, so *View your transactions* opens them; nothing more is asked for. One path
of `ALLOW`, `withdrawal-requests/`, only lists: it tells whether a key has a tick too many.
`wire.py` signs and judges, `rows.py` parses, `pages.py` walks, `client.py` asks.
"""

from collections.abc import Mapping
from datetime import timedelta

from chatbot.domain.balances import Prices
from chatbot.domain.credentials import CredentialField, Credentials
from chatbot.domain.expiry import ExpiryRule
from chatbot.domain.pacing import Budget
from chatbot.domain.permissions import Permission
from chatbot.domain.secrets import SecretShape
from chatbot.exchanges._http import Answer, Http
from chatbot.exchanges.bitstamp import rows, wire
from chatbot.exchanges.bitstamp.client import BALANCES, TRANSACTIONS, WITHDRAWAL_LIST, BitstampClient
from chatbot.ports.context import Clock

HOME = f"https://{wire.HOST}"
TICKER = "/api/v2/ticker/"
HALF_SECOND = timedelta(milliseconds=500)
ALLOW = frozenset({("GET", TICKER), ("POST", BALANCES), ("POST", TRANSACTIONS), ("POST", WITHDRAWAL_LIST)})
# Key and secret are 32 letters and digits, upper and lower case at random (from published samples, no
# document says so: L). One without a digit, or in one case, is rarer than one in 250.
RANDOM = "(?=[0-9A-Za-z]{0,31}[0-9])(?=[0-9A-Za-z]{0,31}[a-z])(?=[0-9A-Za-z]{0,31}[A-Z])[0-9A-Za-z]{32}"
SHAPE = rf"(?:.*[^0-9A-Za-z])?{RANDOM}(?:[^0-9A-Za-z].*)?"

ERRORS = wire.ERRORS
# 8,000 requests in ten minutes for one address, all keys together; a ban of the address beyond that.
BUDGET = Budget(8000, 600)


class Bitstamp:
    """What Bitstamp tells about itself, and its public prices."""

    name = "bitstamp"
    title = "Bitstamp"
    # Named so in the README of bitstonks/bitstamp-api-postman; leads to Settings > API access.
    key_page = f"{HOME}/settings/access-control/api/"
    fields = (
        CredentialField("api_key", "API key", secret=False),
        CredentialField("api_secret", "API secret", secret=True),
    )
    # The exact names in the groups for orders and withdrawals have not been seen, so those are the groups'.
    labels: Mapping[Permission, str] = {
        Permission.BALANCES: "View account balances",
        Permission.FILLS: "View your transactions",
        Permission.TRADE: "Order management",
        Permission.WITHDRAW: "Withdrawals",
    }
    tick = (Permission.BALANCES, Permission.FILLS)
    tick_to_trade = (Permission.TRADE,)
    unreported = frozenset({Permission.TRADE, Permission.TRANSFER, Permission.WITHDRAW})
    shapes = (SecretShape("bitstamp", SHAPE),)
    allow = ALLOW
    poll_seconds = 2
    history_seconds: float = 1
    budget = BUDGET
    history_days = 0
    expiry = ExpiryRule()
    reads_withdrawals = True
    reads_transfers = True
    max_addresses = 0
    quotes = ("USD", "EUR", "GBP", "USDT", "USDC")

    def __init__(self, clock: Clock, origin: str = "") -> None:
        self._clock = clock
        self._http = Http(HOME, ALLOW, origin, BUDGET)

    def client(self, credentials: Credentials, nonce: int) -> BitstampClient:
        return BitstampClient(self._http, self._clock, credentials, nonce)

    async def prices(self) -> Prices:
        answer = await self._public()
        return rows.parse_prices(answer.body, self._clock.now())

    async def reachable(self) -> int:
        """Return whole seconds by which Bitstamp's clock is ahead; 0 when it doesn't tell its time."""
        answer = await self._public()
        if answer.date is None:
            return 0
        # The header has lost its fraction, half a second on average.
        return round((answer.date + HALF_SECOND - self._clock.now()).total_seconds())

    async def close(self) -> None:
        await self._http.close()

    async def _public(self) -> Answer:
        answer = await self._http.request("GET", TICKER)
        wire.check(answer)
        return answer


EXCHANGE = Bitstamp
