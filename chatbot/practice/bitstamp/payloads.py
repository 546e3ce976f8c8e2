"""What the practice Bitstamp's endpoints answer, field by field as documented.

Each builder takes the account and the parameters of the form body, with `pair` from the path where the path
has one, and returns what goes out as JSON.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from chatbot.practice.bitstamp.account import FEE, WITHDRAWAL, PracticeBitstamp, new_token

Build = Callable[[PracticeBitstamp, Mapping[str, str]], Any]
MOST_ROWS, DEEPEST_OFFSET = 1000, 200_000
OLDEST_STAMP = timedelta(days=30)
INVALID_OFFSET = "Invalid offset."


class BadQuery(ValueError):
    """Parameters the exchange refuses; its text is the reason."""


def _number(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or not least <= int(text) <= most:
        raise BadQuery(INVALID_OFFSET if name == "offset" else f"Invalid {name}.")
    return int(text)


def _page(rows: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    limit = _number(query, "limit", 100, 1, MOST_ROWS)
    offset = _number(query, "offset", 0, 0, DEEPEST_OFFSET)
    return rows[offset : offset + limit]


def _pair(practice: PracticeBitstamp, query: Mapping[str, str]) -> str:
    """Return the pair a path names, `btceur` or `btc_eur`, in our own spelling; empty when it names none."""
    wanted = query.get("pair", "").replace("_", "").lower()
    known = {book.replace("_", ""): book for book in practice.prices}
    if wanted and wanted not in known:
        raise BadQuery("Invalid currency pair.")
    return known.get(wanted, "")


def _account_balances(practice: PracticeBitstamp, _: Mapping[str, str]) -> list[dict[str, str]]:
    def row(asset: str) -> dict[str, str]:
        total = practice.balances[asset]
        reserved = practice.reserved.get(asset, total * 0)
        return {
            "currency": asset,
            "total": str(total),
            "available": str(total - reserved),
            "reserved": str(reserved),
        }

    return [row(asset) for asset in sorted(practice.balances)]


def _user_transactions(practice: PracticeBitstamp, query: Mapping[str, str]) -> list[dict[str, Any]]:
    sort, since = query.get("sort", "desc"), query.get("since_id", "")
    book = _pair(practice, query)
    if sort not in {"asc", "desc"}:
        raise BadQuery("Invalid sort.")
    rows = [
        row for row in practice.transactions if (not book or book in row) and _in_time(practice, row, query)
    ]
    if since:
        lowest = _number(query, "since_id", 1, 1, 2**63 - 1)
        rows = [row for row in rows if row["id"] >= lowest]
        query = {**query, "limit": str(MOST_ROWS)}
    return _page(rows if sort == "asc" else rows[::-1], query)


def _in_time(practice: PracticeBitstamp, row: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    now = int(practice.clock().timestamp())
    oldest = now - int(OLDEST_STAMP.total_seconds())
    begin = _number(query, "since_timestamp", oldest, oldest, now)
    end = _number(query, "until_timestamp", now, oldest, now)
    if not {"since_timestamp", "until_timestamp"} & query.keys():
        return True
    at = practice.when(row).timestamp()
    return begin <= at < end + 1


def _open_orders(practice: PracticeBitstamp, _: Mapping[str, str]) -> list[dict[str, str]]:
    """One resting order, the one that reserves the reserved bitcoin."""
    amount = str(practice.reserved["btc"])
    return [
        {
            "id": "1930000011113333",
            "datetime": "2026-10-06 07:00:00",
            "type": "1",
            "price": "75000",
            "amount": amount,
            "amount_at_create": amount,
            "currency_pair": "BTC/EUR",
            "market": "BTC/EUR",
            "client_order_id": "",
        }
    ]


def _trading_fees(practice: PracticeBitstamp, _: Mapping[str, str]) -> list[dict[str, Any]]:
    percent = f"{FEE * 100:.5f}"
    return [
        {"currency_pair": name, "market": name, "fees": {"maker": percent, "taker": percent}}
        for name in (book.replace("_", "") for book in practice.prices)
    ]


def _withdrawal_requests(practice: PracticeBitstamp, query: Mapping[str, str]) -> list[dict[str, Any]]:
    if ("limit" in query) is not ("offset" in query):
        raise BadQuery("Both limit and offset are needed.")
    rows = [_withdrawal(row) for row in practice.transfers[::-1] if row["type"] == WITHDRAWAL]
    return _page(rows, query)


def _withdrawal(row: Mapping[str, Any]) -> dict[str, Any]:
    asset, amount = next((k, v) for k, v in row.items() if k not in {"id", "datetime", "type", "fee"})
    return {
        "id": row["id"] % 10_000_000,
        "datetime": row["datetime"][:19],
        "type": 4,
        "currency": asset.upper(),
        "network": "bitcoin",
        "amount": amount.lstrip("-"),
        "status": 2,
        "txid": row["id"] % 10_000_000,
        "address": "bc1qexample",
        "transaction_id": "aa11bb22",
    }


def _websockets_token(*_: object) -> dict[str, Any]:
    return {"token": new_token(), "user_id": 4_100_001, "valid_sec": 60}


def _ticker(practice: PracticeBitstamp, query: Mapping[str, str]) -> Any:
    book = _pair(practice, query)
    if book:
        row = _ticker_row(practice, book)
        return {name: value for name, value in row.items() if name not in {"pair", "market"}}
    return [_ticker_row(practice, each) for each in practice.prices]


def _ticker_row(practice: PracticeBitstamp, book: str) -> dict[str, str]:
    last = practice.prices[book]

    def near(percent: str) -> str:
        return str((last * (100 + Decimal(percent)) / 100).quantize(Decimal("0.01")))

    return {
        "pair": book.upper().replace("_", "/"),
        "market": book.upper().replace("_", "/"),
        "market_type": "SPOT",
        "timestamp": str(int(practice.clock().timestamp())),
        "last": str(last),
        "bid": near("-0.01"),
        "ask": near("0.01"),
        "high": near("1.4"),
        "low": near("-1.4"),
        "open": near("-0.6"),
        "open_24": near("-0.5"),
        "vwap": near("-0.1"),
        "volume": "812.10000000",
        "percent_change_24": "0.52",
        "side": "0",
    }


def _markets(practice: PracticeBitstamp, _: Mapping[str, str]) -> list[dict[str, Any]]:
    def row(book: str) -> dict[str, Any]:
        base, quote = book.upper().split("_")
        return {
            "name": f"{base}/{quote}",
            "market_symbol": book.replace("_", ""),
            "base_currency": base,
            "base_decimals": 8,
            "counter_currency": quote,
            "counter_decimals": 2,
            "minimum_order_value": "10",
            "trading": "Enabled",
            "instant_order_counter_decimals": 2,
            "instant_and_market_orders": "Enabled",
            "description": f"{base} / {quote}",
            "market_type": "SPOT",
        }

    return [row(book) for book in practice.prices]


PUBLIC: Mapping[str, Build] = {"ticker": _ticker, "markets": _markets}
PRIVATE: Mapping[str, Build] = {
    "account_balances": _account_balances,
    "user_transactions": _user_transactions,
    "open_orders/all": _open_orders,
    "fees/trading": _trading_fees,
    "withdrawal-requests": _withdrawal_requests,
    "websockets_token": _websockets_token,
}
# These may be followed by a pair.
BY_PAIR = frozenset({"ticker", "user_transactions"})
