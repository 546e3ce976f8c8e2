"""The account behind the practice Bybit: a unified wallet, a Funding account, and one contract's position.

Spot trades move balances by what was bought, sold and paid as fee. A contract moves none but its fee and,
when it closes, what it won or lost; the transaction log says how much. No wire format in here.
"""

import secrets
import string
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any, ClassVar

from chatbot.practice._ledger import UNIT, Key, Ledger, mixed, positive

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
START_PRICES = {
    "btc_usdt": "58360.00",
    "eth_usdt": "3104.00",
    "sol_usdt": "171.30",
    "xrp_usdt": "2.2400",
    "mnt_usdt": "0.6200",
    "usdc_usdt": "1.0000",
    "eth_btc": "0.053200",
}
# What lies in the Funding account can't be traded with.
START_FUND = {"usdt": "350.00", "btc": "0.02000000", "usdc": "75.50"}
SPOT_FEE, CONTRACT_FEE = Decimal("0.001"), Decimal("0.00055")
# The one contract that can be traded here, its price being that of the spot pair, and the most of it at once.
CONTRACT, CONTRACT_BOOK, CONTRACT_SIZE = "ETHUSDT", "eth_usdt", "0.10"
VALID = timedelta(days=90)


@dataclass
class PracticeBybit(Ledger):
    """Everything the practice Bybit remembers; the real limit is 50 requests a second to each path."""

    # Which box at Bybit opens what is not documented one by one; here each opens a thing of its own.
    reads = frozenset({"account", "balances", "fills"})
    permissions = reads | {"trade", "transfer", "withdraw", "earn"}
    start_balances: ClassVar = {
        "btc": "0.53100000",
        "eth": "3.20000000",
        "sol": "24.50000000",
        "xrp": "1800.00000000",
        "mnt": "410.00000000",
        "usdc": "1275.50000000",
        "usdt": "11350.25000000",
        "doge": "0.00000000",
    }
    start_reserved: ClassVar = {"btc": "0.03000000"}
    start_prices = START_PRICES
    traded = ("btc_usdt", "eth_usdt", "sol_usdt", "xrp_usdt", "eth_btc")

    fund: dict[str, Decimal] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    position: Decimal = Decimal(0)
    entry: Decimal = Decimal(0)
    log_is_late: bool = False

    def reset(self) -> None:
        """Start afresh, the Funding account and the position included."""
        super().reset()
        self.fund = {asset: Decimal(amount) for asset, amount in START_FUND.items()}
        self.log.clear()
        self.position = self.entry = Decimal(0)

    def new_key(self, permissions: Any = None) -> tuple[str, str]:
        """Make a key; without an address it ends 90 days later."""
        key, secret = super().new_key(permissions)
        self.keys[key].expires_at = self.clock() + VALID
        return key, secret

    def random_pair(self) -> tuple[str, str]:
        """Return a key and a secret of letters and digits, as long as Bybit's."""
        return _random_text(18), _random_text(36)

    def free(self, asset: str) -> Decimal:
        """Return what can be traded or withdrawn: not in orders, and not in the Funding account."""
        return super().free(asset) - self.fund.get(asset, Decimal(0))

    def fill_ids(self) -> list[str]:
        """Return the ids of all fills, oldest first."""
        return [row["execId"] for row in self.trades if row["execType"] == "Trade"]

    def book(self, wanted: str) -> str:
        """Return a known book, by its own name or its symbol's; raises `Impossible`."""
        names = {book.replace("_", ""): book for book in self.prices}
        return super().book(names.get(wanted.lower(), wanted))

    def trade(
        self, side: str, book: str = "", amount: str = "", at: datetime | None = None
    ) -> dict[str, Any]:
        """Fill a spot order and return its row; what comes in pays the fee."""
        book = self.book(book)
        base, quote = book.split("_")
        price, size = self.wander(book), self.some(side, book, amount)
        worth = size * price
        bought = side == "buy"
        fee = ((size if bought else worth) * SPOT_FEE).quantize(UNIT, ROUND_HALF_UP)
        gain = {base: size - fee, quote: -worth} if bought else {base: -size, quote: worth - fee}
        self.move(gain)
        row = self._row("spot", f"{base}{quote}".upper(), side, size, price, at)
        row |= {
            "execFee": str(fee),
            "feeCurrency": (base if bought else quote).upper(),
            "feeRate": str(SPOT_FEE),
        }
        self.trades.append(row)
        return row

    def contract(self, side: str, amount: str = "", at: datetime | None = None) -> dict[str, Any]:
        """Buy or sell a linear contract; what closes a position settles in USDT."""
        size = positive(amount or CONTRACT_SIZE)
        signed = size if side == "buy" else -size
        price = self.wander(CONTRACT_BOOK)
        closed = min(size, abs(self.position)) if self.position * signed < 0 else Decimal(0)
        result = (closed * (price - self.entry) * (1 if self.position > 0 else -1)).quantize(UNIT)
        fee = (size * price * CONTRACT_FEE).quantize(UNIT, ROUND_HALF_UP)
        self.move({"usdt": result - fee})
        self._hold(signed, price, closed)
        row = self._row("linear", CONTRACT, side, size, price, at)
        row |= {"execFee": str(fee), "feeRate": str(CONTRACT_FEE), "closedSize": str(closed)}
        row |= {"createType": "CreateByUser"}
        self.trades.append(row)
        self._book(row, "TRADE", result, fee)
        return row

    def pay_funding(self, amount: str = "") -> dict[str, Any]:
        """Pay what holders of a position pay each other: an execution that fills nothing."""
        fee = positive(amount or "0.25")
        self.move({"usdt": -fee})
        row = self._row("linear", CONTRACT, "buy", Decimal("0.10"), self.prices[CONTRACT_BOOK], None)
        row |= {"execFee": str(fee), "execType": "Funding", "orderType": "UNKNOWN", "feeRate": "0.0001"}
        self.trades.append(row)
        self._book(row, "SETTLEMENT", Decimal(0), Decimal(0), -fee)
        return row

    def transfer(self, kind: str, asset: str = "", amount: str = "") -> dict[str, Any]:
        """Book a `withdrawal` or a `deposit` and return it; raises `Impossible` when there is too little."""
        asset = asset or "usdt"
        size = self.sum_to_move(asset, amount)
        self.move({asset: -size if kind == "withdrawal" else size})
        row = {"id": self.new_id(), "kind": kind, "asset": asset, "amount": str(size)}
        self.transfers.append(row)
        return row

    def _hold(self, signed: Decimal, price: Decimal, closed: Decimal) -> None:
        opened = abs(signed) - closed
        held = abs(self.position) - closed
        if opened:
            self.entry = (held * self.entry + opened * price) / (held + opened)
        self.position += signed

    def _row(
        self, category: str, symbol: str, side: str, size: Decimal, price: Decimal, at: datetime | None
    ) -> dict[str, Any]:
        number = self.new_id()
        spot = category == "spot"
        return {
            "category": category,
            "symbol": symbol,
            "side": side.capitalize(),
            "execId": f"2290000{number:012d}" if spot else str(uuid.UUID(int=number << 64, version=5)),
            "orderId": str(1_700_000_000_000_000_000 + number) if spot else str(uuid.uuid4()),
            "execQty": str(size),
            "execPrice": str(price),
            "execValue": str(size * price),
            "execTime": milliseconds(at or self.clock()),
            "execType": "Trade",
            "isMaker": bool(secrets.randbelow(2)),
            "feeCurrency": "",
            "closedSize": "",
            "orderType": "Limit",
            "seq": number,
        }

    def _book(
        self, row: dict[str, Any], kind: str, flow: Decimal, fee: Decimal, funding: Decimal | None = None
    ) -> None:
        self.log.append(
            row
            | {
                "type": kind,
                "currency": "USDT",
                "cashFlow": flow,
                "fee": fee,
                "funding": funding,
                "size": self.position,
                "cashBalance": self.balances["usdt"] - self.fund["usdt"],
            }
        )


def milliseconds(at: datetime) -> int:
    """Write a time as Bybit does."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def bound(key: Key) -> bool:
    """Tell whether a key works from some addresses only; then it does not end."""
    return bool(key.addresses)


def random_order(row: dict[str, Any]) -> str:
    """Return what sorts rows of one millisecond in no order that means anything."""
    return str(hash(row["execId"]))


def _random_text(length: int) -> str:
    groups = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.digits)
    text = mixed(string.ascii_letters + string.digits, length, must=groups)
    return text if _many_parts(text) else _random_text(length)


def _many_parts(text: str) -> bool:
    """Tell whether a text changes between cases and digits as often as a random one."""
    kinds = ["u" if c.isupper() else "l" if c.islower() else "d" for c in text]
    return sum(one != two for one, two in pairwise(kinds)) >= 10
