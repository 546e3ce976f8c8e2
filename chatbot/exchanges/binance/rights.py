"""What Binance tells of a key (`GET /sapi/v1/account/apiRestrictions`): its ticks, its address list, its age.

The ticks of the key, never the flags of the account. Addresses are only told to be there, not which.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chatbot.domain.permissions import Finding, Permission, PermissionReport, Switch, reported
from chatbot.exchanges import _parse
from chatbot.exchanges.binance import wire

READING = "enableReading"
# `enableMargin` is called "Margin Loan, Repay & Transfer"; what is traded with the others does not matter.
GIVES: Mapping[str, frozenset[Permission]] = {
    READING: frozenset({Permission.BALANCES, Permission.FILLS, Permission.ORDERS, Permission.ACCOUNT}),
    "enableSpotAndMarginTrading": frozenset({Permission.TRADE}),
    "enableFutures": frozenset({Permission.TRADE}),
    "enableVanillaOptions": frozenset({Permission.TRADE}),
    "enablePortfolioMarginTrading": frozenset({Permission.TRADE}),
    "enableFixApiTrade": frozenset({Permission.TRADE}),
    "enableMargin": frozenset({Permission.TRADE, Permission.TRANSFER}),
    "enableInternalTransfer": frozenset({Permission.TRANSFER}),
    "permitsUniversalTransfer": frozenset({Permission.TRANSFER}),
    "enableWithdrawals": frozenset({Permission.WITHDRAW}),
}
HARMLESS: Mapping[str, str] = {"enableFixReadOnly": "FIX API read only"}
# Without these in the answer, or without a value, nobody has told that the power is off.
TOLD_BY: Mapping[Permission, tuple[str, ...]] = {
    Permission.TRADE: ("enableSpotAndMarginTrading",),
    Permission.TRANSFER: ("enableInternalTransfer", "permitsUniversalTransfer"),
    Permission.WITHDRAW: ("enableWithdrawals",),
}
ADDRESSES = "ipRestrict"
TICK = re.compile(r"(?:enable|permit|allow|can)\w*", re.IGNORECASE)
SET = ("true", "True", "TRUE")
OFF = (False, None, 0, "", "0", "false", "False")
MOST_STRANGE, LONGEST_STRANGE, LONGEST_DATE = 20, 64, 20


def parse_permissions(body: bytes) -> PermissionReport:
    """Return what the key may do; raises `ExchangeError` when the answer is not about a key."""
    told = _parse.decode(body, dict[str, Any])
    if READING not in told or ADDRESSES not in told:
        raise _parse.unreadable("permissions")
    ticked = [name for name, value in told.items() if _is_ticked(name, value)]
    strange = sorted(name[:LONGEST_STRANGE] for name in ticked if name not in GIVES and name not in HARMLESS)
    on = frozenset().union(*(GIVES[name] for name in ticked if name in GIVES))
    # `tradingAuthorityExpirationTime` is not read: then the right to trade ends, and not the key.
    untold = [p for p, names in TOLD_BY.items() if p not in on and any(told.get(n) is None for n in names)]
    return PermissionReport(
        {**reported(on), **{permission: Finding() for permission in untold}},
        ip_bound=Switch.OFF if _is_off(told[ADDRESSES]) else Switch.ON,
        labels=tuple(HARMLESS[name] for name in ticked if name in HARMLESS),
        strange=tuple(strange[:MOST_STRANGE]),
        created_at=_date(told.get("createTime")),
    )


def _is_ticked(name: str, value: object) -> bool:
    """Tell whether a field is a tick that is set, by its name or by its value."""
    if name == ADDRESSES:
        return False
    return not _is_off(value) if TICK.fullmatch(name) else value is True or value in SET


def _is_off(value: object) -> bool:
    return any(value is off or value == off for off in OFF)


def _date(value: object) -> datetime | None:
    text = str(value)[:LONGEST_DATE] if isinstance(value, int | str) else ""
    ms = int(text) if text.isascii() and text.isdigit() else 0
    return wire.moment(ms) if 0 < ms <= wire.LAST_MS else None
