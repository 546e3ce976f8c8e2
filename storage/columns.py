"""What all tables share: the metadata and the types in which we keep times, amounts, days and JSON.

Every type reads and writes the same on SQLite and PostgreSQL, so that rows can be copied between them:
times as microseconds since 1970, amounts as plain decimal text. A naive time or a NaN is a bug and raises.
"""

import json
import secrets
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Dialect, Integer, MetaData, Text, TypeDecorator

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)
# SQLite counts by itself only in a column of exactly this type.
Sequence = BigInteger().with_variant(Integer, "sqlite")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_DIGITS = 100


def new_id() -> str:
    """Return a random id for a row."""
    return secrets.token_hex(8)


def to_micros(at: datetime) -> int:
    """Return an aware time as microseconds since 1970."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone can't be stored")
    return (at - _EPOCH) // _TICK


def from_micros(micros: int) -> datetime:
    """Return the UTC time of some microseconds since 1970."""
    return _EPOCH + micros * _TICK


def amount_text(amount: Decimal) -> str:
    """Return the one plain text of an amount, without losing a digit: 1.50 and 1.5 are both `1.5`."""
    if not amount.is_finite() or abs(amount.adjusted()) > _DIGITS:
        raise ValueError("an amount must be a finite number of sensible size")
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


class Time(TypeDecorator[datetime]):
    """An instant, in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_micros(value)


class Amount(TypeDecorator[Decimal]):
    """An exact decimal number."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else amount_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value)


class Day(TypeDecorator[date]):
    """A local date."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.isoformat()

    def process_result_value(self, value: Any, dialect: Dialect) -> date | None:  # noqa: ARG002
        return None if value is None else date.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """Plain data as ASCII JSON: what a platform sent survives with any character in it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else json.dumps(value, separators=(",", ":"), allow_nan=False)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


class Words(TypeDecorator[str]):
    """Text from outside: what no database holds (NUL, half a surrogate pair) is dropped or turned to `?`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.replace("\0", "").encode("utf-8", "replace").decode()
