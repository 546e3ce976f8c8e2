"""The account behind the practice HitBTC: keys, balances, trades, transfers. No wire format in here.

One account, as at the real exchange: several keys see the same money. Trades move balances by what was
bought, sold and paid as fee (or earned: some makers are paid), so that sums hold.
"""

import secrets
import string
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

# At HitBTC one tick gives balances and fills; here they can be given one by one, to rehearse the difference.
ALL_READS = frozenset({"account", "balances", "fills"})
PERMISSIONS = ALL_READS | {"trade", "transfer", "withdraw"}
UNIT, CENT = Decimal("0.00000001"), Decimal("0.01")
START_BALANCES = {
    "btc": "0.61040000",
    "eth": "4.75000000",
    "usdt": "9200.50000000",
    "ltc": "35.00000000",
    "xrp": "2100.00000000",
    "eurs": "640.00",
    "doge": "0.00000000",
    "sol": "0.00000000",
}
START_RESERVED = {"btc": "0.04000000"}
START_WALLET = {"usdt": "350.00000000", "btc": "0.02000000"}


@dataclass(frozen=True, slots=True)
class Pair:
    """A symbol: what it trades, its first price, and the fee of taker and maker (negative: paid)."""

    base: str
    quote: str
    price: str
    take: Decimal = Decimal("0.0025")
    make: Decimal = Decimal("0.0010")


PAIRS = {
    "BTCUSDT": Pair("btc", "usdt", "58360.00"),
    "ETHUSDT": Pair("eth", "usdt", "3104.00"),
    "LTCUSDT": Pair("ltc", "usdt", "92.40"),
    "XRPUSDT": Pair("xrp", "usdt", "2.24"),
    "DOGEUSDT": Pair("doge", "usdt", "0.16"),
    "SOLUSDT": Pair("sol", "usdt", "171.30"),
    "EURSUSDT": Pair("eurs", "usdt", "1.09"),
    # Not known to exist: it gives the practice account a value in dollars.
    "USDTUSD": Pair("usdt", "usd", "1.00"),
    "ETHBTC": Pair("eth", "btc", "0.05320", Decimal("0.0010"), Decimal("-0.0001")),
}
# What a person is likely to trade here; the other pairs only have prices.
TRADED = ("BTCUSDT", "ETHUSDT", "LTCUSDT", "XRPUSDT", "ETHBTC")


class Impossible(ValueError):
    """The account can't do this: unknown symbol, or not enough money."""


@dataclass(slots=True)
class Key:
    """A key pair with what it may do."""

    secret: str
    permissions: frozenset[str] = ALL_READS
    active: bool = True


@dataclass(slots=True)
class Fault:
    """A spoilt answer: which path, what kind, and how often it is still to come."""

    path: str
    kind: str
    times: int


def _random_text(length: int) -> str:
    """Letters and digits of URL-safe base64, mixed as the shape filter and the eye expect of a key."""
    some = [secrets.choice(letters) for letters in (string.ascii_lowercase, string.ascii_uppercase)]
    some += [secrets.choice(string.digits) for _ in range(2)]
    some += [secrets.choice(string.ascii_letters + string.digits) for _ in range(length - len(some))]
    secrets.SystemRandom().shuffle(some)
    return "".join(some)


def _machine_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class PracticeHitBTC:
    """Everything the practice HitBTC remembers. `key` and `secret` belong to the key made at the start."""

    clock: Callable[[], datetime] = _machine_clock
    limit_per_second: int = 0  # 20 at the real exchange; 0 switches the limit off
    key: str = ""
    secret: str = ""
    keys: dict[str, Key] = field(default_factory=dict)
    balances: dict[str, Decimal] = field(default_factory=dict)
    reserved: dict[str, Decimal] = field(default_factory=dict)
    wallet: dict[str, Decimal] = field(default_factory=dict)
    prices: dict[str, Decimal] = field(default_factory=dict)
    trades: list[dict[str, Any]] = field(default_factory=list)
    transfers: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    recent: list[datetime] = field(default_factory=list)
    next_id: int = 4_700_000_001

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
        self.wallet = {asset: Decimal(amount) for asset, amount in START_WALLET.items()}
        self.prices = {symbol: Decimal(pair.price) for symbol, pair in PAIRS.items()}
        for memory in (self.trades, self.transfers, self.faults, self.requests, self.recent):
            memory.clear()

    def new_key(self, permissions: Collection[str] = ALL_READS) -> tuple[str, str]:
        """Make a key and return it with its secret; raises `Impossible` for an unknown permission."""
        key, secret = _random_text(32), _random_text(32)
        self.keys[key] = Key(secret)
        self.permit(key, permissions)
        return key, secret

    def permit(self, key: str, permissions: Collection[str]) -> None:
        """Change what a key may do; raises `Impossible` for an unknown key or permission."""
        if key not in self.keys or not PERMISSIONS.issuperset(permissions):
            raise Impossible(f"a known key, and any of {', '.join(sorted(PERMISSIONS))}")
        self.keys[key].permissions = frozenset(permissions)

    def fail(self, path: str, kind: str, times: int = 1) -> None:
        """Spoil the next answers of a path, such as `spot/balance`; an empty path means any."""
        self.faults.append(Fault(path.strip("/"), kind, times))

    def fault_for(self, path: str) -> str:
        """Return the kind of fault due for a path, and count it down; empty when there is none."""
        for fault in self.faults:
            if fault.path in {"", path} and fault.times > 0:
                fault.times -= 1
                return fault.kind
        return ""

    def over_limit(self) -> bool:
        """Count one private request and tell whether it is one too many in this second."""
        now = self.clock()
        self.recent[:] = [at for at in self.recent if at > now - timedelta(seconds=1)]
        self.recent.append(now)
        return bool(self.limit_per_second) and len(self.recent) > self.limit_per_second

    def seed(self, history: int) -> None:
        """Make up past trades over the days before now, oldest first."""
        begin = self.clock() - timedelta(hours=2) * (history + 1)
        for step in range(history):
            side = "buy" if secrets.randbelow(2) else "sell"
            self.trade(side, at=begin + timedelta(hours=2) * step)

    def fill_ids(self) -> list[str]:
        """Return the ids of all trades, oldest first."""
        return [str(row["id"]) for row in self.trades]

    def trade(
        self, side: str, book: str = "", amount: str = "", at: datetime | None = None
    ) -> dict[str, Any]:
        """Fill an order and return the trade; raises `Impossible` when the money does not suffice."""
        symbol = book.upper() or secrets.choice(TRADED)
        if symbol not in PAIRS or side not in {"buy", "sell"}:
            raise Impossible("a known symbol")
        pair, price = PAIRS[symbol], self._wander(symbol)
        size = _positive(amount) if amount else self._some(side, pair, price)
        taker = bool(secrets.randbelow(2))
        fee = (size * price * (pair.take if taker else pair.make)).quantize(UNIT, ROUND_HALF_UP)
        sign = 1 if side == "buy" else -1
        # The fee is taken in the quote asset on both sides, as the symbols' `fee_currency` says.
        self._move({pair.base: sign * size, pair.quote: -sign * size * price - fee})
        row = {
            "id": self._id(),
            "order_id": 58_700_000_000 + secrets.randbelow(10**9),
            "client_order_id": secrets.token_hex(16),
            "symbol": symbol,
            "side": side,
            "quantity": str(size),
            "price": str(price),
            "fee": str(fee),
            "timestamp": stamp(at or self.clock()),
            "taker": taker,
        }
        self.trades.append(row)
        return row

    def transfer(self, kind: str, asset: str = "", amount: str = "") -> dict[str, Any]:
        """Book a `WITHDRAW` or a `DEPOSIT` and return it; raises `Impossible` when there is too little."""
        asset = (asset or "usdt").lower()
        if asset not in self.balances:
            raise Impossible("a known asset")
        size = _positive(amount) if amount else (self.balances[asset] / 20).quantize(CENT) or Decimal(100)
        self._move({asset: -size if kind == "WITHDRAW" else size})
        row = {"id": self._id(), "kind": kind, "asset": asset, "amount": str(size)}
        self.transfers.append(row | {"created_at": stamp(self.clock()), "tx": secrets.token_hex(16)})
        return self.transfers[-1]

    def _some(self, side: str, pair: Pair, price: Decimal) -> Decimal:
        share = Decimal(secrets.randbelow(190) + 10) / 10_000
        held = self._free(pair.base) if side == "sell" else self._free(pair.quote) / price
        size = (held * share).quantize(UNIT)
        if not size:
            raise Impossible("some money to trade with")
        return size

    def _wander(self, symbol: str) -> Decimal:
        step = 1 + Decimal(secrets.randbelow(401) - 200) / 100_000
        digits = Decimal(PAIRS[symbol].price)
        self.prices[symbol] = (self.prices[symbol] * step).quantize(digits) or digits
        return self.prices[symbol]

    def _free(self, asset: str) -> Decimal:
        return self.balances.get(asset, Decimal(0)) - self.reserved.get(asset, Decimal(0))

    def _move(self, changes: dict[str, Decimal]) -> None:
        if any(asset not in self.balances or self._free(asset) + by < 0 for asset, by in changes.items()):
            raise Impossible("enough money")
        for asset, change in changes.items():
            self.balances[asset] += change

    def _id(self) -> int:
        self.next_id += 1 + secrets.randbelow(40)
        return self.next_id


def stamp(at: datetime) -> str:
    """Write a time as HitBTC does: UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _positive(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except ArithmeticError:
        raise Impossible("an amount") from None
    if not value.is_finite() or not UNIT <= value <= Decimal(10) ** 12:
        raise Impossible("an amount")
    return value.quantize(UNIT)
