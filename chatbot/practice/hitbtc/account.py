"""The account behind the practice HitBTC: what it begins with, its symbols, and the rows of its trades.

Trades move balances by what was bought, sold and paid as fee (or earned: some makers are paid), so that
sums hold. No wire format in here.
"""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from chatbot.practice._ledger import UNIT, Ledger, mixed

START_WALLET = {"usdt": "350.00000000", "btc": "0.02000000"}
# As at the real exchange, no book is quoted in dollars: they are reached by another exchange's rates.
START_PRICES = {
    "btc_usdt": "58360.00",
    "eth_usdt": "3104.00",
    "ltc_usdt": "92.40",
    "xrp_usdt": "2.24",
    "doge_usdt": "0.16",
    "sol_usdt": "171.30",
    "eurs_usdt": "1.09",
    "eth_btc": "0.05320",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """A symbol: its book in the ledger, and the fee of taker and maker (negative: paid)."""

    book: str
    take: Decimal = Decimal("0.0025")
    make: Decimal = Decimal("0.0010")

    @property
    def base(self) -> str:
        """What is bought and sold."""
        return self.book.partition("_")[0]

    @property
    def quote(self) -> str:
        """What it is paid with."""
        return self.book.partition("_")[2]


PAIRS: Mapping[str, Pair] = {
    **{book.replace("_", "").upper(): Pair(book) for book in START_PRICES},
    "ETHBTC": Pair("eth_btc", Decimal("0.0010"), Decimal("-0.0001")),
}


@dataclass
class PracticeHitBTC(Ledger):
    """Everything the practice HitBTC remembers; the real limit is 20 private requests in a second."""

    # At HitBTC one tick gives balances and fills; here they come one by one, to rehearse the difference.
    reads = frozenset({"account", "balances", "fills"})
    permissions = reads | {"trade", "transfer", "withdraw"}
    start_balances: ClassVar = {
        "btc": "0.61040000",
        "eth": "4.75000000",
        "usdt": "9200.50000000",
        "ltc": "35.00000000",
        "xrp": "2100.00000000",
        "eurs": "640.00",
        "doge": "0.00000000",
        "sol": "0.00000000",
    }
    start_reserved: ClassVar = {"btc": "0.04000000"}
    start_prices = START_PRICES
    traded = ("btc_usdt", "eth_usdt", "ltc_usdt", "xrp_usdt", "eth_btc")

    wallet: dict[str, Decimal] = field(default_factory=dict)
    next_id: int = 4_700_000_001

    def reset(self) -> None:
        """Start afresh, the wallet beside the trading account included."""
        super().reset()
        self.wallet = {asset: Decimal(amount) for asset, amount in START_WALLET.items()}

    def random_pair(self) -> tuple[str, str]:
        """Return a key and a secret of letters and digits, mixed as the shape filter and the eye expect."""
        return _random_text(32), _random_text(32)

    def fill_ids(self) -> list[str]:
        """Return the ids of all trades, oldest first."""
        return [str(row["id"]) for row in self.trades]

    def book(self, wanted: str) -> str:
        """Return a known book, by its own name or its symbol's; raises `Impossible`."""
        pair = PAIRS.get(wanted.upper())
        return super().book(pair.book if pair else wanted)

    def trade(
        self, side: str, book: str = "", amount: str = "", at: datetime | None = None
    ) -> dict[str, Any]:
        """Fill an order and return the trade; raises `Impossible` when the money does not suffice."""
        book = self.book(book)
        symbol = book.replace("_", "").upper()
        pair, price, size = PAIRS[symbol], self.wander(book), self.some(side, book, amount)
        taker = bool(secrets.randbelow(2))
        fee = (size * price * (pair.take if taker else pair.make)).quantize(UNIT, ROUND_HALF_UP)
        sign = 1 if side == "buy" else -1
        # The fee is taken in the quote asset on both sides, as the symbols' `fee_currency` says.
        self.move({pair.base: sign * size, pair.quote: -sign * size * price - fee})
        row = {
            "id": self.new_id(),
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
        """Book a `withdrawal` or a `deposit` and return it; raises `Impossible` when there is too little."""
        asset = asset or "usdt"
        leaves = kind == "withdrawal"
        size = self.sum_to_move(asset, amount)
        self.move({asset: -size if leaves else size})
        row = {
            "id": self.new_id(),
            "kind": "WITHDRAW" if leaves else "DEPOSIT",
            "asset": asset,
            "amount": str(size),
            "created_at": stamp(self.clock()),
            "tx": secrets.token_hex(16),
        }
        self.transfers.append(row)
        return row


def stamp(at: datetime) -> str:
    """Write a time as HitBTC does: UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _random_text(length: int) -> str:
    groups = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.digits)
    return mixed(string.ascii_letters + string.digits, length, must=groups)
