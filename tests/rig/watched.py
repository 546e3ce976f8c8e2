"""The bot as `run` plays it, but open to a look from outside, and ready to look at itself: `-m tests.rig.watched`.

On SIGUSR1 it collects garbage and writes how many objects that are still alive hold one of the words in the
file `wanted`. Those stand there backwards, so that reading them makes no copy of what is looked for.
"""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from chatbot.bootstrap import roles
from chatbot.bootstrap.parts import build
from chatbot.logs import configure
from chatbot.settings import Settings

WANTED, FOUND = Path("wanted"), Path("found")


def alive() -> Iterator[object]:
    """Go through every object there is, those that the garbage collector does not follow included."""
    seen: set[int] = set()
    todo = gc.get_objects()
    while todo:
        one = todo.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            if not isinstance(one, str | bytes | bytearray):
                todo += gc.get_referents(one)


def look(*_: object) -> None:
    """Count what holds a wanted word."""
    gc.collect()
    words = WANTED.read_text().split()
    counts = dict.fromkeys(words, 0)
    for one in alive():
        text = one[::-1] if isinstance(one, str) else ""
        if isinstance(one, bytes | bytearray):
            text = one[::-1].decode("latin-1")
        for word in words:
            # The words themselves are read from the file: they stand the right way round in no object.
            counts[word] += word in text
    FOUND.with_suffix(".new").write_text(" ".join(str(counts[word]) for word in words))
    FOUND.with_suffix(".new").rename(FOUND)


async def work() -> None:
    """Play every role."""
    await roles.run_all(await build(Settings.from_environ(os.environ)))


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, look)
    configure("debug")
    roles.in_loop(work())
