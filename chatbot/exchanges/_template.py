"""A template for a new exchange: copy it to `<name>.py` and replace whatever says `acme`.

The order below is the order to work in: what the exchange says of itself, signing, errors, parsing, asking.
It can be imported and passes the type checker, so it stays true; the leading underscore hides it from
discovery. The recipe with all steps is in this package's docstring.
"""

import hmac
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.credentials import CredentialField, Credentials
from chatbot.domain.expiry import ExpiryRule
from chatbot.domain.pacing import Budget
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Source, Switch
from chatbot.domain.secrets import Secret, SecretShape
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import _parse
from chatbot.exchanges._http import Answer, Http
from chatbot.exchanges._parse import Refusal
from chatbot.ports.context import Clock
from chatbot.ports.exchanges import ExchangeClient, Page, Proof

HOME = "https://api.acme.example"
# Every method and full path that is ever sent; nothing that writes, not even one that "changes nothing".
ALLOW = frozenset({("GET", "/v1/balances"), ("GET", "/v1/fills"), ("GET", "/v1/tickers")})

# Each documented code with what it means; the contract suite wants a row for every code of the practice twin.
ERRORS: Mapping[str, Refusal] = {
    "bad_key": Refusal(Trouble.BAD_KEY),
    "bad_signature": Refusal(Trouble.BAD_SECRET),
    "no_permission": Refusal(Trouble.NO_PERMISSION),
    "too_many_requests": Refusal(Trouble.RATE_LIMIT, wait=60),
}


class _Balance(msgspec.Struct):
    asset: str
    free: Decimal
    total: Decimal


class _Outcome(msgspec.Struct):
    error: str = ""


def sign(method: str, path: str, key: Secret, secret: Secret, nonce: int) -> dict[str, str]:
    """Return the headers that sign a request; no clock and no socket in here, so a vector can pin it."""
    text = f"{nonce}{method}{path}"
    signature = hmac.digest(secret.reveal(), text.encode(), "sha256").hex()
    return {"Acme-Key": key.reveal().decode("ascii"), "Acme-Nonce": str(nonce), "Acme-Signature": signature}


def check(answer: Answer, subject: str = "") -> None:
    """Raise the `ExchangeError` that an answer means: by its code first, by the HTTP status last."""
    try:
        code = msgspec.json.decode(answer.body, type=_Outcome, strict=False).error
    except (msgspec.DecodeError, RecursionError):
        raise ExchangeError(Trouble.MAINTENANCE, f"not an answer of Acme (HTTP {answer.status})") from None
    if code or answer.status >= 400:
        meant = ERRORS.get(code, Refusal(Trouble.UNKNOWN))
        wait = max(meant.wait, answer.wait)
        raise ExchangeError(meant.trouble, f"Acme {code[:32]!a}", wait=wait, subject=meant.subject or subject)


def parse_balances(body: bytes) -> tuple[Balance, ...]:
    """Return the balances that are not zero; a pure function, fed with recorded answers by its test."""
    rows = _parse.decode(body, list[_Balance])
    with _parse.reading("balances"):
        found = [Balance(_parse.asset(r.asset), _parse.amount(r.free), _parse.amount(r.total)) for r in rows]
    return tuple(balance for balance in found if balance.total or balance.free)


class AcmeClient:
    """Reads one account; one request at a time when the exchange wants rising nonces."""

    def __init__(self, http: Http, clock: Clock, credentials: Credentials, nonce: int) -> None:
        self._http, self._clock, self._credentials = http, clock, credentials
        self._nonce = nonce

    @property
    def last_nonce(self) -> int:
        return self._nonce

    async def prove(self) -> Proof:
        """Read balances, try each harmless read, and report only what was seen or reported."""
        balances = await self.balances()
        return Proof(
            PermissionReport({Permission.BALANCES: Finding(Switch.ON, Source.SEEN)}), balances, head=None
        )

    async def balances(self) -> tuple[Balance, ...]:
        path = "/v1/balances"
        self._nonce = max(self._nonce + 1, int(self._clock.now().timestamp()))
        headers = sign("GET", path, self._credentials.api_key, self._credentials.api_secret, self._nonce)
        answer = await self._http.request("GET", path, headers=headers)
        check(answer, Permission.BALANCES)
        return parse_balances(answer.body)

    async def fills_after(self, cursor: str) -> Page:
        """Newer than the cursor, oldest first; an empty cursor means from the very first fill."""
        raise NotImplementedError

    async def fills_before(self, cursor: str) -> Page:
        """Older than the cursor, newest first; an empty cursor means from the newest fill."""
        raise NotImplementedError


class Acme:
    """What Acme tells about itself."""

    name = "acme"
    title = "Acme"
    key_page = "https://acme.example/keys"
    fields = (
        CredentialField("api_key", "API key", secret=False),
        CredentialField("api_secret", "API secret", secret=True),
    )
    labels: Mapping[Permission, str] = {Permission.BALANCES: "Read balances"}  # the exchange's own words
    tick = (Permission.BALANCES,)
    tick_to_trade = (Permission.TRADE,)
    unreported = frozenset({Permission.TRADE, Permission.TRANSFER, Permission.WITHDRAW})
    shapes = (SecretShape("acme", r"acme_[0-9a-f]{32}"),)  # must match no ordinary word
    allow = ALLOW
    poll_seconds = 1
    history_seconds: float = 1
    budget = Budget(600, 60)
    history_days = 0
    expiry = ExpiryRule()
    reads_withdrawals = False
    reads_transfers = False
    max_addresses = 0
    quotes = ("USD", "USDT")

    def __init__(self, clock: Clock, origin: str = "") -> None:
        self._clock = clock
        self._http = Http(HOME, ALLOW, origin, self.budget)

    def client(self, credentials: Credentials, nonce: int) -> ExchangeClient:
        return AcmeClient(self._http, self._clock, credentials, nonce)

    async def prices(self) -> Prices:
        """All markets, one call, no key."""
        raise NotImplementedError

    async def reachable(self) -> int:
        """Seconds by which the exchange's clock is ahead of ours."""
        raise NotImplementedError

    async def close(self) -> None:
        await self._http.close()


EXCHANGE = Acme
