"""Bybit: balances, fills and prices of a Unified Trading Account, read with a key that can do nothing else.

Bybit tells what a key may do, where it works and when it ends. `ALLOW` is the whole list of what is ever
sent, all of it GET. `wire.py` signs and parses, `errors.py` knows the codes, `keyinfo.py` what a key may do,
`symbols.py` what a name trades, `trades.py` the executions, `paging.py` walks them, `asking.py` sends,
`history.py` and `client.py` know what to ask, `funded.py` whose Funding account was read.
"""

from collections.abc import Mapping

from chatbot.domain.balances import Prices
from chatbot.domain.credentials import CredentialField, Credentials
from chatbot.domain.expiry import ExpiryRule
from chatbot.domain.pacing import Budget
from chatbot.domain.permissions import Permission
from chatbot.domain.secrets import SecretShape
from chatbot.exchanges._http import Answer, Http
from chatbot.exchanges.bybit import client, errors, history, paging, symbols, wire
from chatbot.exchanges.bybit.client import BybitClient
from chatbot.exchanges.bybit.funded import Funded
from chatbot.exchanges.bybit.symbols import Symbols
from chatbot.ports.context import Clock

HOME = "https://api.bybit.com"
TICKERS, TIME = "/v5/market/tickers", "/v5/market/time"
READS = (client.WALLET, client.FUNDING, client.KEY_INFO, history.EXECUTIONS, history.LOG)
ALLOW = frozenset(("GET", path) for path in (*READS, symbols.PATH, TICKERS, TIME))
# Published samples: a key of 18 letters and digits, a secret of 36, both cases at random (no document
# says so: L). What is put together of a few words and numbers is taken for a file's name.
MIXED = "(?=[0-9A-Za-z]*[0-9])(?=[0-9A-Za-z]*[a-z])(?=[0-9A-Za-z]*[A-Z])"
WORDS = "(?!(?:[A-Z]?[a-z]++|[A-Z]++|[0-9]++){1,5}(?![0-9A-Za-z]))"
RANDOM = f"{MIXED}{WORDS}(?:[0-9A-Za-z]{{18}}|[0-9A-Za-z]{{36}})"
SHAPE = rf"(?:.*[^0-9A-Za-z])?{RANDOM}(?:[^0-9A-Za-z].*)?"

ERRORS = errors.ERRORS
# "600 requests within a 5-second window per IP" (docs/v5/rate-limit).
BUDGET = Budget(600, 5)


class Bybit:
    """What Bybit tells about itself, and its public prices."""

    name = "bybit"
    title = "Bybit"
    key_page = "https://www.bybit.com/app/user/api-management"
    fields = (
        CredentialField("api_key", "API Key", secret=False),
        CredentialField("api_secret", "API Secret", secret=True),
    )
    # The boxes below the choice of Read-Only or Read-Write. One box means two things: with Read-Only, Account
    # Transfer shows the Funding account, with Read-Write it moves money.
    labels: Mapping[Permission, str] = {
        Permission.BALANCES: "Unified Trading: Orders, Positions",
        Permission.FILLS: "SPOT: Trade",
        Permission.ACCOUNT: "Wallet: Account Transfer, with Read-Only",
        Permission.TRADE: "Read-Write",
        Permission.TRANSFER: "Account Transfer, with Read-Write",
        Permission.WITHDRAW: "Withdrawal",
    }
    tick = (Permission.BALANCES, Permission.FILLS, Permission.ACCOUNT)
    tick_to_trade = (Permission.TRADE,)
    unreported: frozenset[Permission] = frozenset()
    shapes = (SecretShape("bybit", SHAPE),)
    allow = ALLOW
    poll_seconds = 2
    history_seconds: float = 1
    budget = BUDGET
    history_days = paging.HISTORY_DAYS
    expiry = ExpiryRule(90, unbound=True, source="bybit-exchange.github.io/docs/v5/user/modify-master-apikey")
    reads_withdrawals = False
    reads_transfers = False
    max_addresses = 100
    quotes = ("USDT", "USDC", "EUR", "BRL")

    def __init__(self, clock: Clock, origin: str = "") -> None:
        self._clock = clock
        self._http = Http(HOME, ALLOW, origin, BUDGET)
        self._symbols, self._funded = Symbols(self._http, clock), Funded()

    def client(self, credentials: Credentials, nonce: int) -> BybitClient:
        return BybitClient(self._http, self._clock, self._symbols, credentials, nonce, self._funded)

    async def prices(self) -> Prices:
        pairs = await self._symbols.listed()
        answer = await self._public(TICKERS, symbols.QUERY)
        return wire.parse_prices(answer.body, pairs, self._clock.now())

    async def reachable(self) -> int:
        """Return whole seconds by which Bybit's clock is ahead."""
        answer = await self._public(TIME)
        return round((wire.parse_time(answer.body) - self._clock.now()).total_seconds())

    async def close(self) -> None:
        await self._http.close()

    async def _public(self, path: str, query: str = "") -> Answer:
        answer = await self._http.request("GET", path, query)
        errors.check(answer)
        return answer


EXCHANGE = Bybit
