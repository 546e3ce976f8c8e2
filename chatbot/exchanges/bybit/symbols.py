"""What each symbol trades. Spot pairs are asked once and kept; a contract's name says it by itself.

One table for all accounts. It is read again when a fill names a pair that it lacks, at most once a minute,
and for prices once an hour; never by a poll of known pairs.
"""

import re
from dataclasses import dataclass

from chatbot.exchanges._http import Http
from chatbot.exchanges._listing import Listing
from chatbot.exchanges.bybit import errors, wire
from chatbot.exchanges.bybit.wire import Pairs
from chatbot.ports.context import Clock

PATH = "/v5/market/instruments-info"
QUERY = "category=spot"
# Quotes that no listed pair may have any more; old fills still name them.
FORMER_QUOTES = frozenset({"USDT", "USDC", "BTC", "ETH", "EUR", "DAI", "USDE", "BRZ", "BRL", "TRY", "MNT"})
# docs/v5/enum, "symbol": BTCUSD, and BTCUSDH23 for the first quarter of 2023.
INVERSE = re.compile(r"(?P<base>[A-Z0-9]{1,24})USD(?:[FGHJKMNQUVXZ]\d{2})?")


@dataclass(frozen=True, slots=True)
class Market:
    """What a symbol trades; `settle` is the asset that a contract pays in, empty for a spot pair."""

    base: str
    quote: str
    settle: str = ""


class Symbols(Listing[tuple[str, str]]):
    """The table of spot pairs of one exchange."""

    def __init__(self, http: Http, clock: Clock) -> None:
        async def ask() -> Pairs:
            answer = await http.request("GET", PATH, QUERY)
            errors.check(answer)
            return wire.parse_pairs(answer.body)

        super().__init__(ask, clock)


def market(category: str, symbol: str, pairs: Pairs) -> Market:
    """Return what a symbol trades; raises ValueError for a name that follows no documented pattern."""
    wire.symbol(symbol)
    if category == "linear":
        return _linear(symbol)
    if category == "inverse":
        return _inverse(symbol)
    if category == "option":
        return _option(symbol)
    base, quote = pairs.get(symbol) or _delisted(symbol, pairs)
    return Market(base, quote)


def _linear(symbol: str) -> Market:
    """Read BTCUSDT, BTCUSDT-21FEB25, BTCPERP and BTC-24MAR23; the last two are settled in USDC."""
    name, dated, _ = symbol.partition("-")
    for ending, quote in (("USDT", "USDT"), ("USDC", "USDC"), ("PERP", "USDC")):
        if name.endswith(ending) and name != ending:
            return Market(wire.asset(name.removesuffix(ending)), quote, quote)
    if not dated:
        raise ValueError("not a contract")
    return Market(wire.asset(name), "USDC", "USDC")


def _inverse(symbol: str) -> Market:
    found = INVERSE.fullmatch(symbol)
    if not found:
        raise ValueError("not a contract")
    return Market(found["base"], "USD", found["base"])


def _option(symbol: str) -> Market:
    """Read BTC-13FEB25-89000-P-USDT and ETH-28FEB25-2800-C, which is settled in USDC."""
    parts = symbol.split("-")
    if len(parts) not in {4, 5}:
        raise ValueError("not an option")
    quote = wire.asset(parts[4]) if len(parts) == 5 else "USDC"
    return Market(wire.asset(parts[0]), quote, quote)


def _delisted(symbol: str, pairs: Pairs) -> tuple[str, str]:
    """Cut the name of a pair that is no longer listed at the longest quote that ends it.

    Only history meets one; without this an account that once traded it could never be read to the end.
    """
    quotes = FORMER_QUOTES | {quote for _, quote in pairs.values()}
    fitting = [quote for quote in quotes if symbol.endswith(quote) and symbol != quote]
    if not fitting:
        raise ValueError("not a pair")
    quote = max(fitting, key=len)
    return wire.asset(symbol.removesuffix(quote)), quote
