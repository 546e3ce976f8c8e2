"""What HitBTC's refusals mean: one table of codes, and `check`, which raises what an answer says.

The table holds the codes of APIv2.md (hitbtc-com/hitbtc-api) and those that ccxt maps for version 3. A row
such as `1002 timestamp` is code 1002 whose text speaks of the timestamp: one code for key, secret and clock.
"""

import re
from collections.abc import Mapping

import msgspec

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Answer
from chatbot.exchanges._parse import Refusal

WAIT_SECONDS = 60


def _same(refusal: Refusal, *codes: str) -> dict[str, Refusal]:
    return dict.fromkeys(codes, refusal)


# Codes of orders and withdrawals, which nothing we send can meet.
WRITING = (
    *("800", "2003", "2010", "2011", "2012", "2020", "2022", "2024", "10022", "21001", "22004", "22008"),
    *(f"2000{digit}" for digit in range(1, 10)),
    *("20011", "20012", "20014", "20016", "20018", "20031", "20032", "20033", "20034"),
    *("20040", "20041", "20042", "20043", "20045", "20047", "20048", "20049", "20080"),
)
ERRORS: Mapping[str, Refusal] = {
    **_same(Refusal(Trouble.BAD_KEY), "1002", "1005"),
    **_same(Refusal(Trouble.BAD_SECRET), "1002 signature"),
    **_same(Refusal(Trouble.CLOCK_OR_NONCE), "1002 timestamp", "1004 timestamp", "1005 timestamp"),
    **_same(Refusal(Trouble.IP_BLOCKED), "1002 address", "1003 address", "1005 address", "403 address"),
    **_same(Refusal(Trouble.NO_PERMISSION), "1003", "20044"),
    **_same(Refusal(Trouble.ACCOUNT_BLOCKED), "403", "10021", "21003", "21004"),
    **_same(Refusal(Trouble.USER_ACTION), "600"),
    **_same(Refusal(Trouble.RATE_LIMIT, wait=WAIT_SECONDS), "429"),
    **_same(Refusal(Trouble.MAINTENANCE), "500", "503", "504", "20010"),
    **_same(Refusal(Trouble.UNKNOWN), "1001", "1004", "2001", "2002", "10001", *WRITING),
}
# What the text of an answer may add to its code.
HINTS: Mapping[str, re.Pattern[str]] = {
    "timestamp": re.compile(r"timestamp|\bwindow\b", re.IGNORECASE),
    "address": re.compile(r"\bip\b|white[- ]?list", re.IGNORECASE),
    "signature": re.compile(r"\bsignature\b", re.IGNORECASE),
}


class _Error(msgspec.Struct):
    code: str | int | None = None
    message: str | None = None
    description: str | None = None


class _Outcome(msgspec.Struct):
    error: _Error | None = None


def check(answer: Answer, subject: str = "") -> None:
    """Raise the `ExchangeError` that an answer means; return when it is a success.

    `subject` names what was asked for, so that a missing permission can be told by name.
    """
    # No error is a list, and lists are long: they are decoded once, by their own parser.
    if answer.status < 400 and answer.body[:1] == b"[":
        return
    error = _error(answer)
    if error is None and answer.status < 400:
        return
    code, text = _read(error or _Error())
    meant = _meaning(code, text) or _by_status(answer.status)
    raise _refused(answer, meant, f"HitBTC {code!a}", subject)


def _error(answer: Answer) -> _Error | None:
    try:
        return msgspec.json.decode(answer.body, type=_Outcome, strict=False).error
    except (msgspec.ValidationError, RecursionError):
        meant = Refusal(Trouble.UNREACHABLE)
    except msgspec.DecodeError:
        meant = Refusal(Trouble.MAINTENANCE)
    limited = answer.status == 429
    raise _refused(answer, _by_status(answer.status) if limited else meant, "not an answer of HitBTC")


def _read(error: _Error) -> tuple[str, str]:
    return str(error.code or "").strip()[:8], f"{error.message or ''} {error.description or ''}"


def _meaning(code: str, text: str) -> Refusal | None:
    hinted = (ERRORS.get(f"{code} {word}") for word, pattern in HINTS.items() if pattern.search(text))
    return next((meant for meant in hinted if meant), None) or ERRORS.get(code)


def _by_status(status: int) -> Refusal:
    if status == 429:
        return ERRORS["429"]
    return Refusal(Trouble.MAINTENANCE if status >= 500 else Trouble.UNKNOWN)


def _refused(answer: Answer, refusal: Refusal, what: str, subject: str = "") -> ExchangeError:
    return ExchangeError(
        refusal.trouble,
        f"{what} (HTTP {answer.status})",
        wait=max(refusal.wait, answer.wait),
        subject=subject,
    )
