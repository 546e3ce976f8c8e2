"""A practice Binance: a loopback server that speaks api.binance.com's protocol, with pretend money.

`account.py` keeps the money, `wire.py` checks key, time and signature, `payloads.py` answers. `routes` lists
every path by its full name: another exchange of the demo answers below `/api/v3/` too.
"""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from chatbot.practice import _control
from chatbot.practice._ledger import Impossible
from chatbot.practice.binance import wire
from chatbot.practice.binance.account import PracticeBinance, symbol_of
from chatbot.practice.binance.wire import ERRORS

PRACTICE = PracticeBinance

__all__ = ["ERRORS", "PRACTICE", "PracticeBinance", "create_app", "routes"]


def create_app(practice: PracticeBinance | None = None) -> Starlette:
    """Return the exchange as a web application of its own."""
    return Starlette(routes=routes(practice or PracticeBinance()))


def routes(practice: PracticeBinance) -> list[BaseRoute]:
    """Return the exchange's routes, to be mounted beside others."""
    kinds = {*wire.ERRORS, *wire.FAULTS}
    return _control.routes(
        "binance", practice, wire.PATHS, wire.answer, kinds, {"stop": _stop, "order": _order}
    )


def _stop(practice: PracticeBinance, given: Mapping[str, Any]) -> Any:
    """Let a symbol stop to trade, or go altogether with `gone`."""
    symbol = str(given.get("symbol", "")).upper()
    if symbol not in {symbol_of(book) for book in practice.prices}:
        raise Impossible("a known symbol")
    (practice.gone if given.get("gone") else practice.stopped).add(symbol)
    return {"stopped": sorted(practice.stopped), "gone": sorted(practice.gone)}


def _order(practice: PracticeBinance, given: Mapping[str, Any]) -> Any:
    """Let an open order hold back so much of an asset."""
    asset = str(given.get("asset", "btc")).lower()
    if asset not in practice.balances:
        raise Impossible("a known asset")
    practice.reserve(asset, str(given.get("amount", "")))
    return {"reserved": {name: str(amount) for name, amount in practice.reserved.items()}}
