"""What the practice OKX tells a key about its account: whole payloads, field by field as documented.

Each builder takes the account, the key that asks and the query, and returns what goes under `data`.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from chatbot.practice._ledger import Key
from chatbot.practice.okx.account import PracticeOKX, stamp

Query = Mapping[str, str]
Build = Callable[[PracticeOKX, Key, Query], list[Any]]
NOBODY = Key("", frozenset())
RECENT, KEPT = timedelta(days=3), timedelta(days=365)
KINDS = ("SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION", "EVENTS")
ACCOUNT = "44705892343619584"
ZERO = Decimal(0)


class BadQuery(ValueError):
    """A query the exchange refuses; its text is the error code."""


def _config(_: PracticeOKX, key: Key, __: Query) -> list[Any]:
    rights = {
        "read_only": bool(key.permissions & {"account", "balances", "fills"}),
        "withdraw": "withdraw" in key.permissions,
        "trade": "trade" in key.permissions,
    }
    return [
        {
            "acctLv": "2",
            "acctStpMode": "cancel_maker",
            "autoLoan": False,
            "ctIsoMode": "automatic",
            "enableSpotBorrow": False,
            "greeksType": "PA",
            "feeType": "0",
            "ip": ",".join(key.addresses),
            "type": "0",
            "kycLv": "3",
            "label": "Keyherald",
            "level": "Lv1",
            "levelTmp": "",
            "liquidationGear": "-1",
            "mainUid": ACCOUNT,
            "mgnIsoMode": "automatic",
            "opAuth": "1",
            "perm": ",".join(name for name, on in rights.items() if on),
            "posMode": "net_mode",
            "roleType": "0",
            "spotBorrowAutoRepay": False,
            "spotOffsetType": "",
            "spotRoleType": "0",
            "spotTraderInsts": [],
            "stgyType": "0",
            "traderInsts": [],
            "uid": ACCOUNT,
            "settleCcy": "USDC",
            "settleCcyList": ["USD", "USDC", "USDG"],
        }
    ]


def _trading(practice: PracticeOKX, _: Key, query: Query) -> list[Any]:
    held = _wanted(practice, query)
    details = [
        row
        for asset in held
        if (row := _detail(practice, asset, practice.balances[asset] - practice.funding.get(asset, ZERO)))
    ]
    return [
        {
            "adjEq": "",
            "availEq": "",
            "borrowFroz": "",
            "delta": "",
            "deltaLever": "",
            "deltaNeutralStatus": "0",
            "details": details,
            "imr": "",
            "isoEq": "0",
            "mgnRatio": "",
            "mmr": "",
            "notionalUsd": "",
            "notionalUsdForBorrow": "",
            "notionalUsdForFutures": "",
            "notionalUsdForOption": "",
            "notionalUsdForSwap": "",
            "ordFroz": "",
            "totalEq": "55837.43556134779",
            "uTime": stamp(practice.clock()),
            "upl": "",
        }
    ]


def _wanted(practice: PracticeOKX, query: Query) -> list[str]:
    names = [name.lower() for name in query.get("ccy", "").split(",") if name]
    return [asset for asset in sorted(practice.balances) if not names or asset in names]


def _detail(practice: PracticeOKX, asset: str, cash: Decimal) -> dict[str, Any] | None:
    if not cash:
        return None
    frozen = practice.reserved.get(asset, ZERO)
    nothing = dict.fromkeys(
        (
            *("borrowFroz", "colRes", "colBorrAutoConversion", "crossLiab", "smtSyncEq", "fixedBal"),
            *("spotCopyTradingEq", "frpType", "interest", "isoEq", "isoLiab", "isoUpl", "liab", "maxLoan"),
            *("rewardBal", "spotIsoBal", "stgyEq", "twap", "upl", "uplLiab", "autoLendMtAmt"),
        ),
        "0",
    )
    empty = dict.fromkeys(
        (
            *("imr", "mgnRatio", "mmr", "notionalLever", "spotInUseAmt", "clSpotInUseAmt", "maxSpotInUse"),
            *("spotBal", "openAvgPx", "accAvgPx", "spotUpl", "spotUplRatio", "totalPnl", "totalPnlRatio"),
        ),
        "",
    )
    return {
        **nothing,
        **empty,
        "autoLendStatus": "off",
        "availBal": str(cash - frozen),
        "availEq": str(cash - frozen),
        "cashBal": str(cash),
        "ccy": asset.upper(),
        "collateralEnabled": False,
        "collateralRestrict": False,
        "disEq": str(cash),
        "eq": str(cash),
        "eqUsd": str(cash),
        "frozenBal": str(frozen),
        "ordFrozen": str(frozen),
        "uTime": stamp(practice.clock()),
    }


def _funding(practice: PracticeOKX, _: Key, query: Query) -> list[Any]:
    return [
        {
            "availBal": str(practice.funding[asset]),
            "bal": str(practice.funding[asset]),
            "ccy": asset.upper(),
            "frozenBal": "0",
        }
        for asset in _wanted(practice, query)
        if practice.funding.get(asset)
    ]


def _fills(practice: PracticeOKX, _: Key, query: Query) -> list[Any]:
    kind = query.get("instType", "")
    if kind and kind not in KINDS:
        raise BadQuery("51000")
    return _page(practice, [row for row in practice.trades if kind in {"", row["instType"]}], query, RECENT)


def _history(practice: PracticeOKX, _: Key, query: Query) -> list[Any]:
    kind = query.get("instType", "")
    if not kind:
        raise BadQuery("50014")
    if kind not in KINDS:
        raise BadQuery("51000")
    return _page(practice, [row for row in practice.trades if row["instType"] == kind], query, KEPT)


def _page(
    practice: PracticeOKX, rows: list[dict[str, Any]], query: Query, kept: timedelta
) -> list[dict[str, Any]]:
    """Return the newest rows of what is kept and asked for, newest first; both ids are left out."""
    low = max(_number(query, "begin", 0), int(stamp(practice.clock() - kept)))
    high = _number(query, "end", 10**15)
    limit = _number(query, "limit", 100)
    if not 1 <= limit <= 100:
        raise BadQuery("51000")
    after, before = _number(query, "after", 10**30), _number(query, "before", 0)
    name = query.get("instId", "")
    found = [
        row
        for row in rows
        if low <= int(row["ts"]) <= high
        and before < int(row["billId"]) < after
        and name in {"", row["instId"]}
    ]
    return sorted(found, key=lambda row: int(row["billId"]), reverse=True)[:limit]


def _number(query: Query, name: str, otherwise: int) -> int:
    text = query.get(name, "")
    if text and not (text.isascii() and text.isdigit()):
        raise BadQuery("51000")
    return int(text) if text else otherwise


PRIVATE: Mapping[str, Build] = {
    "account/config": _config,
    "account/balance": _trading,
    "asset/balances": _funding,
    "trade/fills": _fills,
    "trade/fills-history": _history,
}
