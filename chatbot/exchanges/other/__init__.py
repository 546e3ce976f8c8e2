"""Every exchange without a file of its own, read through ccxt where the extra `keyherald[ccxt]` is installed.

This file is all that is imported before somebody asks for such an exchange: it looks for ccxt's files and
imports none. Importing ccxt costs about 100 MB of memory and up to some seconds, and it exchanges aiohttp's
decompression for zlib-ng in the whole process. A name that has a file in `chatbot/exchanges/` never comes
here; an exchange's regional sister (`okxus`, `bybiteu`, `binanceus`) does.

`exchange.py` is what such an exchange says of itself, `unified.py` the only file that knows ccxt, with the
guard around it; `reach.py` computes which calls two of ccxt's reads may make, `wire.py` sends them,
`errors.py` knows what refusals mean, `rows.py` parses, `walk.py` walks the fills, `client.py` asks.
"""

import importlib
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from chatbot.domain.secrets import SecretShape

if TYPE_CHECKING:
    from chatbot.exchanges import Factory

NAME = re.compile(r"[a-z0-9]{2,20}")
# What most hand out: a UUID, or 40 and more letters and digits in both cases (addresses start with 0x).
SHAPES = (
    SecretShape("other", r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
    SecretShape("other", r"(?!0x)(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/=]{40,128}"),
)


def names() -> Sequence[str]:
    """Return the names of all exchanges that the installed ccxt knows; none when it is not installed."""
    folder = _folder()
    if folder is None:
        return ()
    return sorted(path.stem for path in folder.glob("*.py") if NAME.fullmatch(path.stem))


def find(name: str) -> "Factory":
    """Return the factory of an exchange that ccxt knows, and import ccxt for it.

    Raises:
        KeyError: when there is no such exchange, or ccxt is not installed.
        Unknown: when its keys are made of parts that our form can't take.
    """
    folder = _folder()
    if folder is None or not NAME.fullmatch(name) or not (folder / f"{name}.py").is_file():
        raise KeyError(name)
    found: Factory = importlib.import_module(f"{__name__}.exchange").factory(name)
    return found


def _folder() -> Path | None:
    try:
        spec = find_spec("ccxt")
    except ValueError:  # somebody put an unfinished module there
        return None
    places = spec.submodule_search_locations if spec else None
    return Path(places[0]) / "async_support" if places else None
