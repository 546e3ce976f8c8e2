"""Slack's tokens, secrets and rights, and the link's address, are looked for in log, files and all Slack was sent."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support import leaks, slackapi
from tests.support.page import submit
from tests.support.slackapi import Fault
from tests.support.slackapi.methods import CLIENT
from tests.support.slackapi.people import SIGNING_SECRET
from tests.support.slackbot import ANA, CHIEF, MANY, SlackBot, install, open_slackbot, people

Way = Callable[[SlackBot], Awaitable[None]]
WAYS: dict[str, Way] = {}


def way(function: Way) -> Way:
    """Add something that may happen, named by its function."""
    WAYS[function.__name__] = function
    return function


@way
async def all_is_well(bot: SlackBot) -> None:
    for words in ("help", "accounts", "balances", "keys", "status", "privacy"):
        await bot.say(ANA, words)
    await bot.slash(ANA, "/balances", "", "CTEAM")


@way
async def slack_breaks_every_answer(bot: SlackBot) -> None:
    for fault in (Fault.CLOSE, Fault.CLOSE_EARLY, Fault.RESET, Fault.CUT, Fault.GARBAGE, Fault.BAD_GATEWAY):
        for method in ("chat.postMessage", "users.info", "conversations.open"):
            bot.api.fail(method, fault)
        await bot.api.say(ANA, "balances")
        await bot.handled()
        bot.bot.clock.advance(minutes=6)


@way
async def slack_refuses(bot: SlackBot) -> None:
    for error in ("invalid_blocks", "internal_error", "is_archived", "invalid_auth", "something_new"):
        bot.api.fail("chat.postMessage", error)
        await bot.api.say(ANA, "balances")
        await bot.handled()
        bot.bot.clock.advance(minutes=2)


@way
async def somebody_forges(bot: SlackBot) -> None:
    body, kind = bot.api.body_of(await bot.api.say(ANA, "help"))
    assert (await bot.api.post(body, kind, secret="another")).status_code == 401
    assert (await bot.api.post(body, kind, at=1)).status_code == 401
    assert (await bot.api.post(body[:-9], kind)).status_code in {200, 400}


@way
async def the_token_is_revoked(bot: SlackBot) -> None:
    await bot.api.revoke("T1")
    await bot.handled()


@way
async def a_secret_is_pasted(bot: SlackBot) -> None:
    url = await bot.link(ANA)
    shown = await bot.say(ANA, f"{bot.bot.ctx.options.public_url} {url}")
    assert "/key#" not in shown.words


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("many", [False, True], ids=["one workspace", "many workspaces"])
async def test_nothing_secret_is_left_anywhere(tmp_path: Path, bitso, name: str, many: bool) -> None:
    """No token, signing or client secret, response_url, trigger, key or link stays behind in clear."""
    async with slackapi.running() as api:
        people(api)
        api.methods.rotation = many
        settings = MANY if many else None
        async with open_slackbot(tmp_path, {"bitso": bitso.origin}, api, slack_settings=settings) as bot:
            bitso.state.clock = bot.bot.clock.now
            if many:
                await install(bot, "T1", CHIEF)
            url = await bot.link(ANA)
            await submit(bot.bot.desk, url, bitso.state.key, bitso.state.secret)
            await bot.turn()
            await bot.press(api.latest(ANA), "Confirm", ANA)
            await WAYS[name](bot)
        assert api.complaints == []
        secrets = [*api.world.tokens, *api.methods.refreshes, SIGNING_SECRET, CLIENT[1], bitso.state.secret]
        kept = [url.partition("#")[2].partition(".")[0], "hooks.slack.com", ".fake0000", *secrets]
        assert [word for word in kept if leaks.in_text(repr(bot.bot.log.lines), word)] == []
        assert [word for word in kept if leaks.in_files(tmp_path, word)] == []
        shown = repr([params for method, params in api.calls if method != "oauth.v2.access"])
        assert [word for word in secrets if leaks.in_text(shown, word)] == []
        assert leaks.in_files(tmp_path, ANA), "the search reads the files"
