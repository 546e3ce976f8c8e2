"""What a refusal means that came through ccxt: by the exchange's own code first, then by ccxt's class.

ccxt's classes alone can't say whether a key is dead (a wrong address is an authentication error at one
exchange and a bad request at the next), so known codes overrule them. ccxt's message is never read: it
holds whole addresses, with signatures in them. The exchange's own words are searched, and not kept.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._parse import Refusal

WAIT_SECONDS = 60
LIMITED = Refusal(Trouble.RATE_LIMIT, wait=WAIT_SECONDS)
_CODES = ("code", "retCode", "ret_code", "err_code", "err-code", "errorCode", "error_code", "label", "status")
_TEXTS = (
    "msg",
    "message",
    "retMsg",
    "err_msg",
    "err-msg",
    "error",
    "errors",
    "detail",
    "description",
    "reason",
)
# A code that can be shown: a number or a word in capitals, nothing in which a key could hide.
_PLAIN = re.compile(r"-?[0-9]{1,9}|[A-Z][A-Z_]{2,31}")
_LONGEST = 500


def _codes(*rows: str) -> Mapping[str, Refusal]:
    """Read rows that begin with a trouble and go on with the codes that mean it."""
    found: dict[str, Refusal] = {}
    for trouble, *codes in map(str.split, rows):
        found |= dict.fromkeys(codes, LIMITED if trouble == Trouble.RATE_LIMIT else Refusal(Trouble(trouble)))
    return found


_OKX = _codes(
    "bad_key 50103 50111 50114 50119",
    "bad_secret 50104 50105 50106 50113",
    "ip_blocked 50110",
    "clock_or_nonce 50102 50107 50112",
    "account_blocked 50007 50009",
    "no_permission 50030 50120",
    "rate_limit 50011 50061",
    "maintenance 50001 50005 50013 50026",
    "key_inactive 50100",
)
_BYBIT = _codes(
    "bad_key 10003 10007",
    "bad_secret 10004",
    "ip_blocked 10010",
    "no_permission 10005",
    "expired 33004",
    "clock_or_nonce 10002",
    "account_blocked 10008",
    "region 10009 10024",
    "rate_limit 10006 10018",
    "user_action 10020 10028",
)
# -2015 says key, address or permission, and not which.
_BINANCE = _codes(
    "bad_key -2014 -2015 -2008",
    "bad_secret -1022",
    "ip_blocked -1005 -1011",
    "clock_or_nonce -1021",
    "account_blocked -2017",
    "rate_limit -1003",
    "no_permission -1002",
    "maintenance -1000 -1001",
)
_KUCOIN = _codes(
    "bad_key 400001 400003",
    "bad_secret 400004 400005",
    "ip_blocked 400006",
    "no_permission 400007",
    "clock_or_nonce 400002",
    "account_blocked 411100 130201",
    "region 400302",
    "rate_limit 429000",
    "user_action 126047 126048",
)
_GATE = _codes(
    "bad_key INVALID_KEY INVALID_CREDENTIALS AUTHENTICATION_FAILED",
    "bad_secret INVALID_SIGNATURE",
    "ip_blocked IP_FORBIDDEN",
    "no_permission FORBIDDEN READ_ONLY",
    "clock_or_nonce REQUEST_EXPIRED",
    "account_blocked ACCOUNT_LOCKED SUB_ACCOUNT_LOCKED",
    "rate_limit TOO_MANY_REQUESTS",
)
_HTX = _codes("no_permission 1002", "bad_secret 1003", "rate_limit 429")
# From section 8 of the comparison and ccxt's tables of 4.5.90; an exchange without a row goes by its class.
VENDOR: Mapping[str, Mapping[str, Refusal]] = {
    **dict.fromkeys(("okx", "okxus", "myokx"), _OKX),
    **dict.fromkeys(("bybit", "bybiteu", "bybitid"), _BYBIT),
    **dict.fromkeys(("binance", "binanceus", "binanceusdm", "binancecoinm", "tokocrypto"), _BINANCE),
    **dict.fromkeys(("kucoin", "kucoinfutures"), _KUCOIN),
    **dict.fromkeys(("gate", "gateeu"), _GATE),
    "mexc": _codes(
        "bad_key 10072 10073",
        "bad_secret 602 700001 700002",
        "ip_blocked 700006 406",
        "no_permission 700007 701 703",
        "expired 402",
        "clock_or_nonce 700003 700005",
        "rate_limit 429",
    ),
    "htx": _HTX,
    "bittrade": _HTX,
    "bitget": _codes(
        "bad_key 40006 40037 40001",
        "bad_secret 40009 40011 40012 40002 40003",
        "ip_blocked 40018",
        "no_permission 40014",
        "clock_or_nonce 40004 40005 40008",
        "account_blocked 40015",
        "rate_limit 429 30014",
    ),
    "cryptocom": _codes(
        "bad_key 40101",
        "ip_blocked 40103",
        "clock_or_nonce 40102 10007",
        "no_permission 10002 10003",
        "rate_limit 42901 10006",
        "user_action 40104",
    ),
    "bitvavo": _codes(
        "bad_key 301 305",
        "key_inactive 306",
        "bad_secret 308 309",
        "ip_blocked 307",
        "no_permission 311",
        "clock_or_nonce 302 303 304",
        "account_blocked 317",
        "rate_limit 103 105",
        "user_action 402 403",
    ),
    "krakenfutures": _codes(
        "bad_key authenticationError", "clock_or_nonce nonceBelowThreshold nonceDuplicate"
    ),
}

# By the name of ccxt's class; a class that is not here counts as its parent.
CLASSES: Mapping[str, Refusal] = {
    "AccountNotEnabled": Refusal(Trouble.USER_ACTION),
    "PermissionDenied": Refusal(Trouble.NO_PERMISSION),
    "AccountSuspended": Refusal(Trouble.ACCOUNT_BLOCKED),
    "AuthenticationError": Refusal(Trouble.BAD_KEY),
    "ManualInteractionNeeded": Refusal(Trouble.USER_ACTION),
    "RestrictedLocation": Refusal(Trouble.REGION),
    "RateLimitExceeded": LIMITED,
    "DDoSProtection": LIMITED,
    "InvalidNonce": Refusal(Trouble.CLOCK_OR_NONCE),
    "OnMaintenance": Refusal(Trouble.MAINTENANCE),
    "ExchangeNotAvailable": Refusal(Trouble.MAINTENANCE),
    "RequestTimeout": Refusal(Trouble.UNREACHABLE),
    "BadResponse": Refusal(Trouble.UNREACHABLE),
    "NetworkError": Refusal(Trouble.UNREACHABLE),
    "BaseError": Refusal(Trouble.UNKNOWN),
}
_CLOCK = re.compile(r"timestamp|nonce|recv_?window|request.{0,12}expired")
# What the exchange's words add where ccxt only says that the key was refused.
HINTS: tuple[tuple[re.Pattern[str], Trouble], ...] = (
    (re.compile(r"\bip\b|\bip[- ]?(address|addr)|white ?-?list"), Trouble.IP_BLOCKED),
    (re.compile(r"\bkey\b.{0,24}\bexpired"), Trouble.EXPIRED),
    (_CLOCK, Trouble.CLOCK_OR_NONCE),
    (re.compile(r"signature|\bsign\b|passphrase"), Trouble.BAD_SECRET),
)
_REFUSED = frozenset({Trouble.BAD_KEY, Trouble.NO_PERMISSION})


@dataclass(frozen=True, slots=True)
class Seen:
    """What an answer said: HTTP status, the codes in it, its words, and whether it was a web page."""

    status: int = 0
    codes: tuple[str, ...] = ()
    text: str = ""
    page: bool = False
    wait: int = 0


def look(status: int, content_type: str, body: str, parsed: Any, wait: int) -> Seen:
    """Read what an answer says of itself."""
    page = "html" in content_type or body.lstrip()[:1] == "<"
    codes = tuple(dict.fromkeys(_found(parsed, _CODES)))
    words = " ".join(_found(parsed, _TEXTS))[:_LONGEST].lower()
    return Seen(status, codes, words, page, wait)


def by_code(exchange: str, seen: Seen) -> Refusal | None:
    """Return what the exchange's own code means, where we know it."""
    known = VENDOR.get(exchange, {})
    return next((known[code] for code in seen.codes if code in known), None)


def hidden(exchange: str, parsed: Any) -> bool:
    """Tell whether an answer that ccxt takes for good bears a code that we know for a refusal."""
    code = parsed.get("code") if isinstance(parsed, dict) else None
    return str(code) in VENDOR.get(exchange, {})


def refused(exchange: str, seen: Seen, kinds: tuple[str, ...], subject: str) -> ExchangeError:
    """Return our error; `kinds` are the names of ccxt's class and its parents, nearest first."""
    meant = by_code(exchange, seen) or _by_status(seen) or _by_class(kinds, seen)
    shown = next((code for code in seen.codes if _PLAIN.fullmatch(code)), kinds[0] if kinds else "")
    reason = f"{exchange} {shown} (HTTP {seen.status})"
    missing = subject if meant.trouble is Trouble.NO_PERMISSION else ""
    return ExchangeError(meant.trouble, reason, wait=max(meant.wait, seen.wait), subject=missing)


def meant(exchange: str, seen: Seen, error: Exception) -> ExchangeError:
    """Return our own error for one that passes through ccxt's code; it remembers nothing of the other."""
    if isinstance(error, ExchangeError):
        return ExchangeError(error.trouble, error.reason, wait=error.wait, subject=error.subject)
    kinds = tuple(kind.__name__ for kind in type(error).__mro__)
    return refused(exchange, seen, kinds if "BaseError" in kinds else ("BadResponse",), "")


def _by_status(seen: Seen) -> Refusal | None:
    # Web pages with these come from in front of the exchange, whatever ccxt makes of them.
    if seen.status == 451 or (seen.status == 403 and seen.page):
        return Refusal(Trouble.REGION)
    if seen.status in {418, 429}:
        return LIMITED
    return Refusal(Trouble.MAINTENANCE) if seen.page else None


def _by_class(kinds: tuple[str, ...], seen: Seen) -> Refusal:
    meant = next((CLASSES[kind] for kind in kinds if kind in CLASSES), Refusal(Trouble.UNKNOWN))
    if meant.trouble in _REFUSED:
        return next((Refusal(trouble) for hint, trouble in HINTS if hint.search(seen.text)), meant)
    if meant.trouble is Trouble.UNKNOWN and _CLOCK.search(seen.text):
        return Refusal(Trouble.CLOCK_OR_NONCE)
    # ccxt calls 400, 403 and 404 "not available"; nothing is down then.
    if meant.trouble is Trouble.MAINTENANCE and 400 <= seen.status < 500:
        return Refusal(Trouble.UNKNOWN)
    return meant


def _found(value: Any, names: tuple[str, ...], deep: int = 3) -> Iterator[str]:
    if not deep:
        return
    if isinstance(value, list):
        for inner in value[:5]:
            yield from [inner[:_LONGEST]] if isinstance(inner, str) else _found(inner, names, deep - 1)
    if isinstance(value, dict):
        for name in names:
            inner = value.get(name)
            if isinstance(inner, str | int):
                yield str(inner)[:_LONGEST]
        for inner in list(value.values())[:20]:
            if isinstance(inner, dict | list):
                yield from _found(inner, names, deep - 1)
