"""The account behind the practice OKX: two pockets, and the rows of what is traded. No wire format in here.

One account, as at the real exchange: several keys see the same money. Spot fills move what was bought, sold
and paid as fee; a contract moves its fee and what closing it brought, never its coin.
"""

import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from chatbot.practice._ledger import UNIT, Impossible, Ledger, mixed, positive

TAKER, MAKER = Decimal("0.0010"), Decimal("0.0008")
CONTRACT_FEE = Decimal("0.0005")
HEX = string.digits + "ABCDEF"


@dataclass(frozen=True, slots=True)
class Swap:
    """A perpetual contract: how much of which coin one is, and what it is settled in."""

    value: str
    unit: str
    settled: str
    price: str


SWAPS = {
    "BTC-USDT-SWAP": Swap("0.01", "BTC", "USDT", "58360.0"),
    "ETH-USD-SWAP": Swap("10", "USD", "ETH", "3104.00"),
}


def _passphrase() -> str:
    # Upper and lower case, a digit and a mark are what OKX asks for.
    groups = (string.ascii_uppercase, string.ascii_lowercase, string.digits, "!#%+?")
    return mixed(string.ascii_letters + string.digits, 16, must=groups)


@dataclass
class PracticeOKX(Ledger):
    """Everything the practice OKX remembers; the real limit of most reads is 5 to 10 in two seconds."""

    reads = frozenset({"account", "balances", "fills"})
    permissions = reads | {"trade", "withdraw"}
    start_balances: ClassVar = {
        "btc": "0.53120000",
        "eth": "3.90000000",
        "sol": "41.00000000",
        "usdt": "10450.00000000",
        "usdc": "1200.00000000",
        "eur": "310.00",
        "xrp": "0.00000000",
    }
    start_reserved: ClassVar = {"btc": "0.03000000"}
    start_funding: ClassVar = {"usdt": "450.00000000", "eth": "0.40000000"}
    start_prices: ClassVar = {
        "btc_usdt": "58360.0",
        "eth_usdt": "3104.00",
        "sol_usdt": "171.30",
        "xrp_usdt": "2.2400",
        "usdc_usdt": "0.9998",
        "btc_usd": "58355.0",
        "btc_eur": "53600.0",
        "eth_btc": "0.05320",
    }
    traded = ("btc_usdt", "eth_usdt", "sol_usdt", "btc_eur", "eth_btc")
    limit_window = timedelta(seconds=2)

    next_id: int = 680_800_019_750_000_000
    word: str = field(default_factory=_passphrase)
    funding: dict[str, Decimal] = field(default_factory=dict)

    def reset(self) -> None:
        """Start afresh, with some of the money in the funding account."""
        super().reset()
        self.funding = {asset: Decimal(amount) for asset, amount in self.start_funding.items()}

    def new_key(self, permissions: Collection[str] | None = None) -> tuple[str, str]:
        """Make a key; the person types the same passphrase for all of them."""
        key, secret = super().new_key(permissions)
        self.keys[key].passphrase = self.word
        return key, secret

    def random_pair(self) -> tuple[str, str]:
        """Return a UUID, and 32 hex digits in capitals."""
        digits = mixed(HEX.lower(), 32, must=(string.digits, "abcdef"))
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return "-".join(parts), mixed(HEX, 32, must=(string.digits, "ABCDEF"))

    def free(self, asset: str) -> Decimal:
        """Return what orders can use: neither in orders nor in the funding account."""
        return super().free(asset) - self.funding.get(asset, Decimal(0))

    def fill_ids(self) -> list[str]:
        """Return the bill ids of all fills, oldest first."""
        return [row["billId"] for row in self.trades]

    def trade(
        self, side: str, book: str = "", amount: str = "", at: datetime | None = None
    ) -> dict[str, Any]:
        """Fill a spot order and return its row; raises `Impossible` when the money does not suffice."""
        book = self.book(book.replace("-", "_"))
        price = self.wander(book)
        base, quote = book.split("_")
        size = self.some(side, book, amount)
        taker = bool(secrets.randbelow(2))
        rate = TAKER if taker else MAKER
        cost = size * price
        fee = ((size if side == "buy" else cost) * rate).quantize(UNIT, ROUND_HALF_UP)
        row = _row("SPOT", book.replace("_", "-").upper(), side, taker=taker)
        if side == "buy":
            self.move({base: size - fee, quote: -cost})
        else:
            self.move({base: -size, quote: cost - fee})
        return self._book(
            {
                **row,
                "fillSz": str(size),
                "fillPx": str(price),
                "fee": str(-fee),
                "feeRate": str(-rate),
                "feeCcy": (base if side == "buy" else quote).upper(),
                "tradeQuoteCcy": quote.upper(),
            },
            at,
        )

    def trade_swap(
        self, side: str, name: str = "BTC-USDT-SWAP", contracts: str = "3", gain: str = "0",
        at: datetime | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        """Fill an order of a perpetual contract and return its row; `gain` is what closing it brought."""
        if name not in SWAPS:
            raise Impossible(f"one of {', '.join(SWAPS)}")
        swap, size = SWAPS[name], positive(contracts)
        price = Decimal(swap.price)
        worth = size * Decimal(swap.value)
        worth = worth * price if swap.unit != "USD" else worth / price
        fee = (worth * CONTRACT_FEE).quantize(UNIT, ROUND_HALF_UP)
        row = _row("SWAP", name, side, taker=True)
        self.move({swap.settled.lower(): _gain(gain) - fee})
        return self._book(
            {
                **row,
                "fillSz": str(size.normalize()),
                "fillPx": swap.price,
                "fillMarkPx": swap.price,
                "fillPnl": gain,
                "fee": str(-fee),
                "feeCcy": swap.settled,
                "tradeQuoteCcy": "",
            },
            at,
        )

    def transfer(self, kind: str, asset: str = "", amount: str = "") -> dict[str, Any]:
        """Book a `withdrawal` or a `deposit` and return it; raises `Impossible` when there is too little."""
        asset = asset or "usdt"
        size = self.sum_to_move(asset, amount)
        self.move({asset: -size if kind == "withdrawal" else size})
        row = {"id": str(self.new_id()), "kind": kind, "ccy": asset.upper(), "amt": str(size)}
        self.transfers.append(row | {"ts": stamp(self.clock())})
        return self.transfers[-1]

    def _book(self, row: dict[str, Any], at: datetime | None) -> dict[str, Any]:
        when = stamp(at or self.clock())
        self.trades.append(row | {"billId": str(self.new_id()), "fillTime": when, "ts": when})
        return self.trades[-1]


def _gain(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except ArithmeticError:
        raise Impossible("a gain or a loss") from None
    if not value.is_finite():
        raise Impossible("a gain or a loss")
    return value


def stamp(at: datetime) -> str:
    """Write a time as OKX does: milliseconds since 1970, as text."""
    return str((at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1))


def _row(kind: str, name: str, side: str, *, taker: bool) -> dict[str, Any]:
    if side not in {"buy", "sell"}:
        raise Impossible("buy or sell")
    return {
        "instType": kind,
        "instId": name,
        "tradeId": str(secrets.randbelow(10**9)),
        "ordId": str(680_800_019_000_000_000 + secrets.randbelow(10**9)),
        "clOrdId": "",
        "subType": "1" if side == "buy" else "2",
        "tag": "",
        "fillIdxPx": "",
        "fillPnl": "0",
        "fillPxVol": "",
        "fillPxUsd": "",
        "fillMarkVol": "",
        "fillFwdPx": "",
        "fillMarkPx": "",
        "side": side,
        "posSide": "net",
        "execType": "T" if taker else "M",
        "feeRate": "",
    }
