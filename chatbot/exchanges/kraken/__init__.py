"""Kraken: balances, fills and prices of the spot account, read with a key that can do nothing else.

Kraken tells all about a key to the key itself, whatever its ticks. Its private reads are POST requests:
`ALLOW` holds whole paths, and is all that is ever sent. A second factor on the key itself is not supported:
nobody could enter its code. `wire.py` signs and parses, `errors.py` knows the messages, `names.py` what
assets and pairs are called, `tables.py` keeps Kraken's lists, `keyinfo.py` reads the rights, `paging.py`
walks the fills, `client.py` asks.
"""

from collections.abc import Mapping
from datetime import timedelta

from chatbot.domain.balances import Prices
from chatbot.domain.credentials import CredentialField, Credentials
from chatbot.domain.expiry import ExpiryRule
from chatbot.domain.pacing import Budget
from chatbot.domain.permissions import Permission
from chatbot.domain.secrets import SecretShape
from chatbot.exchanges._http import Http
from chatbot.exchanges.kraken import errors, wire
from chatbot.exchanges.kraken.client import BALANCES, KEY, TRADES, KrakenClient
from chatbot.exchanges.kraken.tables import ASSETS, PAIRS, Tables
from chatbot.ports.context import Clock

HOME = "https://api.kraken.com"
TICKER = "/0/public/Ticker"
TIME = "/0/public/Time"
HALF_SECOND = timedelta(milliseconds=500)
ALLOW = frozenset(
    {("POST", path) for path in (BALANCES, TRADES, KEY)}
    | {("GET", path) for path in (ASSETS, PAIRS, TICKER, TIME)}
)
# 42 and 64 random bytes in base64: a key of 56 signs, a private key of 88 that ends in two equals signs. One
# key in ten thousand has no digit; words and paths of that very length have no such mixture.
KEY_SHAPE = r"(?=[^0-9]*[0-9])(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[0-9A-Za-z+/]{56}"
PRIVATE_SHAPE = r"[0-9A-Za-z+/]{86}=="

ERRORS = errors.ERRORS


class Kraken:
    """What Kraken tells about itself, and its public prices."""

    name = "kraken"
    title = "Kraken"
    key_page = "https://pro.kraken.com/app/settings/api"
    fields = (
        CredentialField("api_key", "API key", secret=False),
        CredentialField("api_secret", "Private key", secret=True),
    )
    # docs.kraken.com, "Get API Key Info": the words beside the boxes, some permissions have more than one.
    labels: Mapping[Permission, str] = {
        Permission.BALANCES: "Funds permissions: Query",
        Permission.FILLS: "Query closed orders & trades",
        Permission.ORDERS: "Query open orders & trades",
        Permission.ACCOUNT: "Query ledger entries",
        Permission.TRADE: "Create & modify orders / Cancel & close orders",
        Permission.TRANSFER: "Funds permissions: Deposit / Earn",
        Permission.WITHDRAW: "Funds permissions: Withdraw / Add or update withdrawal addresses",
    }
    tick = (Permission.BALANCES, Permission.FILLS)
    tick_to_trade = (Permission.TRADE,)
    unreported: frozenset[Permission] = frozenset()
    shapes = tuple(SecretShape("kraken", pattern) for pattern in (KEY_SHAPE, PRIVATE_SHAPE))
    allow = ALLOW
    # Each key has a counter of its own: it may hold 15 at the lowest tier and falls by a third a second;
    # fills count 2, anything else 1. Polls use a bit more than half of that, pages of history half.
    poll_seconds = 12
    history_seconds: float = 12
    budget: Budget | None = None
    history_days = 0
    expiry = ExpiryRule()
    reads_withdrawals = False
    reads_transfers = False
    max_addresses = 0
    quotes = ("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "JPY", "USDT", "USDC", "DAI")

    def __init__(self, clock: Clock, origin: str = "") -> None:
        self._clock = clock
        self._http = Http(HOME, ALLOW, origin)
        self._tables = Tables(self._http, clock)

    def client(self, credentials: Credentials, nonce: int) -> KrakenClient:
        return KrakenClient(self._http, self._clock, self._tables, credentials, nonce)

    async def prices(self) -> Prices:
        book = await self._tables.listed()
        return wire.parse_prices(await self._public(TICKER), book.pairs, self._clock.now())

    async def reachable(self) -> int:
        """Return whole seconds by which Kraken's clock is ahead."""
        told = wire.parse_time(await self._public(TIME))
        # Half of the second that Kraken does not tell, on average.
        return round((told + HALF_SECOND - self._clock.now()).total_seconds())

    async def close(self) -> None:
        await self._http.close()

    async def _public(self, path: str) -> bytes:
        answer = await self._http.request("GET", path)
        errors.check(answer)
        return answer.body


EXCHANGE = Kraken
