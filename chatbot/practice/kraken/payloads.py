"""What the practice Kraken's endpoints answer: whole payloads, field by field as documented.

Each builder takes the account and what was asked for and returns what goes under `result`.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from chatbot.practice.kraken.account import MAKER, TAKER, PracticeKraken

Query = Mapping[str, str]
Build = Callable[[PracticeKraken, Query], Any]
# Kraken's names where they differ from what everybody says: the assets and pairs of its first years.
CODES = {"btc": "XXBT", "eth": "XETH", "xrp": "XXRP", "doge": "XXDG", "usd": "ZUSD", "eur": "ZEUR"}
SHORT = {"btc": "XBT", "doge": "XDG"}
OLD_PAIRS = {"btc_usd", "eth_usd", "xrp_usd", "eur_usd", "eth_btc"}
ROWS, MOST_ROWS = 50, 100
FEE_STEPS = (0, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000)


class BadQuery(ValueError):
    """A query the exchange refuses; its text is the error message."""


def code(asset: str) -> str:
    """Return Kraken's code of an asset."""
    return CODES.get(asset, asset.upper())


def short(asset: str) -> str:
    """Return Kraken's other name of an asset."""
    return SHORT.get(asset, asset.upper())


def pair(book: str) -> str:
    """Return Kraken's name of a pair."""
    base, quote = book.split("_")
    if book in OLD_PAIRS:
        return code(base) + code(quote)
    return short(base) + (code(quote) if base == "usdt" else short(quote))


def _altname(book: str) -> str:
    base, quote = book.split("_")
    return short(base) + short(quote)


def _time(practice: PracticeKraken, _: Query) -> dict[str, Any]:
    now = practice.clock()
    return {"unixtime": int(now.timestamp()), "rfc1123": now.strftime("%a, %d %b %y %H:%M:%S +0000")}


def _assets(practice: PracticeKraken, _: Query) -> dict[str, Any]:
    def row(name: str) -> dict[str, Any]:
        return {
            "aclass": "currency",
            "altname": name,
            "decimals": 10,
            "display_decimals": 5,
            "collateral_value": 0.9,
            "status": "enabled",
        }

    plain = {code(asset): row(short(asset)) for asset in practice.balances}
    pockets = {
        _pocket(asset, kind): row(_pocket(asset, kind)) for asset, (kind, _) in practice.pockets.items()
    }
    return plain | pockets | {"KFEE": row("FEE") | {"decimals": 2, "display_decimals": 2}}


def _pocket(asset: str, kind: str) -> str:
    return f"{short(asset)}.{kind}"


def _asset_pairs(practice: PracticeKraken, _: Query) -> dict[str, Any]:
    return {pair(book): _asset_pair(practice, book) for book in practice.prices}


def _asset_pair(practice: PracticeKraken, book: str) -> dict[str, Any]:
    base, quote = book.split("_")
    decimals = len(practice.start_prices[book].partition(".")[2])
    return {
        "altname": _altname(book),
        "wsname": f"{short(base)}/{short(quote)}",
        "aclass_base": "currency",
        "base": code(base),
        "aclass_quote": "currency",
        "quote": code(quote),
        "lot": "unit",
        "cost_decimals": 8,
        "pair_decimals": decimals,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "leverage_buy": [2, 3, 4, 5],
        "leverage_sell": [2, 3, 4, 5],
        "fees": [[step, float(TAKER * 100)] for step in FEE_STEPS],
        "fees_maker": [[step, float(MAKER * 100)] for step in FEE_STEPS],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": "0.0001",
        "costmin": "0.5",
        "tick_size": str(Decimal(1).scaleb(-decimals)),
        "status": "online",
        "long_position_limit": 250,
        "short_position_limit": 200,
    }


def _ticker(practice: PracticeKraken, query: Query) -> dict[str, Any]:
    books = {pair(book): book for book in practice.prices}
    names = {**books, **{_altname(book): book for book in practice.prices}}
    wanted = [name for name in query.get("pair", "").split(",") if name] or list(books)
    if not names.keys() >= set(wanted):
        raise BadQuery("EQuery:Unknown asset pair")
    return {pair(names[name]): _ticker_row(practice, names[name]) for name in wanted}


def _ticker_row(practice: PracticeKraken, book: str) -> dict[str, Any]:
    last = practice.prices[book]

    def near(percent: str) -> str:
        return str((last * (100 + Decimal(percent)) / 100).quantize(last))

    return {
        "a": [near("0.01"), "1", "1.000"],
        "b": [near("-0.01"), "2", "2.000"],
        "c": [str(last), "0.04408910"],
        "v": ["4147.94474901", "8896.96086304"],
        "p": [near("-0.1"), near("-0.2")],
        "t": [3907, 10056],
        "l": [near("-1.4"), near("-1.9")],
        "h": [near("1.4"), near("1.9")],
        "o": near("-0.8"),
    }


def _balance_ex(practice: PracticeKraken, _: Query) -> dict[str, Any]:
    found: dict[str, dict[str, str]] = {}
    for asset, total in practice.balances.items():
        kind, part = practice.pockets.get(asset, ("", Decimal(0)))
        held = practice.reserved.get(asset, total * 0)
        found[code(asset)] = {"balance": str(total - part), "hold_trade": str(held)}
        if kind:
            found[_pocket(asset, kind)] = {"balance": str(part), "hold_trade": str(part * 0)}
    return found


def _balance(practice: PracticeKraken, query: Query) -> dict[str, str]:
    return {name: row["balance"] for name, row in _balance_ex(practice, query).items()}


def _trades_history(practice: PracticeKraken, query: Query) -> dict[str, Any]:
    after, until = _bound(practice, query, "start"), _bound(practice, query, "end")
    rows = sorted(practice.trades, key=lambda row: Decimal(row["time"]))[::-1]
    fitting = [
        row
        for row in rows
        if (after is None or Decimal(row["time"]) > after)
        and (until is None or Decimal(row["time"]) <= until)
    ]
    skipped, limit = _whole(query, "ofs", 0), min(_whole(query, "limit", ROWS), MOST_ROWS)
    for flag in ("trades", "consolidate_taker", "ledgers", "without_count"):
        if query.get(flag, "true") not in {"true", "false"}:
            raise BadQuery("EGeneral:Invalid arguments")
    count = {} if query.get("without_count") == "true" else {"count": len(fitting)}
    return {"trades": {row["id"]: _trade(row) for row in fitting[skipped : skipped + limit]}, **count}


def _trade(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "ordertxid": row["order"],
        "postxid": row["position"],
        "pair": pair(row["book"]),
        "aclass": "forex",
        "time": float(row["time"]),
        "type": row["side"],
        "ordertype": "limit" if row["maker"] else "market",
        "price": row["price"],
        "cost": row["cost"],
        "fee": row["fee"],
        "vol": row["size"],
        "margin": "0.00000",
        "leverage": "0",
        "misc": "",
        "trade_id": row["number"],
        "maker": row["maker"],
    }


def _bound(practice: PracticeKraken, query: Query, name: str) -> Decimal | None:
    """Read a bound: a time in seconds, or the id of a trade, whose time it then is."""
    text = query.get(name, "")
    times = {row["id"]: Decimal(row["time"]) for row in practice.trades} if text[:1].isalpha() else {}
    if text in times:
        return times[text]
    return Decimal(_whole(query, name, 0)) if text else None


def _whole(query: Query, name: str, otherwise: int) -> int:
    text = query.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadQuery("EGeneral:Invalid arguments")
    return int(text)


def _api_key_info(practice: PracticeKraken, query: Query) -> dict[str, Any]:
    """Tell all about the key that asks; `api_key` is put in by who checked the signature."""
    name = query["api_key"]
    key = practice.keys[name]
    made = int(key.created_at.timestamp()) if key.created_at else 0
    return {
        "apiKeyName": "Keyherald",
        "apiKey": name,
        "nonce": str(key.nonce),
        "nonceWindow": 0,
        "permissions": practice.ticks(name),
        "iban": "AA00 N00G PRAC TICE",
        "validUntil": str(int(key.expires_at.timestamp())) if key.expires_at else "0",
        "queryFrom": "0",
        "queryTo": "0",
        "createdTime": str(made),
        "modifiedTime": str(made),
        "ipAllowlist": list(key.addresses),
        "lastUsed": str(int(practice.clock().timestamp())),
    }


PUBLIC: Mapping[str, Build] = {
    "Time": _time,
    "Assets": _assets,
    "AssetPairs": _asset_pairs,
    "Ticker": _ticker,
}
PRIVATE: Mapping[str, Build] = {
    "Balance": _balance,
    "BalanceEx": _balance_ex,
    "TradesHistory": _trades_history,
    "GetApiKeyInfo": _api_key_info,
}
