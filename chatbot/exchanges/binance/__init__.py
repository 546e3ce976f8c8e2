"""Binance: balances, fills and prices of the spot account, read with a key that need not do anything else.

Binance tells all about a key: each tick, whether it has an address list, when it was made. Trades are told of
one symbol at a time, so `watch.py` chooses which to read; `ALLOW` is the whole list of what is ever sent.
`wire.py` signs and parses, `rights.py` reads the ticks, `errors.py` knows the codes, `symbols.py` what each
symbol trades, `paging.py` walks the trades of one, `client.py` asks.
"""

from collections.abc import Mapping

from chatbot.domain.balances import Prices
from chatbot.domain.credentials import CredentialField, Credentials
from chatbot.domain.expiry import ExpiryRule
from chatbot.domain.pacing import Budget
from chatbot.domain.permissions import Permission
from chatbot.domain.secrets import SecretShape
from chatbot.exchanges._http import Answer, Http
from chatbot.exchanges.binance import errors, symbols, wire
from chatbot.exchanges.binance.client import ACCOUNT, ORDERS, RESTRICTIONS, TIME, TRADES, BinanceClient
from chatbot.exchanges.binance.symbols import Symbols
from chatbot.ports.context import Clock

HOME = "https://api.binance.com"
PRICES = "/api/v3/ticker/price"
PRICES_WEIGHT = 4
ALLOW = frozenset(
    ("GET", path) for path in (ACCOUNT, TRADES, ORDERS, RESTRICTIONS, TIME, PRICES, symbols.PATH)
)
# Key and secret of the documents' examples: 64 letters and digits, upper and lower case at random.
SHAPE = "(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[0-9A-Za-z]{64}"

ERRORS = errors.ERRORS
# Weights a minute for one address, whatever the key ("IP Limits").
BUDGET = Budget(6000, 60)


class Binance:
    """What Binance tells about itself, and its public prices."""

    name = "binance"
    title = "Binance"
    key_page = "https://www.binance.com/en/my/settings/api-management"
    fields = (
        CredentialField("api_key", "API Key", secret=False),
        CredentialField("api_secret", "Secret Key", secret=True),
    )
    # One tick for all that is read.
    labels: Mapping[Permission, str] = {
        Permission.BALANCES: "Enable Reading",
        Permission.TRADE: "Enable Spot & Margin Trading",
        Permission.TRANSFER: "Permits Universal Transfer",
        Permission.WITHDRAW: "Enable Withdrawals",
    }
    tick = (Permission.BALANCES,)
    tick_to_trade = (Permission.TRADE,)
    unreported: frozenset[Permission] = frozenset()
    shapes = (SecretShape("binance", SHAPE),)
    allow = ALLOW
    poll_seconds = 5
    history_seconds: float = 1
    budget = BUDGET
    history_days = 0
    # Without an address list the tick for orders goes out after a time, the key itself stays.
    expiry = ExpiryRule()
    reads_withdrawals = False
    reads_transfers = False
    max_addresses = 30
    quotes = ("USDT", "USDC", "FDUSD", "EUR", "TRY", "BRL")

    def __init__(self, clock: Clock, origin: str = "") -> None:
        self._clock = clock
        self._http = Http(HOME, ALLOW, origin, BUDGET)
        self._symbols = Symbols(self._http, clock)

    def client(self, credentials: Credentials, nonce: int) -> BinanceClient:
        return BinanceClient(self._http, self._clock, self._symbols, credentials, nonce)

    async def prices(self) -> Prices:
        table = await self._symbols.table()
        answer = await self._public(PRICES, PRICES_WEIGHT)
        return wire.parse_prices(answer.body, table.trading, self._clock.now())

    async def reachable(self) -> int:
        """Return whole seconds by which Binance's clock is ahead of ours."""
        asked = self._clock.now()
        answer = await self._public(TIME)
        middle = asked + (self._clock.now() - asked) / 2
        return round((wire.moment(wire.parse_time(answer.body)) - middle).total_seconds())

    async def close(self) -> None:
        await self._http.close()

    async def _public(self, path: str, weight: int = 1) -> Answer:
        answer = await self._http.request("GET", path, weight=weight)
        errors.check(answer)
        return answer


EXCHANGE = Binance
