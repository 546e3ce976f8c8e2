"""Practice Bitstamp: its wire protocol on loopback, with pretend money.

`/api/v2/…` answers as Bitstamp documents it; `/practice/bitstamp/…` makes things happen and shows them
(`chatbot/practice/_control.py`). The demo mounts `routes(state)`, the tests run `create_app(state)`.
"""

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from chatbot.practice import _control
from chatbot.practice.bitstamp import wire
from chatbot.practice.bitstamp.account import PracticeBitstamp

PRACTICE = PracticeBitstamp
ERRORS = wire.ERRORS
# No other exchange lives under this prefix.
PATHS = (f"{wire.PREFIX}{{path:path}}",)

__all__ = ["ERRORS", "PRACTICE", "PracticeBitstamp", "create_app", "routes"]


def create_app(practice: PracticeBitstamp | None = None) -> Starlette:
    """Return the exchange as a web application of its own."""
    return Starlette(routes=routes(practice or PracticeBitstamp()))


def routes(practice: PracticeBitstamp) -> list[BaseRoute]:
    """Return the exchange's routes, to be mounted beside others."""
    kinds = {*ERRORS, *wire.FAULTS, *wire.SIGNATURE_FAULTS}
    return _control.routes("bitstamp", practice, PATHS, wire.answer, kinds)
