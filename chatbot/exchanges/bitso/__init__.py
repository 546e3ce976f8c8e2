"""Bitso: balances, fills and prices, read with a key that need not be able to do anything else.

Bitso reports no permissions of a key, so trade, transfer and withdraw always stay unknown. No call here can
write: `ALLOW` is the whole list of what is ever sent. `wire.py` signs and parses, `client.py` asks.
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
from chatbot.exchanges.bitso import wire
from chatbot.exchanges.bitso.client import BitsoClient
from chatbot.ports.context import Clock

HOME = "https://bitso.com"
HALF_SECOND = timedelta(milliseconds=500)
READS = (
    "balance",
    "account_status",
    "user_trades",
    "open_orders",
    "fees",
    "ledger",
    "ticker",
    "available_books",
)
ALLOW = frozenset(("GET", f"/api/v3/{name}/") for name in READS)
# A secret is 32 hex digits; 40 and 64 are caught with it, the lengths of other exchanges' secrets.
HEX_SHAPE = r"(?:.*[^0-9A-Za-z])?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})(?:[^0-9A-Za-z].*)?"
# A key is ten letters, upper and lower case at random (from published samples, no document says so: L). What
# is written Like, LIKE or like, LikeThis, LikeThisOne or LikeTHIS is taken for words: one key in a hundred.
WORD = "[A-Z](?=[a-z]*[aeiouy])[a-z]{2,}"
KEY_SHAPE = (
    rf"(?:\w*=)?(?![A-Z][a-z]+$)(?!{WORD}(?:[A-Z]{{2,3}}|(?:{WORD}){{1,2}})$)"
    r"(?=[A-Z]*[a-z]+[A-Z]|[A-Z]{2,}[a-z])[A-Za-z]{10}"
)

ERRORS = wire.ERRORS


class Bitso:
    """What Bitso tells about itself, and its public prices."""

    name = "bitso"
    title = "Bitso"
    key_page = (
        f"{HOME}/api_setup"  # named so by the API reference and the Java client; leads to Profile > API
    )
    fields = (
        CredentialField("api_key", "API key", secret=False),
        CredentialField("api_secret", "API secret", secret=True),
    )
    labels: Mapping[Permission, str] = {
        Permission.ACCOUNT: "View account information",
        Permission.BALANCES: "View balances",
        Permission.TRADE: "Place orders",
    }
    tick = (Permission.ACCOUNT, Permission.BALANCES)
    tick_to_trade = (Permission.TRADE,)
    unreported = frozenset({Permission.TRADE, Permission.TRANSFER, Permission.WITHDRAW})
    shapes = tuple(SecretShape("bitso", pattern) for pattern in (HEX_SHAPE, KEY_SHAPE))
    allow = ALLOW
    poll_seconds = 1
    history_seconds: float = 0.4
    budget: Budget | None = None
    history_days = 0
    expiry = ExpiryRule()
    reads_withdrawals = False
    reads_transfers = False
    max_addresses = 5
    quotes = ("MXN", "USD", "USDT", "BRL", "ARS", "COP")

    def __init__(self, clock: Clock, origin: str = "") -> None:
        self._clock = clock
        self._http = Http(HOME, ALLOW, origin)

    def client(self, credentials: Credentials, nonce: int) -> BitsoClient:
        return BitsoClient(self._http, self._clock, credentials, nonce)

    async def prices(self) -> Prices:
        answer = await self._public()
        return wire.parse_prices(answer.body, self._clock.now())

    async def reachable(self) -> int:
        """Return whole seconds by which Bitso's clock is ahead; 0 when it doesn't tell its time."""
        answer = await self._public()
        if answer.date is None:
            return 0
        # The header has lost its fraction, half a second on average.
        return round((answer.date + HALF_SECOND - self._clock.now()).total_seconds())

    async def close(self) -> None:
        await self._http.close()

    async def _public(self) -> Answer:
        answer = await self._http.request("GET", "/api/v3/ticker/")
        wire.check(answer)
        return answer


EXCHANGE = Bitso
