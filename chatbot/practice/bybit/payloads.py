"""What the practice Bybit's private endpoints answer: whole results, field by field as documented.

Each builder takes the account, the key that asks and the query, and returns the `result` of the envelope.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from chatbot.practice._ledger import Key
from chatbot.practice.bybit.account import PracticeBybit, bound, milliseconds, random_order

DAY_MS = 86_400_000
WEEK_MS, KEPT_MS = 7 * DAY_MS, 730 * DAY_MS
CATEGORIES = frozenset({"spot", "linear", "inverse", "option"})
Query = Mapping[str, str]
Build = Callable[[PracticeBybit, Key, Query], Any]


class BadQuery(ValueError):
    """A query the exchange refuses; its text is the error code."""


def _number(query: Query, name: str, usual: int) -> int:
    text = query.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BadQuery("10001")
    return int(text)


def category(query: Query) -> str:
    """Return the product asked for; every endpoint with products wants one."""
    if query.get("category") not in CATEGORIES:
        raise BadQuery("10001")
    return query["category"]


def _window(practice: PracticeBybit, query: Query) -> tuple[int, int]:
    """Return the ends of the interval, both included: seven days at most, and none of two years ago."""
    now = milliseconds(practice.clock())
    if "startTime" in query:
        start = _number(query, "startTime", 0)
        end = _number(query, "endTime", start + WEEK_MS)
    else:
        end = _number(query, "endTime", now)
        start = end - WEEK_MS
    if end < start or end - start > WEEK_MS or start < now - KEPT_MS:
        raise BadQuery("10001")
    return start, end


def _page(practice: PracticeBybit, rows: list[dict[str, Any]], query: Query, most: int) -> tuple[Any, str]:
    """Cut a page: newest first, in no sure order within a millisecond, on from the row the cursor names."""
    start, end = _window(practice, query)
    limit = _number(query, "limit", most // 2 or 1)
    if not 1 <= limit <= most:
        raise BadQuery("10001")
    kept = [row for row in rows if start <= row["execTime"] <= end]
    kept.sort(key=lambda row: (-row["execTime"], random_order(row)))
    names = [row["execId"] for row in kept]
    cursor = query.get("cursor", "")
    if cursor and cursor.partition(":")[0] not in names:
        raise BadQuery("10001")
    begin = names.index(cursor.partition(":")[0]) + 1 if cursor else 0
    page = kept[begin : begin + limit]
    return page, quote(f"{page[-1]['execId']}:{limit},{page[-1]['seq']}:{limit}", safe="") if page else ""


def _wallet_balance(practice: PracticeBybit, _: Key, query: Query) -> Any:
    if query.get("accountType") != "UNIFIED":
        raise BadQuery("10001")
    # Assets of which there is nothing are not listed unless they are asked for.
    held = {asset: practice.balances[asset] - practice.fund.get(asset, 0) for asset in practice.balances}
    coins = [_coin(practice, asset, amount) for asset, amount in sorted(held.items()) if amount]
    worth = sum((Decimal(coin["usdValue"]) for coin in coins), Decimal(0))
    return {
        "list": [
            {
                "totalEquity": str(worth),
                "accountIMRate": "0",
                "totalMarginBalance": str(worth),
                "totalInitialMargin": "0",
                "accountType": "UNIFIED",
                "totalAvailableBalance": str(worth),
                "accountMMRate": "0",
                "totalPerpUPL": "0",
                "totalWalletBalance": str(worth),
                "accountLTV": "0",
                "totalMaintenanceMargin": "0",
                "coin": coins,
            }
        ]
    }


def _coin(practice: PracticeBybit, asset: str, amount: Decimal) -> dict[str, Any]:
    price = practice.prices.get(f"{asset}_usdt", Decimal(1))
    return {
        "availableToBorrow": "",
        "bonus": "0",
        "accruedInterest": "0",
        "availableToWithdraw": "",
        "totalOrderIM": "0",
        "equity": str(amount),
        "totalPositionMM": "0",
        "usdValue": str((amount * price).quantize(Decimal("0.00000001"))),
        "unrealisedPnl": "0",
        "collateralSwitch": True,
        "spotHedgingQty": "0",
        "borrowAmount": "0.000000000000000000",
        "totalPositionIM": "0",
        "walletBalance": str(amount),
        "cumRealisedPnl": "0",
        "locked": str(practice.reserved.get(asset, Decimal(0))),
        "marginCollateral": True,
        "coin": asset.upper(),
        "spotBorrow": "0",
    }


def _funding_balance(practice: PracticeBybit, _: Key, query: Query) -> Any:
    if query.get("accountType") != "FUND":
        raise BadQuery("10001")
    rows = [
        {"coin": asset.upper(), "transferBalance": str(amount), "walletBalance": str(amount), "bonus": ""}
        for asset, amount in practice.fund.items()
    ]
    return {"memberId": "24617703", "accountType": "FUND", "balance": rows}


def _executions(practice: PracticeBybit, _: Key, query: Query) -> Any:
    wanted = category(query)
    mine = [row for row in practice.trades if row["category"] == wanted]
    rows, cursor = _page(practice, mine, query, 100)
    return {"nextPageCursor": cursor, "category": wanted, "list": [_execution(row) for row in rows]}


def _execution(row: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in row.items() if name not in {"category", "seq"}}
    blank = ("underlyingPrice", "orderLinkId", "indexPrice", "tradeIv", "blockTradeId", "markIv", "extraFees")
    return {
        **told,
        **dict.fromkeys(blank, ""),
        "stopOrderType": "UNKNOWN",
        "leavesQty": "0",
        "execTime": str(row["execTime"]),
        "markPrice": row["execPrice"],
        "orderQty": row["execQty"],
        "orderPrice": row["execPrice"],
        "seq": row["seq"],
    }


def _log(practice: PracticeBybit, _: Key, query: Query) -> Any:
    wanted = query.get("category", "")
    rows = [] if practice.log_is_late else [row for row in practice.log if wanted in {"", row["category"]}]
    page, cursor = _page(practice, rows, query, 50)
    return {"nextPageCursor": cursor, "list": [_booking(row) for row in page]}


def _booking(row: Mapping[str, Any]) -> dict[str, Any]:
    funding = row["funding"]
    return {
        "id": f"592324_{row['symbol']}_{row['seq']}",
        "symbol": row["symbol"],
        "side": row["side"],
        "funding": "" if funding is None else str(funding),
        "orderLinkId": "",
        "orderId": row["orderId"],
        "fee": str(row["fee"]),
        "change": str(row["cashFlow"] + (funding or 0) - row["fee"]),
        "cashFlow": str(row["cashFlow"]),
        "transactionTime": str(row["execTime"]),
        "type": row["type"],
        "feeRate": row["feeRate"],
        "bonusChange": "",
        "size": str(row["size"]),
        "qty": row["execQty"],
        "cashBalance": str(row["cashBalance"]),
        "currency": row["currency"],
        "category": row["category"],
        "tradePrice": row["execPrice"],
        "tradeId": row["execId"],
    }


# Which boxes are on for what a key may do; with Read-Only they only let it look.
AREAS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "balances": (("ContractTrade", "Position"),),
    "fills": (("ContractTrade", "Order"), ("Spot", "SpotTrade"), ("Options", "OptionsTrade")),
    "account": (("Wallet", "AccountTransfer"),),
    "trade": (("ContractTrade", "Order"), ("ContractTrade", "Position"), ("Spot", "SpotTrade")),
    "transfer": (("Wallet", "AccountTransfer"), ("Wallet", "SubMemberTransfer")),
    "withdraw": (("Wallet", "Withdraw"),),
    "earn": (("Earn", "Earn"),),
}
GROUPS = (
    *("ContractTrade", "Spot", "Wallet", "Options", "Derivatives", "CopyTrading", "BlockTrade", "Exchange"),
    *("NFT", "Affiliate", "Earn", "FiatP2P", "FiatConvertBroker", "FiatGlobalPay", "FiatBitPay", "BitCard"),
    "ByXPost",
)
WRITES = frozenset({"trade", "transfer", "withdraw"})


def _key_info(practice: PracticeBybit, key: Key, _: Query) -> Any:
    on: dict[str, list[str]] = {group: [] for group in GROUPS} | {"Derivatives": ["DerivativesTrade"]}
    for word in sorted(key.permissions):
        for group, name in AREAS[word]:
            on[group] += [] if name in on[group] else [name]
    ends = None if bound(key) else key.expires_at
    left = (ends - practice.clock()) // timedelta(days=1) if ends else -2
    return {
        "id": "13770661",
        "note": "Keyherald",
        "apiKey": next(name for name, known in practice.keys.items() if known is key),
        "readOnly": 0 if key.permissions & WRITES else 1,
        "secret": "",
        "permissions": on,
        "ips": list(key.addresses) or ["*"],
        "type": 1,
        "deadlineDay": left,
        "expiredAt": ends.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if ends else "1970-01-01T00:00:00Z",
        "createdAt": (key.created_at or practice.clock()).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "unified": 0,
        "uta": 1,
        "userID": 24617703,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_1",
        "kycRegion": "MYS",
    }


PRIVATE: Mapping[str, Build] = {
    "/v5/account/wallet-balance": _wallet_balance,
    "/v5/asset/transfer/query-account-coins-balance": _funding_balance,
    "/v5/execution/list": _executions,
    "/v5/account/transaction-log": _log,
    "/v5/user/query-api": _key_info,
}
