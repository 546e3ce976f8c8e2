"""Mornings on which much is wrong: rows that can't be read, clocks that were wrong, a week to catch up with."""

from chatbot.domain.notices import Kind
from tests.support.bot import TEAM, Bot
from tests.support.connected import share
from tests.support.daily import change
from tests.support.quiet import HELD, NIGHT, mute_chat, set_quiet, told, until


async def test_one_held_row_that_can_not_be_read_stops_no_other_place(night: Bot) -> None:
    """It is put off, and what other places are to be told is told."""
    await share(night)
    await set_quiet(night, NIGHT, chat=TEAM)
    await told(night, Kind.FILLS, "a fill", "1")
    await change(
        night,
        "UPDATE held SET message = '{}', until = 0 WHERE conversation = "
        "(SELECT id FROM conversations WHERE channel = 'team')",
    )
    await until(night, 7)
    assert any(HELD in text for text in night.texts())
    assert any(action == "digest_failed" for _, action, _ in night.log.lines)


async def test_a_clock_that_was_some_days_ahead_stops_no_posts(linked: Bot) -> None:
    """Twelve days ahead for a moment and set right: the next mornings have their posts."""
    linked.clock.advance(days=12)
    await linked.turn()
    linked.clock.advance(days=-12)
    before = _posts(linked)
    for _ in range(48):
        await linked.turn(seconds=3600, jobs=("post_balances", "deliver_messages"))
    assert _posts(linked) - before == 2


async def test_a_clock_that_began_in_1970_doubles_no_post(linked: Bot) -> None:
    """A machine without a clock of its own starts again after the post and learns the time a little later."""
    while linked.clock.now().hour != 10:
        await linked.turn(seconds=1800)
    posted, now = _posts(linked), linked.clock.now()
    linked.clock.advance(days=-19_000)
    await linked.turn(jobs=("post_balances", "post_together", "deliver_messages"))
    linked.clock.advance(seconds=(now - linked.clock.now()).total_seconds() + 60)
    for _ in range(3):
        await linked.turn(seconds=10, jobs=("post_balances", "post_together", "deliver_messages"))
    assert _posts(linked) == posted
    while linked.clock.now().hour != 9:
        await linked.turn(seconds=1800)
    await linked.turn(seconds=60)
    assert _posts(linked) == posted + 1


async def test_a_week_of_balances_is_told_by_the_last(linked: Bot) -> None:
    """Muted for a week: of each account's posts the newest is shown, and how many were left out is said."""
    await mute_chat(linked, 7 * 24)
    said = len(linked.texts())
    for _ in range(7 * 24 + 1):
        await linked.turn(
            seconds=3600, jobs=("poll_accounts", "post_balances", "post_digests", "deliver_messages")
        )
    digests = [text for text in linked.texts()[said:] if HELD in text]
    assert sum(text.count("\nTotal") for text in digests) == 1
    assert "6 earlier posts of balances are left out here" in digests[0]


def _posts(bot: Bot) -> int:
    return sum("\nTotal" in text for text in bot.texts())
