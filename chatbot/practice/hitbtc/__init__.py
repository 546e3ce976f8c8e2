"""Practice HitBTC: HitBTC's wire protocol on loopback, with pretend money.

`/api/3/…` answers as HitBTC documents it; `/practice/hitbtc/…` makes things happen and shows them
(`chatbot/practice/_control.py`). The demo mounts `routes(state)`, the tests run `create_app(state)`.
"""

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from chatbot.practice import _control
from chatbot.practice.hitbtc import wire
from chatbot.practice.hitbtc.account import PracticeHitBTC

PRACTICE = PracticeHitBTC
ERRORS = wire.ERRORS
# No other exchange lives under this prefix.
PATHS = (f"{wire.PREFIX}{{path:path}}",)

__all__ = ["ERRORS", "PRACTICE", "PracticeHitBTC", "create_app", "routes"]


def create_app(practice: PracticeHitBTC | None = None) -> Starlette:
    """Return the exchange as a web application of its own."""
    return Starlette(routes=routes(practice or PracticeHitBTC()))


def routes(practice: PracticeHitBTC) -> list[BaseRoute]:
    """Return the exchange's routes, to be mounted beside others."""
    return _control.routes("hitbtc", practice, PATHS, wire.answer, {*ERRORS, *wire.FAULTS})
