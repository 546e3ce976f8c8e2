"""The three browser engines that the link page must work in, behind one small interface.

`ENGINES` names each with how it is found and how it is run; `tab.py` says what a test may do with it.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.support.engines import chromium, firefox, webkit
from tests.support.engines.tab import Tab


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine: its program's path, and a window of it, behind a proxy, for the length of a block."""

    find: Callable[[], str | None]
    run: Callable[[str, Path, int], AbstractAsyncContextManager[Tab]]


ENGINES = {
    "Chromium": Engine(chromium.find, chromium.window),
    "Firefox": Engine(firefox.find, firefox.window),
    "WebKitGTK": Engine(webkit.find, webkit.window),
}
