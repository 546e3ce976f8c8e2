"""The promise that nothing is lost and nothing repeated unmarked, held against real kills of real processes."""

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.rig.installation import Installation, installation
from tests.rig.ledger import Ledger, drained, ledger
from tests.rig.storm import OWNER, Storm

SEED = "KILL_RIG_SEED"


async def test_a_few_kills_lose_nothing_and_repeat_nothing_unmarked(tmp_path):
    """Six kills and a bad line: every fill is told, every repeat is marked, nothing is stuck."""
    await _survives(tmp_path, kills=5, seconds=60, seed=int(os.environ.get(SEED, "20261121")))


async def test_one_order_is_told_whole_however_often_its_teller_is_killed(tmp_path):
    """Dozens of parts, edited into one message between kills: it holds each of them, and a repeat is marked."""
    result = await _survives(
        tmp_path, kills=4, seconds=60, seed=int(os.environ.get(SEED, "20261121")), order="whale"
    )
    assert result.messages == 1


@pytest.mark.long
async def test_a_hundred_kills_lose_nothing_and_repeat_nothing_unmarked(tmp_path):
    """A hundred kills, another seed each time: KILL_RIG_SEED repeats one."""
    seed = int(os.environ.get(SEED, "0")) or random.SystemRandom().randrange(2**32)
    await _survives(tmp_path, kills=99, seconds=420, seed=seed)


async def _survives(folder: Path, kills: int, seconds: float, seed: int, order: str = "") -> Ledger:
    with _naming(seed):
        async with installation(folder) as here:
            await here.connect(OWNER)
            storm = Storm(here, seed, order=order)
            await storm.rage(kills)
            await drained(storm, seconds)
            result = await ledger(storm)
            print(f"seed {seed}: {result}")  # noqa: T201  the figures are the point of a long run
            _assert_kept(result)
            await _assert_sound(here)
            return result


def _assert_kept(result: Ledger) -> None:
    assert result.lost_fills == []
    assert result.unmarked_repeats == []
    assert result.doubled_replies == []
    assert 0 <= result.lost_replies <= result.kills + result.faults


async def _assert_sound(here: Installation) -> None:
    assert here.api.complaints == []
    here.program.tell(signal.SIGTERM)
    assert await here.program.ended() == 0
    assert here.rows("PRAGMA integrity_check") == [("ok",)]
    assert here.rows("SELECT DISTINCT state FROM inbox") == [("done",)]
    assert here.rows("SELECT reason FROM outbox WHERE state = 'parked'") == []
    assert here.rows("SELECT state, sealed_private_key FROM links") == [("used", None)]
    assert here.rows("SELECT state FROM accounts") == [("active",)]
    said = here.program.out + here.program.err
    assert "Traceback" not in said
    assert '"level": "error"' not in said


@contextmanager
def _naming(seed: int) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        error.add_note(f"{SEED}={seed} repeats this storm's choices")
        raise
