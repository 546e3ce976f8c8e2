"""What the practice HitBTC's endpoints answer: whole payloads, field by field as documented.

Each builder takes the account, the query and the last part of a templated path, and returns the JSON.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from chatbot.practice.hitbtc.account import PAIRS, START_PRICES, PracticeHitBTC, stamp

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Query = Mapping[str, str]
Build = Callable[[PracticeHitBTC, Query, str], Any]


class BadQuery(ValueError):
    """A query the exchange refuses; its text is the error code."""


def _bound(text: str, by: str) -> int:
    """Read `from` or `till`: an id, or a time as ISO text or in milliseconds."""
    if text.isascii() and text.isdigit():
        return int(text[:19])
    if by == "id":
        raise BadQuery("10001")
    try:
        return _milliseconds(text)
    except (ValueError, OverflowError):
        raise BadQuery("10001") from None


def _milliseconds(text: str) -> int:
    parsed = datetime.fromisoformat(text)
    return (parsed.replace(tzinfo=parsed.tzinfo or UTC) - EPOCH) // timedelta(milliseconds=1)


def _value(row: Mapping[str, Any], by: str) -> int:
    return int(row["id"]) if by == "id" else _milliseconds(row.get("timestamp") or row["created_at"])


def _page(rows: list[dict[str, Any]], query: Query) -> list[dict[str, Any]]:
    """Cut a page: `from` and `till` are the ends of an interval, both included, whatever the order."""
    sort, by = query.get("sort", "DESC"), query.get("by", "timestamp")
    limit, offset = query.get("limit", "100"), query.get("offset", "0")
    if sort not in {"ASC", "DESC"} or by not in {"id", "timestamp"}:
        raise BadQuery("10001")
    if not limit.isdigit() or int(limit) > 1000 or not offset.isdigit() or int(offset) > 100_000:
        raise BadQuery("10001")
    low = _bound(query.get("from") or "0", by)
    high = _bound(query.get("till") or "9" * 18, by)
    kept = [row for row in rows if low <= _value(row, by) <= high]
    ordered = kept if sort == "ASC" else kept[::-1]
    return ordered[int(offset) : int(offset) + int(limit)]


def _spot_balance(practice: PracticeHitBTC, _: Query, currency: str) -> Any:
    def row(asset: str) -> dict[str, str]:
        total = practice.balances[asset]
        reserved = practice.reserved.get(asset, total * 0)
        return {
            "currency": asset.upper(),
            "available": str(total - reserved),
            "reserved": str(reserved),
            "reserved_margin": "0",
        }

    if not currency:
        return [row(asset) for asset in sorted(practice.balances)]
    if currency.lower() not in practice.balances:
        raise BadQuery("2002")
    return row(currency.lower())


def _history_trade(practice: PracticeHitBTC, query: Query, _: str) -> Any:
    _known(query.get("symbol", ""))
    wanted, order = query.get("symbol", ""), query.get("order_id", "")
    rows = [row for row in practice.trades if wanted in {"", row["symbol"]}]
    return _page([row for row in rows if order in {"", str(row["order_id"])}], query)


def _known(symbol: str) -> None:
    if symbol and symbol not in PAIRS:
        raise BadQuery("2001")


def _spot_order(practice: PracticeHitBTC, query: Query, _: str) -> Any:
    """One resting order, the one that reserves the reserved bitcoin."""
    _known(query.get("symbol", ""))
    at = "2026-10-06T07:00:00.000Z"
    row = {
        "id": 58700000789,
        "client_order_id": "exampleclientorderid000000000002",
        "symbol": "BTCUSDT",
        "side": "sell",
        "status": "new",
        "type": "limit",
        "time_in_force": "GTC",
        "quantity": str(practice.reserved["btc"]),
        "quantity_cumulative": "0",
        "price": "99000.00",
        "post_only": False,
        "created_at": at,
        "updated_at": at,
    }
    return [row] if query.get("symbol", "BTCUSDT") == "BTCUSDT" else []


def _spot_fee(_: PracticeHitBTC, __: Query, symbol: str) -> Any:
    _known(symbol)
    rows = [
        {"symbol": name, "take_rate": str(pair.take), "make_rate": str(pair.make)}
        for name, pair in PAIRS.items()
        if symbol in {"", name}
    ]
    return rows[0] if symbol else rows


def _wallet_balance(practice: PracticeHitBTC, _: Query, __: str) -> Any:
    return [
        {"currency": asset.upper(), "available": str(amount), "reserved": "0"}
        for asset, amount in practice.wallet.items()
    ]


def _wallet_transactions(practice: PracticeHitBTC, query: Query, _: str) -> Any:
    return _page([_transaction(row) for row in practice.transfers], query)


def _transaction(row: Mapping[str, Any]) -> dict[str, Any]:
    native = {
        "tx_id": row["tx"],
        "index": row["id"],
        "currency": row["asset"].upper(),
        "amount": row["amount"],
        "fee": "0",
        "address": "bc1qexample",
        "hash": row["tx"],
    }
    return {
        "id": row["id"],
        "created_at": row["created_at"],
        "updated_at": row["created_at"],
        "status": "SUCCESS",
        "type": row["kind"],
        "subtype": "BLOCKCHAIN",
        "operation_id": row["tx"],
        "native": native,
    }


def _sub_account(*_: object) -> Any:
    return {
        "result": [{"sub_account_id": "0123456789abcdef", "email": "sub@example.org", "status": "active"}]
    }


def _symbol(_: PracticeHitBTC, __: Query, symbol: str) -> Any:
    _known(symbol)
    rows = {
        name: {
            "type": "spot",
            "base_currency": pair.base.upper(),
            "quote_currency": pair.quote.upper(),
            "quantity_increment": "0.00000001",
            "tick_size": str(Decimal(1).scaleb(-len(START_PRICES[pair.book].partition(".")[2]))),
            "take_rate": str(pair.take),
            "make_rate": str(pair.make),
            "fee_currency": pair.quote.upper(),
            "margin_trading": False,
            "max_initial_leverage": "1.00",
        }
        for name, pair in PAIRS.items()
    }
    return rows[symbol] if symbol else rows | {"BTCUSDT_PERP": PERPETUAL}


PERPETUAL = {
    "type": "futures",
    "expiry": None,
    "underlying": "BTC",
    "base_currency": None,
    "quote_currency": "USDT",
    "quantity_increment": "0.0001",
    "tick_size": "0.01",
    "take_rate": "0.0005",
    "make_rate": "0.0002",
    "fee_currency": "USDT",
    "margin_trading": True,
    "max_initial_leverage": "100.00",
}


def _ticker(practice: PracticeHitBTC, query: Query, symbol: str) -> Any:
    wanted = query.get("symbols", "").split(",") if query.get("symbols") else list(PAIRS)
    for name in [*wanted, symbol]:
        _known(name)
    return _ticker_row(practice, symbol) if symbol else {name: _ticker_row(practice, name) for name in wanted}


def _ticker_row(practice: PracticeHitBTC, symbol: str) -> dict[str, str]:
    last = practice.prices[PAIRS[symbol].book]

    def near(percent: str) -> str:
        return str((last * (100 + Decimal(percent)) / 100).quantize(Decimal("0.00000001")))

    return {
        "ask": near("0.01"),
        "bid": near("-0.01"),
        "last": str(last),
        "low": near("-1.4"),
        "high": near("1.4"),
        "open": near("-0.8"),
        "volume": "812.10",
        "volume_quote": near("80000"),
        "timestamp": stamp(practice.clock()),
    }


def _price_rate(practice: PracticeHitBTC, query: Query, _: str) -> Any:
    target = query.get("to", "").upper()
    books = {name: f"{name}_{target}".lower() for name in query.get("from", "BTC").split(",")}
    return {
        name: {
            "currency": target,
            "price": str(practice.prices[book]),
            "timestamp": stamp(practice.clock()),
        }
        for name, book in books.items()
        if book in practice.prices
    }


def _currency(practice: PracticeHitBTC, _: Query, __: str) -> Any:
    return {
        asset.upper(): {
            "full_name": asset.upper(),
            "crypto": True,
            "payin_enabled": True,
            "payout_enabled": True,
            "transfer_enabled": True,
            "sign": asset.upper(),
            "precision_transfer": "0.00000001",
            "delisted": False,
            "networks": [],
        }
        for asset in practice.balances
    }


PUBLIC: Mapping[str, Build] = {
    "public/symbol": _symbol,
    "public/ticker": _ticker,
    "public/price/rate": _price_rate,
    "public/currency": _currency,
}
PRIVATE: Mapping[str, Build] = {
    "spot/balance": _spot_balance,
    "spot/history/trade": _history_trade,
    "spot/order": _spot_order,
    "spot/fee": _spot_fee,
    "wallet/balance": _wallet_balance,
    "wallet/transactions": _wallet_transactions,
    "sub-account": _sub_account,
}
# Of these paths a currency or symbol may follow as the last part.
TEMPLATED = frozenset({"public/symbol", "public/ticker", "spot/balance", "spot/fee"})
