"""A home page on Slack that can't be shown: the private chat beside it goes on as if nothing were."""

import pytest

from chatbot.domain.messages import Post, message
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Place, TeamId
from tests.support.rows import rows
from tests.support.slackbot import ANA, BEN, SlackBot


async def told(bot: SlackBot, words: str) -> None:
    """Queue an alert for Ana in private."""
    async with bot.bot.ctx.uow() as store:
        place = Place("slack", ANA, "T1", private=True)
        where = await store.conversations.enter(place, TeamId("slack:T1"), None)
        await store.outbox.put(where.id, Post(message(words)), Promise.ALERT, bot.bot.clock.now())


async def alive(bot: SlackBot) -> bool:
    """Tell whether Ana's chat counts as one that can be written to."""
    (row,) = await rows(bot.bot, "conversations", channel=ANA)
    return bool(row["live"])


@pytest.mark.parametrize(
    "what", ["not_enabled", "user_not_found", "invalid_blocks", "internal_error", 503, 429]
)
async def test_a_page_that_can_t_be_shown_holds_up_no_chat(slackbot: SlackBot, what) -> None:
    """The home tab may be off, or fail for hours: alerts come, commands are answered, the chat stays known."""
    await slackbot.say(ANA, "help")
    slackbot.api.fail("views.publish", what, times=50, wait=600 if what == 429 else 0)
    await slackbot.api.open_home(ANA)
    await slackbot.bot.dispatcher.sweep()
    await slackbot.turn(seconds=2)
    assert await alive(slackbot)
    await told(slackbot, "Something was bought.")
    await slackbot.turn(seconds=2)
    assert "Something was bought." in slackbot.words(ANA)[-1]
    assert "No account is connected" in (await slackbot.say(ANA, "balances")).words
    assert await alive(slackbot)


async def test_a_limit_on_pages_is_kept_for_everybody_there(slackbot: SlackBot) -> None:
    """Slack limits the method, not the person: the next page waits too, and is shown afterwards."""
    slackbot.api.fail("views.publish", 429, wait=30)
    for user in (ANA, BEN):
        await slackbot.api.open_home(user)
        await slackbot.bot.dispatcher.sweep()
        await slackbot.bot.turn(seconds=1, jobs=("deliver_messages",))
    assert slackbot.api.count("views.publish") == 0
    await slackbot.turn(seconds=31)
    await slackbot.turn(seconds=31)
    assert slackbot.api.count("views.publish") == 2
