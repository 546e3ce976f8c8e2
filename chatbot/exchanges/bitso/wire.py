"""Bitso's wire protocol without any I/O: signing, what each error code means, and `parse_*` from bytes.

Documents: docs.bitso.com. A refusal is judged by its code, never by the HTTP status.
Whatever the bytes are, only `ExchangeError` is raised.
"""

import hmac
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Generic, TypeVar

import msgspec

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.secrets import Secret
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import _parse
from chatbot.exchanges._http import Answer
from chatbot.exchanges._parse import Refusal

LIMITED = frozenset({420, 429})
LOCKED_SECONDS = 60
LONGEST_STATUS = 64
T = TypeVar("T")


def _same(refusal: Refusal, *codes: str) -> dict[str, Refusal]:
    return dict.fromkeys(codes, refusal)


# docs.bitso.com, "Error codes"; 0104 is the older servers' word for a low nonce.
ERRORS: Mapping[str, Refusal] = {
    **_same(Refusal(Trouble.BAD_KEY), "0201"),
    **_same(Refusal(Trouble.BAD_SECRET), "0215"),
    **_same(Refusal(Trouble.CLOCK_OR_NONCE), "0206", "0207", "0104"),
    **_same(Refusal(Trouble.NO_PERMISSION), "0202"),
    **_same(Refusal(Trouble.IP_BLOCKED), "0213"),
    **_same(Refusal(Trouble.KEY_INACTIVE), "0326"),
    **_same(
        Refusal(Trouble.USER_ACTION, subject="sign_in"),
        "0203",
        "0204",
        "0205",
        "0208",
        "0209",
        "0210",
        "0211",
    ),
    **_same(Refusal(Trouble.USER_ACTION, subject="verification"), "0701", "0702", "0709"),
    **_same(Refusal(Trouble.USER_ACTION, subject="terms"), "0706"),
    **_same(Refusal(Trouble.ACCOUNT_BLOCKED), "0212", "0216", "0705"),
    **_same(Refusal(Trouble.RATE_LIMIT, wait=LOCKED_SECONDS), "0801", "0802"),
    **_same(Refusal(Trouble.MAINTENANCE), "1000", "1004", "1008", "1103", "0101"),
    **_same(Refusal(Trouble.UNKNOWN), "0301", "0303", "0304", "0320", "0330", "0703", "0901"),
}


class _Error(msgspec.Struct):
    code: str | int = ""


class _Outcome(msgspec.Struct):
    success: bool
    error: _Error = msgspec.field(default_factory=_Error)


class _Envelope(msgspec.Struct, Generic[T]):
    payload: T


class _Balance(msgspec.Struct):
    currency: str
    available: Decimal
    total: Decimal


class _Balances(msgspec.Struct):
    balances: list[_Balance]


class _Trade(msgspec.Struct):
    book: str
    tid: str | int
    side: Side
    major: Decimal
    minor: Decimal
    price: Decimal
    created_at: str
    major_currency: str = ""
    minor_currency: str = ""
    fees_amount: Decimal | None = None
    fees_currency: str | None = None
    maker_side: str | None = None
    oid: str | int | None = None


class _Ticker(msgspec.Struct):
    book: str
    last: Decimal | None = None


class _Status(msgspec.Struct):
    status: Annotated[str, msgspec.Meta(max_length=LONGEST_STATUS)]


def sign(method: str, path_with_query: str, key: Secret, secret: Secret, nonce: int) -> dict[str, str]:
    """Return the header that signs a request without a body (docs.bitso.com, "Authentication")."""
    text = f"{nonce}{method}{path_with_query}"
    signature = hmac.digest(secret.reveal(), text.encode(), "sha256").hex()
    return {"Authorization": f"Bitso {key.reveal().decode('ascii')}:{nonce}:{signature}"}


def check(answer: Answer, subject: str = "") -> None:
    """Raise the `ExchangeError` that an answer means; return when it is a success.

    `subject` names what was asked for, so that a missing permission can be told by name.
    """
    outcome = _outcome(answer)
    if outcome.success and answer.status < 400:
        return
    code = str(outcome.error.code).strip().zfill(4)[:8]
    raise _refused(answer, ERRORS.get(code) or _by_status(answer.status), f"Bitso {code!a}", subject)


def _outcome(answer: Answer) -> _Outcome:
    try:
        return msgspec.json.decode(answer.body, type=_Outcome, strict=False)
    except (msgspec.ValidationError, RecursionError):
        meant = Refusal(Trouble.UNREACHABLE)
    except msgspec.DecodeError:
        meant = Refusal(Trouble.MAINTENANCE)
    limited = answer.status in LIMITED
    raise _refused(answer, _by_status(answer.status) if limited else meant, "not an answer of Bitso")


def _by_status(status: int) -> Refusal:
    if status in LIMITED:
        return Refusal(Trouble.RATE_LIMIT, LOCKED_SECONDS)
    return Refusal(Trouble.MAINTENANCE if status >= 500 else Trouble.UNKNOWN)


def _refused(answer: Answer, refusal: Refusal, what: str, subject: str = "") -> ExchangeError:
    return ExchangeError(
        refusal.trouble,
        f"{what} (HTTP {answer.status})",
        wait=max(refusal.wait, answer.wait),
        subject=refusal.subject or subject,
    )


def parse_balances(body: bytes) -> tuple[Balance, ...]:
    """Return the balances that are not zero; raises `ExchangeError` when the answer makes no sense.

    Bitso lists every asset it knows, with zeros: a list without a row is a failure, not an empty account.
    """
    rows = _parse.decode(body, _Envelope[_Balances]).payload.balances
    if not rows:
        raise _parse.unreadable("balances")
    with _parse.reading("balances"):
        found = [
            Balance(_parse.asset(row.currency), _parse.amount(row.available), _parse.amount(row.total))
            for row in rows
        ]
    return tuple(balance for balance in found if balance.total or balance.free)


def parse_fills(body: bytes) -> tuple[Fill, ...]:
    """Return the fills of a page in the order given; raises `ExchangeError` when one makes no sense."""
    rows = _parse.decode(body, _Envelope[list[_Trade]]).payload
    with _parse.reading("fills"):
        return tuple(_fill(row) for row in rows)


def parse_prices(body: bytes, at: datetime) -> Prices:
    """Return the last price of every book that has a sensible one; one odd row costs no other its price."""
    rows = _parse.decode(body, _Envelope[list[msgspec.Raw]]).payload
    return Prices(at, dict(found for row in rows if (found := _price(row)) is not None))


def parse_status(body: bytes) -> str:
    """Return the account's status and nothing else: the rest of the answer is personal."""
    return _parse.decode(body, _Envelope[_Status]).payload.status


def _price(raw: msgspec.Raw) -> tuple[tuple[str, str], Decimal] | None:
    try:
        row = _parse.decode(bytes(raw), _Ticker)
        with _parse.reading("a price"):
            return None if row.last is None else (_parse.pair(row.book), _parse.amount(row.last))
    except ExchangeError:
        return None


def _fill(row: _Trade) -> Fill:
    base, quote = _parse.pair(row.book)
    return Fill(
        id=str(_parse.number(row.tid)),
        order=str(row.oid or "")[:64],
        product="spot",
        market=row.book,
        base=base,
        quote=quote,
        side=row.side,
        quantity=_parse.amount(row.major).copy_abs(),
        price=_parse.price(row.price),
        cost=_parse.amount(row.minor).copy_abs(),
        # The documents disagree on the sign, so a rebate can't be told from a fee.
        fee=_parse.amount(row.fees_amount or Decimal(0)).copy_abs(),
        fee_asset=_parse.asset(row.fees_currency or quote),
        liquidity=_liquidity(row.maker_side, row.side),
        at=_parse.moment(row.created_at),
    )


def _liquidity(maker_side: str | None, side: Side) -> Liquidity:
    if not maker_side:
        return Liquidity.UNKNOWN
    return Liquidity.MAKER if maker_side == side else Liquidity.TAKER
