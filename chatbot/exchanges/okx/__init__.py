"""OKX: balances, fills and prices of the trading and the funding account, and what a key may do.

OKX is three companies with keys of their own; `hosts.py` finds out whose a key is. It reports the rights
and the addresses of the key that asks, but no dates. `ALLOW` is the whole list of what is ever sent.
`wire.py` signs and parses, `errors.py` knows the codes, `fills.py` and `contracts.py` read what was traded,
`paging.py` walks it, `client.py` asks.
"""

from collections.abc import Mapping

from chatbot.domain.balances import Prices
from chatbot.domain.credentials import CredentialField, Credentials
from chatbot.domain.expiry import ExpiryRule
from chatbot.domain.pacing import Budget
from chatbot.domain.permissions import Permission
from chatbot.domain.secrets import SecretShape
from chatbot.exchanges._http import Answer
from chatbot.exchanges.okx import client, contracts, errors, wire
from chatbot.exchanges.okx.client import OKXClient
from chatbot.exchanges.okx.contracts import Families
from chatbot.exchanges.okx.hosts import Hosts
from chatbot.ports.context import Clock

TICKERS = "/api/v5/market/tickers"
INDEX = "/api/v5/market/index-tickers"
TIME = "/api/v5/public/time"
READS = (client.CONFIG, client.TRADING, client.FUNDING, client.LATEST, client.HISTORY)
ALLOW = frozenset(("GET", path) for path in (*READS, TICKERS, INDEX, TIME, contracts.PATH))
# A key is a UUID in small letters, a secret 32 hex digits in capitals (from published samples; L).
KEY_SHAPE = r"(?=.*[a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
SECRET_SHAPE = r"(?=[0-9A-F]*[A-F])(?=[0-9A-F]*[0-9])[0-9A-F]{32}"  # noqa: S105  a pattern, not a password

ERRORS = errors.ERRORS


class OKX:
    """What OKX tells about itself, and its public prices."""

    name = "okx"
    title = "OKX"
    key_page = "https://www.okx.com/account/my-api"
    fields = (
        CredentialField("api_key", "API key", secret=False),
        CredentialField("api_secret", "Secret key", secret=True),
        CredentialField("passphrase", "Passphrase", secret=True),
    )
    # Three ticks in all; "Read" opens balances and fills alike.
    labels: Mapping[Permission, str] = {
        Permission.BALANCES: "Read",
        Permission.TRADE: "Trade",
        Permission.WITHDRAW: "Withdraw",
    }
    tick = (Permission.BALANCES,)
    tick_to_trade = (Permission.TRADE,)
    unreported: frozenset[Permission] = frozenset()
    shapes = (SecretShape("okx", KEY_SHAPE), SecretShape("okx", SECRET_SHAPE))
    allow = ALLOW
    poll_seconds = 2
    # Up to five requests a page, one for each kind of product, and ten are allowed in two seconds.
    history_seconds: float = 1
    # What a key asks is counted for its user, not for our address.
    budget: Budget | None = None
    # A year by some of OKX's pages, three months by others; the walk ends where OKX's lists do.
    history_days = 365
    expiry = ExpiryRule(
        14,
        unbound=True,
        powerful=True,
        idle=True,
        source="OKX API documents, “API key security”",
    )
    reads_withdrawals = True
    reads_transfers = True
    max_addresses = 20
    quotes = ("USDT", "USDC", "EUR", "BRL")

    def __init__(self, clock: Clock, origin: str = "") -> None:
        self._clock = clock
        self._hosts = Hosts(ALLOW, origin)
        self._http = self._hosts.first
        self._families = Families(self._http, clock)

    def client(self, credentials: Credentials, nonce: int) -> OKXClient:
        return OKXClient(self._hosts, self._clock, self._families, credentials, nonce)

    async def prices(self) -> Prices:
        tickers = await self._public(TICKERS, "instType=SPOT")
        index = await self._public(INDEX, "quoteCcy=USD")
        return wire.parse_prices(tickers.body, index.body, self._clock.now())

    async def reachable(self) -> int:
        """Return whole seconds by which OKX's clock is ahead."""
        answer = await self._public(TIME)
        return round((wire.parse_time(answer.body) - self._clock.now()).total_seconds())

    async def close(self) -> None:
        await self._hosts.close()

    async def _public(self, path: str, query: str = "") -> Answer:
        answer = await self._http.request("GET", path, query)
        errors.check(answer)
        return answer


EXCHANGE = OKX
