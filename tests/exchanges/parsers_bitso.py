"""Bitso's parsers, each with the recorded answer it reads; the fuzz contract spoils it."""

from functools import partial

from chatbot.exchanges.bitso import wire
from tests.support.bitso import NOW, recorded

PARSERS = {
    "balances": (recorded("balance"), wire.parse_balances),
    "fills": (recorded("user_trades"), wire.parse_fills),
    "prices": (recorded("ticker"), partial(wire.parse_prices, at=NOW)),
    "status": (recorded("account_status"), wire.parse_status),
}
