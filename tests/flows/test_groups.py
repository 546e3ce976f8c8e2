"""Groups: what goes there after a yes and its *Stop*, a group that moves, a place that shuts its door."""

import pytest

from chatbot.errors import SendError, Verdict
from tests.support.bot import ADMIN, STRANGER, TEAM, YOU, Bot
from tests.support.connected import connect, share
from tests.support.practice import Running
from tests.support.rows import rows


async def test_here_sends_fills_to_the_group_and_to_the_owner(linked: Bot, bitso) -> None:
    """The same fill, once in each place."""
    await share(linked)
    assert bitso.state.key[-4:] in linked.last(TEAM).text
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    for chat in (TEAM, YOU):
        assert [text for text in linked.texts(chat) if "Bought 0.01 BTC" in text] == [linked.last(chat).text]


async def test_here_sends_the_daily_balances_to_the_group_once(linked: Bot) -> None:
    """Once a day, in the owner's zone, beside the owner's own post."""
    await share(linked)
    for _ in range(49):
        await linked.turn(seconds=3600)
    assert len([text for text in linked.texts(TEAM) if "Total $" in text]) == 2


async def test_stop_ends_it_for_that_group_only(linked: Bot, bitso) -> None:
    """The owner goes on reading in private."""
    await share(linked)
    assert "Stopped" in (await linked.press("Stop", chat=TEAM)).text
    bitso.state.trade("sell", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert "Sold" in linked.last(YOU).text
    assert "Sold" not in linked.last(TEAM).text


async def test_nobody_else_stops_it(linked: Bot) -> None:
    """The button is the owner's, even for an admin."""
    await share(linked)
    await linked.press("Stop", chat=TEAM, as_=ADMIN)
    assert "isn't yours" in linked.chat.toasts[-1]
    (group,) = [row["id"] for row in await rows(linked, "conversations", channel=TEAM)]
    heard = [row["kind"] for row in await rows(linked, "subscriptions", conversation=group)]
    assert sorted(heard) == ["balances", "fills", "transfers"]


async def test_here_needs_an_account_and_a_member(bot: Bot) -> None:
    """Without an account it says who may send theirs, and offers nothing of others; a stranger is refused."""
    assert "no account connected" in (await bot.type("/here", chat=TEAM)).text
    assert "Only members" in (await bot.type("/here", chat=TEAM, as_=STRANGER)).text
    assert await rows(bot, "subscriptions") == []


@pytest.mark.parametrize("words", ["/here is what I found", "/here we go"])
async def test_here_with_more_words_is_no_order(linked: Bot, words: str) -> None:
    """Where a mention stands for the slash, a sentence may begin like that; money is shown on a plain word only."""
    before = len(await rows(linked, "subscriptions"))
    assert "Send /here alone" in (await linked.type(words, chat=TEAM)).text
    assert len(await rows(linked, "subscriptions")) == before


async def test_here_twice_is_here_once(linked: Bot, bitso) -> None:
    """Saying it again sends nothing twice."""
    await share(linked)
    assert "From now on" in (await linked.type("/here", chat=TEAM)).text
    bitso.state.trade("buy", "btc_mxn", "0.02")
    await linked.turn(seconds=31)
    assert len([text for text in linked.texts(TEAM) if "Bought" in text]) == 1


async def test_two_members_share_a_group(linked: Bot, bitso) -> None:
    """Each stops their own and leaves the other's alone."""
    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await connect(linked, bitso, as_="other", key=key, secret=secret)
    await share(linked)
    mine = linked.last(TEAM)
    await share(linked, as_="other")
    await linked.press("Stop", chat=TEAM, on=mine)
    bitso.state.trade("buy", "btc_mxn", "0.02")
    await linked.turn(seconds=31)
    assert key[-4:] in linked.last(TEAM).text


async def test_a_group_that_becomes_a_supergroup_is_followed(linked: Bot, bitso) -> None:
    """Its new id takes over everything that went to the old one."""
    await share(linked)
    await linked.happens("moved", chat=TEAM, detail="supergroup")
    bitso.state.trade("buy", "btc_mxn", "0.03")
    await linked.turn(seconds=31)
    assert "Bought" in linked.last("supergroup").text
    assert "Bought" not in linked.last(TEAM).text


async def test_a_move_noticed_while_sending_is_followed_at_once(linked: Bot, bitso) -> None:
    """The message that learned of it goes to the new id, once."""
    await share(linked)
    bitso.state.trade("buy", "btc_mxn", "0.03")
    (group,) = [row["id"] for row in await rows(linked, "conversations", channel=TEAM)]
    await linked.turn(seconds=31, jobs=("poll_accounts",))
    await _refuse_in(linked, TEAM, SendError(Verdict.MOVED, "migrated", moved_to="supergroup"))
    await linked.turn(jobs=("deliver_messages",))
    assert [row["channel"] for row in await rows(linked, "conversations", id=group)] == ["supergroup"]
    assert len([text for text in linked.texts("supergroup") if "Bought" in text]) == 1


async def test_a_platform_that_moves_a_chat_for_ever_is_not_asked_in_a_circle(linked: Bot, bitso) -> None:
    """After a few tries at once the message waits longer and longer."""
    bitso.state.trade("buy", "btc_mxn", "0.03")
    linked.chat.refuse += [SendError(Verdict.MOVED, "migrated", moved_to=YOU) for _ in range(50)]
    await linked.turn(seconds=31)
    assert len(linked.chat.refuse) > 40


async def test_a_place_that_was_left_hears_nothing_until_it_speaks(linked: Bot, bitso) -> None:
    """Blocked: what waits is given up. /start: the account's news come again."""
    await linked.happens("left", chat=YOU)
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert "Bought" not in linked.last().text
    await linked.type("/start")
    bitso.state.trade("sell", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert "Sold" in linked.last().text
    assert "Bought" in (await linked.type("/fills")).text or "buy" in linked.last().text


async def test_a_place_found_gone_while_sending_is_left_alone(linked: Bot, bitso) -> None:
    """One refusal is enough; other places of the same account go on, and the owner hears of it there."""
    await share(linked)
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31, jobs=("poll_accounts",))
    await _refuse_in(linked, TEAM, SendError(Verdict.GONE, "kicked"))
    sends = linked.chat.sends
    await linked.turn(jobs=("deliver_messages",))
    assert linked.chat.sends == sends + 3
    assert ["Bought" in linked.texts(YOU)[-2], "I can't write to “Team”" in linked.last(YOU).text] == [
        True,
        True,
    ]
    (left,) = await rows(linked, "conversations", channel=TEAM)
    assert not left["live"]


async def test_a_group_that_threw_the_bot_out_needs_a_new_here(linked: Bot, bitso: Running) -> None:
    """Whoever brings the bot back, nobody's news start there again by themselves."""
    await share(linked)
    await linked.happens("left", chat=TEAM, as_=STRANGER)
    (place,) = {row["conversation"] for row in await rows(linked, "subscriptions")}
    assert [row["channel"] for row in await rows(linked, "conversations", id=place)] == [YOU]
    said = len(linked.texts(TEAM))
    await linked.happens("joined", chat=TEAM, as_=STRANGER)
    bitso.state.trade("buy", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert len(linked.texts(TEAM)) == said
    await share(linked)
    bitso.state.trade("sell", "btc_mxn", "0.01")
    await linked.turn(seconds=31)
    assert "Sold" in linked.last(TEAM).text


@pytest.mark.parametrize("what", ["joined", "renamed"])
async def test_other_happenings_are_taken_quietly(bot: Bot, what: str) -> None:
    """Being added, or anything we have no answer to, says nothing and fails nothing."""
    await bot.happens(what, chat=TEAM)
    assert bot.texts(TEAM) == []
    assert [line for line in bot.log.lines if line[0] == "error"] == []


async def _refuse_in(bot: Bot, chat: str, error: SendError) -> None:
    """Let the next delivery to one chat fail."""
    deliver = bot.chat.deliver
    left = [error]

    async def choosy(delivery):
        if delivery.place.channel == chat and left:
            bot.chat.sends += 1
            raise left.pop()
        return await deliver(delivery)

    vars(bot.ctx.postbox)["_platforms"]["web"] = type(
        "Choosy", (), {"deliver": staticmethod(choosy), "pace": bot.chat.pace}
    )()
