"""Balances as posts: on connecting, then at nine by the person's own clock, once per local date."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chatbot.domain.notices import Loudness
from chatbot.domain.schedule import next_slot, parse_rule
from tests.support.bot import YOU, Bot, open_bot
from tests.support.connected import connect
from tests.support.rows import rows

CLOCK_CHANGES = {
    "spring in Madrid": ("Europe/Madrid", datetime(2026, 3, 27, 12, tzinfo=UTC)),
    "autumn in Madrid": ("Europe/Madrid", datetime(2026, 10, 23, 12, tzinfo=UTC)),
    "spring in New York": ("America/New_York", datetime(2026, 3, 6, 20, tzinfo=UTC)),
    "half an hour in Lord Howe": ("Australia/Lord_Howe", datetime(2026, 4, 3, 12, tzinfo=UTC)),
    "no change in Mexico": ("America/Mexico_City", datetime(2026, 4, 3, 12, tzinfo=UTC)),
}


@pytest.mark.parametrize("case", CLOCK_CHANGES)
async def test_one_post_a_day_at_nine_across_a_clock_change(tmp_path: Path, bitso, case: str) -> None:
    """Five days around the change: five posts, each at nine by the wall clock."""
    name, start = CLOCK_CHANGES[case]
    async with _started(tmp_path, bitso, start) as bot:
        await bot.type(f"/timezone {name}")
        await connect(bot, bitso)
        posted = await _posts(bot, timedelta(days=5), ZoneInfo(name))
    assert len({at.date() for at in posted}) == len(posted) == 5
    assert [at.hour for at in posted] == [9] * 5
    assert all(at.minute <= 15 for at in posted)


async def test_the_first_post_comes_with_the_connection(linked: Bot) -> None:
    """Seconds after Confirm, not tomorrow."""
    assert sum("Total $" in text for text in linked.texts()) == 1


async def test_a_change_since_the_last_post_is_told_with_its_sign(linked: Bot, bitso) -> None:
    """The second post compares itself with the first."""
    assert "since the last post" not in _last_post(linked)
    bitso.state.transfer("deposit", "usd", "100")
    bitso.state.transfer("withdrawal", "mxn", "50000")
    await linked.turn(seconds=121)
    await _posts(linked, timedelta(days=1), ZoneInfo("UTC"))
    assert "−$" in _last_post(linked)
    assert "% since the last post" in _last_post(linked).replace("\xa0", " ").replace(" %", "%").replace(
        "%)", "%"
    )


async def test_another_currency_is_not_compared(linked: Bot) -> None:
    """Pesos minus dollars would be nonsense."""
    await linked.type("/currency MXN")
    await _posts(linked, timedelta(days=1), ZoneInfo("UTC"))
    assert "since the last post" not in _last_post(linked)
    await _posts(linked, timedelta(days=1), ZoneInfo("UTC"))
    assert "since the last post" in _last_post(linked)


async def test_dust_is_one_line(linked: Bot, bitso) -> None:
    """What is worth less than the floor is named together; stable coins never are."""
    bitso.state.balances["ltc"] = Decimal("0.001")
    bitso.state.balances["sol"] = Decimal("0.001")
    bitso.state.balances["usdt"] = Decimal("0.50")
    await linked.turn(seconds=121)
    text = (await linked.type("/balances")).text
    assert "Small amounts (LTC, SOL): $0.26 together" in text
    assert "USDT" in text.split("Small amounts")[0]


async def test_an_asset_without_a_price_is_no_zero(linked: Bot, bitso) -> None:
    """*No price* in the table and in words; the total leaves it out."""
    bitso.state.balances["wonder"] = Decimal(5)
    await linked.turn(seconds=121)
    text = (await linked.type("/balances")).text
    row = next(line for line in text.splitlines() if line.startswith("WONDER"))
    assert row.endswith("no price")
    assert "No price for WONDER: not in the total" in text


async def test_without_any_price_there_is_no_total(tmp_path: Path, bitso) -> None:
    """When prices can't be read at all the post comes after two minutes and claims no value."""
    bitso.state.fail("ticker", "html", times=10_000)
    async with _started(tmp_path, bitso) as bot:
        await bot.type("/currency EUR")
        await connect(bot, bitso)
        assert not any("\nTotal" in text for text in bot.texts())
        for _ in range(30):
            await bot.turn(seconds=5)
        (post,) = [text for text in bot.texts() if "\nTotal" in text]
    assert "Total no price" in post
    assert "€0.00" not in post
    assert post.count("no price") > 5


async def test_a_late_post_says_so(linked: Bot) -> None:
    """Down at nine, up again at noon: the post comes and names the time it was due."""
    await _until(linked, 8)
    linked.clock.advance(hours=4)
    await linked.turn()
    await linked.turn()
    assert "This post was due at 9:00" in _last_post(linked).replace("\u202f", " ")


async def test_a_post_more_than_six_hours_late_is_left_out(linked: Bot) -> None:
    """Yesterday's news is not told; the next morning's post comes."""
    await _until(linked, 8)
    before = sum("\nTotal" in text for text in linked.texts())
    linked.clock.advance(hours=8)
    await linked.turn()
    assert sum("\nTotal" in text for text in linked.texts()) == before
    assert len(await _posts(linked, timedelta(hours=20), ZoneInfo("UTC"))) == 1
    assert "An earlier post was left out" in _last_post(linked)
    await _posts(linked, timedelta(days=1), ZoneInfo("UTC"))
    assert "left out" not in _last_post(linked)


async def test_several_days_down_are_one_post(linked: Bot) -> None:
    """What was missed does not pile up."""
    await _until(linked, 8)
    linked.clock.advance(days=4, hours=2)
    await linked.turn()
    posted = await _posts(linked, timedelta(hours=20), ZoneInfo("UTC"))
    assert len(posted) <= 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Europe/Madrid", "Europe/London"),
        ("Europe/London", "Europe/Madrid"),
        ("Asia/Tokyo", "America/Mexico_City"),
        ("America/Mexico_City", "Asia/Tokyo"),
    ],
)
async def test_changing_the_zone_gives_no_local_date_two_posts(
    tmp_path: Path, bitso, old: str, new: str
) -> None:
    """Just after a post, the zone changes: each date of the new zone has at most one, and the next comes."""
    async with _started(tmp_path, bitso, datetime(2026, 5, 4, 2, tzinfo=UTC)) as bot:
        await bot.type(f"/timezone {old}")
        await connect(bot, bitso)
        first = await _posts(bot, timedelta(days=1), ZoneInfo(new))
        while len(more := await _posts(bot, timedelta(minutes=30), ZoneInfo(new))) == 0:
            pass
        await bot.type(f"/timezone {new}")
        later = await _posts(bot, timedelta(days=3), ZoneInfo(new))
    dates = [at.date() for at in (*more, *later)]
    assert len(first) == 1
    assert len(set(dates)) == len(dates)
    assert len(later) in {2, 3}
    assert {at.hour for at in later} == {9}


RULES = {
    "daily 18:30": ("2026-03-28T18:30", "2026-03-29T18:30", "2026-03-30T18:30", "2026-03-31T18:30"),
    "weekdays 09:00": ("2026-03-30T09:00", "2026-03-31T09:00"),
    "weekly mon 02:30": ("2026-03-30T02:30",),
    "weekly sun 02:30": ("2026-03-29T03:00",),
    "monthly 31 09:00": ("2026-03-31T09:00",),
    "every 12h": (
        "2026-03-28T12:00", "2026-03-29T00:00", "2026-03-29T12:00", "2026-03-30T00:00", "2026-03-30T12:00",
        "2026-03-31T00:00", "2026-03-31T12:00",
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
async def test_each_slot_of_a_rule_is_posted_once(tmp_path: Path, bitso, rule: str) -> None:
    """Four days in Madrid with a change of the clock: at these times by the wall clock, and no other."""
    zone = ZoneInfo("Europe/Madrid")
    async with _started(tmp_path, bitso, datetime(2026, 3, 28, 7, tzinfo=UTC)) as bot:
        await connect(bot, bitso)
        await _set_rule(bot, rule, "Europe/Madrid")
        posted = await _posts(bot, timedelta(days=3, hours=14), zone)
    slots = [at - timedelta(minutes=at.minute % 30, seconds=at.second) for at in posted]
    assert tuple(at.isoformat()[:16] for at in slots) == RULES[rule]


async def test_after_a_sleep_one_post_stands_for_all_hours(linked: Bot) -> None:
    """Asleep from three to eleven with a post every two hours: one post, said to be due at ten."""
    await _set_rule(linked, "every 2h", "UTC")
    await _until(linked, 3)
    before = sum("\nTotal" in text for text in linked.texts())
    linked.clock.advance(hours=8)
    for _ in range(3):
        await linked.turn(seconds=10)
    assert sum("\nTotal" in text for text in linked.texts()) == before + 1
    said = _last_post(linked).replace("\u202f", " ")
    assert "This post was due at 10:00" in said
    assert "An earlier post was left out" in said


async def test_a_clock_that_was_a_year_ahead_stops_no_posts(linked: Bot) -> None:
    """Set right again, the next morning's post comes."""
    linked.clock.advance(days=365)
    await linked.turn()
    linked.clock.advance(days=-365)
    await linked.turn(jobs=("post_balances", "deliver_messages"))
    assert len(await _posts(linked, timedelta(days=1), ZoneInfo("UTC"))) == 1


async def test_a_post_that_is_switched_off_is_not_made_up_for(linked: Bot) -> None:
    """Off for three days; on again, the next slot is posted and nothing more."""
    (person,), chosen = (
        await rows(linked, "people", user=YOU),
        await rows(linked, "subscriptions", kind="balances"),
    )
    for loudness, posts in ((Loudness.OFF, 0), (Loudness.LOUD, 1)):
        async with linked.ctx.uow() as store:
            await store.subscriptions.set_loudness(person["id"], [row["id"] for row in chosen], loudness)
        assert len(await _posts(linked, timedelta(days=1), ZoneInfo("UTC"))) == posts


async def test_a_zone_of_its_own_stays_when_the_person_moves(linked: Bot) -> None:
    """A post set to Tokyo's nine o'clock comes then, whatever zone its reader has."""
    await _set_rule(linked, "daily 09:00", "Asia/Tokyo")
    await linked.type("/timezone America/Mexico_City")
    (posted,) = await _posts(linked, timedelta(days=1), ZoneInfo("Asia/Tokyo"))
    assert posted.hour == 9


async def _set_rule(bot: Bot, rule: str, zone: str) -> None:
    """Set when balances are posted, as the settings do."""
    slot = next_slot(parse_rule(rule), ZoneInfo(zone), bot.clock.now())
    (person,), (sub,) = await rows(bot, "people", user=YOU), await rows(bot, "subscriptions", kind="balances")
    async with bot.ctx.uow() as store:
        assert await store.subscriptions.set_rule(person["id"], sub["id"], rule, zone, (slot.due, slot.name))


async def test_changing_the_zone_at_once_keeps_the_first_post(bot: Bot, bitso) -> None:
    """Whoever sets the zone right after connecting still sees the first balances."""
    await connect(bot, bitso)
    before = sum("\nTotal" in text for text in bot.texts())
    await bot.type("/timezone Asia/Tokyo")
    await bot.turn(seconds=10)
    assert before == 1
    assert sum("\nTotal" in text for text in bot.texts()) == 1


@asynccontextmanager
async def _started(folder: Path, bitso, start: datetime | None = None) -> AsyncIterator[Bot]:
    async with open_bot(folder, {"bitso": bitso.origin}, start=start) as bot:
        bitso.state.clock = bot.clock.now
        yield bot


async def _posts(bot: Bot, span: timedelta, zone: ZoneInfo) -> list[datetime]:
    """Let time pass in quarters of an hour and return when posts of balances came, by the clock of a zone."""
    end, seen, posted = bot.clock.now() + span, len(bot.chat.messages), []
    while bot.clock.now() < end:
        await bot.turn(seconds=900, jobs=("post_balances", "deliver_messages"))
        new = [m.text for m in bot.chat.messages[seen:] if "\nTotal" in m.text]
        posted += [bot.clock.now().astimezone(zone)] * len(new)
        seen = len(bot.chat.messages)
    return posted


async def _until(bot: Bot, hour: int) -> None:
    """Let hours pass until it is that hour in UTC."""
    while bot.clock.now().hour != hour:
        await bot.turn(seconds=1800)


def _last_post(bot: Bot) -> str:
    return next(text for text in reversed(bot.texts()) if "\nTotal" in text)
