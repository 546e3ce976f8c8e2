"""What the practice Binance's endpoints answer: whole payloads, field by field as documented.

Each builder takes the account, the key that asks and the query, and returns the JSON.
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from chatbot.practice._ledger import Key
from chatbot.practice.binance.account import READS, PracticeBinance, symbol_of

USUAL_PAGE, LARGEST_PAGE = 500, 1000
DAY_MS = 24 * 3600 * 1000
LONGEST_NUMBER = 18
Query = Mapping[str, str]
Build = Callable[[PracticeBinance, Key | None, Query], Any]


class BadQuery(ValueError):
    """A query the exchange refuses; its text is the error code."""


def _number(query: Query, name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > LONGEST_NUMBER:
        raise BadQuery("-1100")
    return int(text)


def _time(practice: PracticeBinance, _: Key | None, __: Query) -> Any:
    return {"serverTime": now_ms(practice)}


def now_ms(practice: PracticeBinance) -> int:
    """Return the exchange's clock in milliseconds."""
    return int(practice.clock().timestamp() * 1000)


def symbols(practice: PracticeBinance) -> dict[str, str]:
    """Return every symbol that can be asked for, with its book."""
    return {symbol_of(book): book for book in practice.prices if symbol_of(book) not in practice.gone}


def _exchange_info(practice: PracticeBinance, _: Key | None, query: Query) -> Any:
    known = symbols(practice)
    status = query.get("symbolStatus", "")
    if status not in {"", "TRADING", "HALT", "BREAK"}:
        raise BadQuery("-1122")
    if "symbol" in query and ("permissions" in query or status):
        raise BadQuery("-1128")
    wanted = [query["symbol"]] if "symbol" in query else sorted(known)
    if any(symbol not in known for symbol in wanted):
        raise BadQuery("-1121")
    sets = query.get("showPermissionSets", "true") != "false"
    rows = [_symbol(practice, symbol, known[symbol], sets=sets) for symbol in wanted]
    return {
        "timezone": "UTC",
        "serverTime": now_ms(practice),
        "rateLimits": [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61000},
        ],
        "exchangeFilters": [],
        "symbols": [row for row in rows if status in {"", row["status"]}],
    }


def _symbol(practice: PracticeBinance, symbol: str, book: str, *, sets: bool) -> dict[str, Any]:
    base, quote = book.upper().split("_")
    return {
        "symbol": symbol,
        "status": "BREAK" if symbol in practice.stopped else "TRADING",
        "baseAsset": base,
        "baseAssetPrecision": 8,
        "quoteAsset": quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": True,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": "0.00000001",
                "maxPrice": "1000000.00000000",
                "tickSize": "0.00000001",
            },
            {
                "filterType": "LOT_SIZE",
                "minQty": "0.00000001",
                "maxQty": "9000000.00000000",
                "stepSize": "0.00000001",
            },
            {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        ],
        "permissions": [],
        "permissionSets": [["SPOT", "MARGIN"]] if sets else [],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT"],
    }


def _ticker_price(practice: PracticeBinance, _: Key | None, query: Query) -> Any:
    known = symbols(practice)
    rows = [{"symbol": s, "price": f"{practice.prices[book]:.8f}"} for s, book in sorted(known.items())]
    if "symbol" not in query:
        return rows
    if query["symbol"] not in known:
        raise BadQuery("-1121")
    return next(row for row in rows if row["symbol"] == query["symbol"])


def _account(practice: PracticeBinance, _: Key | None, query: Query) -> Any:
    zeros = query.get("omitZeroBalances", "false") != "true"
    return account(
        [_balance(practice, a) for a, total in sorted(practice.balances.items()) if total or zeros]
    )


def account(balances: list[dict[str, str]]) -> dict[str, Any]:
    """Return the account with these balances; its flags are the account's, so all are on."""
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": "0.00100000",
            "taker": "0.00100000",
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": 1795000000000,
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
        "uid": 354937868,
    }


def _balance(practice: PracticeBinance, asset: str) -> dict[str, str]:
    locked = practice.reserved.get(asset, Decimal(0))
    return {"asset": asset.upper(), "free": f"{practice.free(asset):.8f}", "locked": f"{locked:.8f}"}


def _my_trades(practice: PracticeBinance, _: Key | None, query: Query) -> Any:
    symbol = query.get("symbol", "")
    if not symbol:
        raise BadQuery("-1102")
    if symbol not in symbols(practice):
        raise BadQuery("-1121")
    low, begin, end = (_number(query, name) for name in ("fromId", "startTime", "endTime"))
    if low is not None and (begin is not None or end is not None):
        raise BadQuery("-1128")
    if begin is not None and end is not None and end - begin > DAY_MS:
        raise BadQuery("-1127")
    asked = _number(query, "limit")
    limit = min(USUAL_PAGE if asked is None else max(asked, 1), LARGEST_PAGE)
    rows = sorted((row for row in practice.trades if row["symbol"] == symbol), key=lambda row: row["id"])
    rows = [row for row in rows if (begin or 0) <= row["time"] and (end is None or row["time"] <= end)]
    if low is not None:
        return [row for row in rows if row["id"] >= low][:limit]
    return rows[:limit] if begin is not None else rows[-limit:]


def _open_orders(practice: PracticeBinance, _: Key | None, query: Query) -> Any:
    """One resting order for each asset that is held back: a sale of it, a purchase for tether."""
    if query.get("symbol", "BTCUSDT") not in symbols(practice):
        raise BadQuery("-1121")
    held = [(asset, amount) for asset, amount in sorted(practice.reserved.items()) if amount]
    rows = [_order(practice, asset, amount) for asset, amount in held]
    return [row for row in rows if query.get("symbol", row["symbol"]) == row["symbol"]]


def _order(practice: PracticeBinance, asset: str, amount: Decimal) -> dict[str, Any]:
    book, side = (f"{asset}_usdt", "SELL") if asset != "usdt" else ("pepe_usdt", "BUY")
    price = practice.prices[book] * (2 if side == "SELL" else Decimal("0.5"))
    size = amount if side == "SELL" else amount / price
    return {
        "symbol": symbol_of(book),
        "orderId": 28400000789,
        "orderListId": -1,
        "clientOrderId": "exampleclientorderid002",
        "price": f"{price:.8f}",
        "origQty": f"{size:.8f}",
        "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": side,
        "stopPrice": "0.00000000",
        "icebergQty": "0.00000000",
        "time": 1794990000000,
        "updateTime": 1794990000000,
        "isWorking": True,
        "workingTime": 1794990000000,
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


def _restrictions(practice: PracticeBinance, key: Key | None, _: Query) -> Any:
    made = key.created_at if key and key.created_at else practice.clock()
    ticked = key.permissions if key else frozenset()
    return {
        "ipRestrict": bool(key and key.addresses),
        "createTime": int(made.timestamp() * 1000),
        "enableReading": bool(ticked & (READS | {"orders"})),
        "enableWithdrawals": "withdraw" in ticked,
        "enableInternalTransfer": "transfer" in ticked,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": "transfer" in ticked,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": "trade" in ticked,
        "enablePortfolioMarginTrading": False,
    }


PUBLIC: Mapping[str, Build] = {
    "/api/v3/time": _time,
    "/api/v3/exchangeInfo": _exchange_info,
    "/api/v3/ticker/price": _ticker_price,
}
PRIVATE: Mapping[str, Build] = {
    "/api/v3/account": _account,
    "/api/v3/myTrades": _my_trades,
    "/api/v3/openOrders": _open_orders,
    "/sapi/v1/account/apiRestrictions": _restrictions,
}
WEIGHTS: Mapping[str, int] = {
    "/api/v3/time": 1,
    "/api/v3/exchangeInfo": 20,
    "/api/v3/ticker/price": 4,
    "/api/v3/account": 20,
    "/api/v3/myTrades": 20,
    "/api/v3/openOrders": 80,
    "/sapi/v1/account/apiRestrictions": 1,
}
SAMPLE = json.dumps(account([{"asset": "BTC", "free": "0.5", "locked": "0.00000000"}]))
