"""What the accounts of all practice exchanges have in common: keys, money, prices, and spoilt answers.

No wire protocol in here. One account, as at a real exchange: several keys see the same money, and balances
move by what trades and transfers say, so that sums hold.
"""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

UNIT, CENT = Decimal("0.00000001"), Decimal("0.01")
MOST = Decimal(10) ** 12


class Impossible(ValueError):
    """The account can't do this; the text completes the sentence “This takes …”."""


@dataclass(slots=True)
class Key:
    """A key pair: what it may do, where it works, when it was made and ends, the highest nonce so far."""

    secret: str
    permissions: frozenset[str]
    active: bool = True
    passphrase: str = ""
    addresses: tuple[str, ...] = ()
    created_at: datetime | None = None
    expires_at: datetime | None = None
    nonce: int = 0


@dataclass(slots=True)
class Fault:
    """A spoilt answer: which path, what kind, and how often it is still to come."""

    path: str
    kind: str
    times: int


def _machine_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class Ledger(ABC):
    """Everything a practice exchange remembers. `key` and `secret` belong to the key made at the start."""

    reads: ClassVar[frozenset[str]]
    permissions: ClassVar[frozenset[str]]
    start_balances: ClassVar[Mapping[str, str]]
    start_reserved: ClassVar[Mapping[str, str]] = {}
    start_prices: ClassVar[Mapping[str, str]]  # by book, written `base_quote` in lower case
    traded: ClassVar[tuple[str, ...]]  # the books a person is likely to trade here
    limit_window: ClassVar[timedelta] = timedelta(seconds=1)

    clock: Callable[[], datetime] = _machine_clock
    limit: int = 0  # requests in one window; 0 switches the limit off
    key: str = ""
    secret: str = ""
    keys: dict[str, Key] = field(default_factory=dict)
    balances: dict[str, Decimal] = field(default_factory=dict)
    reserved: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    trades: list[dict[str, Any]] = field(default_factory=list)
    transfers: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    recent: list[datetime] = field(default_factory=list)
    next_id: int = 501_000_000

    def __post_init__(self) -> None:
        self.reset()

    @property
    def passphrase(self) -> str:
        """The first key's third part; empty where the exchange has none."""
        return self.keys[self.key].passphrase

    @abstractmethod
    def random_pair(self) -> tuple[str, str]:
        """Return a key and a secret that look like the exchange's own."""

    @abstractmethod
    def fill_ids(self) -> list[str]:
        """Return the ids of all fills, oldest first."""

    @abstractmethod
    def trade(
        self, side: str, book: str = "", amount: str = "", at: datetime | None = None
    ) -> dict[str, Any]:
        """Fill an order and return its row; raises `Impossible` when the money does not suffice."""

    @abstractmethod
    def transfer(self, kind: str, asset: str = "", amount: str = "") -> dict[str, Any]:
        """Book a `withdrawal` or a `deposit` and return its row; raises `Impossible` for too much."""

    def reset(self) -> None:
        """Start afresh; the first key stays the same, so that whoever pasted it goes on."""
        first = self.keys.get(self.key)
        self.keys = {}
        if first is None:
            self.key, self.secret = self.new_key(self.reads)
        else:
            self.keys[self.key] = Key(
                first.secret, self.reads, passphrase=first.passphrase, created_at=first.created_at
            )
        self.balances = {asset: Decimal(amount) for asset, amount in self.start_balances.items()}
        self.reserved = {asset: Decimal(amount) for asset, amount in self.start_reserved.items()}
        self.prices = {book: Decimal(price) for book, price in self.start_prices.items()}
        for memory in (self.trades, self.transfers, self.faults, self.requests, self.recent):
            memory.clear()

    def new_key(self, permissions: Collection[str] | None = None) -> tuple[str, str]:
        """Make a key, with all reads unless told, and return it with its secret; raises `Impossible`."""
        key, secret = self.random_pair()
        self.keys[key] = Key(secret, frozenset(), created_at=self.clock())
        self.permit(key, self.reads if permissions is None else permissions)
        return key, secret

    def permit(self, key: str, permissions: Collection[str]) -> None:
        """Change what a key may do; raises `Impossible` for an unknown key or permission."""
        if key not in self.keys or not self.permissions.issuperset(permissions):
            raise Impossible(f"a known key, and any of {', '.join(sorted(self.permissions))}")
        self.keys[key].permissions = frozenset(permissions)

    def fail(self, path: str, kind: str, times: int = 1) -> None:
        """Spoil the next answers of a path; an empty path means any."""
        self.faults.append(Fault(path.strip("/"), kind, times))

    def fault_for(self, path: str) -> str:
        """Return the kind of fault due for a path, and count it down; empty when there is none."""
        for fault in self.faults:
            if fault.path in {"", path.strip("/")} and fault.times > 0:
                fault.times -= 1
                return fault.kind
        return ""

    def over_limit(self) -> bool:
        """Count one request, where there is a limit, and tell whether it is one too many in this window."""
        if not self.limit:
            return False
        now = self.clock()
        self.recent[:] = [at for at in self.recent if at > now - self.limit_window]
        self.recent.append(now)
        return len(self.recent) > self.limit

    def seed(self, history: int) -> None:
        """Make up past fills over the days before now, oldest first."""
        begin = self.clock() - timedelta(hours=2) * (history + 1)
        for step in range(history):
            self.trade("buy" if secrets.randbelow(2) else "sell", at=begin + timedelta(hours=2) * step)

    def book(self, wanted: str) -> str:
        """Return a known book, at random when none is wanted; raises `Impossible`."""
        book = wanted.lower() or secrets.choice(self.traded)
        if book not in self.prices:
            raise Impossible("a known book")
        return book

    def some(self, side: str, book: str, amount: str = "") -> Decimal:
        """Return how much of the base is traded: the amount given, or up to 2 % of what the money allows."""
        if amount:
            return positive(amount)
        base, quote = book.split("_")
        share = Decimal(secrets.randbelow(190) + 10) / 10_000
        held = self.free(base) if side == "sell" else self.free(quote) / self.prices[book]
        size = (held * share).quantize(UNIT)
        if not size:
            raise Impossible("some money to trade with")
        return size

    def sum_to_move(self, asset: str, amount: str = "") -> Decimal:
        """Return how much of an asset is transferred: the amount given, or a twentieth of what is held."""
        if asset not in self.balances:
            raise Impossible("a known asset")
        return positive(amount) if amount else (self.balances[asset] / 20).quantize(CENT) or Decimal(100)

    def wander(self, book: str) -> Decimal:
        """Move a price a little and return it, with as many digits as it began with."""
        step = 1 + Decimal(secrets.randbelow(401) - 200) / 100_000
        start = Decimal(self.start_prices[book])
        self.prices[book] = (self.prices[book] * step).quantize(start) or start
        return self.prices[book]

    def free(self, asset: str) -> Decimal:
        """Return what is not in open orders."""
        return self.balances.get(asset, Decimal(0)) - self.reserved.get(asset, Decimal(0))

    def move(self, changes: Mapping[str, Decimal]) -> None:
        """Change balances together; raises `Impossible` when one would fall below what is reserved."""
        if any(asset not in self.balances or self.free(asset) + by < 0 for asset, by in changes.items()):
            raise Impossible("enough money in a known asset")
        for asset, by in changes.items():
            self.balances[asset] += by

    def new_id(self) -> int:
        """Return an id greater than all before."""
        self.next_id += 1 + secrets.randbelow(40)
        return self.next_id


def positive(text: str) -> Decimal:
    """Read an amount; raises `Impossible`."""
    try:
        value = Decimal(text)
    except ArithmeticError:
        raise Impossible("an amount") from None
    if not value.is_finite() or not UNIT <= value <= MOST:
        raise Impossible("an amount")
    return value.quantize(UNIT)


def mixed(alphabet: str, length: int, *, must: tuple[str, ...] = ()) -> str:
    """Return random characters of an alphabet, with at least one of each group in `must`."""
    letters = [secrets.choice(group) for group in must]
    letters += [secrets.choice(alphabet) for _ in range(length - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)
