"""HitBTC's wire protocol without any I/O: signing, and `parse_*` from bytes to our values.

Documents: api.hitbtc.com (version 3). Whatever the bytes are, only `ExchangeError` is raised.
"""

import base64
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from typing import Annotated

import msgspec

from chatbot.domain.balances import Balance, Prices
from chatbot.domain.fills import Fill, Liquidity, Side
from chatbot.domain.secrets import Secret
from chatbot.exchanges import _parse

# Wide enough for any sum or product of two amounts: the default of 28 digits would round.
EXACT = Context(prec=4 * _parse.LONGEST_NUMBER)
LONGEST_SYMBOL = 40
# Quotes that no listed pair may have any more; old fills still name them.
FORMER_QUOTES = frozenset({"BTC", "ETH", "USDT", "USDC", "USD", "EUR", "EURS", "DAI", "TUSD", "BUSD", "GUSD"})


@dataclass(frozen=True, slots=True)
class Market:
    """What a symbol trades, and the asset in which its fee is taken."""

    base: str
    quote: str
    fee: str


Markets = Mapping[str, Market]


class Trade(msgspec.Struct):
    """A row of the trade history, before its symbol is looked up."""

    id: Annotated[int, msgspec.Meta(ge=0, le=_parse.LARGEST_ID)]
    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    timestamp: str
    fee: Decimal | None = None
    taker: bool | None = None
    order_id: str | int | None = None
    older_order_id: str | int | None = msgspec.field(default=None, name="orderId")


class _Balance(msgspec.Struct):
    currency: str
    available: Decimal
    reserved: Decimal = Decimal(0)


class _Symbol(msgspec.Struct):
    type: str = "spot"
    base_currency: str | None = None
    quote_currency: str | None = None
    fee_currency: str | None = None


class _Ticker(msgspec.Struct):
    last: Decimal | None = None


def sign(
    method: str, path_with_query: str, key: Secret, secret: Secret, timestamp: int, window: int | None = None
) -> dict[str, str]:
    """Return the header that signs a request without a body (api.hitbtc.com, "HS256")."""
    moment = f"{timestamp}" if window is None else f"{timestamp}{window}"
    signature = hmac.digest(secret.reveal(), f"{method}{path_with_query}{moment}".encode(), "sha256").hex()
    parts = [key.reveal().decode("ascii"), signature, f"{timestamp}"]
    joined = ":".join(parts if window is None else [*parts, f"{window}"])
    return {"Authorization": "HS256 " + base64.b64encode(joined.encode()).decode("ascii")}


def parse_balances(body: bytes) -> tuple[Balance, ...]:
    """Return the balances that are not zero; an empty list is an account that holds nothing."""
    rows = _parse.decode(body, list[_Balance])
    with _parse.reading("balances"):
        return tuple(_balance(row) for row in rows if row.available or row.reserved)


def _balance(row: _Balance) -> Balance:
    free = _parse.amount(row.available)
    total = _parse.amount(EXACT.add(free, _parse.amount(row.reserved)))
    return Balance(_asset(row.currency), free, total)


def parse_markets(body: bytes) -> Markets:
    """Return what each spot symbol trades; futures and pairs that can't be shown are left out."""
    rows = _parse.decode(body, dict[str, _Symbol])
    found = {name: market for name, row in rows.items() if (market := _market(name, row))}
    if not found:
        raise _parse.unreadable("symbols")
    return found


def _market(name: str, row: _Symbol) -> Market | None:
    if row.type != "spot" or not row.base_currency or not row.quote_currency or len(name) > LONGEST_SYMBOL:
        return None
    try:
        return Market(
            _asset(row.base_currency),
            _asset(row.quote_currency),
            _asset(row.fee_currency or row.quote_currency),
        )
    except ValueError:
        return None


def parse_prices(body: bytes, markets: Markets, at: datetime) -> Prices:
    """Return the last price of every known market that has one."""
    rows = _parse.decode(body, dict[str, _Ticker])
    with _parse.reading("prices"):
        return Prices(
            at,
            {
                (markets[name].base, markets[name].quote): _parse.amount(row.last)
                for name, row in rows.items()
                if name in markets and row.last is not None
            },
        )


def parse_trades(body: bytes) -> list[Trade]:
    """Return the rows of the trade history in the order given."""
    return _parse.decode(body, list[Trade])


def parse_fills(body: bytes, markets: Markets) -> tuple[Fill, ...]:
    """Return the fills of a page in the order given."""
    return fills(parse_trades(body), markets)


def fills(trades: Iterable[Trade], markets: Markets) -> tuple[Fill, ...]:
    """Return rows of the trade history as fills; raises `ExchangeError` when one makes no sense."""
    with _parse.reading("fills"):
        return tuple(_fill(row, markets.get(row.symbol) or _delisted(row.symbol, markets)) for row in trades)


def granted(body: bytes) -> bool:
    """Return True for the answer that only a key with the right gets: a list of whatever."""
    _parse.decode(body, list[msgspec.Raw])
    return True


def _fill(row: Trade, market: Market) -> Fill:
    quantity, price = _parse.amount(row.quantity).copy_abs(), _parse.price(row.price)
    return Fill(
        id=str(row.id),
        order=str(row.order_id or row.older_order_id or "")[:64],
        product="spot",
        market=row.symbol,
        base=market.base,
        quote=market.quote,
        side=Side(row.side),
        quantity=quantity,
        price=price,
        cost=_parse.amount(EXACT.multiply(quantity, price)),
        # Signed: a maker may be paid, and that fee is negative.
        fee=_parse.amount(row.fee or Decimal(0)),
        fee_asset=market.fee,
        liquidity=_liquidity(taker=row.taker),
        at=_parse.moment(row.timestamp),
    )


def _liquidity(*, taker: bool | None) -> Liquidity:
    if taker is None:
        return Liquidity.UNKNOWN
    return Liquidity.TAKER if taker else Liquidity.MAKER


def _delisted(symbol: str, markets: Markets) -> Market:
    """Cut the name of a pair that is no longer listed at the longest quote that ends it.

    Only history meets one; without this an account that once traded it could never be read to the end.
    """
    quotes = FORMER_QUOTES | {market.quote for market in markets.values()}
    fitting = [quote for quote in quotes if symbol.endswith(quote) and symbol != quote]
    if not fitting or len(symbol) > LONGEST_SYMBOL:
        raise ValueError("not a pair")
    quote = max(fitting, key=len)
    return Market(_asset(symbol.removesuffix(quote)), quote, quote)


def _asset(code: str) -> str:
    # Nothing here is cut at an underscore, and no balance must be lost over one.
    return _parse.asset(code.replace("_", "-"))
