"""HitBTC: balances, fills and prices of the spot account, read with a key that can do nothing else.

HitBTC reports no permissions of a key. The right to order shows by reading the personal fees; the right to
withdraw shows by nothing. `ALLOW` is the whole list of what is ever sent: full paths, none is a template.
`wire.py` signs and parses, `errors.py` knows the codes, `paging.py` walks the trades, `client.py` asks.
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
from chatbot.exchanges.hitbtc import errors, wire
from chatbot.exchanges.hitbtc.client import HitBTCClient
from chatbot.exchanges.hitbtc.symbols import Symbols
from chatbot.ports.context import Clock

HOME = "https://api.hitbtc.com"
HALF_SECOND = timedelta(milliseconds=500)
READS = (
    "spot/balance",
    "spot/history/trade",
    "spot/fee",
    "wallet/balance",
    "public/symbol",
    "public/ticker",
    "public/price/rate",
)
ALLOW = frozenset(("GET", f"/api/3/{name}") for name in READS)
# Published samples of key and secret: 32 hex digits (2017), 32 letters of URL-safe base64 (later). Parts that
# are all words or numbers, joined by hyphens, are taken for a file's name.
HEX_SHAPE = r"(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{32}"
WORDS = r"(?:(?:(?:[A-Z]?[a-z]+|[A-Z]+)\d*|\d+)(?:[-_]|$))+"
KEY_SHAPE = rf"(?!{WORDS}$)(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9_-]{{32}}"

ERRORS = errors.ERRORS


class HitBTC:
    """What HitBTC tells about itself, and its public prices."""

    name = "hitbtc"
    title = "HitBTC"
    key_page = "https://hitbtc.com/settings/api-keys"
    fields = (
        CredentialField("api_key", "API key", secret=False),
        CredentialField("api_secret", "Secret key", secret=True),
    )
    # One tick for balances and fills. "Payment information" only sounds like reading: it moves and converts.
    labels: Mapping[Permission, str] = {
        Permission.BALANCES: "Order book, History, Trading (Spot) balance",
        Permission.TRADE: "Place/cancel orders",
        Permission.TRANSFER: "Payment information",
        Permission.WITHDRAW: "Withdraw cryptocurrencies",
    }
    tick = (Permission.BALANCES,)
    tick_to_trade = (Permission.TRADE,)
    # Transfers come with "Withdraw cryptocurrencies" too, so a refused wallet does not prove them off.
    unreported = frozenset({Permission.TRANSFER, Permission.WITHDRAW})
    shapes = tuple(SecretShape("hitbtc", pattern) for pattern in (HEX_SHAPE, KEY_SHAPE))
    allow = ALLOW
    poll_seconds = 1
    history_seconds: float = 0.5
    budget: Budget | None = None
    history_days = 0
    expiry = ExpiryRule()
    reads_withdrawals = False
    reads_transfers = False
    max_addresses = 0
    quotes: tuple[str, ...] = ()

    def __init__(self, clock: Clock, origin: str = "") -> None:
        self._clock = clock
        self._http = Http(HOME, ALLOW, origin)
        self._symbols = Symbols(self._http, clock)

    def client(self, credentials: Credentials, nonce: int) -> HitBTCClient:
        return HitBTCClient(self._http, self._clock, self._symbols, credentials, nonce)

    async def prices(self) -> Prices:
        markets = await self._symbols.listed()
        answer = await self._public("/api/3/public/ticker")
        return wire.parse_prices(answer.body, markets, self._clock.now())

    async def reachable(self) -> int:
        """Return whole seconds by which HitBTC's clock is ahead; 0 when it doesn't tell its time."""
        answer = await self._public("/api/3/public/price/rate", "from=BTC&to=USDT")
        if answer.date is None:
            return 0
        # The header has lost its fraction, half a second on average.
        return round((answer.date + HALF_SECOND - self._clock.now()).total_seconds())

    async def close(self) -> None:
        await self._http.close()

    async def _public(self, path: str, query: str = "") -> Answer:
        answer = await self._http.request("GET", path, query)
        errors.check(answer)
        return answer


EXCHANGE = HitBTC
