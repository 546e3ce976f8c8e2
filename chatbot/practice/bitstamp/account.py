"""The account behind the practice Bitstamp: keys, balances, transactions. No wire protocol in here.

One account, as at the real exchange: several keys see the same money. Trades, conversions, deposits and
withdrawals are rows of one list with rising ids, and balances move by what the rows say, so that sums hold.
"""

import secrets
import string
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ALL_READS = frozenset({"balances", "fills"})
# Bitstamp has no tick for account information: given or not, it opens nothing.
PERMISSIONS = ALL_READS | {"account", "orders", "trade", "transfer", "withdraw", "list_withdrawals"}
DEPOSIT, WITHDRAWAL, TRADE, CONVERSION = "0", "1", "2", "36"
FEE = Decimal("0.0016")
UNIT, CENT = Decimal("0.00000001"), Decimal("0.01")
NONCE_LIFE = timedelta(seconds=300)  # 150 in older text of the reference
START_BALANCES = {
    "btc": "0.51200000",
    "eth": "6.30000000",
    "xrp": "2400.00000000",
    "usdc": "4800.00",
    "usd": "9400.00",
    "eur": "12000.45",
    "gbp": "0.00",
    "ltc": "0.00000000",
    "sol": "0.00000000",
}
START_RESERVED = {"btc": "0.01200000"}
START_PRICES = {
    "btc_usd": "58420.00",
    "btc_eur": "53750.00",
    "eth_usd": "3108.00",
    "eth_eur": "2859.00",
    "xrp_usd": "2.24",
    "usdc_usd": "1.00",
    "usdc_eur": "0.92",
    "eur_usd": "1.09",
    "gbp_usd": "1.27",
    "ltc_usd": "92.40",
    "sol_usd": "171.30",
}
# What a person is likely to trade here; the other pairs only have prices.
TRADED = ("btc_usd", "btc_eur", "eth_usd", "eth_eur", "xrp_usd")
KEY_LENGTH = 32


class Impossible(ValueError):
    """The account can't do this: unknown pair, or not enough money."""


@dataclass(slots=True)
class Key:
    """A key pair with what it may do, and the nonces it was used with lately."""

    secret: str
    permissions: frozenset[str] = ALL_READS
    active: bool = True
    nonces: dict[str, datetime] = field(default_factory=dict)

    def take(self, nonce: str, now: datetime) -> bool:
        """Tell whether a nonce is new, and remember it."""
        self.nonces = {used: at for used, at in self.nonces.items() if at > now - NONCE_LIFE}
        known = nonce in self.nonces
        self.nonces.setdefault(nonce, now)
        return not known


@dataclass(slots=True)
class Fault:
    """A spoilt answer: which path, what kind, and how often it is still to come."""

    path: str
    kind: str
    times: int


def _random_text() -> str:
    """Letters and digits that mix in every way, as the shape filter expects of a key."""
    mixed = [secrets.choice(kind) for kind in (string.ascii_lowercase, string.ascii_uppercase, string.digits)]
    mixed += [secrets.choice(string.ascii_letters + string.digits) for _ in range(KEY_LENGTH - len(mixed))]
    secrets.SystemRandom().shuffle(mixed)
    return "".join(mixed)


def _machine_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class PracticeBitstamp:
    """Everything the practice Bitstamp remembers. `key` and `secret` belong to the key made at the start."""

    clock: Callable[[], datetime] = _machine_clock
    limit: int = 0  # requests in ten minutes, 8,000 at the real exchange; 0 switches the limit off
    key: str = ""
    secret: str = ""
    keys: dict[str, Key] = field(default_factory=dict)
    balances: dict[str, Decimal] = field(default_factory=dict)
    reserved: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    transactions: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    recent: list[datetime] = field(default_factory=list)
    next_id: int = 501_000_000

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start afresh; the first key stays the same, so that whoever pasted it goes on."""
        first = self.keys.get(self.key)
        self.keys = {self.key: Key(first.secret)} if first else {}
        if not first:
            self.key, self.secret = self.new_key(ALL_READS)
        self.balances = {asset: Decimal(amount) for asset, amount in START_BALANCES.items()}
        self.reserved = {asset: Decimal(amount) for asset, amount in START_RESERVED.items()}
        self.prices = {book: Decimal(price) for book, price in START_PRICES.items()}
        for memory in (self.transactions, self.faults, self.requests, self.recent):
            memory.clear()

    def new_key(self, permissions: Collection[str] = ALL_READS) -> tuple[str, str]:
        """Make a key and return it with its secret; raises `Impossible` for an unknown permission."""
        key, secret = _random_text(), _random_text()
        self.keys[key] = Key(secret)
        self.permit(key, permissions)
        return key, secret

    def permit(self, key: str, permissions: Collection[str]) -> None:
        """Change what a key may do; raises `Impossible` for an unknown key or permission."""
        if key not in self.keys or not PERMISSIONS.issuperset(permissions):
            raise Impossible(f"a known key, and any of {', '.join(sorted(PERMISSIONS))}")
        self.keys[key].permissions = frozenset(permissions)

    def fail(self, path: str, kind: str, times: int = 1) -> None:
        """Spoil the next answers of a path, such as `account_balances`; an empty path means any."""
        self.faults.append(Fault(path.strip("/"), kind, times))

    def fault_for(self, path: str) -> str:
        """Return the kind of fault due for a path, and count it down; empty when there is none."""
        for fault in self.faults:
            if fault.path in {"", path} and fault.times > 0:
                fault.times -= 1
                return fault.kind
        return ""

    def over_limit(self) -> bool:
        """Count one request and tell whether it is one too many in these ten minutes."""
        now = self.clock()
        self.recent[:] = [at for at in self.recent if at > now - timedelta(minutes=10)]
        self.recent.append(now)
        return bool(self.limit) and len(self.recent) > self.limit

    def seed(self, history: int) -> None:
        """Make up past fills over the days before now, oldest first, with a deposit now and then."""
        begin = self.clock() - timedelta(hours=2) * (history + 1)
        for step in range(history):
            at = begin + timedelta(hours=2) * step
            if step % 9 == 4:
                self.transfer("deposit", at=at - timedelta(hours=1))
            side = "buy" if secrets.randbelow(2) else "sell"
            self.trade(side, at=at, kind=CONVERSION if step % 7 == 3 else TRADE)

    def fill_ids(self) -> list[str]:
        """Return the ids of all trades and conversions, oldest first."""
        return [str(row["id"]) for row in self.transactions if row["type"] in {TRADE, CONVERSION}]

    @staticmethod
    def when(row: Mapping[str, Any]) -> datetime:
        """Return the moment of a transaction."""
        return datetime.fromisoformat(row["datetime"]).replace(tzinfo=UTC)

    def trade(
        self, side: str, book: str = "", amount: str = "", at: datetime | None = None, kind: str = TRADE
    ) -> dict[str, Any]:
        """Fill an order and return its row; raises `Impossible` when the money does not suffice."""
        book = book or secrets.choice(TRADED)
        if book not in self.prices or side not in {"buy", "sell"}:
            raise Impossible("a known book")
        price = self._wander(book)
        base, quote = book.split("_")
        size = _positive(amount) if amount else self._some(side, base, quote, price)
        cost = (size * price).quantize(CENT, ROUND_HALF_UP)
        fee = (cost * FEE).quantize(CENT, ROUND_HALF_UP)
        sign = 1 if side == "buy" else -1
        self._move({base: size * sign, quote: -cost * sign - fee})
        traded: dict[str, Any] = {"fee": f"{fee:.5f}", base: str(size * sign), quote: str(-cost * sign)}
        if kind == CONVERSION:
            return self._book(kind, at, traded | {book: float(price)})
        zero = {asset: 0.0 for asset in ("usd", "eur") if asset not in {base, quote}}
        order = {"order_id": 1_930_000_000_000_000 + secrets.randbelow(10**12)}
        return self._book(kind, at, order | traded | {book: str(price)} | zero)

    def transfer(
        self, operation: str, asset: str = "", amount: str = "", at: datetime | None = None
    ) -> dict[str, Any]:
        """Move money out or in without a trade; raises `Impossible` when it does not suffice."""
        asset = asset or "usd"
        if asset not in self.balances:
            raise Impossible("a known currency")
        size = _positive(amount or "100")
        sign = -1 if operation == "withdrawal" else 1
        self._move({asset: size * sign})
        kind = WITHDRAWAL if operation == "withdrawal" else DEPOSIT
        return self._book(kind, at, {"fee": "0.00000", asset: str(size * sign)})

    def _book(self, kind: str, at: datetime | None, fields: dict[str, Any]) -> dict[str, Any]:
        stamp = (at or self.clock()).astimezone(UTC)
        self.next_id += 1 + secrets.randbelow(40)
        row = {"id": self.next_id, "datetime": f"{stamp:%Y-%m-%d %H:%M:%S.%f}", "type": kind, **fields}
        self.transactions.append(row)
        return row

    def _some(self, side: str, base: str, quote: str, price: Decimal) -> Decimal:
        share = Decimal(secrets.randbelow(190) + 10) / 10_000
        held = self._free(base) if side == "sell" else self._free(quote) / price
        size = (held * share).quantize(UNIT)
        if not size:
            raise Impossible("some money to trade with")
        return size

    def _wander(self, book: str) -> Decimal:
        step = 1 + Decimal(secrets.randbelow(401) - 200) / 100_000
        self.prices[book] = (self.prices[book] * step).quantize(CENT)
        return self.prices[book]

    def _free(self, asset: str) -> Decimal:
        return self.balances[asset] - self.reserved.get(asset, Decimal(0))

    def _move(self, changes: dict[str, Decimal]) -> None:
        if any(self._free(asset) + change < 0 for asset, change in changes.items()):
            raise Impossible("enough money")
        for asset, change in changes.items():
            self.balances[asset] += change


def new_token() -> str:
    """Return a token for the private channels."""
    return uuid.uuid4().hex


def _positive(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except ArithmeticError:
        raise Impossible("an amount") from None
    if not value.is_finite() or not UNIT <= value <= Decimal(10) ** 12:
        raise Impossible("an amount")
    return value.quantize(UNIT)
