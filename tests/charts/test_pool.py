"""The process that draws: beside us, replaced when it dies, and never at the cost of a message."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from chatbot.charts import ProcessCharts
from chatbot.charts.drawing import compose
from chatbot.charts.sheet import png
from chatbot.domain.pictures import Allocation, Bar, Picture
from tests.support.bot import Lines

USUAL = Picture(
    "Bitso …a1b2", "$1", (), 0, None, Allocation("Made of", (Bar("BTC", Decimal(1), "$1", "100 %"),))
)


@pytest.fixture
def log() -> Lines:
    """What is logged about drawing."""
    return Lines()


@pytest.fixture
async def charts(log: Lines) -> AsyncIterator[ProcessCharts]:
    """Charts with a process of their own."""
    made = ProcessCharts(log)
    yield made
    await made.close()


async def test_a_picture_comes_from_another_process(charts: ProcessCharts) -> None:
    """It is the same as drawn here, and the loop went on meanwhile."""
    shown, turns = USUAL, 0
    drawing = asyncio.create_task(charts.draw(shown))
    while not drawing.done():
        turns += 1
        await asyncio.sleep(0)
    assert await drawing == png(compose(shown))
    assert turns > 1
    assert len(multiprocessing.active_children()) == 1


def test_our_own_process_never_loads_the_library() -> None:
    """Whoever draws no picture pays nothing, and whoever does pays it elsewhere."""
    script = (
        "import asyncio, sys\n"
        "from chatbot.charts import ProcessCharts\n"
        "from chatbot.domain.pictures import Allocation, Bar, Picture\n"
        "from tests.support.bot import Lines\n"
        "async def main():\n"
        "    charts = ProcessCharts(Lines())\n"
        "    bar = Bar('BTC', 1, '$1', '100 %')\n"
        "    made = await charts.draw(Picture('x', '$1', (), 0, None, Allocation('y', (bar,))))\n"
        "    await charts.close()\n"
        "    print(made[:4], 'matplotlib' in sys.modules)\n"
        "if __name__ == '__main__':\n"
        "    asyncio.run(main())\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == r"b'\x89PNG' False"
    assert run.stderr == ""


async def test_a_process_that_died_is_replaced(charts: ProcessCharts) -> None:
    """The next picture comes all the same."""
    shown = USUAL
    assert await charts.draw(shown)
    (child,) = multiprocessing.active_children()
    assert child.pid
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    assert await charts.draw(shown)


async def test_one_that_always_dies_is_given_a_pause(charts: ProcessCharts, log: Lines) -> None:
    """No picture, no error, and for a while no further try; then it is tried again."""
    assert await charts.draw(deed(os._exit, 1)) is None
    assert [action for _, action, _ in log.lines] == ["picture_process_died"]
    assert await charts.draw(USUAL) is None
    charts._resting_until = 0.0
    assert await charts.draw(USUAL)


async def test_one_that_hangs_is_let_go(log: Lines) -> None:
    """After its time the message goes without a picture, and the process is gone."""
    charts = ProcessCharts(log, limit_seconds=1.0)
    assert await charts.draw(deed(signal.pause)) is None
    assert [action for _, action, _ in log.lines] == ["picture_too_slow"]
    await charts.close()
    for child in multiprocessing.active_children():
        child.join(30)
    assert multiprocessing.active_children() == []


async def test_what_can_not_be_drawn_costs_only_the_picture(charts: ProcessCharts) -> None:
    """A mistake in a description is logged, and the next picture comes at once."""
    broken: Any = Picture("x", "y", (), 0, None, "no allocation")  # type: ignore[arg-type]
    assert await charts.draw(broken) is None
    assert await charts.draw(USUAL)


async def test_nothing_is_left_running(charts: ProcessCharts) -> None:
    """Closing ends the process, and closing twice or unused is fine."""
    await charts.close()
    assert await charts.draw(USUAL)
    await charts.close()
    await charts.close()
    assert multiprocessing.active_children() == []


async def test_the_process_knows_no_setting(
    charts: ProcessCharts, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens and keys in the environment are gone from it before anything is drawn."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "made-up")
    assert await charts.draw(deed(_named_in_environment, "TELEGRAM_BOT_TOKEN")) is None
    assert await charts.draw(deed(_named_in_environment, "PATH")) is None
    assert [ids["reason"] for _, _, ids in log.lines] == ["AttributeError", "ZeroDivisionError"]


class _Deed:
    """Stands where a picture is expected, and does something as soon as the other process takes it in."""

    def __init__(self, act: Any, *args: Any) -> None:
        """Take what to do."""
        self.act, self.args = act, args

    def __reduce__(self) -> tuple[Any, ...]:
        """Have it done by the process that reads this."""
        return self.act, self.args


class _Awkward:
    """No picture; asked for its shade, it fails in its own way."""

    shade = property(lambda _: 1 / 0)


def deed(act: Any, *args: Any) -> Any:
    """Return a picture that is none: reading it does something."""
    return _Deed(act, *args)


def _named_in_environment(name: str) -> Any:
    return _Awkward() if name in os.environ else "no picture"
