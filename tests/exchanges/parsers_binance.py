"""Binance's parsers, each with the recorded answer it reads; the fuzz contract spoils it."""

from functools import partial

from chatbot.exchanges.binance import rights, wire
from tests.support.binance import NOW, recorded

MARKETS = wire.parse_markets(recorded("exchange_info"))
PARSERS = {
    "balances": (recorded("account"), wire.parse_balances),
    "holdings": (recorded("account"), wire.parse_holdings),
    "fills": (recorded("my_trades"), partial(wire.parse_fills, market=MARKETS["BNBBTC"])),
    "prices": (recorded("ticker_price"), partial(wire.parse_prices, markets=MARKETS, at=NOW)),
    "symbols": (recorded("exchange_info"), wire.parse_markets),
    "orders": (recorded("open_orders"), wire.parse_ordered),
    "time": (recorded("time"), wire.parse_time),
    "permissions": (recorded("api_restrictions"), rights.parse_permissions),
    "permissions of 2021": (recorded("api_restrictions_2021"), rights.parse_permissions),
}
