"""Practice Bitso: Bitso's wire protocol on loopback, with pretend money.

`/api/v3/…` answers as Bitso documents it; `/practice/bitso/…` makes things happen and shows them
(`chatbot/practice/_control.py`). The demo mounts `routes(state)`, the tests run `create_app(state)`.
"""

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from chatbot.practice import _control
from chatbot.practice.bitso import wire
from chatbot.practice.bitso.account import PracticeBitso
from chatbot.practice.bitso.payloads import PRIVATE, PUBLIC

PRACTICE = PracticeBitso
ERRORS = wire.ERRORS
# One by one, with and without the last slash: another exchange lives under `/api/v3/` too.
PATHS = [f"{wire.PREFIX}{name}{end}" for name in (*PUBLIC, *PRIVATE, *wire.WRITES) for end in ("/", "")]

__all__ = ["ERRORS", "PRACTICE", "PracticeBitso", "create_app", "routes"]


def create_app(practice: PracticeBitso | None = None) -> Starlette:
    """Return the exchange as a web application of its own."""
    return Starlette(routes=routes(practice or PracticeBitso()))


def routes(practice: PracticeBitso) -> list[BaseRoute]:
    """Return the exchange's routes, to be mounted beside others."""
    return _control.routes("bitso", practice, PATHS, wire.answer, {*ERRORS, *wire.FAULTS})
