"""The account behind the practice Binance: trades, fees, transfers. No wire format in here.

A fee is taken from what was bought, or from the account's BNB, three quarters of it then; both happen.
"""

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any, ClassVar

from chatbot.practice._ledger import UNIT, Impossible, Ledger, mixed, positive

# One tick gives all reads at Binance; here they can be given one by one, to rehearse the difference.
READS = frozenset({"account", "balances", "fills"})
FEE, CHEAPER = Decimal("0.001"), Decimal("0.75")
ALPHABET = string.ascii_letters + string.digits


@dataclass
class PracticeBinance(Ledger):
    """Everything the practice Binance remembers."""

    reads: ClassVar = READS
    permissions: ClassVar = READS | {"orders", "trade", "transfer", "withdraw"}
    start_balances: ClassVar[Mapping[str, str]] = {
        "btc": "0.74120000",
        "eth": "6.30000000",
        "bnb": "12.50000000",
        "usdt": "14820.75000000",
        "sol": "42.00000000",
        "xrp": "1500.00000000",
        "fdusd": "800.00000000",
        "eur": "250.00000000",
        "doge": "0.00000000",
        "pepe": "0.00000000",
        "busd": "0.00000000",
    }
    start_reserved: ClassVar[Mapping[str, str]] = {"btc": "0.05000000"}
    start_prices: ClassVar[Mapping[str, str]] = {
        "btc_usdt": "58410.00",
        "eth_usdt": "3106.00",
        "bnb_usdt": "571.20",
        "sol_usdt": "171.40",
        "xrp_usdt": "2.2400",
        "doge_usdt": "0.16000",
        "pepe_usdt": "0.00001120",
        "fdusd_usdt": "0.9990",
        "eur_usdt": "1.0900",
        "btc_fdusd": "58430.00",
        "eth_btc": "0.05317",
        "bnb_btc": "0.009780",
        "sol_btc": "0.0029340",
        "btc_busd": "58400.00",
        # Not known to exist: it gives the practice account a value in dollars.
        "usdt_usd": "1.0000",
    }
    traded: ClassVar[tuple[str, ...]] = ("btc_usdt", "eth_usdt", "bnb_usdt", "sol_usdt", "eth_btc")
    limit_window: ClassVar[timedelta] = timedelta(minutes=1)

    # Symbols that have stopped to trade, and those that are gone altogether.
    stopped: set[str] = field(default_factory=lambda: {"BTCBUSD"})
    gone: set[str] = field(default_factory=set)
    spent: list[tuple[datetime, int]] = field(default_factory=list)

    def reset(self) -> None:
        """Start afresh, with all symbols trading that did at first."""
        super().reset()
        self.stopped, self.gone, self.spent = {"BTCBUSD"}, set(), []

    def random_pair(self) -> tuple[str, str]:
        """Return a key and a secret of 64 letters and digits each."""
        groups = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
        return mixed(ALPHABET, 64, must=groups), mixed(ALPHABET, 64, must=groups)

    def fill_ids(self) -> list[str]:
        """Return the ids of all trades, oldest first; at Binance they are only unique within a symbol."""
        return [str(row["id"]) for row in self.trades]

    def trade(
        self, side: str, book: str = "", amount: str = "", at: datetime | None = None
    ) -> dict[str, Any]:
        """Fill an order and return the trade as `myTrades` shows it; raises `Impossible`."""
        book = self.book(named(book))
        if side not in {"buy", "sell"}:
            raise Impossible("buy or sell")
        size, price = self.some(side, book, amount), self.wander(book)
        base, quote = book.split("_")
        cost = (size * price).quantize(UNIT, ROUND_DOWN)
        fee, fee_asset = self._fee(base if side == "buy" else quote, size if side == "buy" else cost)
        sign = 1 if side == "buy" else -1
        changes = {base: sign * size, quote: -sign * cost}
        changes[fee_asset] = changes.get(fee_asset, Decimal(0)) - fee
        self.move(changes)
        row = {
            "symbol": symbol_of(book),
            "id": self.new_id(),
            "orderId": 28_400_000_000 + secrets.randbelow(10**9),
            "orderListId": -1,
            "price": f"{price:.8f}",
            "qty": f"{size:.8f}",
            "quoteQty": f"{cost:.8f}",
            "commission": f"{fee:.8f}",
            "commissionAsset": fee_asset.upper(),
            "time": round((at or self.clock()).timestamp() * 1000),
            "isBuyer": side == "buy",
            "isMaker": bool(secrets.randbelow(2)),
            "isBestMatch": True,
        }
        self.trades.append(row)
        return row

    def transfer(self, kind: str, asset: str = "", amount: str = "") -> dict[str, Any]:
        """Book a `withdrawal` or a `deposit` and return it; raises `Impossible`."""
        asset = asset or "usdt"
        size = self.sum_to_move(asset, amount)
        self.move({asset: -size if kind == "withdrawal" else size})
        row = {"id": self.new_id(), "kind": kind, "asset": asset, "amount": str(size)}
        self.transfers.append(row | {"at": self.clock().isoformat()})
        return self.transfers[-1]

    def reserve(self, asset: str, amount: str) -> None:
        """Let an open order hold back so much of an asset, nothing for an empty amount."""
        self.reserved[asset] = positive(amount) if amount else Decimal(0)

    def over_weight(self, weight: int) -> bool:
        """Count what a request weighs and tell whether it is too much for this minute."""
        now = self.clock()
        self.spent[:] = [(at, spent) for at, spent in self.spent if at > now - self.limit_window]
        self.spent.append((now, weight))
        return bool(self.limit) and self.used > self.limit

    @property
    def used(self) -> int:
        """The weight of this minute's requests."""
        return sum(weight for _, weight in self.spent)

    def _fee(self, bought: str, received: Decimal) -> tuple[Decimal, str]:
        in_bnb = (received * self._worth(bought) * FEE * CHEAPER / self._worth("bnb")).quantize(UNIT)
        if secrets.randbelow(2) and self.free("bnb") > in_bnb * 2:
            return in_bnb, "bnb"
        return (received * FEE).quantize(UNIT, ROUND_DOWN), bought

    def _worth(self, asset: str) -> Decimal:
        """Return the price in tether; dollars of any kind are worth 1."""
        return self.prices.get(f"{asset}_usdt", Decimal(1))


def symbol_of(book: str) -> str:
    """Write a book as Binance does."""
    return book.replace("_", "").upper()


def named(book: str) -> str:
    """Return the book of a symbol or of a book's own name, as it is when neither is known."""
    known = {symbol_of(name): name for name in PracticeBinance.start_prices}
    return known.get(book.upper(), book)
