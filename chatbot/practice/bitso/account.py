"""The account behind the practice Bitso: keys, balances, trades, transfers. No wire format in here.

One account, as at the real exchange: several keys see the same money. Trades move balances by what was
bought, sold and paid as fee, so that sums hold; prices wander a little with every trade.
"""

import secrets
import string
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

ALL_READS = frozenset({"account", "balances", "fills"})
PERMISSIONS = ALL_READS | {"trade", "withdraw"}
TAKER, MAKER = Decimal("0.0065"), Decimal("0.0050")
UNIT, CENT = Decimal("0.00000001"), Decimal("0.01")
START_BALANCES = {
    "btc": "0.84215000",
    "eth": "6.30000000",
    "xrp": "1250.00000000",
    "usdt": "4800.00000000",
    "usd": "1250.00",
    "mxn": "385000.00",
    "ltc": "0.00000000",
    "sol": "0.00000000",
}
START_LOCKED = {"btc": "0.05000000"}
START_PRICES = {
    "btc_mxn": "1075000.00",
    "eth_mxn": "57200.00",
    "xrp_mxn": "41.20",
    "usdt_mxn": "18.42",
    "usd_mxn": "18.40",
    "btc_usdt": "58360.00",
    "btc_usd": "58420.00",
    "eth_usd": "3108.00",
    "ltc_usd": "92.40",
    "sol_usd": "171.30",
}
# What a person is likely to trade here; the other books only have prices.
TRADED = ("btc_mxn", "eth_mxn", "xrp_mxn", "usdt_mxn", "btc_usdt")


class Impossible(ValueError):
    """The account can't do this: unknown book, or not enough money."""


@dataclass(slots=True)
class Key:
    """A key pair with what it may do and the last nonce it was used with."""

    secret: str
    permissions: frozenset[str] = ALL_READS
    nonce: int = 0
    active: bool = True


@dataclass(slots=True)
class Fault:
    """A spoilt answer: which path, what kind, and how often it is still to come."""

    path: str
    kind: str
    times: int


def _random_letters(length: int) -> str:
    """Letters that mix cases early, as the shape filter and the eye expect of a key."""
    start = secrets.choice(string.ascii_lowercase) + secrets.choice(string.ascii_uppercase)
    return start + "".join(secrets.choice(string.ascii_letters) for _ in range(length - 2))


def _machine_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class PracticeBitso:
    """Everything the practice Bitso remembers. `key` and `secret` belong to the key made at the start."""

    clock: Callable[[], datetime] = _machine_clock
    limit_per_minute: int = 0  # 300 at the real exchange; 0 switches the limit off
    key: str = ""
    secret: str = ""
    keys: dict[str, Key] = field(default_factory=dict)
    balances: dict[str, Decimal] = field(default_factory=dict)
    locked: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    trades: list[dict[str, Any]] = field(default_factory=list)
    transfers: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    recent: list[datetime] = field(default_factory=list)
    next_id: int = 98_000_001

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start afresh; the first key stays the same, so that whoever pasted it goes on."""
        first = self.keys.get(self.key)
        self.keys = {self.key: Key(first.secret)} if first else {}
        if not first:
            self.key, self.secret = self.new_key(ALL_READS)
        self.balances = {asset: Decimal(amount) for asset, amount in START_BALANCES.items()}
        self.locked = {asset: Decimal(amount) for asset, amount in START_LOCKED.items()}
        self.prices = {book: Decimal(price) for book, price in START_PRICES.items()}
        for memory in (self.trades, self.transfers, self.faults, self.requests, self.recent):
            memory.clear()

    def new_key(self, permissions: Collection[str] = ALL_READS) -> tuple[str, str]:
        """Make a key and return it with its secret; raises `Impossible` for an unknown permission."""
        key, secret = _random_letters(10), secrets.token_hex(16)
        self.keys[key] = Key(secret)
        self.permit(key, permissions)
        return key, secret

    def permit(self, key: str, permissions: Collection[str]) -> None:
        """Change what a key may do; raises `Impossible` for an unknown key or permission."""
        if key not in self.keys or not PERMISSIONS.issuperset(permissions):
            raise Impossible(f"a known key, and any of {', '.join(sorted(PERMISSIONS))}")
        self.keys[key].permissions = frozenset(permissions)

    def fail(self, path: str, kind: str, times: int = 1) -> None:
        """Spoil the next answers of a path, such as `balance`; an empty path means any."""
        self.faults.append(Fault(path.strip("/"), kind, times))

    def fault_for(self, path: str) -> str:
        """Return the kind of fault due for a path, and count it down; empty when there is none."""
        for fault in self.faults:
            if fault.path in {"", path} and fault.times > 0:
                fault.times -= 1
                return fault.kind
        return ""

    def over_limit(self) -> bool:
        """Count one private request and tell whether it is one too many in this minute."""
        now = self.clock()
        self.recent[:] = [at for at in self.recent if at > now - timedelta(minutes=1)]
        self.recent.append(now)
        return bool(self.limit_per_minute) and len(self.recent) > self.limit_per_minute

    def seed(self, history: int) -> None:
        """Make up past trades over the days before now, oldest first."""
        begin = self.clock() - timedelta(hours=2) * (history + 1)
        for step in range(history):
            side = "buy" if secrets.randbelow(2) else "sell"
            self.trade(side, at=begin + timedelta(hours=2) * step)

    def fill_ids(self) -> list[str]:
        """Return the ids of all trades, oldest first."""
        return [row["tid"] for row in self.trades]

    def trade(
        self, side: str, book: str = "", amount: str = "", at: datetime | None = None
    ) -> dict[str, Any]:
        """Fill an order and return the trade; raises `Impossible` when the money does not suffice."""
        book = book or secrets.choice(TRADED)
        if book not in self.prices or side not in {"buy", "sell"}:
            raise Impossible("a known book")
        price = self._wander(book)
        base, quote = book.split("_")
        size = _positive(amount) if amount else self._some(side, base, quote, price)
        cost = (size * price).quantize(UNIT, ROUND_HALF_UP)
        maker_side = secrets.choice(("buy", "sell"))
        rate = MAKER if maker_side == side else TAKER
        fee = ((size if side == "buy" else cost) * rate).quantize(UNIT, ROUND_HALF_UP)
        if side == "buy":
            self._move({base: size - fee, quote: -cost})
        else:
            self._move({base: -size, quote: cost - fee})
        row = _trade_row(book, side, size, cost, price, fee, maker_side)
        self.trades.append(row | {"tid": str(self._id()), "created_at": _stamp(at or self.clock())})
        return self.trades[-1]

    def transfer(self, operation: str, asset: str = "", amount: str = "") -> dict[str, Any]:
        """Book a `withdrawal` or a `funding` and return it; raises `Impossible` when there is too little."""
        asset = asset or ("usdt" if operation == "withdrawal" else "mxn")
        if asset not in self.balances:
            raise Impossible("a known asset")
        size = _positive(amount) if amount else (self.balances[asset] / 20).quantize(CENT) or Decimal(100)
        self._move({asset: -size if operation == "withdrawal" else size})
        row = {
            "wid" if operation == "withdrawal" else "fid": secrets.token_hex(16),
            "operation": operation,
            "status": "complete",
            "created_at": _stamp(self.clock()),
            "currency": asset,
            "method": asset,
            "amount": str(size),
            "eid": secrets.token_hex(16),
        }
        self.transfers.append(row)
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
        return self.balances[asset] - self.locked.get(asset, Decimal(0))

    def _move(self, changes: dict[str, Decimal]) -> None:
        if any(self._free(asset) + change < 0 for asset, change in changes.items()):
            raise Impossible("enough money")
        for asset, change in changes.items():
            self.balances[asset] += change

    def _id(self) -> int:
        self.next_id += 1 + secrets.randbelow(40)
        return self.next_id


def _positive(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except ArithmeticError:
        raise Impossible("an amount") from None
    if not value.is_finite() or not UNIT <= value <= Decimal(10) ** 12:
        raise Impossible("an amount")
    return value.quantize(UNIT)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def _trade_row(
    book: str, side: str, size: Decimal, cost: Decimal, price: Decimal, fee: Decimal, maker_side: str
) -> dict[str, Any]:
    base, quote = book.split("_")
    sign = 1 if side == "buy" else -1
    return {
        "book": book,
        "major": str(size * sign),
        "minor": str(cost * -sign),
        "major_currency": base,
        "minor_currency": quote,
        "fees_amount": str(fee),
        "fees_currency": base if side == "buy" else quote,
        "price": str(price),
        "side": side,
        "maker_side": maker_side,
        "oid": secrets.token_hex(8),
        "origin_id": None,
    }
