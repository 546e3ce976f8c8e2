"""What stands beside the link page's form: the guide's last steps in the words of the chat."""

import pytest

from chatbot.exchanges._guides import load_guide
from tests.support.bot import Bot, link_of
from tests.support.page import token_of


async def panel(bot: Bot, locale: str) -> list[tuple[str, str]]:
    opened = await bot.desk.open(token_of(await link_of(bot))[0], locale)
    assert opened is not None
    return [(step.title, step.text) for step in opened.steps]


@pytest.mark.parametrize("locale", ["en", "es", "pt"])
async def test_the_last_steps_are_the_guides_own(bot: Bot, locale: str) -> None:
    """Title and text of the steps before the link, in the page's language, with nothing left to fill in."""
    shown = await panel(bot, locale)
    steps = load_guide("bitso", locale).shown(egress=False, trade=False)[-4:-1]

    assert [title for title, _ in shown[:-1]] == [step.title for step in steps]
    assert all(text.startswith(step.lines[0]) for (_, text), step in zip(shown, steps, strict=False))
    assert not any("{" in title + text for title, text in shown)
    assert "☑" in shown[0][1]


async def test_what_happens_with_the_key_comes_last(bot: Bot) -> None:
    """Three sentences: locked here, tried by reading only, used after a code was compared."""
    title, text = (await panel(bot, "en"))[-1]

    assert title == "What happens next"
    assert [len(text.split("\n")), "only read" in text, "code to confirm" in text] == [3, True, True]
