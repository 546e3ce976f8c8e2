"""The account behind the practice Kraken: what it begins with, its trades and transfers, its keys' counters.

Trades move balances by what was bought, sold and paid as fee (in the quote, on both sides), so that sums
hold. Part of the money is staked: it belongs to the balance, and no order can use it. No wire format in here.
"""

import base64
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from chatbot.practice._ledger import UNIT, Impossible, Ledger, mixed

TAKER, MAKER = Decimal("0.0040"), Decimal("0.0025")
LETTERS = string.ascii_uppercase + "234567"
# Lowest tier: 15 at most, a third less each second.
FALLS_PER_SECOND = Decimal("0.33")
TICK = Decimal("0.0001")
# Kraken's own words for the permissions a key can have here.
TICKS: Mapping[str, tuple[str, ...]] = {
    "balances": ("query-funds",),
    "fills": ("query-closed-trades",),
    "orders": ("query-open-trades",),
    "account": ("query-ledger",),
    "trade": ("modify-trades", "close-trades"),
    "transfer": ("add-funds", "earn-funds"),
    "withdraw": ("withdraw-funds",),
}
ALONE = frozenset({"export-data", "create-ws-token", "add-withdraw-address", "update-withdraw-address"})


@dataclass
class PracticeKraken(Ledger):
    """Everything the practice Kraken remembers; `limit` is what a key's counter holds, 15 at the real one."""

    reads = frozenset({"balances", "fills"})
    permissions = frozenset(TICKS) | ALONE
    start_balances: ClassVar = {
        "btc": "0.6104000000",
        "eth": "4.7500000000",
        "xrp": "2100.00000000",
        "doge": "5200.00000000",
        "ada": "1800.00000000",
        "usdt": "3200.50000000",
        "usd": "9250.0000",
        "eur": "1640.0000",
        "sol": "0.00000000",
    }
    start_reserved: ClassVar = {"btc": "0.0400000000"}
    # In a pocket of its own each, under the asset's name and a letter.
    start_pockets: ClassVar = {"ada": ("S", "600.00000000"), "usd": ("F", "1000.0000")}
    start_prices: ClassVar = {
        "btc_usd": "58420.0",
        "eth_usd": "3108.00",
        "xrp_usd": "2.24100",
        "doge_usd": "0.1612000",
        "ada_usd": "0.571200",
        "sol_usd": "171.30",
        "usdt_usd": "1.00010",
        "eur_usd": "1.08650",
        "eth_btc": "0.05320",
        "btc_usdt": "58415.0",
    }
    traded = ("btc_usd", "eth_usd", "xrp_usd", "doge_usd", "eth_btc")

    pockets: dict[str, tuple[str, Decimal]] = field(default_factory=dict)
    counters: dict[str, tuple[Decimal, datetime]] = field(default_factory=dict)
    last_moment: Decimal = Decimal(0)

    def reset(self) -> None:
        super().reset()
        self.pockets = {asset: (kind, Decimal(part)) for asset, (kind, part) in self.start_pockets.items()}
        self.counters.clear()
        self.last_moment = Decimal(0)

    def free(self, asset: str) -> Decimal:
        """Return what is neither in open orders nor in a pocket."""
        return super().free(asset) - self.pockets.get(asset, ("", Decimal(0)))[1]

    def random_pair(self) -> tuple[str, str]:
        """Return a key and a private key as long as Kraken's."""
        groups = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
        key = mixed(string.ascii_letters + string.digits + "+/", 56, must=groups)
        return key, base64.b64encode(secrets.token_bytes(64)).decode("ascii")

    def ticks(self, key: str) -> list[str]:
        """Return the ticks of a key in Kraken's words."""
        has = self.keys[key].permissions
        return [tick for name, ticks in TICKS.items() if name in has for tick in ticks] + sorted(has & ALONE)

    def count(self, key: str, cost: int) -> bool:
        """Add a call to the counter of a key and tell whether it now holds more than the limit, if any."""
        now = self.clock()
        held, at = self.counters.get(key, (Decimal(0), now))
        passed = Decimal((now - at).total_seconds())
        held = max(Decimal(0), held - passed * FALLS_PER_SECOND) + cost
        self.counters[key] = held, now
        return bool(self.limit) and held > self.limit

    def fill_ids(self) -> list[str]:
        """Return the ids of all trades, oldest first."""
        return [row["id"] for row in sorted(self.trades, key=lambda row: Decimal(row["time"]))]

    def trade(
        self, side: str, book: str = "", amount: str = "", at: datetime | None = None
    ) -> dict[str, Any]:
        """Fill an order and return the trade; raises `Impossible` when the money does not suffice."""
        book = self.book(book)
        if side not in {"buy", "sell"}:
            raise Impossible("a side")
        price, (base, quote) = self.wander(book), book.split("_")
        size = self.some(side, book, amount)
        cost = (size * price).quantize(UNIT, ROUND_HALF_UP)
        maker = bool(secrets.randbelow(2))
        fee = (cost * (MAKER if maker else TAKER)).quantize(UNIT, ROUND_HALF_UP)
        sign = 1 if side == "buy" else -1
        self.move({base: sign * size, quote: -sign * cost - fee})
        row = {
            "id": txid("T"),
            "order": txid("O"),
            "position": txid("T"),
            "number": self.new_id(),
            "book": book,
            "side": side,
            "size": str(size),
            "price": str(price),
            "cost": str(cost),
            "fee": str(fee),
            "maker": maker,
            "time": str(self._moment(at)),
        }
        self.trades.append(row)
        return row

    def transfer(self, kind: str, asset: str = "", amount: str = "") -> dict[str, Any]:
        """Book a `withdrawal` or a `deposit` and return it; raises `Impossible` when there is too little."""
        leaves = kind == "withdrawal"
        asset = asset or ("usdt" if leaves else "eur")
        size = self.sum_to_move(asset, amount)
        self.move({asset: -size if leaves else size})
        row = {"refid": txid("F"), "kind": kind, "asset": asset, "amount": str(size)}
        self.transfers.append(row | {"time": str(_seconds(self.clock()))})
        return self.transfers[-1]

    def _moment(self, at: datetime | None) -> Decimal:
        """Return a moment in seconds: the one given, or now, always later than the one before."""
        if at is not None:
            return _seconds(at)
        self.last_moment = max(_seconds(self.clock()), self.last_moment + TICK)
        return self.last_moment


def _seconds(at: datetime) -> Decimal:
    return (Decimal((at.astimezone(UTC)).timestamp())).quantize(TICK)


def txid(first: str) -> str:
    """Return an id as Kraken makes them: six, five and six signs, of which the first tells the kind."""
    parts = (5, 5, 6)
    made = ["".join(secrets.choice(LETTERS) for _ in range(length)) for length in parts]
    return first + "-".join(made)
