"""OKX's wire protocol without any I/O: signing, and `parse_*` from bytes to our values.

Documents: www.okx.com/docs-v5. Every number and time comes as text, and an empty text means none. Whatever
the bytes are, only `ExchangeError` is raised.
"""

import base64
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Generic, TypeVar

import msgspec

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.credentials import Credentials
from chatbot.domain.permissions import Finding, Permission, PermissionReport, Switch, reported
from chatbot.exchanges import _parse

# Wide enough for any sum or product of two amounts: the default of 28 digits would round.
EXACT = Context(prec=4 * _parse.LONGEST_NUMBER)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
NOTHING = frozenset({b"", b"null", b'""'})
READS = (Permission.BALANCES, Permission.FILLS, Permission.ORDERS, Permission.ACCOUNT)
READ, TRADE, WITHDRAW = "read_only", "trade", "withdraw"
LONGEST_LABEL, MOST_LABELS = 32, 20
LONGEST_ADDRESS, MOST_ADDRESSES = 64, 20
T = TypeVar("T")


class Envelope(msgspec.Struct, Generic[T]):
    """What every good answer comes in."""

    data: list[T]


class _Asset(msgspec.Struct):
    ccy: str
    cash: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="cashBal")
    equity: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="eq")
    free: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="availBal")
    free_equity: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="availEq")


class _Trading(msgspec.Struct):
    details: list[_Asset]


class _Funding(msgspec.Struct):
    ccy: str
    total: msgspec.Raw = msgspec.field(name="bal")
    free: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="availBal")


class _Config(msgspec.Struct):
    perm: str = ""
    ip: str = ""


class _Ticker(msgspec.Struct):
    name: str = msgspec.field(name="instId")
    last: msgspec.Raw = msgspec.Raw()
    index: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="idxPx")


class _Time(msgspec.Struct):
    ts: str | int


def sign(method: str, path_with_query: str, credentials: Credentials, at: datetime) -> dict[str, str]:
    """Return the headers that sign a request without a body ("REST Authentication")."""
    stamp = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = f"{stamp}{method}{path_with_query}".encode()
    signature = hmac.digest(credentials.api_secret.reveal(), text, "sha256")
    third = credentials.passphrase
    return {
        "OK-ACCESS-KEY": credentials.api_key.reveal().decode("ascii"),
        "OK-ACCESS-SIGN": base64.b64encode(signature).decode("ascii"),
        "OK-ACCESS-TIMESTAMP": stamp,
        "OK-ACCESS-PASSPHRASE": third.reveal().decode("ascii") if third is not None else "",
    }


def money(raw: msgspec.Raw) -> Decimal | None:
    """Return an amount, quoted or bare, None where there is none; raises ValueError and msgspec's errors."""
    if bytes(raw) in NOTHING:
        return None
    return _parse.amount(msgspec.json.decode(raw, type=Decimal, strict=False))


def asset(code: str) -> str:
    """Return an asset's code; raises ValueError."""
    # Nothing here is cut at an underscore, and no balance must be lost over one.
    return _parse.asset(code.replace("_", "-"))


def moment(milliseconds: str | int) -> datetime:
    """Return the time that so many milliseconds mean; raises ValueError, OverflowError."""
    return EPOCH + _parse.number(milliseconds) * MILLISECOND


def milliseconds(at: datetime) -> int:
    """Return a time as OKX counts it."""
    return (at - EPOCH) // MILLISECOND


def parse_trading(body: bytes) -> tuple[Balance, ...]:
    """Return what the trading account holds: its cash, because equity moves with every price."""
    rows = _parse.decode(body, Envelope[_Trading]).data
    if not rows:
        raise _parse.unreadable("balances")
    with _parse.reading("balances"):
        return tuple(_traded(row) for account in rows for row in account.details)


def _traded(row: _Asset) -> Balance:
    total = _first(row.cash, row.equity)
    free = _first(row.free, row.free_equity)
    if total is None:
        raise ValueError("no amount")
    # What is free counts gains that are not cash yet.
    return Balance(asset(row.ccy), total if free is None else min(free, total), total)


def _first(*raws: msgspec.Raw) -> Decimal | None:
    return next((value for raw in raws if (value := money(raw)) is not None), None)


def parse_funding(body: bytes) -> tuple[Balance, ...]:
    """Return what the funding account holds; an empty list is one that holds nothing."""
    rows = _parse.decode(body, Envelope[_Funding]).data
    with _parse.reading("balances"):
        return tuple(_funded(row) for row in rows)


def _funded(row: _Funding) -> Balance:
    total, free = money(row.total), money(row.free)
    if total is None:
        raise ValueError("no amount")
    return Balance(asset(row.ccy), total if free is None else free, total)


def together(balances: Iterable[Balance]) -> tuple[Balance, ...]:
    """Return one balance per asset, without those that are zero; raises `ExchangeError`."""
    sums: dict[str, Balance] = {}
    for one in balances:
        both = sums.get(one.asset, Balance(one.asset, Decimal(0), Decimal(0)))
        sums[one.asset] = Balance(one.asset, EXACT.add(both.free, one.free), EXACT.add(both.total, one.total))
    with _parse.reading("balances"):
        for both in sums.values():
            _parse.amount(both.free)
            _parse.amount(both.total)
    return tuple(both for both in sums.values() if both.total or both.free)


def parse_permissions(body: bytes) -> PermissionReport:
    """Return what OKX tells about the key that asks: its three rights and its addresses."""
    rows = _parse.decode(body, Envelope[_Config]).data
    if not rows:
        raise _parse.unreadable("permissions")
    words = _words(rows[0].perm.lower(), LONGEST_LABEL, MOST_LABELS)
    addresses = _words(rows[0].ip, LONGEST_ADDRESS, MOST_ADDRESSES)
    on = {
        *(READS if READ in words else ()),
        *((Permission.TRADE,) if TRADE in words else ()),
        *((Permission.WITHDRAW,) if WITHDRAW in words else ()),
    }
    report = PermissionReport(
        reported(on) if words else {},
        ip_bound=Switch.ON if addresses else Switch.OFF,
        strange=tuple(word for word in words if word not in {READ, TRADE, WITHDRAW}),
        addresses=addresses,
    )
    # "Trade" also moves money between one's own accounts, and nothing tells whether this key's does.
    return report.has({Permission.TRANSFER: Finding()}) if TRADE in words else report


def _words(text: str, longest: int, most: int) -> tuple[str, ...]:
    parts = ("".join(char for char in part if char.isprintable()).strip() for part in text.split(","))
    return tuple(dict.fromkeys(part[:longest] for part in parts if part))[:most]


def parse_prices(tickers: bytes, index: bytes, at: datetime) -> Prices:
    """Return the last price of every spot pair, and the index in dollars of what has no such pair."""
    last: dict[tuple[str, str], Decimal] = {}
    for body in (index, tickers):
        rows = _parse.decode(body, Envelope[_Ticker]).data
        with _parse.reading("prices"):
            for row in rows:
                price = _first(row.last, row.index)
                parts = row.name.split("-")
                if price is not None and len(parts) == 2:
                    last[asset(parts[0]), asset(parts[1])] = price
    return Prices(at, last)


def parse_time(body: bytes) -> datetime:
    """Return OKX's own time."""
    rows = _parse.decode(body, Envelope[_Time]).data
    with _parse.reading("a time"):
        if not rows:
            raise ValueError("no time")
        return moment(rows[0].ts)
