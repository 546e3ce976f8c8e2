"""Bybit's parsers, each with the recorded answer it reads; the fuzz contract spoils it."""

from functools import partial

from chatbot.exchanges.bybit import keyinfo, trades, wire
from tests.support.bybit import NOW, recorded

PAIRS = wire.parse_pairs(recorded("instruments_info"))


def fills(category):
    """Return the recorded executions of a category, and what reads them."""
    parse = partial(trades.parse_fills, category=category, pairs=PAIRS)
    return recorded(f"execution_list_{category}"), parse


PARSERS = {
    "balances": (recorded("wallet_balance"), wire.parse_balances),
    "funding": (recorded("query_account_coins_balance"), wire.parse_funding),
    "fills": fills("spot"),
    "fills-linear": fills("linear"),
    "fills-inverse": fills("inverse"),
    "fills-option": fills("option"),
    "results": (recorded("transaction_log"), trades.parse_results),
    "prices": (recorded("tickers"), partial(wire.parse_prices, pairs=PAIRS, at=NOW)),
    "symbols": (recorded("instruments_info"), wire.parse_pairs),
    "permissions": (recorded("query_api_read_only"), keyinfo.parse_report),
    "permissions-write": (recorded("query_api"), keyinfo.parse_report),
    "time": (recorded("time"), wire.parse_time),
}
