"""Practice Bybit: Bybit's wire protocol on loopback, with pretend money.

`/v5/…` answers as Bybit documents it; `/practice/bybit/…` makes things happen and shows them
(`chatbot/practice/_control.py`), here also `contract` and `funding`, which need no spot pair. The demo mounts
`routes(state)`, the tests run `create_app(state)`.
"""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from chatbot.practice import _control
from chatbot.practice.bybit import wire
from chatbot.practice.bybit.account import PracticeBybit

PRACTICE = PracticeBybit
ERRORS = wire.ERRORS

__all__ = ["ERRORS", "PRACTICE", "PracticeBybit", "create_app", "routes"]


def create_app(practice: PracticeBybit | None = None) -> Starlette:
    """Return the exchange as a web application of its own."""
    return Starlette(routes=routes(practice or PracticeBybit()))


def routes(practice: PracticeBybit) -> list[BaseRoute]:
    """Return the exchange's routes, to be mounted beside others."""
    kinds = {*ERRORS, *wire.FAULTS}
    verbs = {"contract": _contract, "funding": _funding}
    return _control.routes("bybit", practice, wire.PATHS, wire.answer, kinds, verbs)


def _contract(practice: PracticeBybit, given: Mapping[str, Any]) -> Any:
    return practice.contract(str(given.get("side", "buy")), str(given.get("amount", "")))


def _funding(practice: PracticeBybit, given: Mapping[str, Any]) -> Any:
    return practice.pay_funding(str(given.get("amount", "")))
