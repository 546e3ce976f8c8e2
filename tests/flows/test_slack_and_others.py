"""Slack beside others: two workspaces of which one throws us out, and Telegram in the same process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatbot.platforms.telegram import Telegram
from tests.support import botapi, slackapi
from tests.support.rows import rows
from tests.support.slackapi import APP_TOKEN, SlackApi, token_of
from tests.support.slackbot import ANA, BEN, ELSEWHERE, MANY, SlackBot, install, open_slackbot, people
from tests.support.telegrams import Notes, QuickClock

TELEGRAM_USER = 77


@pytest.fixture
async def api() -> AsyncIterator[SlackApi]:
    """A Slack with two workspaces that complains about nothing."""
    async with slackapi.running() as api:
        people(api)
        yield api
        assert api.complaints == []


@asynccontextmanager
async def two_workspaces(folder: Path, api: SlackApi, bitso, *more: str) -> AsyncIterator[SlackBot]:
    """A bot that two workspaces have installed, each with accounts of people there."""
    async with open_slackbot(folder, {"bitso": bitso.origin}, api, slack_settings=MANY) as bot:
        bitso.state.clock = bot.bot.clock.now
        for team, user in (("T1", ANA), ("T2", ELSEWHERE)):
            assert (await install(bot, team, user)).status_code == 200
        await bot.connect(ANA, bitso)
        for user in (ELSEWHERE, *more):
            key, secret = bitso.state.new_key(("account", "balances", "fills"))
            await bot.connect(user, bitso, key, secret)
        yield bot


def digests(bot: SlackBot, user: str) -> int:
    """Return how many balances posts somebody has got."""
    return sum("Total $" in words for words in bot.words(user))


async def test_a_token_revoked_in_the_middle_of_a_digest_costs_nobody_anything(
    tmp_path, api, bitso, monkeypatch
):
    """With the first post of the day one workspace's token dies: the other gets all, and nothing is lost."""
    post, died = api.world.post, list[str]()

    def deadly(grant, params):
        shown = post(grant, params)
        if shown.team == "T1" and "Total $" in shown.words and not died:
            died.append(shown.channel)
            for one in api.world.tokens.values():
                one.refusal = "token_revoked" if "T1" in one.teams else one.refusal
        return shown

    async with two_workspaces(tmp_path, api, bitso, BEN, "UFAR") as bot:
        monkeypatch.setattr(api.world, "post", deadly)
        for _ in range(25):
            await bot.turn(seconds=3600)
        assert len(died) == 1
        assert [digests(bot, user) for user in (ELSEWHERE, "UFAR")] == [2, 2]
        assert digests(bot, ANA) + digests(bot, BEN) == 3
        bitso.state.trade("buy", "btc_mxn", "0.01")
        await bot.turn(seconds=31)
        assert "Bought 0.01 BTC" in bot.words("UFAR")[-1]
        assert (await install(bot, "T1", ANA)).status_code == 200
        for _ in range(3):
            await bot.turn(seconds=61)
        assert [digests(bot, user) for user in (ANA, BEN)] == [2, 2]
        assert "Bought 0.01 BTC" in bot.words(BEN)[-1]


async def test_an_uninstalled_workspace_is_read_no_more(tmp_path, api, bitso):
    """The app hears of it: its accounts are suspended, the other workspace goes on."""
    async with two_workspaces(tmp_path, api, bitso) as bot:
        await api.uninstall("T1")
        await bot.handled()
        states = {row["team"]: row["state"] for row in await rows(bot.bot, "accounts")}
        assert states == {"slack:T1": "suspended", "slack:T2": "active"}
        bitso.state.trade("buy", "btc_mxn", "0.01")
        await bot.turn(seconds=31)
        assert "Bought 0.01 BTC" in bot.words(ELSEWHERE)[-1]
        assert not any("Bought" in words for words in bot.words(ANA))
        assert (await install(bot, "T1", ANA)).status_code == 200
        assert "Total $" in (await bot.say(ANA, "balances")).words


async def test_a_workspace_that_never_installed_is_nobody(tmp_path, api, bitso):
    """What comes signed from a workspace we do not know is taken and comes to nothing."""
    async with open_slackbot(tmp_path, {"bitso": bitso.origin}, api, slack_settings=MANY) as bot:
        sent = await api.say(ANA, "help")
        await bot.handled()
        assert sent.status == 200
        assert (bot.words(ANA), await rows(bot.bot, "people")) == ([], [])


async def test_without_a_public_address_it_is_the_same(tmp_path, api, bitso):
    """Over Socket Mode: typed, pressed and slashed, through the link to balances and fills."""
    settings = {"token": token_of("T1"), "app_token": APP_TOKEN}
    async with open_slackbot(tmp_path, {"bitso": bitso.origin}, api, slack_settings=settings) as bot:
        bitso.state.clock = bot.bot.clock.now
        await bot.connect(ANA, bitso)
        await bot.slash(ANA, "/balances", "", "CTEAM")
        assert "Total $" in api.latest(ANA).words
        bitso.state.trade("buy", "btc_mxn", "0.01")
        await bot.turn(seconds=31)
        assert "Bought 0.01 BTC" in api.latest(ANA).words


async def test_one_process_serves_telegram_and_slack(tmp_path, api, bitso):
    """Each is answered on its own side, in the same words, and neither sees anything of the other's."""
    async with botapi.running() as telegrams:
        beside = Telegram(
            token=telegrams.token, public_url="https://bot.example.com", clock=QuickClock(), log=Notes(), api_url=telegrams.url
        )  # fmt: skip
        members = frozenset({f"slack:T1/{ANA}", "telegram:*"})
        async with open_slackbot(
            tmp_path, {"bitso": bitso.origin}, api, beside={"telegram": beside}, members=members
        ) as bot:
            await telegrams.say(TELEGRAM_USER, "/connect bitso")
            await telegrams.until(lambda: not telegrams.updates)
            await api.say(ANA, "connect bitso")
            await bot.handled()
            on_telegram = [shown.text for shown in telegrams.shown(TELEGRAM_USER)]
            assert len(on_telegram) == len(bot.words(ANA)) == 1
            assert on_telegram[0].split() == bot.words(ANA)[0].split()
            assert "step 1 of" in on_telegram[0]
        assert telegrams.complaints == []
