"""Many rows at once: bounded, none waits for a slow one, and a bug stays where it is."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chatbot.dispatcher.crew import safely, work_off
from chatbot.errors import StorageError
from chatbot.ports.context import Context


class Log:
    """Keeps errors."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def error(self, action: str, **_: object) -> None:
        self.errors.append(action)


def context(*, stopping: bool = False) -> Context:
    return cast("Context", SimpleNamespace(queue=SimpleNamespace(stopping=stopping), log=Log()))


def rows(due: list[int]) -> Any:
    async def claim(room: int) -> list[int]:
        taken = due[:room]
        del due[:room]
        return taken

    return claim


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


async def test_a_slow_row_takes_one_place_and_no_more():
    """While one hangs, all others are done, those too that fell due later; the run ends when it has ended."""
    due, done, slow = [0, 1, 2, 3], [], asyncio.Event()

    async def work(number: int) -> None:
        if number == 0:
            await slow.wait()
        done.append(number)

    run = asyncio.create_task(work_off("x", rows(due), work, context(), 2))
    await until(lambda: done == [1, 2, 3])
    due.append(4)
    await until(lambda: done == [1, 2, 3, 4])
    assert not run.done()
    slow.set()
    await run
    assert done[-1] == 0


async def test_never_more_at_once_than_allowed():
    """The limit holds however much is due."""
    busy, most = 0, 0

    async def work(_: int) -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0)
        busy -= 1

    await work_off("x", rows(list(range(50))), work, context(), 7)
    assert most == 7


async def test_a_bug_is_logged_and_the_others_go_on():
    """One row that raises costs no other row anything."""
    ctx, done = context(), []

    async def work(number: int) -> None:
        if number == 1:
            raise ZeroDivisionError
        done.append(number)

    await work_off("x", rows([0, 1, 2]), work, ctx, 5)
    assert done == [0, 2]
    assert cast("Log", ctx.log).errors == ["work_failed"]


async def test_nothing_is_claimed_while_stopping():
    """What is due waits for the next process."""
    due = [1]
    await work_off("x", rows(due), cast("Any", None), context(stopping=True), 5)
    assert due == [1]


async def test_what_runs_ends_when_claiming_fails():
    """A database that goes away breaks off no message half sent; the trouble rises afterwards."""
    done, calls = [], 0

    async def claim(_: int) -> list[int]:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise StorageError("gone", retry=True)
        return [1]

    async def work(number: int) -> None:
        await asyncio.sleep(0.4)
        done.append(number)

    with pytest.raises(StorageError):
        await work_off("x", claim, work, context(), 5)
    assert done == [1]


async def test_a_cut_off_run_cuts_its_work_off():
    """Work that is cancelled may free its row before the run ends."""
    freed = []

    async def work(number: int) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            freed.append(number)

    run = asyncio.create_task(work_off("x", rows([1, 2]), work, context(), 5))
    await asyncio.sleep(0.05)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert sorted(freed) == [1, 2]


async def test_safely_gives_the_result_or_none():
    """A bug is logged under its name; trouble of the storage rises."""
    ctx = context()

    async def ends(error: Exception | None) -> str:
        if error:
            raise error
        return "done"

    assert await safely(ends(None), ctx, "x") == "done"
    assert await safely(ends(KeyError()), ctx, "broke") is None
    assert cast("Log", ctx.log).errors == ["broke"]
    with pytest.raises(StorageError):
        await safely(ends(StorageError("away", retry=True)), ctx, "x")
