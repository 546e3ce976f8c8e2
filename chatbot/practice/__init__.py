"""Practice exchanges: loopback servers that speak an exchange's real wire protocol, with pretend money.

`make demo` mounts them beside the web chat, the tests run them as real servers, people rehearse with them.
Each module or package here is one exchange of the same name in `chatbot/exchanges/`. It offers `PRACTICE`,
which makes the state (with a fresh `key` and `secret`), `create_app(state)`, the web application, and
`ERRORS`, its documented error codes.
"""

import importlib
import pkgutil
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Protocol, cast

from starlette.applications import Starlette


class Practice(Protocol):
    """The state of a practice exchange, as far as the demo and the contract suite use it."""

    key: str
    secret: str

    @property
    def passphrase(self) -> str:
        """The first key's third part; empty where an exchange has none."""
        ...

    @property
    def balances(self) -> Mapping[str, Decimal]:
        """The account's totals by asset, in lower case, zeros included."""
        ...

    @property
    def requests(self) -> list[tuple[str, str]]:
        """Method and path of every request that arrived, in order."""
        ...

    def new_key(self, permissions: Collection[str]) -> tuple[str, str]:
        """Make a key with these permissions and return it with its secret."""
        ...

    def permit(self, key: str, permissions: Collection[str]) -> None:
        """Change what a key may do."""
        ...

    def seed(self, history: int) -> None:
        """Make up so many past trades."""
        ...

    def fill_ids(self) -> list[str]:
        """Return the ids of all fills, oldest first."""
        ...

    def trade(self, side: str, book: str = "", amount: str = "") -> dict[str, Any]:
        """Fill an order now, at random where nothing is given, and return the trade."""
        ...

    def fail(self, path: str, kind: str, times: int = 1) -> None:
        """Spoil the next answers of a path: a documented error code, or a kind such as `html`."""
        ...


def discover() -> tuple[str, ...]:
    """Return the names of all practice exchanges, sorted."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


def open_practice(name: str) -> tuple[Practice, Starlette]:
    """Return the state and the application of one practice exchange."""
    module = importlib.import_module(f"{__name__}.{name}")
    practice = module.PRACTICE()
    return cast("Practice", practice), cast("Starlette", module.create_app(practice))
