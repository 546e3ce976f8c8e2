"""What the practice Bitso's endpoints answer: whole payloads, field by field as documented.

Personal data is made up. Each builder takes the account and the query and returns what goes under `payload`.
"""

from collections.abc import Callable, Mapping
from datetime import UTC
from decimal import Decimal
from typing import Any

from chatbot.practice.bitso.account import MAKER, TAKER, PracticeBitso

Build = Callable[[PracticeBitso, Mapping[str, str]], Any]


class BadQuery(ValueError):
    """A query the exchange refuses; its text is the error code."""


def _page(rows: list[dict[str, Any]], query: Mapping[str, str], identity: str) -> list[dict[str, Any]]:
    """Take a page as `limit`, `sort` and `marker` say; the marker's own row is not part of it."""
    sort, limit, marker = query.get("sort", "desc"), query.get("limit", "25"), query.get("marker", "")
    if sort not in {"asc", "desc"} or not limit.isdigit():
        raise BadQuery("0320")
    ordered = rows if sort == "asc" else rows[::-1]
    if marker:
        ordered = _beyond(ordered, marker, identity, upwards=sort == "asc")
    return ordered[: min(int(limit), 100)]


def _beyond(rows: list[dict[str, Any]], marker: str, identity: str, *, upwards: bool) -> list[dict[str, Any]]:
    if identity != "tid":
        places = [number for number, row in enumerate(rows) if row[identity] == marker]
        return rows[places[0] + 1 :] if places else []
    if not marker.isdigit():
        raise BadQuery("0320")
    tid = int(marker)
    return [row for row in rows if (int(row["tid"]) > tid if upwards else int(row["tid"]) < tid)]


def _balance(practice: PracticeBitso, _: Mapping[str, str]) -> dict[str, Any]:
    def row(asset: str) -> dict[str, str]:
        total, locked = practice.balances[asset], practice.reserved.get(asset, practice.balances[asset] * 0)
        zero = str(total * 0)
        return {
            "currency": asset,
            "available": str(total - locked),
            "locked": str(locked),
            "total": str(total),
            "pending_deposit": zero,
            "pending_withdrawal": zero,
        }

    return {"balances": [row(asset) for asset in sorted(practice.balances)]}


def _account_status(*_: object) -> dict[str, Any]:
    return {
        "client_id": "900001",
        "first_name": "Ana",
        "last_name": "Ejemplo",
        "status": "active",
        "daily_limit": "5300.00",
        "daily_remaining": "3300.00",
        "monthly_limit": "32000.00",
        "monthly_remaining": "31000.00",
        "cash_deposit_allowance": "5300.00",
        "cellphone_number": "verified",
        "email_stored": "ana@example.org",
        "official_id": "verified",
        "proof_of_residency": "submitted",
        "signed_contract": "unsubmitted",
        "origin_of_funds": "unsubmitted",
        "enabled_two_factor_methods": ["totp"],
        "country_of_residence": "MX",
        "account_creation_date": "2020-01-01",
        "verification_level": 2,
    }


def _user_trades(practice: PracticeBitso, query: Mapping[str, str]) -> list[dict[str, Any]]:
    return _page(_of_book(practice, practice.trades, query), query, "tid")


def _of_book(
    practice: PracticeBitso, rows: list[dict[str, Any]], query: Mapping[str, str]
) -> list[dict[str, Any]]:
    book = query.get("book", "")
    if book and book not in practice.prices:
        raise BadQuery("0301")
    return [row for row in rows if not book or row["book"] == book]


def _open_orders(practice: PracticeBitso, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """One resting order, the one that locks the locked bitcoin."""
    amount, price = practice.reserved["btc"], Decimal("1250000.00")
    at = "2026-10-06T07:00:00.000+00:00"
    row = {
        "book": "btc_mxn",
        "original_amount": str(amount),
        "unfilled_amount": str(amount),
        "original_value": str(amount * price),
        "price": str(price),
        "side": "sell",
        "type": "limit",
        "status": "queued",
        "oid": "ExAmPlEoId000002",
        "origin_id": "my-2",
        "created_at": at,
        "updated_at": at,
    }
    return _page(_of_book(practice, [row], query), query, "oid")


def _fees(practice: PracticeBitso, _: Mapping[str, str]) -> dict[str, Any]:
    def row(book: str) -> dict[str, str]:
        return {
            "book": book,
            "taker_fee_decimal": str(TAKER),
            "taker_fee_percent": str(TAKER * 100),
            "maker_fee_decimal": str(MAKER),
            "maker_fee_percent": str(MAKER * 100),
        }

    return {"fees": [row(book) for book in sorted(practice.prices)], "withdrawal_fees": {"btc": "0.00010000"}}


def _ledger(practice: PracticeBitso, query: Mapping[str, str]) -> list[dict[str, Any]]:
    rows = [_trade_entry(row) for row in practice.trades]
    rows += [_transfer_entry(row) for row in practice.transfers]
    return _page(sorted(rows, key=lambda row: str(row["created_at"])), query, "eid")


def _trade_entry(row: Mapping[str, Any]) -> dict[str, Any]:
    updates = [
        {"currency": row["major_currency"], "amount": row["major"]},
        {"currency": row["minor_currency"], "amount": row["minor"]},
        {"currency": row["fees_currency"], "amount": str(-Decimal(row["fees_amount"]))},
    ]
    return {
        "eid": f"trade-{row['tid']}",
        "operation": "trade",
        "created_at": row["created_at"],
        "balance_updates": updates,
        "details": {"tid": int(row["tid"]), "oid": row["oid"]},
    }


def _transfer_entry(row: Mapping[str, Any]) -> dict[str, Any]:
    sign = -1 if row["operation"] == "withdrawal" else 1
    return {
        "eid": row["eid"],
        "operation": row["operation"],
        "created_at": row["created_at"],
        "balance_updates": [{"currency": row["currency"], "amount": str(sign * Decimal(row["amount"]))}],
        "details": {key: row[key] for key in ("wid", "fid", "method") if key in row},
    }


def _withdrawals(practice: PracticeBitso, query: Mapping[str, str]) -> list[dict[str, Any]]:
    shown = ("wid", "status", "created_at", "currency", "method", "amount")
    rows = [
        {**{key: row[key] for key in shown}, "details": {"network": row["currency"]}}
        for row in practice.transfers
        if row["operation"] == "withdrawal"
    ]
    return _page(rows, query, "wid")


def _ticker(practice: PracticeBitso, query: Mapping[str, str]) -> Any:
    book = query.get("book", "")
    if book:
        _of_book(practice, [], query)
        return _ticker_row(practice, book)
    return [_ticker_row(practice, each) for each in practice.prices]


def _ticker_row(practice: PracticeBitso, book: str) -> dict[str, str]:
    last = practice.prices[book]

    def near(percent: str) -> str:
        return str((last * (100 + Decimal(percent)) / 100).quantize(Decimal("0.01")))

    return {
        "book": book,
        "last": str(last),
        "bid": near("-0.01"),
        "ask": near("0.01"),
        "high": near("1.4"),
        "low": near("-1.4"),
        "vwap": near("-0.1"),
        "volume": "51.20000000",
        "change_24": near("-99.8"),
        "created_at": practice.clock().astimezone(UTC).isoformat(timespec="seconds"),
    }


def _available_books(practice: PracticeBitso, _: Mapping[str, str]) -> list[dict[str, Any]]:
    rates = {"maker": str(MAKER * 100), "taker": str(TAKER * 100)}
    tiers = [{"volume": "1500000", "maker": str(MAKER), "taker": str(TAKER)}]
    limits = {
        "minimum_price": "0.01",
        "maximum_price": "100000000.00",
        "minimum_amount": "0.00001000",
        "maximum_amount": "1000.00000000",
        "minimum_value": "10.00",
        "maximum_value": "200000000.00",
        "tick_size": "0.01",
    }
    return [
        {"book": book, **limits, "fees": {"flat_rate": rates, "structure": tiers}} for book in practice.prices
    ]


def _catalogues(practice: PracticeBitso, _: Mapping[str, str]) -> dict[str, Any]:
    def row(asset: str) -> dict[str, Any]:
        name = asset.upper()
        return {"code": asset, "full_name": name, "precision": 8, "display_ticker": name, "type": "crypto"}

    return {"currencies": {"metadata": [row(asset) for asset in sorted(practice.balances)]}}


PUBLIC: Mapping[str, Build] = {
    "ticker": _ticker,
    "available_books": _available_books,
    "catalogues": _catalogues,
}
PRIVATE: Mapping[str, Build] = {
    "balance": _balance,
    "account_status": _account_status,
    "user_trades": _user_trades,
    "open_orders": _open_orders,
    "fees": _fees,
    "ledger": _ledger,
    "withdrawals": _withdrawals,
}
