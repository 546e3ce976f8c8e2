"""Somebody is taken off MEMBERS: nothing is read or posted any more, and what is theirs stays theirs to end."""

from dataclasses import replace

from chatbot.dispatcher import Desk, Dispatcher
from chatbot.domain.people import Roster
from chatbot.ports.desk import Accepted
from tests.support.bot import ADMIN, STRANGER, YOU, Bot, link_of
from tests.support.connected import share
from tests.support.page import submit, token_of
from tests.support.practice import Running
from tests.support.rows import rows


def relist(bot: Bot, *members: str) -> None:
    """Start anew with other MEMBERS."""
    bot.ctx = replace(bot.ctx, roster=Roster(frozenset({f"web:{ADMIN}"}), frozenset(members)))
    bot.dispatcher = Dispatcher(bot.registry, bot.ctx, bot.ctx.postbox.parse)  # type: ignore[attr-defined]
    bot.desk = Desk(bot.registry, bot.ctx)


async def test_an_open_link_is_dead(bot: Bot, bitso: Running) -> None:
    """Neither opening nor submitting tells more than of any dead link, and the exchange is not asked."""
    url = await link_of(bot)
    opened = await bot.desk.open(token_of(url)[0], "en")
    assert opened is not None
    relist(bot)
    asked = len(bitso.state.requests)
    assert await bot.desk.open(token_of(url)[0], "en") is None
    assert await bot.desk.submit(token_of(url)[0], b"x" * 400, "en") is None
    assert len(bitso.state.requests) == asked
    assert [row["state"] for row in await rows(bot, "links")] == ["revoked"]
    (entry,) = await rows(bot, "audit", action="submit")
    assert (entry["actor"], entry["outcome"]) == ("web:you", "not_a_member")


async def test_nothing_is_read_or_posted(linked: Bot, bitso: Running) -> None:
    """The account is suspended with the next poll, its daily post is left out, and the audit says why."""
    await share(linked)
    relist(linked)
    asked, said = len(bitso.state.requests), len(linked.chat.messages)
    bitso.state.trade("buy", "btc_mxn", "0.01")
    linked.clock.advance(days=1)
    await linked.turn(jobs=("post_balances", "poll_accounts", "post_balances", "deliver_messages"))
    await linked.turn(seconds=61)
    await linked.turn(seconds=61)
    assert (len(bitso.state.requests), len(linked.chat.messages)) == (asked, said)
    assert [row["state"] for row in await rows(linked, "accounts")] == ["suspended"]
    (entry,) = await rows(linked, "audit", action="suspend")
    assert (entry["actor"], entry["outcome"]) == ("policy", "owner_not_listed")


async def test_back_on_the_list_reading_goes_on(linked: Bot, bitso: Running) -> None:
    """Within a minute, with what happened meanwhile."""
    relist(linked)
    await linked.turn(seconds=31)
    bitso.state.trade("buy", "btc_mxn", "0.01")
    relist(linked, f"web:{YOU}")
    await linked.turn(seconds=61)
    assert "Bought" in linked.last().text
    assert [row["state"] for row in await rows(linked, "accounts")] == ["active"]
    assert len(await rows(linked, "audit", action="resume")) == 1


async def test_the_owner_can_still_see_and_delete_everything(linked: Bot) -> None:
    """Whatever is typed leads to the two commands that remain."""
    relist(linked)
    shown = await linked.type("/start")
    assert "not on this bot's list any more" in shown.text
    assert shown.labels == ["/privacy", "/disconnect"]
    assert "What I store about you" in (await linked.press("/privacy")).text
    await linked.press("Delete everything of mine")
    assert "Everything of yours is deleted" in (await linked.press("Yes, do it")).text
    assert await rows(linked, "accounts") == []
    assert "Please ask its admin to add this id" in (await linked.type("/privacy")).text


async def test_the_owner_can_still_disconnect(linked: Bot) -> None:
    """By typing it; buttons of other commands no longer work."""
    await linked.type("/currency")
    relist(linked)
    await linked.press("MXN")
    assert "Only members" in linked.chat.toasts[-1]
    await linked.type("/disconnect")
    assert "is disconnected" in (await linked.press("Yes, do it")).text


async def test_who_owns_nothing_is_a_stranger_as_ever(bot: Bot, bitso: Running) -> None:
    """No command is open to somebody who never connected anything."""
    for command in ("/start", "/privacy", "/disconnect"):
        assert "Please ask its admin" in (await bot.type(command, as_=STRANGER)).text
    assert isinstance(
        await submit(bot.desk, await link_of(bot), bitso.state.key, bitso.state.secret), Accepted
    )
