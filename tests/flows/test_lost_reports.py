"""A report that may not have arrived: the next message offers it, and /status counts how promises were kept."""

import json

from chatbot.domain.messages import from_json
from chatbot.domain.outbox import OutboxState
from chatbot.errors import SendError, Verdict
from tests.support.bot import ADMIN, Bot
from tests.support.rows import rows


async def test_a_lost_report_is_offered_by_the_next_and_shown_again(linked: Bot) -> None:
    """*Show again* brings it once, marked as a repeat with its reference; the post after that offers nothing."""
    lost = await _lose_the_post(linked)
    assert not any("Show again" in shown.labels for shown in linked.chat.messages)
    await linked.turn(seconds=86_400)
    offer = linked.last()
    assert "The post before this one may not have arrived." in offer.text
    await linked.press("Show again", on=offer)
    again = linked.last()
    assert again is not offer
    assert again.repeat
    assert again.message.image
    assert again.message.image.png == lost["image"]
    assert again.text == from_json(json.loads(lost["message"])).plain()
    count = len(linked.chat.messages)
    await linked.press("Show again", on=offer)
    assert len(linked.chat.messages) == count
    assert linked.chat.toasts[-1] == "It was shown again already."
    await linked.turn(seconds=86_400)
    assert "Show again" not in linked.last().labels


async def test_a_lost_report_is_offered_by_another_kind_too(linked: Bot, bitso) -> None:
    """The next message in the chat offers it, whatever it tells; a message that is edited does not."""
    await _lose_the_post(linked)
    bitso.state.trade("buy", "btc_mxn", "0.0123")
    await linked.turn(seconds=31, jobs=("poll_accounts", "deliver_messages"))
    assert "Show again" not in linked.last().labels
    bitso.state.transfer("deposit", "mxn", "5000")
    await linked.turn(seconds=200, jobs=("poll_accounts", "deliver_messages"))
    await linked.turn(seconds=200, jobs=("poll_accounts", "deliver_messages"))
    assert "Show again" in linked.last().labels


async def test_a_lost_report_that_is_no_longer_kept_says_so(linked: Bot) -> None:
    """After a week nothing of it is left; the button says where to look instead."""
    await _lose_the_post(linked)
    await linked.turn(seconds=86_400)
    offer = linked.last()
    linked.clock.advance(seconds=8 * 86_400)
    await linked.registry.jobs["prune_rows"].run(linked.ctx)
    await linked.press("Show again", on=offer)
    assert "no longer kept" in linked.chat.toasts[-1]


async def test_status_shows_how_the_promises_were_kept(linked: Bot, bitso) -> None:
    """An admin reads four figures: lost, marked, unmarked, unknown."""
    bitso.state.trade("buy", "btc_mxn", "0.0123")
    await linked.turn(seconds=31, jobs=("poll_accounts",))
    linked.chat.refuse.append(SendError(Verdict.UNKNOWN, "lost"))
    for _ in range(3):
        await linked.turn(seconds=31, jobs=("deliver_messages",))
    linked.chat.refuse.append(SendError(Verdict.UNKNOWN, "lost"))
    await linked.type("/accounts")
    shown = await linked.type("/status", as_=ADMIN)
    assert "1 with unknown outcome, 1 marked repeats" in shown.text
    assert "0 alerts lost, 0 repeats without a mark" in shown.text


async def _lose_the_post(bot: Bot):
    """Let the daily post's outcome be unknown, and return what it showed."""
    while bot.clock.now().hour != 9:
        bot.clock.advance(minutes=30)
        await bot.turn(jobs=("poll_accounts", "deliver_messages"))
    await bot.turn(jobs=("post_balances",))
    bot.chat.refuse.append(SendError(Verdict.UNKNOWN, "lost"))
    await bot.turn(jobs=("deliver_messages",))
    await bot.turn(seconds=120, jobs=("deliver_messages",))
    (row,) = await rows(bot, "outbox", state=OutboxState.UNKNOWN)
    return row
