"""HitBTC's parsers, each with the recorded answer it reads; the fuzz contract spoils it."""

from functools import partial

from chatbot.exchanges.hitbtc import wire
from tests.support.hitbtc import NOW, recorded

MARKETS = wire.parse_markets(recorded("public_symbol"))
PARSERS = {
    "balances": (recorded("spot_balance"), wire.parse_balances),
    "fills": (recorded("spot_history_trade"), partial(wire.parse_fills, markets=MARKETS)),
    "prices": (recorded("public_ticker"), partial(wire.parse_prices, markets=MARKETS, at=NOW)),
    "symbols": (recorded("public_symbol"), wire.parse_markets),
    "permissions": (recorded("spot_fee"), wire.granted),
}
