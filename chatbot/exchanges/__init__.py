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

Every exchange that has no file of its own is read by `other.py`, where its extra is installed.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, cast

from chatbot.domain.secrets import SecretShape
from chatbot.errors import Unknown
from chatbot.exchanges._absent import Absent
from chatbot.ports import exchanges as ports
from chatbot.ports.context import Clock
from chatbot.ports.exchanges import Exchange

OTHER = "other"


class Factory(Protocol):
    """What a module's `EXCHANGE` is: called with a clock, and another origin when one is set."""

    def __call__(self, clock: Clock, origin: str = "") -> Exchange:
        """Return the exchange; opens nothing yet."""
        ...


def discover() -> tuple[str, ...]:
    """Return the names of the exchanges with a file of their own, sorted, without importing any of them."""
    names = {module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")}
    return tuple(sorted(names - {OTHER}))


def load(name: str) -> Factory:
    """Import one exchange and return its factory."""
    return cast("Factory", importlib.import_module(f"{__name__}.{name}").EXCHANGE)


class Exchanges(ports.Exchanges):
    """All exchanges by name; iterating names those with their own file, and others once they are used."""

    def __init__(self, origins: Mapping[str, str], clock: Clock) -> None:
        """Build the exchanges that have a file; `origins` holds other addresses by name."""
        self._origins, self._clock = origins, clock
        self._built = {name: load(name)(clock, origins.get(name, "")) for name in discover()}

    def __getitem__(self, name: str) -> Exchange:
        if name not in self._built:
            # Raises KeyError for a name that nobody knows.
            self._built[name] = _other().find(name)(self._clock, self._origins.get(name, ""))
        return self._built[name]

    def of_account(self, name: str) -> Exchange:
        """Return an exchange by the name an account was stored with; never raises."""
        try:
            return self[name]
        except (KeyError, Unknown):
            return Absent(name)

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._built))

    def __len__(self) -> int:
        return len(self._built)

    @cached_property
    def others(self) -> Sequence[str]:
        """The names that only `other.py` can use; looks for files and imports nothing."""
        own = set(discover())
        return tuple(name for name in _other().names() if name not in own)

    @property
    def shapes(self) -> Sequence[SecretShape]:
        """What keys and secrets look like, at those that may still be asked for as well."""
        own = [shape for exchange in self._built.values() for shape in exchange.shapes]
        return (*own, *(_other().SHAPES if self.others else ()))

    async def close(self) -> None:
        """Close the connections of all that were used."""
        for exchange in self._built.values():
            await exchange.close()


def _other() -> Any:
    return importlib.import_module(f"{__name__}.{OTHER}")


def build(origins: Mapping[str, str], clock: Clock) -> Exchanges:
    """Return all exchanges by name; `origins` holds the addresses set in EXCHANGE_<NAME>_URL by name."""
    return Exchanges(origins, clock)
