"""Bybit's wire protocol without any I/O: signing, and `parse_*` for the envelope, balances and prices.

Documents: bybit-exchange.github.io/docs/v5. Numbers are quoted, and an empty text stands for none. Whatever
the bytes are, only `ExchangeError` is raised.
"""

import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal

import msgspec

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.secrets import Secret
from chatbot.exchanges import _parse

# Wide enough for any sum or product of two amounts: the default of 28 digits would round.
EXACT = Context(prec=4 * _parse.LONGEST_NUMBER)
LONGEST_SYMBOL = 40
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
WINDOW_MS = 20_000
NOTHING = frozenset({b"", b'""', b"null"})
ABSENT = msgspec.Raw(b"")
Pairs = Mapping[str, tuple[str, str]]


class Camel(msgspec.Struct, rename="camel"):
    """A struct whose fields are written in Bybit's way."""


class _Told(Camel):
    time: int


class _Coin(Camel):
    coin: str
    wallet_balance: msgspec.Raw
    locked: msgspec.Raw = ABSENT
    spot_borrow: msgspec.Raw = ABSENT
    transfer_balance: msgspec.Raw = ABSENT


class _Account(Camel):
    account_type: str
    coin: list[_Coin]


class _Accounts(Camel):
    rows: list[_Account] = msgspec.field(name="list")


class _Wallet(Camel):
    result: _Accounts


class _Funding(Camel):
    balance: list[_Coin] | None


class _Funded(Camel):
    result: _Funding


class _Instrument(Camel):
    symbol: str
    base_coin: str
    quote_coin: str


class _Instruments(Camel):
    rows: list[_Instrument] = msgspec.field(name="list")


class _Listed(Camel):
    result: _Instruments


class _Ticker(Camel):
    symbol: str
    last_price: msgspec.Raw = ABSENT
    usd_index_price: msgspec.Raw = ABSENT


class _Tickers(Camel):
    rows: list[_Ticker] = msgspec.field(name="list")


class _Quoted(Camel):
    result: _Tickers


def sign(query: str, key: Secret, secret: Secret, timestamp: int, window: int = WINDOW_MS) -> dict[str, str]:
    """Return the headers that sign a GET request (docs/v5/guide, "Create A Request")."""
    name = key.reveal().decode("ascii")
    text = f"{timestamp}{name}{window}{query}"
    return {
        "X-BAPI-API-KEY": name,
        "X-BAPI-TIMESTAMP": str(timestamp),
        "X-BAPI-RECV-WINDOW": str(window),
        "X-BAPI-SIGN": hmac.digest(secret.reveal(), text.encode(), "sha256").hex(),
    }


def parse_time(body: bytes) -> datetime:
    """Return the exchange's own time, which every envelope tells."""
    told = _parse.decode(body, _Told)
    with _parse.reading("time"):
        return moment(told.time)


def parse_balances(body: bytes) -> tuple[Balance, ...]:
    """Return what the Unified Trading Account holds: its wallet, without what positions may still bring."""
    accounts = _parse.decode(body, _Wallet).result.rows
    if not accounts:
        raise _parse.unreadable("balances")
    with _parse.reading("balances"):
        return merged(_unified(coin) for account in accounts for coin in account.coin)


def parse_funding(body: bytes) -> tuple[Balance, ...]:
    """Return what the Funding account holds."""
    coins = _parse.decode(body, _Funded).result.balance
    with _parse.reading("balances"):
        return merged(_funding(coin) for coin in coins or [])


def merged(*some: Iterable[Balance]) -> tuple[Balance, ...]:
    """Return one balance for each asset, as large as all of them; those that are zero are left out."""
    found: dict[str, Balance] = {}
    for balance in (balance for balances in some for balance in balances):
        other = found.get(balance.asset)
        if other is not None:
            free, total = EXACT.add(balance.free, other.free), EXACT.add(balance.total, other.total)
            balance = Balance(balance.asset, _parse.amount(free), _parse.amount(total))  # noqa: PLW2901  the sum
        found[balance.asset] = balance
    return tuple(balance for balance in found.values() if balance.total or balance.free)


def parse_pairs(body: bytes) -> Pairs:
    """Return what each spot symbol trades; pairs that can't be shown are left out."""
    rows = _parse.decode(body, _Listed).result.rows
    found: dict[str, tuple[str, str]] = {}
    for row in rows:
        try:
            found[symbol(row.symbol)] = asset(row.base_coin), asset(row.quote_coin)
        except ValueError:
            continue
    if not found:
        raise _parse.unreadable("symbols")
    return found


def parse_prices(body: bytes, pairs: Pairs, at: datetime) -> Prices:
    """Return the last price of every spot pair, and in dollars, which none is quoted in, Bybit's index."""
    rows = _parse.decode(body, _Quoted).result.rows
    last: dict[tuple[str, str], Decimal] = {}
    index: dict[tuple[str, str], Decimal] = {}
    with _parse.reading("prices"):
        for row in rows:
            if row.symbol not in pairs:
                continue
            base, quote = pairs[row.symbol]
            if money(row.last_price):
                last[base, quote] = money(row.last_price)
            if money(row.usd_index_price):
                index[base, "USD"] = money(row.usd_index_price)
    return Prices(at, index | last)


def money(value: msgspec.Raw) -> Decimal:
    """Return an amount, 0 for an empty text; raises ValueError or a msgspec error."""
    if bytes(value) in NOTHING:
        return Decimal(0)
    return _parse.amount(msgspec.json.decode(value, type=Decimal, strict=False))


def moment(milliseconds: int) -> datetime:
    """Return a time in UTC; raises OverflowError."""
    return EPOCH + milliseconds * MILLISECOND


def since_epoch(at: datetime) -> int:
    """Return a time in milliseconds."""
    return (at - EPOCH) // MILLISECOND


def asset(code: str) -> str:
    """Return an asset's code; raises ValueError. Nothing here is cut at an underscore."""
    return _parse.asset(code.replace("_", "-"))


def symbol(name: str) -> str:
    """Return a symbol's name when it can be shown; raises ValueError."""
    if not name or len(name) > LONGEST_SYMBOL or not name.isascii() or not name.isprintable():
        raise ValueError("not a symbol")
    return name


def _unified(coin: _Coin) -> Balance:
    total, locked = money(coin.wallet_balance), money(coin.locked)
    if total >= 0:
        # What was borrowed lies in the wallet and is owed; a wallet below zero says so by itself.
        total = _parse.amount(EXACT.subtract(total, money(coin.spot_borrow)))
    return Balance(asset(coin.coin), _parse.amount(EXACT.subtract(total, locked)), total)


def _funding(coin: _Coin) -> Balance:
    total = money(coin.wallet_balance)
    blank = bytes(coin.transfer_balance) in NOTHING
    return Balance(asset(coin.coin), total if blank else min(total, money(coin.transfer_balance)), total)
