"""Which calls some methods of ccxt can make at all, read from their compiled code; no I/O in here.

ccxt names each endpoint as an attribute of its class. Starting at a read (`fetch_balance`), every attribute
that its code names is followed, through helpers, to the endpoints. What is found that way is the whole
allow-list of the read: an order or a withdrawal is named by none of them, which a test holds against all
exchanges of the installed release.
"""

import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

_PLACE = re.compile(r"\\\{\w+\\\}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint as ccxt describes it: `api` are the names of its section, `path` may hold `{places}`."""

    method: str
    api: tuple[str, ...]
    path: str

    def fits(self, method: str, url: str, body: str | None) -> bool:
        """Tell whether a signed request is one to this endpoint; some exchanges name it in the body."""
        if method != self.method:
            return False
        pattern = _PLACE.sub("[^/?&]+", re.escape(self.path))
        return re.search(pattern, url.partition("?")[0]) is not None or self.path in (body or "")


@dataclass(frozen=True, slots=True)
class Reach:
    """What some methods can touch: the endpoints, and every name that their code speaks of."""

    endpoints: frozenset[Endpoint]
    named: frozenset[str]


def reach(kind: type, roots: Iterable[str]) -> Reach:
    """Return what the methods named `roots` of a ccxt class can touch."""
    endpoints = _endpoints(kind)
    named: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in named:
            continue
        named.add(name)
        function = getattr(kind, name, None)
        if name not in endpoints and isinstance(function, FunctionType):
            for code in _codes(function.__code__):
                waiting += code.co_names
                # Some pick the endpoint by its name in a text; no other text counts.
                waiting += [text for text in code.co_consts if isinstance(text, str) and text in endpoints]
    return Reach(frozenset(endpoints[name] for name in named & endpoints.keys()), frozenset(named))


def talkers(kind: type) -> Iterator[str]:
    """Yield the names of all methods that could talk to the exchange."""
    for name in dir(kind):
        if not name.startswith("_") and inspect.iscoroutinefunction(getattr(kind, name, None)):
            yield name


def _endpoints(kind: type) -> dict[str, Endpoint]:
    found: dict[str, Endpoint] = {}
    for base in reversed(kind.__mro__):
        for name, value in vars(base).items():
            if hasattr(value, "unbound_method"):
                found[name] = endpoint(value.method, value.api, value.path)
    return found


def endpoint(method: str, api: Any, path: str) -> Endpoint:
    """Return an endpoint from the words of ccxt, which writes its section as a text or a list."""
    return Endpoint(method, (api,) if isinstance(api, str) else tuple(api), path)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _codes(value)
