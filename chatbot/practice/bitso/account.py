"""The account behind the practice Bitso: what it begins with, and the rows of its trades and transfers.

Trades move balances by what was bought, sold and paid as fee, so that sums hold. No wire format in here.
"""

import secrets
import string
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from chatbot.practice._ledger import UNIT, Ledger, mixed

TAKER, MAKER = Decimal("0.0065"), Decimal("0.0050")


@dataclass
class PracticeBitso(Ledger):
    """Everything the practice Bitso remembers; the real limit is 300 private requests in a minute."""

    reads = frozenset({"account", "balances", "fills"})
    permissions = reads | {"trade", "withdraw"}
    start_balances: ClassVar = {
        "btc": "0.84215000",
        "eth": "6.30000000",
        "xrp": "1250.00000000",
        "usdt": "4800.00000000",
        "usd": "1250.00",
        "mxn": "385000.00",
        "ltc": "0.00000000",
        "sol": "0.00000000",
    }
    start_reserved: ClassVar = {"btc": "0.05000000"}
    start_prices: ClassVar = {
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
    traded = ("btc_mxn", "eth_mxn", "xrp_mxn", "usdt_mxn", "btc_usdt")
    limit_window = timedelta(minutes=1)

    next_id: int = 98_000_001

    def random_pair(self) -> tuple[str, str]:
        """Return a key whose letters mix cases early, as the shape filter expects, and a secret."""
        start = secrets.choice(string.ascii_lowercase) + secrets.choice(string.ascii_uppercase)
        return start + mixed(string.ascii_letters, 8), secrets.token_hex(16)

    def fill_ids(self) -> list[str]:
        """Return the ids of all trades, oldest first."""
        return [row["tid"] for row in self.trades]

    def trade(
        self, side: str, book: str = "", amount: str = "", at: datetime | None = None
    ) -> dict[str, Any]:
        """Fill an order and return the trade; raises `Impossible` when the money does not suffice."""
        book = self.book(book)
        price = self.wander(book)
        base, quote = book.split("_")
        size = self.some(side, book, amount)
        cost = (size * price).quantize(UNIT, ROUND_HALF_UP)
        maker_side = secrets.choice(("buy", "sell"))
        rate = MAKER if maker_side == side else TAKER
        fee = ((size if side == "buy" else cost) * rate).quantize(UNIT, ROUND_HALF_UP)
        if side == "buy":
            self.move({base: size - fee, quote: -cost})
        else:
            self.move({base: -size, quote: cost - fee})
        row = _trade_row(book, side, size, cost, price, fee, maker_side)
        self.trades.append(row | {"tid": str(self.new_id()), "created_at": _stamp(at or self.clock())})
        return self.trades[-1]

    def transfer(self, kind: str, asset: str = "", amount: str = "") -> dict[str, Any]:
        """Book a `withdrawal` or a `deposit` and return it; raises `Impossible` when there is too little."""
        leaves = kind == "withdrawal"
        asset = asset or ("usdt" if leaves else "mxn")
        size = self.sum_to_move(asset, amount)
        self.move({asset: -size if leaves else size})
        row = {
            "wid" if leaves else "fid": secrets.token_hex(16),
            "operation": "withdrawal" if leaves else "funding",
            "status": "complete",
            "created_at": _stamp(self.clock()),
            "currency": asset,
            "method": asset,
            "amount": str(size),
            "eid": secrets.token_hex(16),
        }
        self.transfers.append(row)
        return row


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
