"""Binance's wire protocol without any I/O: signing, and `parse_*` from bytes to our values.

Documents: developers.binance.com, "Spot Trading" and "Wallet". Whatever the bytes are, only `ExchangeError`
is raised. A symbol is never cut into base and quote where Binance tells them.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from typing import Annotated

import msgspec

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.secrets import Secret
from chatbot.exchanges import _parse

# Longer than a request may wait for its turn and its answer together, see `_http.py`.
WINDOW_MS = 20_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
LAST_MS = 253_402_300_799_000  # the end of the year 9999
EXACT = Context(prec=4 * _parse.LONGEST_NUMBER)
LONGEST_SYMBOL = 40
# Quotes that no listed symbol may have any more; old fills still name them.
FORMER_QUOTES = frozenset(
    (
        *("BTC", "ETH", "BNB", "TRX", "XRP", "DOGE", "DOT", "USDT", "USDC", "BUSD", "TUSD", "PAX", "USDP"),
        *(
            "USDS",
            "FDUSD",
            "UST",
            "DAI",
            "VAI",
            "AEUR",
            "EURI",
            "USD1",
            "EUR",
            "GBP",
            "AUD",
            "BRL",
            "ARS",
            "MXN",
        ),
        *(
            "COP",
            "TRY",
            "RUB",
            "UAH",
            "NGN",
            "ZAR",
            "JPY",
            "PLN",
            "RON",
            "CZK",
            "BIDR",
            "IDRT",
            "BKRW",
            "BVND",
        ),
    )
)

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=LAST_MS)]


@dataclass(frozen=True, slots=True)
class Market:
    """What a symbol trades."""

    base: str
    quote: str


Markets = Mapping[str, Market]


@dataclass(frozen=True, slots=True)
class Holdings:
    """The account at one moment: its balances, and a fingerprint of what stands in open orders."""

    balances: tuple[Balance, ...]
    locked: str


class Trade(msgspec.Struct):
    """One row of `myTrades`, before its symbol is looked up."""

    id: Annotated[int, msgspec.Meta(ge=0, le=_parse.LARGEST_ID)]
    symbol: str
    price: Decimal
    qty: Decimal
    time: Milliseconds
    is_buyer: bool = msgspec.field(name="isBuyer")
    quote_qty: Decimal | None = msgspec.field(default=None, name="quoteQty")
    commission: Decimal = Decimal(0)
    commission_asset: str = msgspec.field(default="", name="commissionAsset")
    order_id: int | str = msgspec.field(default="", name="orderId")
    is_maker: bool | None = msgspec.field(default=None, name="isMaker")


class _Balance(msgspec.Struct):
    asset: str
    free: Decimal
    locked: Decimal


class _Account(msgspec.Struct):
    # Its canTrade, canWithdraw and canDeposit are what the account may do, whatever the key: not read.
    balances: list[_Balance]


class _Symbol(msgspec.Struct):
    symbol: str
    base: str = msgspec.field(name="baseAsset")
    quote: str = msgspec.field(name="quoteAsset")


class _Symbols(msgspec.Struct):
    symbols: list[_Symbol]


class _Price(msgspec.Struct):
    symbol: str
    price: Decimal


class _Order(msgspec.Struct):
    symbol: str


class _Time(msgspec.Struct):
    now: Milliseconds = msgspec.field(name="serverTime")


def sign(query: str, secret: Secret, timestamp: int) -> str:
    """Return a query with time, window and signature ("SIGNED Endpoint security")."""
    parts = (f"timestamp={timestamp}", query, f"recvWindow={WINDOW_MS}")
    text = "&".join(part for part in parts if part)
    return f"{text}&signature={signature(text, secret)}"


def signature(text: str, secret: Secret) -> str:
    """Return the signature of a query that is complete."""
    return hmac.digest(secret.reveal(), text.encode(), "sha256").hex()


def is_symbol(symbol: str) -> bool:
    """Tell whether a symbol can be asked for and shown; some are not in Latin letters."""
    return 0 < len(symbol) <= LONGEST_SYMBOL and symbol.isprintable() and " " not in symbol


def milliseconds(moment: datetime) -> int:
    """Return a time as Binance counts it."""
    return (moment - EPOCH) // MILLISECOND


def moment(ms: int) -> datetime:
    """Return the time that Binance writes as so many milliseconds."""
    return EPOCH + ms * MILLISECOND


def parse_holdings(body: bytes) -> Holdings:
    """Return the balances that are not zero; an empty list is an account that holds nothing."""
    rows = _parse.decode(body, _Account).balances
    with _parse.reading("balances"):
        found = tuple(_balance(row) for row in rows if row.free or row.locked)
    locked = sorted(f"{b.asset}={b.locked.normalize()}" for b in found if b.locked)
    return Holdings(found, hashlib.sha256(",".join(locked).encode()).hexdigest()[:8] if locked else "")


def parse_balances(body: bytes) -> tuple[Balance, ...]:
    """Return the balances that are not zero."""
    return parse_holdings(body).balances


def _balance(row: _Balance) -> Balance:
    free = _parse.amount(row.free)
    return Balance(_asset(row.asset), free, _parse.amount(EXACT.add(free, _parse.amount(row.locked))))


def parse_markets(body: bytes) -> Markets:
    """Return what each symbol trades; a symbol that can't be asked for or shown is left out."""
    rows = _parse.decode(body, _Symbols).symbols
    found = ((row.symbol, _market(row)) for row in rows if is_symbol(row.symbol))
    return {symbol: market for symbol, market in found if market is not None}


def _market(row: _Symbol) -> Market | None:
    try:
        return Market(_asset(row.base), _asset(row.quote))
    except ValueError:
        return None


def parse_prices(body: bytes, markets: Markets, at: datetime) -> Prices:
    """Return the last price of every symbol that trades now; zero means that there is none."""
    rows = _parse.decode(body, list[_Price])
    known = ((markets[row.symbol], row.price) for row in rows if row.symbol in markets and row.price)
    with _parse.reading("prices"):
        return Prices(at, {(market.base, market.quote): _parse.amount(price) for market, price in known})


def parse_ordered(body: bytes) -> tuple[str, ...]:
    """Return the symbols that have open orders, each once, in the alphabet's order."""
    rows = _parse.decode(body, list[_Order])
    return tuple(sorted({row.symbol for row in rows if is_symbol(row.symbol)}))


def parse_time(body: bytes) -> int:
    """Return Binance's clock in milliseconds."""
    return _parse.decode(body, _Time).now


def parse_trades(body: bytes) -> list[Trade]:
    """Return the rows of a page by rising id, each once: a trade with oneself has two rows of one id."""
    rows = {(row.id, row.is_buyer): row for row in _parse.decode(body, list[Trade])}
    return [rows[key] for key in sorted(rows)]


def parse_fills(body: bytes, market: Market) -> tuple[Fill, ...]:
    """Return the fills of a page by rising id."""
    return fills(parse_trades(body), market)


def fills(trades: Iterable[Trade], market: Market) -> tuple[Fill, ...]:
    """Return rows of one symbol as fills; raises `ExchangeError` when one makes no sense."""
    with _parse.reading("fills"):
        return tuple(_fill(row, market) for row in trades)


def _fill(row: Trade, market: Market) -> Fill:
    quantity, price = _parse.amount(row.qty).copy_abs(), _parse.price(row.price)
    cost = row.quote_qty if row.quote_qty is not None else EXACT.multiply(quantity, price)
    return Fill(
        id=str(row.id),
        order=str(row.order_id)[:64],
        product="spot",
        market=_shown(row.symbol),
        base=market.base,
        quote=market.quote,
        side=Side.BUY if row.is_buyer else Side.SELL,
        quantity=quantity,
        price=price,
        cost=_parse.amount(cost).copy_abs(),
        fee=_parse.amount(row.commission),
        # Taken from what was bought, or from the BNB of the account.
        fee_asset=_asset(row.commission_asset) if row.commission_asset else market.quote,
        liquidity=_liquidity(maker=row.is_maker),
        at=moment(row.time),
    )


def cut(symbol: str, markets: Markets) -> Market | None:
    """Cut the name of a symbol that Binance no longer tells of at the longest quote that ends it."""
    quotes = FORMER_QUOTES | {market.quote for market in markets.values()}
    fitting = [quote for quote in quotes if symbol.endswith(quote) and symbol != quote]
    quote = max(fitting, key=len, default="")
    return Market(symbol.removesuffix(quote), quote) if quote else None


def _liquidity(*, maker: bool | None) -> Liquidity:
    if maker is None:
        return Liquidity.UNKNOWN
    return Liquidity.MAKER if maker else Liquidity.TAKER


def _shown(symbol: str) -> str:
    if not is_symbol(symbol):
        raise ValueError("not a symbol")
    return symbol


def _asset(code: str) -> str:
    # Nothing here is cut at an underscore, and no balance must be lost over one.
    return _parse.asset(code.replace("_", "-"))
