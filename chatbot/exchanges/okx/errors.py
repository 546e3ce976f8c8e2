"""What OKX's refusals mean: one table of codes, and `check`, which raises what an answer says.

The table holds the general and the API class of OKX's *Error code* page, and what a read can meet of the
others (parameters, the funding account, sub-accounts). Codes of orders and withdrawals are not in it: they
are unknown like any code that nobody listed. A code may carry a sub-code behind an underscore.
"""

from collections.abc import Mapping

import msgspec

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import _parse
from chatbot.exchanges._http import Answer
from chatbot.exchanges._parse import Refusal

WAIT_SECONDS = 60
GOOD = "0"
# OKX is three companies with keys of their own: this one has never heard of the key.
NOT_HERE = "50119"
# "Parameter {0} error", "Instrument ID does not exist": what nobody lists any more.
NOT_LISTED = frozenset({"51000", "51001"})


class UnknownHere(ExchangeError):
    """This OKX doesn't know the key; another one may."""


def _same(refusal: Refusal, *codes: str) -> dict[str, Refusal]:
    return dict.fromkeys(codes, refusal)


# What is our own fault (headers, parameters, method) or can only meet who trades, borrows or withdraws.
NOT_OURS = (
    *("1", "2", "50000", "50002", "50006", "50010", "50014", "50015", "50016", "50017", "50018", "50020"),
    *("50021", "50023", "50024", "50025", "50028", "50032", "50033", "50036", "50037", "50038", "50039"),
    *("50042", "50044", "50045", "50047", "50048", "50049", "50050", "50052", "50053", "50055", "50056"),
    *("50057", "50058", "50063", "50064", "50067", "50069", "50071", "50072", "50075", "50076", "50077"),
    *("50103", "50106", "50107", "50108", "50109", "50115", "50116", "50122", "51000", "51001", "51015"),
    *("58000", "58006"),
)
ERRORS: Mapping[str, Refusal] = {
    **_same(Refusal(Trouble.BAD_KEY), "50111", "50114", NOT_HERE, "59506"),
    **_same(Refusal(Trouble.BAD_SECRET), "50113"),
    **_same(Refusal(Trouble.BAD_SECRET, subject="passphrase"), "50104", "50105"),
    # A key made for demo trading, or one whose user is gone.
    **_same(Refusal(Trouble.KEY_INACTIVE), "50008", "50101"),
    **_same(Refusal(Trouble.IP_BLOCKED), "50035", "50110", "50118"),
    **_same(Refusal(Trouble.NO_PERMISSION), "50030", "50120"),
    **_same(Refusal(Trouble.CLOCK_OR_NONCE), "50102", "50112"),
    **_same(Refusal(Trouble.RATE_LIMIT, wait=WAIT_SECONDS), "50011", "50040", "50061", "58102"),
    **_same(
        Refusal(Trouble.MAINTENANCE),
        *("50001", "50004", "50005", "50013", "50026", "50046", "50062", "58007"),
    ),
    **_same(
        Refusal(Trouble.ACCOUNT_BLOCKED),
        *("50007", "50009", "50012", "50019", "50022", "50027", "50029", "50041", "50100"),
        *("58004", "59508", "59519"),
    ),
    **_same(Refusal(Trouble.USER_ACTION), "50059"),
    **_same(Refusal(Trouble.USER_ACTION, subject="verification"), "4088", "50060", "58011"),
    **_same(Refusal(Trouble.REGION), "50051", "50121"),
    **_same(Refusal(Trouble.UNKNOWN), *NOT_OURS),
}


class _Outcome(msgspec.Struct):
    code: str | int | None = None


def check(answer: Answer, subject: str = "") -> None:
    """Raise the `ExchangeError` that an answer means; return when it is a success.

    `subject` names what was asked for, so that a missing permission can be told by name.
    """
    code = _code(answer)
    if code == GOOD and answer.status < 400:
        return
    if not code and answer.status < 400:
        raise _parse.unreadable("an answer of another shape")
    meant = ERRORS.get(code) or _by_status(answer.status, Trouble.UNKNOWN)
    raise _refused(answer, meant, f"OKX {code!a}", code, subject)


def is_unlisted(answer: Answer) -> bool:
    """Tell whether an answer says that the product asked for does not exist."""
    return _code(answer) in NOT_LISTED


def _code(answer: Answer) -> str:
    try:
        code = msgspec.json.decode(answer.body, type=_Outcome, strict=False).code
    except (msgspec.ValidationError, RecursionError):
        meant = Refusal(Trouble.UNREACHABLE)
    except msgspec.DecodeError:
        meant = _by_status(answer.status, Trouble.MAINTENANCE)
    else:
        return str("" if code is None else code).partition("_")[0].strip()[:8]
    raise _refused(answer, meant, "not an answer of OKX")


def _by_status(status: int, otherwise: Trouble) -> Refusal:
    if status == 429:
        return Refusal(Trouble.RATE_LIMIT, WAIT_SECONDS)
    if status == 451:
        return Refusal(Trouble.REGION)
    return Refusal(Trouble.MAINTENANCE if status >= 500 else otherwise)


def _refused(answer: Answer, refusal: Refusal, what: str, code: str = "", subject: str = "") -> ExchangeError:
    kind = UnknownHere if code == NOT_HERE else ExchangeError
    return kind(
        refusal.trouble,
        f"{what} (HTTP {answer.status})",
        wait=max(refusal.wait, answer.wait),
        subject=refusal.subject or subject,
    )
