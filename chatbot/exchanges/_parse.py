"""From an exchange's bytes to our values; used by the `parse_*` functions and error tables of every exchange.

Money becomes `Decimal` from its text, whether the exchange quotes its numbers or not. What can't be
understood (another shape, NaN, a huge exponent, a date of no calendar) is an `ExchangeError` that says
*unreachable*, so that a bad answer is tried again and never told as a change of the account.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Clamped, Context, Decimal, Inexact, InvalidOperation, Overflow, Rounded, Subnormal
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from chatbot.errors import ExchangeError, Trouble

LONGEST_CODE = 32
LONGEST_NUMBER = 64
# Beyond these powers of ten no amount or price of any asset lies; sums of what is inside stay cheap.
SMALLEST, GREATEST = -40, 20
LARGEST_ID = 2**63 - 1
# What it takes without a signal needs no look at its digits: nearly every amount there is.
USUAL = Context(
    prec=24,
    Emin=SMALLEST,
    Emax=GREATEST,
    traps=[Clamped, Inexact, InvalidOperation, Overflow, Rounded, Subnormal],
)
# Names of assets and markets come again in every answer; read once they are also kept in memory once.
NAMES = 4096
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an error code means: the trouble, seconds to wait, and what the person has to see to."""

    trouble: Trouble
    wait: int = 0
    subject: str = ""


def decode(body: bytes, kind: type[T]) -> T:
    """Decode JSON into a typed struct; raises `ExchangeError` when it has another shape."""
    with reading("an answer of another shape"):
        return cast("T", _decoder(cast("Any", kind)).decode(body))


@lru_cache(NAMES)
def _decoder(kind: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind, strict=False)


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Turn what a senseless value sets off into an `ExchangeError` that quotes nothing."""
    try:
        yield
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        raise unreadable(what) from None


def unreadable(what: str) -> ExchangeError:
    """Return the error for an answer that makes no sense."""
    return ExchangeError(Trouble.UNREACHABLE, f"unreadable: {what}")


def amount(value: Decimal) -> Decimal:
    """Return the value when it can be an amount or a price; raises ValueError."""
    try:
        USUAL.plus(value)
    except ArithmeticError:
        return _looked_at(value)
    return value if value.is_finite() else _looked_at(value)


def _looked_at(value: Decimal) -> Decimal:
    if not value.is_finite() or len(value.as_tuple().digits) > LONGEST_NUMBER:
        raise ValueError("not an amount")
    exponent = value.as_tuple().exponent
    if not (
        isinstance(exponent, int) and exponent >= -LONGEST_NUMBER and SMALLEST <= _power(value) <= GREATEST
    ):
        raise ValueError("not an amount")
    return value


def price(value: Decimal) -> Decimal:
    """Return the value when it can be the price of a fill, which is never negative; raises ValueError."""
    if amount(value) < 0:
        raise ValueError("not a price")
    return value


@lru_cache(NAMES)
def asset(code: str) -> str:
    """Return an asset's code in upper case, known to us or not; raises ValueError when it can't be shown."""
    cleaned = code.strip().upper()
    if not cleaned or len(cleaned) > LONGEST_CODE or not cleaned.isprintable() or "_" in cleaned:
        raise ValueError("not an asset")
    return cleaned


@lru_cache(NAMES)
def pair(market: str) -> tuple[str, str]:
    """Return base and quote of a market written `base_quote`; raises ValueError."""
    base, _, quote = market.partition("_")
    return asset(base), asset(quote)


def number(value: str | int) -> int:
    """Return an id as an integer of at most 63 bits; raises ValueError."""
    text = str(value)[: LONGEST_NUMBER + 1]
    if not (text.isascii() and text.isdigit()) or int(text) > LARGEST_ID:
        raise ValueError("not an id")
    return int(text)


def moment(text: str) -> datetime:
    """Return an ISO 8601 time in UTC, read as UTC when it names no zone; raises ValueError, OverflowError."""
    parsed = datetime.fromisoformat(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)


def _power(value: Decimal) -> int:
    return value.adjusted() if value else 0
