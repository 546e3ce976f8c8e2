"""What Binance's refusals mean: one table of codes, and `check`, which raises what an answer says.

The codes of errors.md (binance/binance-spot-api-docs), those of the wallet API that a read, a key or an
account can meet, and HTTP statuses that come without a code of their own. Code -2015 says "Invalid API-key,
IP, or permissions for action": which of the three, nobody is told; the guide names them all.
"""

import re
from collections.abc import Mapping

import msgspec

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import Answer
from chatbot.exchanges._parse import Refusal

WAIT_SECONDS = 60
# The firewall lets nobody in sooner who asks on; a ban of the address tells its length (Retry-After).
WALL_SECONDS = 300
NO_SUCH_SYMBOL = "symbol"
CODED = re.compile(rb'\s*\{\s*"(?:code|msg)"')


def _same(refusal: Refusal, *codes: str) -> dict[str, Refusal]:
    return dict.fromkeys(codes, refusal)


def _codes(first: int, last: int) -> tuple[str, ...]:
    return tuple(str(-number) for number in range(first, last + 1))


# Of orders, and of requests that we don't send. Those of the other protocols (FIX, SBE) can't be met at all.
WRITING = (
    *(
        "-1010",
        "-1013",
        "-1014",
        "-1020",
        *_codes(1100, 1106),
        "-1108",
        "-1111",
        "-1112",
        *_codes(1114, 1120),
    ),
    *("-1122", "-1125", "-1127", "-1128", "-1130", "-1131", "-1134", "-1135", "-1145", "-1151", "-1158"),
    *("-1160", "-1165", "-1166", "-1168", "-1194", *_codes(1196, 1199), "-1210", "-1211", "-1220"),
    *(*_codes(1222, 1225), "-2010", "-2011", "-2013", "-2016", "-2021", "-2022", "-2026", "-2038", "-2039"),
)
ERRORS: Mapping[str, Refusal] = {
    **_same(Refusal(Trouble.UNKNOWN), *WRITING),
    **_same(Refusal(Trouble.UNKNOWN, subject=NO_SUCH_SYMBOL), "-1121"),
    **_same(Refusal(Trouble.BAD_KEY), "-2014", "-2008"),
    **_same(Refusal(Trouble.BAD_SECRET), "-1022"),
    **_same(Refusal(Trouble.CLOCK_OR_NONCE), "-1021"),
    **_same(Refusal(Trouble.NO_PERMISSION), "-2015", "-1002", "-1099"),
    # Of Binance's other APIs; the spot API wraps the first two in -2015.
    **_same(Refusal(Trouble.IP_BLOCKED), "-1005", "-1011"),
    **_same(Refusal(Trouble.KEY_INACTIVE), "-2017"),
    **_same(Refusal(Trouble.ACCOUNT_BLOCKED), "-3022"),
    **_same(Refusal(Trouble.USER_ACTION, subject="sign_in"), "-3001", "-4004", "-4013"),
    **_same(Refusal(Trouble.USER_ACTION, subject="terms"), "-4046"),
    **_same(Refusal(Trouble.REGION), "451", "-4044"),
    **_same(
        Refusal(Trouble.RATE_LIMIT, wait=WAIT_SECONDS),
        *("-1003", "-1015", "-1034", "-4005", "-6009", "-12014", "418", "429"),
    ),
    **_same(Refusal(Trouble.RATE_LIMIT, wait=WALL_SECONDS), "403"),
    **_same(
        Refusal(Trouble.MAINTENANCE),
        *("-1000", "-1001", "-1004", "-1006", "-1007", "-1008", "-1016", "-3000", "-3044", "-10001"),
        *("500", "502", "503", "504"),
    ),
}


class _Outcome(msgspec.Struct):
    code: int | str | None = None
    msg: str | None = None


def check(answer: Answer, subject: str = "") -> None:
    """Raise the `ExchangeError` that an answer means; return when it is a success.

    `subject` names what was asked for, so that a missing permission can be told by name.
    """
    # No success begins with a code: answers of megabytes are decoded once, by their own parser.
    if answer.status < 400 and answer.body[:1] in {b"[", b"{"} and not CODED.match(answer.body):
        return
    code = _code(answer)
    meant = ERRORS.get(code) or _by_status(answer.status)
    raise _refused(answer, meant, f"Binance {code!a}", meant.subject or subject)


def _code(answer: Answer) -> str:
    try:
        outcome = msgspec.json.decode(answer.body, type=_Outcome, strict=False)
    except (msgspec.ValidationError, RecursionError):
        meant = Refusal(Trouble.UNREACHABLE)
    except msgspec.DecodeError:
        meant = Refusal(Trouble.MAINTENANCE)
    else:
        return str(outcome.code if outcome.code is not None else "").strip()[:8]
    told = str(answer.status) in ERRORS
    raise _refused(answer, _by_status(answer.status) if told else meant, "not an answer of Binance")


def _by_status(status: int) -> Refusal:
    known = ERRORS.get(str(status))
    return known or Refusal(Trouble.MAINTENANCE if status >= 500 else Trouble.UNKNOWN)


def _refused(answer: Answer, refusal: Refusal, what: str, subject: str = "") -> ExchangeError:
    return ExchangeError(
        refusal.trouble,
        f"{what} (HTTP {answer.status})",
        wait=max(refusal.wait, answer.wait),
        subject=subject,
    )
