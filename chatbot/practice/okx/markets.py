"""What the practice OKX tells everybody: tickers, the dollar index, its instruments and the time."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from chatbot.practice._ledger import Key
from chatbot.practice.okx.account import SWAPS, PracticeOKX, stamp
from chatbot.practice.okx.payloads import KINDS, BadQuery, Build, Query


def _tickers(practice: PracticeOKX, _: Key, query: Query) -> list[Any]:
    if query.get("instType") == "SWAP":
        return [_ticker(practice, "SWAP", name, Decimal(swap.price)) for name, swap in SWAPS.items()]
    if query.get("instType") != "SPOT":
        raise BadQuery("50014" if not query.get("instType") else "51000")
    return [
        _ticker(practice, "SPOT", book.replace("_", "-").upper(), price)
        for book, price in practice.prices.items()
    ]


def _ticker(practice: PracticeOKX, kind: str, name: str, last: Decimal) -> dict[str, str]:
    day = {field: str(last) for field in ("open24h", "high24h", "low24h", "sodUtc0", "sodUtc8")}
    return {
        "instType": kind,
        "instId": name,
        "last": str(last),
        "lastSz": "0.1",
        "askPx": str(last),
        "askSz": "11",
        "bidPx": str(last),
        "bidSz": "5",
        **day,
        "volCcy24h": "2222",
        "vol24h": "2222",
        "ts": stamp(practice.clock()),
    }


def _index(practice: PracticeOKX, _: Key, query: Query) -> list[Any]:
    if query.get("quoteCcy") != "USD":
        raise BadQuery("50015")
    worth = {"BTC": practice.prices["btc_usd"], "USDT": Decimal("1.0001"), "USDC": Decimal("0.9999")}
    return [
        {
            "instId": f"{name}-USD",
            "idxPx": str(price),
            "high24h": str(price),
            "sodUtc0": str(price),
            "open24h": str(price),
            "low24h": str(price),
            "sodUtc8": str(price),
            "ts": stamp(practice.clock()),
        }
        for name, price in worth.items()
    ]


def _instruments(practice: PracticeOKX, _: Key, query: Query) -> list[Any]:
    kind, family = query.get("instType", ""), query.get("instFamily", "")
    if kind not in KINDS:
        raise BadQuery("50014" if not kind else "51000")
    if kind == "SPOT":
        return [_instrument(book.replace("_", "-").upper(), "SPOT") for book in practice.prices]
    return [
        _instrument(name, "SWAP")
        for name in SWAPS
        if kind == "SWAP" and family in {"", name.removesuffix("-SWAP")}
    ]


def _instrument(name: str, kind: str) -> dict[str, Any]:
    base, quote = name.split("-")[:2]
    swap = SWAPS.get(name)
    spot = {"baseCcy": base, "quoteCcy": quote} if swap is None else {"baseCcy": "", "quoteCcy": ""}
    empty = dict.fromkeys(
        ("alias", "auctionEndTime", "contTdSwTime", "expTime", "optType", "preMktSwTime", "stk", "category"),
        "",
    )
    contract = {
        "ctMult": "1" if swap else "",
        "ctType": ("inverse" if swap.unit == "USD" else "linear") if swap else "",
        "ctVal": swap.value if swap else "",
        "ctValCcy": swap.unit if swap else "",
        "settleCcy": swap.settled if swap else "",
        "instFamily": f"{base}-{quote}" if swap else "",
        "uly": f"{base}-{quote}" if swap else "",
    }
    sizes = dict.fromkeys(
        (
            *("maxIcebergSz", "maxLmtAmt", "maxLmtSz", "maxMktAmt"),
            *("maxMktSz", "maxStopSz", "maxTriggerSz", "maxTwapSz"),
        ),
        "1000000",
    )
    return {
        **empty,
        **contract,
        **sizes,
        **spot,
        "instId": name,
        "instType": kind,
        "instIdCode": 1000000000,
        "instCategory": "1",
        "lever": "10",
        "listTime": "1606468572000",
        "lotSz": "0.00000001" if swap is None else "1",
        "minSz": "0.00001" if swap is None else "1",
        "openType": "",
        "ruleType": "normal",
        "state": "live",
        "tickSz": "0.1",
        "tradeQuoteCcyList": [quote] if swap is None else [],
        "futureSettlement": False,
        "groupId": "12",
        "upcChg": [],
    }


def _time(practice: PracticeOKX, _: Key, __: Query) -> list[Any]:
    return [{"ts": stamp(practice.clock())}]


PUBLIC: Mapping[str, Build] = {
    "market/tickers": _tickers,
    "market/index-tickers": _index,
    "public/instruments": _instruments,
    "public/time": _time,
}
