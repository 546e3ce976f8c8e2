"""What the practice Bybit tells everybody: instruments, tickers, its time; field by field as documented."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from chatbot.practice._ledger import Key
from chatbot.practice.bybit.account import PracticeBybit, milliseconds
from chatbot.practice.bybit.payloads import Build, Query, category


def _instruments(practice: PracticeBybit, _: Key, query: Query) -> Any:
    if category(query) != "spot":
        return {"category": query["category"], "list": [], "nextPageCursor": ""}
    rows = [
        {
            "symbol": book.replace("_", "").upper(),
            "baseCoin": book.partition("_")[0].upper(),
            "quoteCoin": book.partition("_")[2].upper(),
            "innovation": "0",
            "status": "Trading",
            "marginTrading": "utaOnly",
            "stTag": "0",
            "lotSizeFilter": {
                "basePrecision": "0.00000001",
                "quotePrecision": "0.00000001",
                "minOrderQty": "0.00000001",
                "maxOrderQty": "1000000",
                "minOrderAmt": "1",
                "maxOrderAmt": "4000000",
            },
            "priceFilter": {"tickSize": str(Decimal(1).scaleb(-len(price.partition(".")[2])))},
            "riskParameters": {"priceLimitRatioX": "0.03", "priceLimitRatioY": "0.03"},
        }
        for book, price in practice.start_prices.items()
    ]
    return {"category": "spot", "list": rows}


def _tickers(practice: PracticeBybit, _: Key, query: Query) -> Any:
    if category(query) != "spot":
        return {"category": query["category"], "list": []}
    return {"category": "spot", "list": [_ticker(practice, book) for book in practice.prices]}


def _ticker(practice: PracticeBybit, book: str) -> dict[str, str]:
    last = practice.prices[book]
    base = book.partition("_")[0]

    def near(percent: str) -> str:
        return str((last * (100 + Decimal(percent)) / 100).quantize(last))

    return {
        "symbol": book.replace("_", "").upper(),
        "bid1Price": near("-0.01"),
        "bid1Size": "2",
        "ask1Price": near("0.01"),
        "ask1Size": "1.862172",
        "lastPrice": str(last),
        "prevPrice24h": near("-0.7"),
        "price24hPcnt": "0.0070",
        "highPrice24h": near("1.4"),
        "lowPrice24h": near("-1.4"),
        "turnover24h": "243765620.65899866",
        "volume24h": "11801.27771",
        # It can be empty: here where a pair's base has no pair with dollars' coin.
        "usdIndexPrice": str(practice.prices[f"{base}_usdt"]) if f"{base}_usdt" in practice.prices else "",
    }


def _time(practice: PracticeBybit, _: Key, __: Query) -> Any:
    now = milliseconds(practice.clock())
    return {"timeSecond": str(now // 1000), "timeNano": f"{now}000000"}


PUBLIC: Mapping[str, Build] = {
    "/v5/market/instruments-info": _instruments,
    "/v5/market/tickers": _tickers,
    "/v5/market/time": _time,
}
