"""The account behind the practice Bitstamp: what it begins with, and the rows of its transactions.

Trades, conversions, deposits and withdrawals share rising ids, and balances move by what the rows say, so
that sums hold. No wire protocol in here.
"""

import secrets
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from chatbot.practice._ledger import CENT, Ledger, mixed

DEPOSIT, WITHDRAWAL, TRADE, CONVERSION = "0", "1", "2", "36"
FEE = Decimal("0.0016")
NONCE_LIFE = timedelta(seconds=300)  # 150 in older text of the reference
KEY_LENGTH = 32


@dataclass
class PracticeBitstamp(Ledger):
    """Everything the practice Bitstamp remembers; the real limit is 8,000 requests in ten minutes."""

    reads = frozenset({"balances", "fills"})
    # Bitstamp has no tick for account information: given or not, it opens nothing.
    permissions = reads | {"account", "orders", "trade", "transfer", "withdraw", "list_withdrawals"}
    start_balances: ClassVar = {
        "btc": "0.51200000",
        "eth": "6.30000000",
        "xrp": "2400.00000000",
        "usdc": "4800.00",
        "usdt": "0.00",
        "usd": "9400.00",
        "eur": "12000.45",
        "gbp": "0.00",
        "ltc": "0.00000000",
        "sol": "0.00000000",
    }
    start_reserved: ClassVar = {"btc": "0.01200000"}
    start_prices: ClassVar = {
        "btc_usd": "58420.00",
        "btc_eur": "53750.00",
        "eth_usd": "3108.00",
        "eth_eur": "2859.00",
        "xrp_usd": "2.24",
        "usdt_usd": "1.00",
        "usdc_usd": "1.00",
        "usdc_eur": "0.92",
        "eur_usd": "1.09",
        "gbp_usd": "1.27",
        "ltc_usd": "92.40",
        "sol_usd": "171.30",
    }
    traded = ("btc_usd", "btc_eur", "eth_usd", "eth_eur", "xrp_usd")
    limit_window = timedelta(minutes=10)

    nonces: dict[tuple[str, str], datetime] = field(default_factory=dict)

    @property
    def transactions(self) -> list[dict[str, Any]]:
        """All that moved money, oldest first."""
        return sorted([*self.trades, *self.transfers], key=lambda row: int(row["id"]))

    def random_pair(self) -> tuple[str, str]:
        """Return a key and a secret that mix letters and digits, as the shape filter expects."""
        return _random_text(), _random_text()

    def take(self, key: str, nonce: str) -> bool:
        """Tell whether a key's nonce is new, and remember it."""
        now = self.clock()
        self.nonces = {used: at for used, at in self.nonces.items() if at > now - NONCE_LIFE}
        known = (key, nonce) in self.nonces
        self.nonces.setdefault((key, nonce), now)
        return not known

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
        return [str(row["id"]) for row in self.trades]

    @staticmethod
    def when(row: Mapping[str, Any]) -> datetime:
        """Return the moment of a transaction."""
        return datetime.fromisoformat(row["datetime"]).replace(tzinfo=UTC)

    def trade(
        self, side: str, book: str = "", amount: str = "", at: datetime | None = None, kind: str = TRADE
    ) -> dict[str, Any]:
        """Fill an order and return its row; raises `Impossible` when the money does not suffice."""
        book = self.book(book)
        price = self.wander(book)
        base, quote = book.split("_")
        size = self.some(side, book, amount)
        cost = (size * price).quantize(CENT, ROUND_HALF_UP)
        fee = (cost * FEE).quantize(CENT, ROUND_HALF_UP)
        sign = 1 if side == "buy" else -1
        self.move({base: size * sign, quote: -cost * sign - fee})
        traded: dict[str, Any] = {"fee": f"{fee:.5f}", base: str(size * sign), quote: str(-cost * sign)}
        if kind == CONVERSION:
            row = traded | {book: float(price)}
        else:
            zero = {asset: 0.0 for asset in ("usd", "eur") if asset not in {base, quote}}
            order = {"order_id": 1_930_000_000_000_000 + secrets.randbelow(10**12)}
            row = order | traded | {book: str(price)} | zero
        self.trades.append(self._row(kind, at, row))
        return self.trades[-1]

    def transfer(
        self, kind: str, asset: str = "", amount: str = "", at: datetime | None = None
    ) -> dict[str, Any]:
        """Book a `withdrawal` or a `deposit` and return its row; raises `Impossible` for too much."""
        asset = asset or "usd"
        leaves = kind == "withdrawal"
        change = self.sum_to_move(asset, amount or "100") * (-1 if leaves else 1)
        self.move({asset: change})
        moved = {"fee": "0.00000", asset: str(change)}
        self.transfers.append(self._row(WITHDRAWAL if leaves else DEPOSIT, at, moved))
        return self.transfers[-1]

    def _row(self, kind: str, at: datetime | None, fields: dict[str, Any]) -> dict[str, Any]:
        stamp = (at or self.clock()).astimezone(UTC)
        return {
            "id": self.new_id(),
            "datetime": f"{stamp:%Y-%m-%d %H:%M:%S.%f}",
            "type": kind,
            **fields,
        }


def new_token() -> str:
    """Return a token for the private channels."""
    return uuid.uuid4().hex


def _random_text() -> str:
    groups = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
    return mixed(string.ascii_letters + string.digits, KEY_LENGTH, must=groups)
