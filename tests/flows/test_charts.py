"""/chart by typing: the picture, the time it shows, its shade, and what is said where there is none."""

from datetime import timedelta
from pathlib import Path

import pytest

from chatbot.charts import ProcessCharts
from chatbot.domain.pictures import Shade
from tests.support.bot import Bot, Lines, open_bot
from tests.support.connected import connect
from tests.support.daily import change, days, sketches
from tests.support.practice import Running
from tests.support.rows import rows

FOREVER = 10_000


async def test_chart_brings_a_picture_of_the_time_asked_for(linked: Bot) -> None:
    """With its words, buttons for other times, and nothing else."""
    await days(linked, 4)
    before = len(linked.texts())
    await linked.type("/chart 3d")
    await linked.turn()
    shown = linked.last()
    assert len(linked.texts()) == before + 1
    assert shown.message.image
    assert shown.labels == ["7d", "30d", "1y", "Dark pictures"]
    curve = sketches(linked).asked[-1].curve
    assert curve
    assert timedelta(days=2.9) < curve.until - curve.since <= timedelta(days=3)


async def test_chart_says_since_when_there_is_any_history(linked: Bot) -> None:
    """Fresh: what it is made of, and a sentence; later: the curve, and where it begins."""
    await linked.type("/chart")
    await linked.turn()
    assert "too short for a curve" in linked.last().text
    assert linked.last().message.image
    assert sketches(linked).asked[-1].curve is None
    await days(linked, 3)
    await linked.type("/chart 1y")
    await linked.turn()
    assert "My history of this begins at" in linked.last().text


async def test_chart_in_a_new_currency_says_where_the_history_is(linked: Bot) -> None:
    """Pesos begin today; the dollars are not lost."""
    await days(linked, 3)
    await linked.type("/currency MXN")
    await linked.type("/chart")
    await linked.turn()
    assert "There is more in USD: /currency USD shows it." in linked.last().text


@pytest.mark.parametrize("typed", ["-3", "0", "0d", "99y", "3.5d", "30x", "١٢", "30dd", "1e3", "9999999999"])
async def test_a_time_that_is_none_is_answered_with_examples(linked: Bot, typed: str) -> None:
    """A sentence that works, buttons that work, and nothing drawn."""
    shown = await linked.type(f"/chart {typed}")
    assert "/chart 7d" in shown.text
    assert shown.labels == ["7d", "30d", "1y"]
    assert await rows(linked, "wishes") == []
    await linked.press("7d")
    await linked.turn()
    assert linked.last().message.image


@pytest.mark.parametrize(
    ("typed", "days"), [("", 30), ("7", 7), ("7d", 7), ("2w", 14), ("3M", 90), ("1y", 365), ("10y", 3650)]
)
async def test_every_way_to_write_a_time_works(linked: Bot, typed: str, days: int) -> None:
    """Days, weeks, months, years, large or small; nothing means thirty days."""
    await linked.type(f"/chart {typed}")
    (wish,) = await rows(linked, "wishes", kind="chart")
    assert f'"days":{days},' in wish["args"]


async def test_chart_of_one_account_stays_with_it(two: Bot) -> None:
    """Its buttons draw the same account again, lighter, darker or longer."""
    await two.type("/chart 30d kraken")
    await two.turn()
    assert sketches(two).asked[-1].title.startswith("Kraken")
    for label in ("7d", "Dark pictures"):
        await two.press(label)
        await two.turn()
        assert sketches(two).asked[-1].title.startswith("Kraken")
    await two.type("/chart")
    await two.turn()
    assert sketches(two).asked[-1].title == "All together · 2 accounts"


async def test_an_account_whose_name_begins_with_a_number_is_found(linked: Bot) -> None:
    """Its name is not taken for a time."""
    await linked.type("/rename 2nd wallet")
    await linked.type("/chart 2nd wallet")
    await linked.turn()
    assert "2nd wallet" in sketches(linked).asked[-1].title


async def test_dark_pictures_stay_dark(linked: Bot) -> None:
    """Chosen once by a button, for charts and posts, until the other is chosen."""
    await linked.type("/chart")
    await linked.turn()
    await linked.press("Dark pictures")
    assert linked.chat.toasts[-1] == "Pictures are dark now."
    await linked.turn()
    assert sketches(linked).asked[-1].shade is Shade.DARK
    assert "Light pictures" in linked.last().labels
    await days(linked, 1)
    assert sketches(linked).asked[-1].shade is Shade.DARK


async def test_chart_that_can_not_be_drawn_answers_in_words(linked: Bot) -> None:
    """What the picture would have shown, and that it is missing."""
    sketches(linked).broken = True
    await linked.type("/chart")
    await linked.turn()
    assert linked.last().message.image is None
    assert "Made of: " in linked.last().text
    assert "could not be drawn" in linked.last().text


async def test_chart_before_the_first_reading_says_so(bot: Bot, bitso: Running) -> None:
    """Nothing to draw is a sentence, not silence."""
    bitso.state.fail("balance", "html", times=FOREVER)
    assert "No account is connected" in (await bot.type("/chart")).text


async def test_one_wish_that_can_not_be_met_holds_up_no_other(linked: Bot) -> None:
    """It is given up, and the next one is answered."""
    await linked.type("/chart")
    await change(linked, "UPDATE wishes SET args = '{}'")
    await linked.type("/chart 7d")
    await linked.turn()
    assert linked.last().message.image
    assert await rows(linked, "wishes") == []
    assert sum(action == "chart_failed" for _, action, _ in linked.log.lines) == 1


async def test_a_real_picture_arrives_whole(tmp_path: Path, bitso) -> None:
    """From typing to the PNG of the process that draws."""
    charts = ProcessCharts(Lines())
    async with open_bot(tmp_path, {"bitso": bitso.origin}, charts=charts) as bot:
        bitso.state.clock = bot.clock.now
        await connect(bot, bitso)
        await bot.type("/chart")
        await bot.turn()
        image = bot.last().message.image
    await charts.close()
    assert image
    assert image.png.startswith(b"\x89PNG\r\n")
    assert len(image.png) < 80_000
