"""Practice Kraken: Kraken's wire protocol on loopback, with pretend money.

`/0/public/…` and `/0/private/…` answer as Kraken documents it; `/practice/kraken/…` makes things happen and
shows them (`chatbot/practice/_control.py`). The demo mounts `routes(state)`, the tests run
`create_app(state)`.
"""

from starlette.applications import Starlette
from starlette.routing import BaseRoute

from chatbot.practice import _control
from chatbot.practice.kraken import wire
from chatbot.practice.kraken.account import PracticeKraken
from chatbot.practice.kraken.payloads import PUBLIC

PRACTICE = PracticeKraken
ERRORS = wire.ERRORS
PATHS = [f"{wire.OPEN}{name}" for name in PUBLIC] + [f"{wire.SIGNED}{name}" for name in wire.NEEDS]

__all__ = ["ERRORS", "PRACTICE", "PracticeKraken", "create_app", "routes"]


def create_app(practice: PracticeKraken | None = None) -> Starlette:
    """Return the exchange as a web application of its own."""
    return Starlette(routes=routes(practice or PracticeKraken()))


def routes(practice: PracticeKraken) -> list[BaseRoute]:
    """Return the exchange's routes, to be mounted beside others."""
    return _control.routes("kraken", practice, PATHS, wire.answer, {*ERRORS, *wire.FAULTS})
