"""*I'm stuck*: the troubles of every exchange as buttons, and after a failed try the one that happened."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from chatbot.domain.permissions import Permission, Policy
from chatbot.errors import Trouble
from chatbot.exchanges import discover
from chatbot.exchanges._guides import load_guide
from chatbot.ports.desk import Refused
from tests.support.anyexchange import hand_in, met

EVERY = pytest.mark.parametrize("name", discover())


def errors(name: str) -> Mapping[str, Any]:
    """Return the documented errors of an exchange by their code."""
    return cast("Mapping[str, Any]", importlib.import_module(f"chatbot.exchanges.{name}").ERRORS)


def code_of(name: str, trouble: Trouble) -> str:
    """Return a documented code of the exchange that means this trouble."""
    return next(code for code, refusal in errors(name).items() if refusal.trouble is trouble)


CAUSES = [
    (name, trouble)
    for name in discover()
    for trouble in Trouble
    if trouble is not Trouble.UNKNOWN and trouble in {refusal.trouble for refusal in errors(name).values()}
]


@EVERY
async def test_every_trouble_is_a_button(tmp_path: Path, name: str) -> None:
    """Before anything went wrong the person chooses; each button opens its answer, *Back* the step."""
    async with met(tmp_path, name) as (bot, _):
        step = (await bot.type(f"/connect {name}")).text
        known = load_guide(name, "en").stuck
        shown = await bot.press("I'm stuck")
        assert shown.labels[:-2] == [stuck.title for stuck in known]
        assert shown.labels[-2:] == ["The key can do too much", "Back"]
        for stuck in known:
            opened = await bot.press(stuck.title)
            assert opened.text == "\n".join([stuck.title, *stuck.lines])
            await bot.press("Something else")
        assert (await bot.press("Back")).text == step


@pytest.mark.parametrize(("name", "cause"), CAUSES)
async def test_it_opens_at_the_cause_that_really_happened(tmp_path: Path, name: str, cause: Trouble) -> None:
    """The exchange refuses with a code of this trouble: its own answer is a press away, the others two."""
    async with met(tmp_path, name) as (bot, running):
        running.state.fail("", code_of(name, cause), times=9)
        answer = await hand_in(bot, running)
        assert isinstance(answer, Refused)
        shown = await bot.press("I'm stuck")
        expected = next(stuck for stuck in load_guide(name, "en").stuck if stuck.cause == cause)
        assert shown.text == "\n".join([expected.title, *expected.lines])
        assert len((await bot.press("Something else")).labels) > 5


async def test_a_key_that_can_do_too_much_opens_at_that(tmp_path: Path) -> None:
    """Not at a missing tick, though that is a trouble of permissions too."""
    async with met(tmp_path, "hitbtc") as (bot, running):
        keys = running.state.new_key({"balances", "fills", "account", "transfer"})
        await hand_in(bot, running, keys)
        await bot.press("I'm stuck")
        (guide,) = [shown for shown in bot.chat.messages if "Something else" in shown.labels]
        assert guide.text.startswith("The key can do too much\nAt HitBTC, untick everything but “")


async def test_a_key_that_lacks_the_order_right_opens_at_a_missing_tick(tmp_path: Path) -> None:
    """Where orders are wanted, a key that only looks lacks a tick."""
    policy = Policy(frozenset({Permission.WITHDRAW}), frozenset(), trade=True)
    async with met(tmp_path, "hitbtc", policy=policy) as (bot, running):
        await hand_in(bot, running, running.state.new_key({"balances", "fills", "account"}))
        await bot.press("I'm stuck")
        (guide,) = [shown for shown in bot.chat.messages if "Something else" in shown.labels]
        expected = next(s for s in load_guide("hitbtc", "en").stuck if s.cause == Trouble.NO_PERMISSION)
        assert guide.text.startswith(expected.title)


async def test_after_a_try_that_worked_nothing_is_remembered(tmp_path: Path) -> None:
    """A trouble that is over is not brought up again."""
    async with met(tmp_path, "bitso") as (bot, running):
        running.state.fail("", code_of("bitso", Trouble.IP_BLOCKED), times=1)
        await bot.type("/connect bitso")
        url = ""
        while not url:
            shown = await bot.press("Next")
            url = next((b.url for b in shown.buttons if "/key#" in b.url), "")
        assert isinstance(await hand_in(bot, running, url=url), Refused)
        await hand_in(bot, running, url=url)
        await bot.type("/connect bitso")
        assert "What happened?" in (await bot.press("I'm stuck")).text
