"""Bitstamp's wire protocol without any I/O: signing, checking its signature, what each refusal means.

Documents: www.bitstamp.net/api, "Authentication" and "Error codes". A refusal is judged by its code, then
by its text, and by the HTTP status last. Whatever the bytes are, only `ExchangeError` is raised.
"""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from chatbot.domain.secrets import Secret
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import _parse
from chatbot.exchanges._http import Answer
from chatbot.exchanges._parse import Refusal

# Always this host is signed, whatever the address that is called: a proxy or a practice server knows it.
HOST = "www.bitstamp.net"
FORM = "application/x-www-form-urlencoded"
SIGNED = "X-Server-Auth-Signature"
VERSION = "v2"
LIMITED_SECONDS = 60
MAINTENANCE_WORDS = "scheduled maintenance"


def _same(refusal: Refusal, *codes: str) -> dict[str, Refusal]:
    return dict.fromkeys(codes, refusal)


def _codes(family: int, last: int) -> tuple[str, ...]:
    return tuple(f"{family}.{number:03}" for number in range(1, last + 1))


# "Response codes" and "Possible authentication errors" of the API reference, all of them. A text stands for
# itself where older services answer without a code. What only orders can meet, or a wrong request of ours
# (version, header, content type, parameter, method), is unknown: no retry helps.
ERRORS: Mapping[str, Refusal] = {
    **_same(Refusal(Trouble.UNKNOWN), *_codes(400, 85), *_codes(403, 10), *_codes(404, 8)),
    **_same(
        Refusal(Trouble.UNKNOWN),
        *("API0010", "API0012", "API0013", "API0014", "API0015", "API0016", "API0019", "API0020"),
        *("API0021", "API5506", "405.001", "410.001"),
        *("Missing key, signature and nonce parameters", "Invalid offset."),
    ),
    **_same(
        Refusal(Trouble.BAD_KEY),
        *("API0001", "API0008", "API0011"),
        *("API key not found", "Authentication failed", "Wrong API key format"),
    ),
    **_same(Refusal(Trouble.BAD_SECRET), "API0005", "Invalid signature"),
    **_same(Refusal(Trouble.IP_BLOCKED), "API0002", "IP address not allowed"),
    **_same(Refusal(Trouble.NO_PERMISSION), "API0003", "No permission found"),
    **_same(Refusal(Trouble.CLOCK_OR_NONCE), "API0004", "API0017", "API0018", "Invalid nonce"),
    **_same(
        Refusal(Trouble.ACCOUNT_BLOCKED),
        *("API0006", "403.001", "403.004"),
        *("Your account is frozen", "Trading is currently unavailable for your account."),
    ),
    **_same(
        Refusal(Trouble.USER_ACTION, subject="verification"),
        *("API0009", "Please update your profile with your FATCA information, before using API."),
    ),
    # The sub-account that the key was made for is gone.
    **_same(Refusal(Trouble.KEY_INACTIVE), "404.004"),
    **_same(Refusal(Trouble.RATE_LIMIT, wait=LIMITED_SECONDS), "400.002", "400.067", "400.068"),
    **_same(
        Refusal(Trouble.MAINTENANCE),
        *_codes(500, 23),
        "Bitstamp.net is under scheduled maintenance. We'll be back soon.",
    ),
}
TEXTS: Mapping[str, Refusal] = {text.casefold(): meant for text, meant in ERRORS.items() if " " in text}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes a request the only one of its kind: a fresh UUID, and the time in milliseconds."""

    nonce: str
    timestamp: int


class _Outcome(msgspec.Struct):
    status: Any = None
    code: Any = None
    response_code: Any = None
    reason: Any = None
    error: Any = None
    message: Any = None


def sign(method: str, path: str, body: bytes, key: Secret, secret: Secret, stamp: Stamp) -> dict[str, str]:
    """Return the headers that sign a request; without a body there is no content type either (API0020)."""
    who = f"BITSTAMP {key.reveal().decode('ascii')}"
    kind = FORM if body else ""
    text = f"{who}{method}{HOST}{path}{kind}{stamp.nonce}{stamp.timestamp}{VERSION}".encode()
    headers = {
        "X-Auth": who,
        "X-Auth-Signature": hmac.digest(secret.reveal(), text + body, "sha256").hex(),
        "X-Auth-Nonce": stamp.nonce,
        "X-Auth-Timestamp": str(stamp.timestamp),
        "X-Auth-Version": VERSION,
    }
    return headers | ({"Content-Type": kind} if kind else {})


def verify(answer: Answer, secret: Secret, stamp: Stamp) -> None:
    """Raise `ExchangeError` unless the answer is signed by who knows the secret, and answers this request.

    Only what is going to be read as data is held to this: a refused secret can't sign its own refusal.
    """
    text = f"{stamp.nonce}{stamp.timestamp}".encode() + _header(answer, "Content-Type")
    expected = hmac.digest(secret.reveal(), text + answer.body, "sha256").hex()
    if not hmac.compare_digest(expected.encode(), _header(answer, SIGNED).lower()):
        raise ExchangeError(Trouble.UNREACHABLE, "an answer without Bitstamp's signature")


def _header(answer: Answer, name: str) -> bytes:
    """Return a header as the bytes that came: they need not be text."""
    return answer.headers.get(name, "").encode("utf-8", "surrogateescape")


def check(answer: Answer, subject: str = "") -> None:
    """Raise the `ExchangeError` that an answer means; return when it is a list, as all our reads are.

    `subject` names what was asked for, so that a missing permission can be told by name.
    """
    if answer.status < 400 and answer.body.lstrip().startswith(b"["):
        return
    outcome = _outcome(answer)
    code = str(outcome.code or outcome.response_code or "").strip().upper()[:12]
    texts = list(_texts(outcome))
    if not (code or texts or outcome.status == "error" or answer.status >= 400):
        raise _parse.unreadable("an answer of another shape")
    meant = ERRORS.get(code) or _by_text(texts) or _by_status(answer.status)
    raise _refused(answer, meant, f"Bitstamp {code!a}", subject)


def _outcome(answer: Answer) -> _Outcome:
    try:
        return msgspec.json.decode(answer.body, type=_Outcome)
    except (msgspec.ValidationError, RecursionError):
        meant = Refusal(Trouble.UNREACHABLE)
    except msgspec.DecodeError:
        meant = Refusal(Trouble.MAINTENANCE)
    raise _refused(
        answer, _by_status(answer.status) if answer.status == 429 else meant, "not an answer of Bitstamp"
    )


def _texts(outcome: _Outcome) -> Iterator[str]:
    """Find every text of a refusal: it may be a word, a list, or lists by the name of a field."""
    left = [outcome.reason, outcome.error, outcome.message]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value.strip().casefold()
        elif isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def _by_text(texts: list[str]) -> Refusal | None:
    known = next((TEXTS[text] for text in texts if text in TEXTS), None)
    if known is None and any(MAINTENANCE_WORDS in text for text in texts):
        return Refusal(Trouble.MAINTENANCE)
    return known


def _by_status(status: int) -> Refusal:
    if status == 429:
        return Refusal(Trouble.RATE_LIMIT, LIMITED_SECONDS)
    return Refusal(Trouble.MAINTENANCE if status >= 500 else Trouble.UNKNOWN)


def _refused(answer: Answer, refusal: Refusal, what: str, subject: str = "") -> ExchangeError:
    return ExchangeError(
        refusal.trouble,
        f"{what} (HTTP {answer.status})",
        wait=max(refusal.wait, answer.wait),
        subject=refusal.subject or subject,
    )
