"""Bitstamp's parsers, each with the recorded answer it reads; the fuzz contract spoils it."""

from functools import partial

from chatbot.exchanges.bitstamp import rows
from tests.support.bitstamp import NOW, recorded

PARSERS = {
    "balances": (recorded("account_balances"), rows.parse_balances),
    "fills": (recorded("user_transactions"), rows.parse_entries),
    "prices": (recorded("ticker"), partial(rows.parse_prices, at=NOW)),
    "permissions": (recorded("open_orders_all"), rows.parse_any),
}
