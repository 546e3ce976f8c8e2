"""Practice OKX: OKX's wire protocol on loopback, with pretend money.

`/api/v5/…` answers as OKX documents it; `/practice/okx/…` makes things happen and shows them
(`chatbot/practice/_control.py`), `swap` among them: a fill of a contract. The demo mounts `routes(state)`,
the tests run `create_app(state)`.
"""

from collections.abc import Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from chatbot.practice import _control
from chatbot.practice.okx import wire
from chatbot.practice.okx.account import PracticeOKX
from chatbot.practice.okx.markets import PUBLIC
from chatbot.practice.okx.payloads import PRIVATE

PRACTICE = PracticeOKX
ERRORS = wire.ERRORS
PATHS = [f"{wire.PREFIX}{name}" for name in (*PUBLIC, *PRIVATE, *wire.WRITES)]

__all__ = ["ERRORS", "PRACTICE", "PracticeOKX", "create_app", "routes"]


def create_app(practice: PracticeOKX | None = None) -> Starlette:
    """Return the exchange as a web application of its own."""
    return Starlette(routes=routes(practice or PracticeOKX()))


def routes(practice: PracticeOKX) -> list[BaseRoute]:
    """Return the exchange's routes, to be mounted beside others."""
    kinds = {*ERRORS, *wire.FAULTS}
    return _control.routes("okx", practice, PATHS, wire.answer, kinds, {"swap": _swap})


def _swap(practice: PracticeOKX, given: Mapping[str, Any]) -> Any:
    side, name = str(given.get("side", "buy")), str(given.get("name", "BTC-USDT-SWAP"))
    return practice.trade_swap(side, name, str(given.get("contracts", "3")), str(given.get("gain", "0")))
