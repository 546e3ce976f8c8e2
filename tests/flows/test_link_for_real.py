"""Linked over the real platforms in one process, and on the database of many processes."""

from pathlib import Path

import pytest

from chatbot.platforms.telegram import Telegram
from tests.support import botapi, slackapi
from tests.support.bot import YOU
from tests.support.connected import connect
from tests.support.linking import ANA, join, new_account, open_two, unlink
from tests.support.practice import Running
from tests.support.rows import rows
from tests.support.slackbot import ANA as ON_SLACK
from tests.support.slackbot import open_slackbot, people
from tests.support.telegrams import Notes, QuickClock

ON_TELEGRAM = 77
MEMBERS = frozenset({f"slack:T1/{ON_SLACK}", f"telegram:{ON_TELEGRAM}"})


async def test_a_code_shown_on_telegram_is_typed_on_slack(tmp_path: Path, bitso: Running) -> None:
    """The account connected on Slack is then listed on Telegram, and a fill is told where it always was."""
    async with botapi.running() as telegrams, slackapi.running() as api:
        people(api)
        beside = Telegram(
            token=telegrams.token, public_url="https://bot.example.com", clock=QuickClock(), log=Notes(),
            api_url=telegrams.url,
        )  # fmt: skip
        async with open_slackbot(
            tmp_path, {"bitso": bitso.origin}, api, beside={"telegram": beside}, members=MEMBERS
        ) as bot:

            async def on_telegram(words: str) -> str:
                await telegrams.say(ON_TELEGRAM, words)
                await telegrams.until(lambda: not telegrams.updates)
                await bot.handled()
                return str(telegrams.shown(ON_TELEGRAM)[-1].text)

            await bot.connect(ON_SLACK, bitso)
            code = (await on_telegram("/link")).partition("/link ")[2][:9]
            question = await bot.say(ON_SLACK, f"link {code.lower()}")
            assert f"telegram:{ON_TELEGRAM}" in question.words
            await bot.press(question, "Yes, do it", ON_SLACK)
            assert "You are linked" in api.latest(ON_SLACK).words
            assert "You are linked" in telegrams.shown(ON_TELEGRAM)[-1].text
            assert bitso.state.key[-4:] in await on_telegram("/accounts")
            bitso.state.trade("buy", "btc_mxn", "0.01")
            await bot.turn(seconds=31)
            assert "Bought 0.01 BTC" in api.latest(ON_SLACK).words
            assert [row["team"] for row in await rows(bot.bot, "accounts")] == ["home"]
        assert (telegrams.complaints, api.complaints) == ([], [])


@pytest.mark.postgres
async def test_linked_and_parted_on_postgresql(tmp_path: Path, bitso: Running, fresh_postgres: str) -> None:
    """The same rows follow the same way, and back."""
    async with open_two(tmp_path, bitso, url=fresh_postgres) as web:
        slack = web.on("slack")
        await connect(web, bitso)
        theirs = await new_account(slack, bitso, ANA)
        await join(web, YOU, slack, ANA)
        assert theirs in (await web.type("/accounts")).text
        assert {row["team"] for row in await rows(web, "fills")} == {"home"}
        await web.turn(seconds=91)
        await unlink(slack, ANA)
        assert theirs not in (await web.type("/accounts")).text
        await web.turn(seconds=91)
        assert {(row["team"], row["state"]) for row in await rows(web, "accounts")} == {
            ("home", "active"),
            ("slack:T1", "active"),
        }
        assert [line for line in web.log.lines if line[0] != "info"] == []
