"""Kraken's wire protocol without any I/O: signing, and `parse_*` from bytes to our values.

Documents: docs.kraken.com, "Spot REST". Amounts are text, times are numbers of seconds with a fraction; both
become exact decimals. Whatever the bytes are, only `ExchangeError` is raised.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Annotated, Generic, TypeVar

import msgspec

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.secrets import Secret
from chatbot.errors import ExchangeError, Trouble
from chatbot.exchanges import _parse
from chatbot.exchanges.kraken import names
from chatbot.exchanges.kraken.names import Altnames, Book, Pairs

FORM = "application/x-www-form-urlencoded"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Wide enough for any sum of amounts: the default of 28 digits would round.
EXACT = Context(prec=4 * _parse.LONGEST_NUMBER)
TXID = re.compile(r"[A-Za-z0-9-]{1,64}")
MOST_COUNTED = 10**12
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Trade:
    """A row of the trades history with its id and its time in seconds, before its pair is looked up."""

    id: str
    time: Decimal
    row: "TradeRow"


@dataclass(frozen=True, slots=True)
class Sheet:
    """Some rows of the trades history, newest first, how many fit in all, and how many newer were skipped."""

    trades: tuple[Trade, ...]
    count: int
    offset: int = 0

    @property
    def older(self) -> int:
        """How many rows lie beyond the last of these."""
        return max(0, self.count - self.offset - len(self.trades))


class TradeRow(msgspec.Struct):
    """What the wire says of one trade, as far as we read it."""

    pair: str
    time: Decimal
    type: str
    price: Decimal
    cost: Decimal
    fee: Decimal
    vol: Decimal
    ordertxid: str | None = None
    maker: bool | None = None
    margin: Decimal = Decimal(0)
    misc: str = ""


class _Envelope(msgspec.Struct, Generic[T]):
    result: T


class _Balance(msgspec.Struct):
    balance: Decimal
    hold_trade: Decimal = Decimal(0)


class _History(msgspec.Struct):
    trades: dict[str, TradeRow]
    count: Annotated[int, msgspec.Meta(ge=0, le=MOST_COUNTED)]


class _Asset(msgspec.Struct):
    altname: str


class _Pair(msgspec.Struct):
    base: str
    quote: str
    altname: str = ""
    wsname: str = ""


class _Ticker(msgspec.Struct):
    c: list[Decimal]


class _Time(msgspec.Struct):
    unixtime: int


def sign(path: str, nonce: int, body: bytes, key: Secret, secret: Secret) -> dict[str, str]:
    """Return the headers that sign a form (docs.kraken.com, "Spot REST authentication").

    Raises:
        ExchangeError: BAD_SECRET when the secret is not base64, so it can't be Kraken's.
    """
    digest = hashlib.sha256(str(nonce).encode() + body).digest()
    signature = hmac.digest(_opened(secret), path.encode() + digest, "sha512")
    return {
        "API-Key": key.reveal().decode("ascii"),
        "API-Sign": base64.b64encode(signature).decode("ascii"),
        "Content-Type": FORM,
    }


def _opened(secret: Secret) -> bytes:
    try:
        opened = base64.b64decode(secret.reveal(), validate=True)
    except binascii.Error:
        opened = b""
    if not opened:
        raise ExchangeError(Trouble.BAD_SECRET, "a secret that is not base64")
    return opened


def parse_held(body: bytes) -> Mapping[str, _Balance]:
    """Return what is held by Kraken's own codes; an account that never held anything has none."""
    return _parse.decode(body, _Envelope[dict[str, _Balance]]).result


def parse_balances(body: bytes, altnames: Altnames) -> tuple[Balance, ...]:
    """Return the balances that are not zero, the pockets of an asset together."""
    return balances(parse_held(body), altnames)


def balances(held: Mapping[str, _Balance], altnames: Altnames) -> tuple[Balance, ...]:
    """Return the balances that are not zero; what is staked belongs to the total and is not free."""
    free: dict[str, Decimal] = {}
    total: dict[str, Decimal] = {}
    with _parse.reading("balances"):
        for code, row in held.items():
            name, (_, pocket) = names.asset(code, altnames), names.split(code)
            whole, reserved = _parse.amount(row.balance), _parse.amount(row.hold_trade)
            usable = Decimal(0) if pocket and pocket not in names.READY else EXACT.subtract(whole, reserved)
            free[name] = _parse.amount(EXACT.add(free.get(name, Decimal(0)), usable))
            total[name] = _parse.amount(EXACT.add(total.get(name, Decimal(0)), whole))
        return tuple(Balance(name, free[name], total[name]) for name in total if total[name] or free[name])


def parse_sheet(body: bytes, offset: int = 0) -> Sheet:
    """Return the rows of a page of the trades history in the order given."""
    history = _parse.decode(body, _Envelope[_History]).result
    with _parse.reading("fills"):
        trades = tuple(Trade(_txid(name), _seconds(row.time), row) for name, row in history.trades.items())
    return Sheet(trades, history.count, offset)


def fills(trades: Iterable[Trade], book: Book) -> tuple[Fill, ...]:
    """Return rows of the trades history as fills; raises `ExchangeError` when one makes no sense."""
    with _parse.reading("fills"):
        return tuple(_fill(trade, book) for trade in trades)


def parse_altnames(body: bytes) -> Altnames:
    """Return Kraken's other name of every asset it lists, by its code."""
    rows = _parse.decode(body, _Envelope[dict[str, _Asset]]).result
    found = {code: row.altname for code, row in rows.items() if _short(code) and _short(row.altname)}
    if not found:
        raise _parse.unreadable("assets")
    return found


def parse_pairs(body: bytes, altnames: Altnames) -> Pairs:
    """Return base and quote of every listed pair that can be shown, by each of its names."""
    rows = _parse.decode(body, _Envelope[dict[str, _Pair]]).result
    found: dict[str, tuple[str, str]] = {}
    for name, row in rows.items():
        try:
            both = names.asset(row.base, altnames), names.asset(row.quote, altnames)
        except ValueError:
            continue
        found.update({known: both for known in (name, row.altname, row.wsname) if _short(known)})
    if not found:
        raise _parse.unreadable("pairs")
    return found


def parse_prices(body: bytes, pairs: Pairs, at: datetime) -> Prices:
    """Return the last price of every known pair; one odd row costs no other its price."""
    rows = _parse.decode(body, _Envelope[dict[str, msgspec.Raw]]).result
    last: dict[tuple[str, str], Decimal] = {}
    for name, raw in rows.items():
        # A mark in a name means another market of the same two assets, such as a dark pool.
        price = _price(raw) if name in pairs and not {".", ":"} & set(name) else None
        if price is not None:
            last[pairs[name]] = price
    return Prices(at, last)


def parse_time(body: bytes) -> datetime:
    """Return the exchange's own time, in whole seconds."""
    told = _parse.decode(body, _Envelope[_Time]).result.unixtime
    with _parse.reading("a time"):
        return EPOCH + timedelta(seconds=told)


def _price(raw: msgspec.Raw) -> Decimal | None:
    try:
        last = _parse.decode(bytes(raw), _Ticker).c[:1]
        with _parse.reading("a price"):
            return _parse.amount(last[0]) if last else None
    except ExchangeError:
        return None


def _fill(trade: Trade, book: Book) -> Fill:
    row = trade.row
    base, quote = book.find(row.pair)
    borrowed = row.margin > 0 or "closing" in row.misc
    return Fill(
        id=trade.id,
        order=(row.ordertxid or "")[:64],
        product="margin" if borrowed else "spot",
        market=row.pair,
        base=base,
        quote=quote,
        side=Side(row.type),
        quantity=_parse.amount(row.vol).copy_abs(),
        price=_parse.price(row.price),
        cost=_parse.amount(row.cost).copy_abs(),
        # Counted in the quote, whatever it was taken from; a maker's rebate is negative.
        fee=_parse.amount(row.fee),
        fee_asset=quote,
        liquidity=_liquidity(maker=row.maker),
        at=EPOCH + timedelta(microseconds=int(trade.time.scaleb(6))),
        # A position exchanges no money; what it won in the end stands in no row of its closing.
        settle=quote if borrowed else "",
    )


def _short(name: str) -> bool:
    return 0 < len(name) <= names.LONGEST_PAIR and name.isprintable()


def _liquidity(*, maker: bool | None) -> Liquidity:
    if maker is None:
        return Liquidity.UNKNOWN
    return Liquidity.MAKER if maker else Liquidity.TAKER


def _txid(text: str) -> str:
    if not TXID.fullmatch(text):
        raise ValueError("not an id")
    return text


def _seconds(value: Decimal) -> Decimal:
    """Return a time that a calendar knows; raises ValueError."""
    if not 0 <= _parse.amount(value) < MOST_COUNTED:
        raise ValueError("not a time")
    return value
