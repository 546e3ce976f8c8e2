"""What Kraken's refusals mean: one table of its messages, and `check`, which raises what an answer says.

Documents: docs.kraken.com, "Error messages" (the guides of today and of 2024), and support.kraken.com, "API
error messages". A message is `E` or `W`, a category, a colon and a text, often followed by a detail; warnings
are no failures. The HTTP status is 200 for nearly all of them.
"""

import re
from collections.abc import Mapping

import msgspec

from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges._http import TOO_MANY, Answer
from chatbot.exchanges._parse import LONGEST_NUMBER, Refusal

WAIT_SECONDS = 60
# "Typically approximately 15 minutes", and every call during it begins it anew.
LOCKOUT_SECONDS = 15 * 60
LONGEST_REASON = 80


def _same(refusal: Refusal, *messages: str) -> dict[str, Refusal]:
    return dict.fromkeys(messages, refusal)


# What only orders, deposits and withdrawals can meet: nothing that we send.
WRITING = (
    *("EBM:limit exceeded:CAL", "EGeneral:Invalid arguments:Index unavailable", "ETrade:Invalid request"),
    *("EFunding:Invalid amount", "EFunding:Max fee exceeded", "EFunding:No funding method"),
    *("EFunding:Too many addresses", "EFunding:Unknown asset", "EFunding:Unknown withdraw key"),
    *("EOrder:Cancel pending", "EOrder:Cannot open opposing position", "EOrder:Cannot open position"),
    *("EOrder:Cost minimum not met", "EOrder:Domain rate limit exceeded", "EOrder:Insufficient funds"),
    *("EOrder:Insufficient initial margin", "EOrder:Insufficient margin", "EOrder:Invalid order"),
    *("EOrder:Invalid price", "EOrder:Margin allowance exceeded", "EOrder:Margin level too low"),
    *("EOrder:Margin position size exceeded", "EOrder:Order minimum not met", "EOrder:Order not editable"),
    *("EOrder:Orders limit exceeded", "EOrder:Positions limit exceeded", "EOrder:Rate limit exceeded"),
    *("EOrder:Reduce only:No position exists", "EOrder:Reduce only:Non-PC"),
    *("EOrder:Reduce only:Position is closed", "EOrder:Scheduled orders limit exceeded"),
    *("EOrder:Tick size check failed", "EOrder:Trading agreement required", "EOrder:Unknown order"),
    "EOrder:Unknown position",
)
# No document names the refusal of a foreign address; whatever it is, its text will speak of one.
FOREIGN_ADDRESS = "EAPI:IP address not allowed"
ADDRESS_WORDS = re.compile(r"\bip\b|(?:allow|white)[- ]?list", re.IGNORECASE)
ERRORS: Mapping[str, Refusal] = {
    **_same(Refusal(Trouble.BAD_KEY), "EAPI:Invalid key"),
    **_same(Refusal(Trouble.BAD_SECRET), "EAPI:Invalid signature"),
    **_same(Refusal(Trouble.CLOCK_OR_NONCE), "EAPI:Invalid nonce"),
    **_same(Refusal(Trouble.KEY_INACTIVE), "ESession:Invalid session"),
    **_same(Refusal(Trouble.IP_BLOCKED), FOREIGN_ADDRESS),
    **_same(Refusal(Trouble.NO_PERMISSION), "EGeneral:Permission denied"),
    **_same(
        Refusal(Trouble.USER_ACTION, subject="verification"),
        *("EAccount:Invalid permissions", "EAuth:Account unconfirmed"),
    ),
    **_same(
        Refusal(Trouble.ACCOUNT_BLOCKED),
        *("EAuth:Account temporary disabled", "ETrade:Locked", "ETrade:User Locked"),
    ),
    **_same(
        Refusal(Trouble.RATE_LIMIT, wait=WAIT_SECONDS),
        *("EAPI:Rate limit exceeded", "EAuth:Rate limit exceeded", "EAuth:Too many requests"),
        *("EGeneral:Too many requests", "EService:Throttled"),
    ),
    **_same(Refusal(Trouble.RATE_LIMIT, wait=LOCKOUT_SECONDS), "EGeneral:Temporary lockout"),
    **_same(
        Refusal(Trouble.MAINTENANCE),
        *("EService:Unavailable", "EService:Busy", "EService:Deadline elapsed", "EGeneral:Internal error"),
        *("EDatabase:Internal error", "EService:Market in cancel_only mode"),
        *("EService:Market in limit_only mode", "EService:Market in post_only mode"),
    ),
    **_same(
        Refusal(Trouble.UNKNOWN),
        *("EAPI:Bad request", "EAPI:Feature disabled", "EGeneral:Invalid arguments"),
        *("EGeneral:Unknown method", "EQuery:Invalid asset pair", "EQuery:Unknown asset"),
        *("EQuery:Unknown asset pair", *WRITING),
    ),
}


def _plain(message: str) -> str:
    """Write a message as it is looked up: blanks around colons and upper case vary in the documents."""
    return re.sub(r"\s*:\s*", ":", message.strip()).casefold()


_BY_TEXT: Mapping[str, Refusal] = {_plain(message): meant for message, meant in ERRORS.items()}


class _Outcome(msgspec.Struct):
    error: list[str] | str | None = None


def check(answer: Answer, subject: str = "") -> None:
    """Raise the `ExchangeError` that an answer means; return when it is a success or no more than a warning.

    `subject` names what was asked for, so that a missing permission can be told by name.
    """
    failures = _failures(answer)
    if not failures and answer.status < 400:
        return
    known = (meant for message in failures if (meant := _meaning(message)))
    meant = next(known, None) or _by_status(answer.status)
    raise _refused(answer, meant, f"Kraken {''.join(failures[:1])!a}"[:LONGEST_REASON], subject)


def _failures(answer: Answer) -> list[str]:
    try:
        told = msgspec.json.decode(answer.body, type=_Outcome).error
    except (msgspec.ValidationError, RecursionError):
        meant = Refusal(Trouble.UNREACHABLE)
    except msgspec.DecodeError:
        meant = Refusal(Trouble.MAINTENANCE)
    else:
        messages = [told] if isinstance(told, str) else told or []
        return [text[:LONGEST_NUMBER] for text in messages if text and not text.lstrip().startswith("W")]
    limited = answer.status in TOO_MANY
    raise _refused(answer, _by_status(answer.status) if limited else meant, "not an answer of Kraken")


def _meaning(message: str) -> Refusal | None:
    """Look a message up, then what is left of it without its last detail, and so on."""
    text = _plain(message)
    if ADDRESS_WORDS.search(text):
        return ERRORS[FOREIGN_ADDRESS]
    while text and text not in _BY_TEXT:
        text = text.rpartition(":")[0]
    return _BY_TEXT.get(text)


def _by_status(status: int) -> Refusal:
    if status in TOO_MANY:
        return Refusal(Trouble.RATE_LIMIT, WAIT_SECONDS)
    return Refusal(Trouble.MAINTENANCE if status >= 500 else Trouble.UNKNOWN)


def _refused(answer: Answer, refusal: Refusal, what: str, subject: str = "") -> ExchangeError:
    return ExchangeError(
        refusal.trouble,
        f"{what} (HTTP {answer.status})",
        wait=max(refusal.wait, answer.wait),
        subject=refusal.subject or subject,
    )
