"""The only file that knows ccxt: one guarded class per exchange, and the few reads that can be reached.

Of ccxt we use signing and parsing. Its way to the network is ours (`wire.py`), its sessions, throttle and
log are never opened. A method that no read of ours ever names can't be called at all: each such name of
ccxt's class leads to `ForbiddenCall`. `guard.py` has the other gates.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import ccxt.async_support as ccxt

from chatbot.domain.credentials import Credentials
from chatbot.errors import ExchangeError, ForbiddenCall, KeyheraldError, Trouble
from chatbot.exchanges.other import errors
from chatbot.exchanges.other.guard import Guard, NoAnswer
from chatbot.exchanges.other.reach import Reach, reach, talkers
from chatbot.exchanges.other.walk import DAY, Rules
from chatbot.exchanges.other.wire import Wire, budget
from chatbot.ports.context import Clock

BALANCES, FILLS, TICKERS, TIME, MARKETS = (
    "fetch_balance",
    "fetch_my_trades",
    "fetch_tickers",
    "fetch_time",
    "load_markets",
)
READS: Mapping[str, tuple[str, ...]] = {
    BALANCES: (BALANCES,),
    FILLS: (FILLS,),
    TICKERS: (TICKERS,),
    TIME: (TIME,),
    MARKETS: (MARKETS, "load_markets_helper", "fetch_markets", "fetch_currencies"),
}
# KuCoin lists fills by the kind of account, which ccxt asks only while it loads markets with a key.
FIRST: Mapping[str, str] = {"kucoin": "load_migration_status", "kucoinfutures": "load_migration_status"}
PRIVATE = frozenset({BALANCES, FILLS})
# What ccxt itself needs to send one request; the gates below are in them.
MACHINERY = frozenset({"request", "fetch2", "fetch", "throttle", "sleep", "close", "close_connector"})
CREDENTIALS = (
    "apiKey",
    "secret",
    "password",
    "uid",
    "login",
    "token",
    "privateKey",
    "walletAddress",
    "twofa",
)
LEFT_OVER = (
    *CREDENTIALS,
    "last_request_headers",
    "last_request_body",
    "last_request_url",
    "accounts",
    "headers",
)
# What ccxt's parsers raise about an answer of another shape; none of it is ccxt's own error.
SENSELESS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class MarketNeeded(KeyheraldError):
    """The exchange tells the fills of one market at a time."""


class Key:
    """The reads of one key: nothing else of ccxt can be reached through it."""

    def __init__(self, instance: Any, library: "Library") -> None:
        """Take ccxt's instance."""
        self._instance, self._library = instance, library

    @property
    def nonce(self) -> int:
        """The highest nonce used so far."""
        return int(self._instance.spent)

    @property
    def rows_seen(self) -> int:
        """How many rows the last answer had, before ccxt sorted out any."""
        return int(self._instance.rows_seen)

    async def read(self, what: str, *args: Any) -> Any:
        """Call one of `READS` and return ccxt's unified answer.

        Raises:
            ForbiddenCall: when it is none of the reads, or makes a request that they don't make.
            ExchangeError: whatever else went wrong.
            MarketNeeded: when the exchange wants a market named, and none was so far.
        """
        reach = self._library.reach.get(what)
        if reach is None:
            raise ForbiddenCall(what)
        instance = self._instance
        instance.open_to, instance.broken, instance.seen = reach.endpoints, None, errors.Seen()
        instance.lost = None
        try:
            if what in PRIVATE and self._library.name in FIRST:
                await getattr(instance, FIRST[self._library.name])()
            answer = await getattr(instance, what)(*args)
        except ccxt.ArgumentsRequired:
            wrong: Exception = ExchangeError(Trouble.UNKNOWN, f"{self._library.name} wants more for {what}")
            if what == FILLS and not self._library.by_market:
                wrong = MarketNeeded(what)
        except NoAnswer:
            wrong = errors.refused(self._library.name, instance.seen, ("BadResponse",), _subject(what))
        except ccxt.BaseError as error:
            kinds = tuple(kind.__name__ for kind in type(error).__mro__)
            wrong = errors.refused(self._library.name, instance.seen, kinds, _subject(what))
        except SENSELESS:
            wrong = ExchangeError(Trouble.UNREACHABLE, f"unreadable: {what}")
        else:
            if instance.broken is None and instance.lost is None:
                return answer
            # Of another account, perhaps: ccxt asks which it is, and guesses when nobody answers.
            wrong = instance.lost or ForbiddenCall(what)
        finally:
            instance.open_to = frozenset()
        # Raised here and not in the except block: ccxt's error holds whole addresses.
        raise instance.broken or wrong


class Library:
    """One exchange of ccxt: its facts, its guarded class, and the markets that all keys share."""

    def __init__(self, name: str, clock: Clock, origin: str = "") -> None:
        """Read the facts; opens nothing yet."""
        self.name, self._clock = name, clock
        plain = getattr(ccxt, name)
        self.facts: Any = plain({"enableRateLimit": False})
        self.reach: dict[str, Reach] = {read: reach(plain, roots) for read, roots in READS.items()}
        self.budget = budget(self.facts.rateLimit)
        self._urls, origins = _moved(self.facts.urls["api"], str(self.facts.hostname or ""), origin)
        self.wire = Wire(origins, self.budget, trusted=bool(origin))
        self._kind = _guarded(plain, self.reach.values(), {"plain": plain, "wire": self.wire, "told": clock})
        told = (self.facts.features or {}).get("spot") or {}
        limits = told.get("fetchMyTrades") or {}
        self.rules = Rules(
            window=int(limits.get("untilDays") or 0) * DAY,
            page=int(limits.get("limit") or 0),
            days=int(limits.get("daysBack") or 0),
        )
        # Found out by asking where ccxt's table says nothing.
        self.by_market = bool(limits.get("symbolRequired"))
        self.tells_fills = self.facts.has.get("fetchMyTrades") is True
        self._owner: Any = None
        self._loading = asyncio.Lock()

    @property
    def parts(self) -> frozenset[str]:
        """What a key of this exchange is made of, in ccxt's words."""
        return frozenset(part for part, needed in self.facts.requiredCredentials.items() if needed)

    def can(self, feature: str) -> bool:
        """Tell whether ccxt can do something here (`fetchMyTrades`)."""
        return bool(self.facts.has.get(feature))

    @contextmanager
    def key(self, credentials: Credentials, nonce: int) -> Iterator[Key]:
        """Give the reads of a key; its parts are taken out of ccxt at the end."""
        instance = self._build()
        if self._owner is not None:
            instance.set_markets_from_exchange(self._owner)
        try:
            instance.apiKey = _text(credentials.api_key.reveal(), Trouble.BAD_KEY)
            instance.secret = _text(credentials.api_secret.reveal(), Trouble.BAD_SECRET)
            if credentials.passphrase is not None:
                instance.password = _text(credentials.passphrase.reveal(), Trouble.BAD_SECRET)
            instance.spent = nonce
            yield Key(instance, self)
        finally:
            for name in LEFT_OVER:
                setattr(instance, name, "")
            instance.options = {}

    def keyless(self) -> Key:
        """Return the public reads."""
        instance = self._build()
        if self._owner is not None:
            instance.set_markets_from_exchange(self._owner)
        return Key(instance, self)

    async def markets(self, *, again: bool = False) -> Mapping[str, Any]:
        """Return all markets by symbol, loaded once for all keys and without a key."""
        async with self._loading:
            if self._owner is None or again:
                owner = self._build()
                await Key(owner, self).read(MARKETS)
                self._owner = owner
        found: Mapping[str, Any] = self._owner.markets
        return found

    def _build(self) -> Any:
        return self._kind({
            "enableRateLimit": True,  # our `throttle` is asked then
            "number": str,
            "urls": {"api": self._urls},
            "timeout_on_exit": 0,
        })  # fmt: skip


def _guarded(plain: type, reaches: Any, shared: Mapping[str, Any]) -> Any:
    named = frozenset().union(*(reach.named for reach in reaches), MACHINERY)
    walls = {name: _wall(name) for name in talkers(plain) if name not in named}
    own = {name: value for name, value in vars(Guard).items() if not name.startswith("__")}
    return type(f"Guarded{plain.__name__.title()}", (plain,), {**walls, **own, **shared})


def _wall(name: str) -> Any:
    def forbidden(self: Guard, *_: object, **__: object) -> NoReturn:
        self.refuse(name)

    return forbidden


def _moved(api: Any, hostname: str, origin: str) -> tuple[Any, set[str]]:
    """Return ccxt's addresses, at another origin where one is set, and the origins in them."""
    if isinstance(api, dict):
        parts = {name: _moved(inner, hostname, origin) for name, inner in api.items()}
        return {name: moved for name, (moved, _) in parts.items()}, set().union(
            *(o for _, o in parts.values())
        )
    if not isinstance(api, str):
        return api, set()
    url = api.replace("{hostname}", hostname)
    parts_of = urlsplit(url)
    if parts_of.scheme != "https":
        return url, set()  # never reached: its origin is not in the list
    if not origin:
        return url, {f"https://{parts_of.netloc}"}
    return f"{origin}{parts_of.path}", {origin}


def _text(part: bytes | bytearray, trouble: Trouble) -> str:
    if not part.isascii() or not part.decode("ascii").isprintable():
        raise ExchangeError(trouble, "a text that no exchange hands out")
    return part.decode("ascii")


def _subject(read: str) -> str:
    return {BALANCES: "balances", FILLS: "fills"}.get(read, "")
