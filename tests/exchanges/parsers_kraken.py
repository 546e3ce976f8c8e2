"""Kraken's parsers, each with the recorded answer it reads, for the contract suite to spoil."""

from functools import partial

from chatbot.exchanges.kraken import keyinfo, wire
from chatbot.exchanges.kraken.names import Book
from tests.support.kraken import NOW, recorded

ALTNAMES = wire.parse_altnames(recorded("Assets", "get"))
PAIRS = wire.parse_pairs(recorded("AssetPairs", "get"), ALTNAMES)


def _fills(body):
    return wire.fills(wire.parse_sheet(body).trades, Book(ALTNAMES, PAIRS))


PARSERS = {
    "balances": (recorded("BalanceEx"), partial(wire.parse_balances, altnames=ALTNAMES)),
    "fills": (recorded("TradesHistory"), _fills),
    "prices": (recorded("Ticker", "get"), partial(wire.parse_prices, pairs=PAIRS, at=NOW)),
    "pairs": (recorded("AssetPairs", "get"), partial(wire.parse_pairs, altnames=ALTNAMES)),
    "assets": (recorded("Assets", "get"), wire.parse_altnames),
    "time": (recorded("Time", "get"), wire.parse_time),
    "permissions": (recorded("GetApiKeyInfo"), keyinfo.parse_key),
    "permissions, other names": (recorded("GetApiKeyInfo_snake"), keyinfo.parse_key),
}
