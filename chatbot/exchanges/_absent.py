"""Stands in for the exchange of a stored account that can't be read here: its extra is gone.

Everything that only shows the account goes on; every reading fails as unreachable and is tried again later,
so that the account is well as soon as the extra is back.
"""

from collections.abc import Mapping
from typing import NoReturn

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.credentials import CredentialField, Credentials
from chatbot.domain.expiry import ExpiryRule
from chatbot.domain.pacing import Budget
from chatbot.domain.permissions import Permission
from chatbot.domain.secrets import SecretShape
from chatbot.errors import ExchangeError, Trouble
from chatbot.ports.exchanges import Page, Proof

MISSING = "the extra that reads this exchange is not installed: keyherald[ccxt]"


def _fail() -> NoReturn:
    raise ExchangeError(Trouble.UNREACHABLE, MISSING)


class AbsentClient:
    """Reads nothing."""

    def __init__(self, nonce: int) -> None:
        self.last_nonce = nonce

    async def prove(self) -> Proof:
        _fail()

    async def balances(self) -> tuple[Balance, ...]:
        _fail()

    async def fills_after(self, cursor: str) -> Page:
        del cursor
        _fail()

    async def fills_before(self, cursor: str) -> Page:
        del cursor
        _fail()


class Absent:
    """What can still be said of such an exchange: its name."""

    key_page = ""
    fields: tuple[CredentialField, ...] = ()
    labels: Mapping[Permission, str] = {}
    tick: tuple[Permission, ...] = ()
    tick_to_trade: tuple[Permission, ...] = ()
    unreported: frozenset[Permission] = frozenset()
    shapes: tuple[SecretShape, ...] = ()
    allow: frozenset[tuple[str, str]] = frozenset()
    # Nothing is asked: an hour is soon enough to notice that the extra is back.
    poll_seconds = 3600
    history_seconds: float = 3600
    budget: Budget | None = None
    history_days = 0
    expiry = ExpiryRule()
    reads_withdrawals = False
    reads_transfers = False
    max_addresses = 0
    quotes: tuple[str, ...] = ()

    def __init__(self, name: str) -> None:
        self.name = name
        self.title = name.capitalize()

    def client(self, credentials: Credentials, nonce: int) -> AbsentClient:
        del credentials
        return AbsentClient(nonce)

    async def prices(self) -> Prices:
        _fail()

    async def reachable(self) -> int:
        _fail()

    async def close(self) -> None:
        """Nothing is open."""
