"""What a key may do decides whether it is taken, at every exchange; of one that is refused nothing is kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from chatbot.domain.permissions import Permission, Policy
from chatbot.exchanges import discover
from chatbot.exchanges.bitso.client import BitsoClient
from chatbot.ports.desk import Accepted, Refused
from chatbot.ports.exchanges import Proof
from tests.support.anyexchange import hand_in, met
from tests.support.bot import Bot, link_of
from tests.support.page import submit
from tests.support.practice import Running
from tests.support.rows import everything, tables_naming

EVERY = pytest.mark.parametrize("name", discover())
TRADING = Policy(frozenset({Permission.WITHDRAW, Permission.TRANSFER}), frozenset(), trade=True)
LAX = Policy(frozenset(), frozenset())
READS = ("balances", "fills", "account")
# What a key leaves when it is taken: the account with its sealed box, and its first balances.
KEPT = ("accounts", "balances")


async def nothing_kept(bot: Bot, *words: str) -> bool:
    """Tell whether no account is there and no table names a word."""
    held = await everything(bot)
    return not any(held[name] for name in KEPT) and await tables_naming(bot, *words) == set()


@EVERY
async def test_a_key_that_can_withdraw_is_refused_where_that_is_told(tmp_path: Path, name: str) -> None:
    """By the exchange's own label, on the page and in the chat; where it is not told, eyes are asked."""
    async with met(tmp_path, name) as (bot, running):
        exchange = bot.ctx.exchange(name)
        keys = running.state.new_key({*READS, "withdraw"})
        answer = await hand_in(bot, running, keys)
        await bot.turn()
        text = bot.last().text
        if Permission.WITHDRAW in exchange.unreported:
            assert isinstance(answer, Accepted)
            assert "see that only these are ticked" in text
            return
        assert isinstance(answer, Refused)
        label = f"“{exchange.labels[Permission.WITHDRAW]}”"
        assert "can do too much" in answer.reason
        assert (label in answer.reason, label in text) == (True, True)
        assert await nothing_kept(bot, *keys)


@EVERY
async def test_a_trading_installation_needs_the_order_right(tmp_path: Path, name: str) -> None:
    """A key that only looks is refused by the tick it lacks; where that is not told, it is taken."""
    async with met(tmp_path, name, policy=TRADING) as (bot, running):
        exchange = bot.ctx.exchange(name)
        keys = running.state.new_key(READS)
        answer = await hand_in(bot, running, keys)
        await bot.turn()
        if Permission.TRADE in exchange.unreported:
            assert isinstance(answer, Accepted)
            return
        assert isinstance(answer, Refused)
        label = f", tick “{exchange.labels[Permission.TRADE]}”"
        assert (label in answer.reason, label in bot.last().text) == (True, True)
        assert await nothing_kept(bot, *keys)
        assert "A tick is missing" not in bot.last().text


@EVERY
async def test_a_good_key_is_shown_with_what_is_known_of_it(tmp_path: Path, name: str) -> None:
    """Table, addresses and expiry are there; eyes are asked only where something is not reported."""
    async with met(tmp_path, name) as (bot, running):
        exchange = bot.ctx.exchange(name)
        assert isinstance(await hand_in(bot, running), Accepted)
        await bot.turn()
        text = bot.last().text
        rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line}
        assert rows["balances"][0] == "on"
        assert ("?" in rows["withdraw"]) is (Permission.WITHDRAW in exchange.unreported)
        assert ("see that only these are ticked" in text) is bool(exchange.unreported)
        assert "Expiry: " in text
        assert any(said in text for said in ("Works from any", "Works only from", "Addresses it works from"))
        assert "untick it to be safe" not in text


@pytest.fixture
def strange(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every key of Bitso have a tick that nobody here knows."""
    prove = BitsoClient.prove

    async def with_strange(client: BitsoClient) -> Proof:
        proof = await prove(client)
        return replace(proof, report=replace(proof.report, strange=("teleport",)))

    monkeypatch.setattr(BitsoClient, "prove", with_strange)


@pytest.mark.usefixtures("strange")
async def test_a_tick_nobody_knows_refuses_a_key(bot: Bot, bitso: Running) -> None:
    """It may be the right to withdraw: named by its own word, nothing kept, one card however many tries."""
    keys = (bitso.state.key, bitso.state.secret)
    url = await link_of(bot)
    for _ in range(2):
        answer = await submit(bot.desk, url, *keys)
        await bot.turn()
        assert isinstance(answer, Refused)
        assert answer.reason in bot.last().text
        assert "I don't know the tick “teleport”; untick it to be safe." in answer.reason
    assert sum("“teleport”" in text for text in bot.texts()) == 1
    assert await nothing_kept(bot, *keys)


@pytest.mark.usefixtures("strange")
async def test_a_tick_nobody_knows_is_only_warned_of_where_withdrawing_is(tmp_path: Path) -> None:
    """An operator who refuses nothing is not refused anything; the tick is still named."""
    async with met(tmp_path, "bitso", policy=LAX) as (bot, running):
        assert isinstance(await hand_in(bot, running), Accepted)
        await bot.turn()
        assert "I don't know the tick “teleport”; untick it to be safe." in bot.last().text


async def test_a_key_that_was_put_right_is_taken_over_the_same_link(tmp_path: Path) -> None:
    """Refused, unticked, taken: the link stays open for it."""
    async with met(tmp_path, "hitbtc") as (bot, running):
        keys = running.state.new_key({*READS, "transfer"})
        url = await link_of(bot, "hitbtc")
        assert isinstance(await hand_in(bot, running, keys, url=url), Refused)
        running.state.permit(keys[0], READS)
        assert isinstance(await hand_in(bot, running, keys, url=url), Accepted)
