"""What Kraken tells about a key: its ticks, its addresses, its dates; no right is needed to ask.

Documents: docs.kraken.com, "Get API Key Info" writes its fields `validUntil`, a client seen in the wild
`valid_until`: both are read. Times are seconds as text, and 0 stands for none.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chatbot.domain.permissions import Permission, PermissionReport, Switch, reported
from chatbot.exchanges import _parse
from chatbot.exchanges.kraken.wire import EPOCH

# Each documented tick with what it lets a program do. A deposit address that is not yours takes nothing out,
# but money sent to it is gone from where you expect it; a withdrawal address is the last step but one.
TICKS: Mapping[str, Permission] = {
    "query-funds": Permission.BALANCES,
    "query-closed-trades": Permission.FILLS,
    "query-open-trades": Permission.ORDERS,
    "query-ledger": Permission.ACCOUNT,
    "modify-trades": Permission.TRADE,
    "close-trades": Permission.TRADE,
    "add-funds": Permission.TRANSFER,
    "earn-funds": Permission.TRANSFER,
    "withdraw-funds": Permission.WITHDRAW,
    "add-withdraw-address": Permission.WITHDRAW,
    "update-withdraw-address": Permission.WITHDRAW,
}
# Ticks that open nothing the others don't, with the words the person finds beside them.
HARMLESS: Mapping[str, str] = {"export-data": "Export data", "create-ws-token": "WebSocket interface"}
ANYWHERE = frozenset({"0.0.0.0/0", "::/0", "*"})
LONGEST_WORD = 64
FIRST_YEAR = 1971


class _Envelope(msgspec.Struct):
    result: dict[str, Any]


def parse_key(body: bytes) -> PermissionReport:
    """Return all that Kraken tells about the key that asked."""
    told = _parse.decode(body, _Envelope).result
    with _parse.reading("a key"):
        ticks = _words(_field(told, "permissions"))
        bound, addresses = _bound(_field(told, "ip_allowlist"))
        return PermissionReport(
            # A key without a single tick could not have been told of anything else: that list is no answer.
            reported({TICKS[tick] for tick in ticks if tick in TICKS}) if ticks else {},
            ip_bound=bound,
            addresses=addresses,
            expires_at=_time(_field(told, "valid_until")),
            created_at=_time(_field(told, "created_time")),
            history_from=_time(_field(told, "query_from")),
            history_to=_time(_field(told, "query_to")),
            labels=tuple(HARMLESS[tick] for tick in ticks if tick in HARMLESS),
            strange=tuple(tick for tick in ticks if tick not in TICKS and tick not in HARMLESS),
        )


def _field(told: Mapping[str, Any], name: str) -> Any:
    first, *others = name.split("_")
    return told.get(name, told.get(first + "".join(word.title() for word in others)))


def _words(value: Any) -> tuple[str, ...]:
    """Return a list of words, each once and fit to be shown; raises ValueError for anything else."""
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError("not a list of words")
    shown = ("".join(char for char in word if char.isprintable())[:LONGEST_WORD].strip() for word in value)
    # A tick without a name that can be shown is still a tick.
    return tuple(dict.fromkeys(word.casefold() or "?" for word in shown))


def _bound(value: Any) -> tuple[Switch, tuple[str, ...]]:
    if value is None:
        return Switch.UNKNOWN, ()
    # One empty text in the list means the same as an empty list.
    addresses = tuple(word for word in _words(value) if word != "?")
    if not addresses or ANYWHERE & set(addresses):
        return Switch.OFF, ()
    return Switch.ON, addresses


def _time(value: Any) -> datetime | None:
    """Return a time, None where there is none: absent, empty, 0, negative, or of the year 1970."""
    text = "" if value is None else str(value).strip()
    if not text or text.startswith("-"):
        return None
    at = EPOCH + timedelta(seconds=_parse.number(text))
    return at if at.year >= FIRST_YEAR else None
