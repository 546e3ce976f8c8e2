"""From `/connect kucoin` to the first fill, by typing and reading: an exchange that only ccxt knows."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from chatbot import exchanges
from chatbot.domain.pacing import Budget, Meter
from chatbot.exchanges.other.rows import milliseconds
from chatbot.ports.desk import Accepted, Refused
from tests.support.bot import Bot, link_of, open_bot
from tests.support.connected import connect
from tests.support.page import submit
from tests.support.practice import Running
from tests.support.venues import KEY, PASSPHRASE, SECRET, Venue, venue


@pytest.fixture
async def kucoin() -> AsyncIterator[Venue]:
    """A KuCoin on loopback."""
    async with venue("kucoin") as state:
        yield state


@pytest.fixture
async def kubot(tmp_path: Path, kucoin: Venue) -> AsyncIterator[Bot]:
    """A bot that reads it."""
    async with open_bot(tmp_path, {"kucoin": kucoin.origin}, currency="EUR") as opened:
        # The clock is virtual, the pace towards an exchange is not.
        read: Any = opened.ctx.exchanges["kucoin"]
        read._library.wire._meter = Meter(Budget(10**6, 1))
        yield opened


async def test_kucoin_is_connected_and_read_like_any_other(kubot: Bot, kucoin: Venue) -> None:
    """Guide, link, form with a passphrase, code, balances with their value, and the fill that comes later."""
    assert "KuCoin" in (await kubot.type("/connect kucoin")).text
    url = await link_of(kubot, "kucoin")
    answer = await submit(kubot.desk, url, KEY, SECRET, PASSPHRASE)
    assert isinstance(answer, Accepted), answer
    await kubot.turn()
    question = kubot.last()
    assert answer.code in question.text
    assert "KuCoin" in question.text
    assert "not reported" in question.text
    assert "is connected" in (await kubot.press("Confirm")).text
    await kubot.turn(seconds=3)
    await kubot.turn(seconds=3)
    assert any("€20,100.50" in text for text in kubot.texts()), kubot.texts()
    kucoin.fill(milliseconds(kubot.clock.now()) + 1000)
    await kubot.turn(seconds=60)
    await kubot.turn(seconds=60)
    told = [text for text in kubot.texts() if "0.5 BTC" in text and "20,000.1" in text]
    assert len(told) == 1, kubot.texts()
    assert not any(part in text for text in kubot.texts() for part in (SECRET, PASSPHRASE, KEY))
    assert set(kucoin.signed()) == {
        "/api/v1/hf/accounts/opened", "/api/ua/v1/account/mode", "/api/v1/accounts", "/api/v1/hf/fills",
    }  # fmt: skip


async def test_a_wrong_passphrase_is_told_as_a_wrong_secret(kubot: Bot) -> None:
    """The page says what to copy again, and the try counts."""
    answer = await submit(kubot.desk, await link_of(kubot, "kucoin"), KEY, SECRET, "wrong")

    assert isinstance(answer, Refused)
    assert "secret does not match" in answer.reason
    assert SECRET not in answer.reason


async def test_the_tick_list_is_in_plain_words(kubot: Bot) -> None:
    """Nobody knows what KuCoin calls it, so the list says what such a tick is usually called."""
    await kubot.type("/connect kucoin")
    shown = kubot.last().text
    while "☑" not in shown:
        shown = (await kubot.press("Next")).text
    assert "☑ Read (or: View, Query, General)" in shown
    assert "☐ Withdraw — leave off" in shown


@pytest.mark.parametrize("command", ["/connect", "/start"])
async def test_more_exchanges_are_offered_by_name(kubot: Bot, command: str) -> None:
    """Our own as buttons, and one line that says how to get at the rest."""
    shown = await kubot.type(command)

    assert "/connect kucoin" in shown.text
    assert len([label for label in shown.labels if "Bitso" in label]) == 1


async def test_a_mistyped_name_gets_the_nearest(kubot: Bot) -> None:
    """A press on the nearest name begins its guide."""
    shown = await kubot.type("/connect bitvavoo")

    assert shown.labels[0] == "bitvavo"
    assert "Bitvavo · step 1 of" in (await kubot.press("bitvavo")).text


async def test_an_exchange_with_wallet_keys_is_refused_in_a_sentence(kubot: Bot) -> None:
    """Nobody is ever asked for a wallet's private key."""
    shown = await kubot.type("/connect hyperliquid")

    assert "Hyperliquid" in shown.text
    assert "privateKey" in shown.text
    assert "link" not in shown.text


class Plain(exchanges.Exchanges):
    """The exchanges of an installation without the extra."""

    @property
    def others(self) -> Sequence[str]:
        """None."""
        return ()

    def __getitem__(self, name: str):
        if name not in self._built:
            raise KeyError(name)
        return self._built[name]


async def test_without_the_extra_one_sentence_names_it(
    tmp_path: Path, kucoin: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who runs the bot learns what to install, and the person what can be read now."""
    monkeypatch.setattr(exchanges, "Exchanges", Plain)
    async with open_bot(tmp_path, {"kucoin": kucoin.origin}) as bot:
        shown = await bot.type("/connect kucoin")
        plain = [await bot.type(command) for command in ("/connect", "/start")]

    assert "keyherald[ccxt]" in shown.text
    assert "Bitso" in shown.labels
    assert [one for one in plain if "kucoin" in one.text] == []
    assert kucoin.requests == []


async def test_an_account_whose_extra_is_gone_stops_no_other(
    tmp_path: Path, kucoin: Venue, bitso: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the extra is taken away again, all accounts are shown and the others read on."""
    async with open_bot(tmp_path, {"kucoin": kucoin.origin, "bitso": bitso.origin}) as bot:
        await connect(bot, bitso)
        await submit(bot.desk, await link_of(bot, "kucoin"), KEY, SECRET, PASSPHRASE)
        await bot.turn()
        await bot.press("Confirm")
    monkeypatch.setattr(exchanges, "Exchanges", Plain)
    asked = len(bitso.state.requests)
    async with open_bot(tmp_path, {"bitso": bitso.origin}) as bot:
        bot.clock.advance(hours=1)
        await bot.turn(seconds=60)
        shown = await bot.type("/accounts")
        ended = await bot.type("/disconnect kucoin")

    assert len(bitso.state.requests) > asked
    assert "read at" in shown.text
    assert "Kucoin can't be reached now" in shown.text
    assert "Disconnect KuCoin" in ended.text
