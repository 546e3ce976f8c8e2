"""The exchanges Keyherald can read, one file each; bootstrap builds them, nothing else names them.

To add an exchange called `acme`:

1. Copy `_template.py` to `acme.py` and fill in what the exchange says about itself: name, key page, form
   fields, permission labels, rate limits, and the allow-list: `_http.py` refuses every other call.
   Past 300 lines it becomes a package of its name, as `bitso/` did.
2. Sign without I/O, in a function that takes everything it signs, and pin it to a vector in the tests.
3. Write `parse_*` functions from bytes to our types: Decimal from text, every failure an `ExchangeError`.
4. Give every error code of the exchange's documents its `Trouble` in one table.
5. Set `EXCHANGE` to the class. That is all: discovery, form, help, guide and the contract suite find it.
6. Write `guides/<language>/acme.md`, the practice exchange `chatbot/practice/acme.py`, recorded answers in
   `tests/data/acme/` and one `tests/exchanges/test_acme.py`.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Protocol, cast

from chatbot.ports.context import Clock
from chatbot.ports.exchanges import Exchange


class Factory(Protocol):
    """What a module's `EXCHANGE` is: called with a clock, and another origin when one is set."""

    def __call__(self, clock: Clock, origin: str = "") -> Exchange:
        """Return the exchange; opens nothing yet."""
        ...


def discover() -> tuple[str, ...]:
    """Return the names of all exchanges, sorted, without importing any of them."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


def load(name: str) -> Factory:
    """Import one exchange and return its factory."""
    return cast("Factory", importlib.import_module(f"{__name__}.{name}").EXCHANGE)


def build(origins: Mapping[str, str], clock: Clock) -> dict[str, Exchange]:
    """Return all exchanges by name; `origins` holds the addresses set in EXCHANGE_<NAME>_URL by name."""
    return {name: load(name)(clock, origins.get(name, "")) for name in discover()}
