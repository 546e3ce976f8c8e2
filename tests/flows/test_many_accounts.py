"""Somebody with many accounts connects them in one go; only links that brought no key are counted."""

from chatbot.domain.links import MINTS_PER_HOUR
from tests.support.bot import Bot
from tests.support.connected import connect
from tests.support.practice import Running


async def test_more_accounts_than_links_an_hour(bot: Bot, bitso: Running) -> None:
    """One account more than links are given for nothing, each with a key of its own."""
    for _ in range(MINTS_PER_HOUR + 1):
        key, secret = bitso.state.new_key({"account", "balances", "fills"})
        await connect(bot, bitso, key=key, secret=secret)

    assert (await bot.type("/accounts")).text.count("Bitso …") == MINTS_PER_HOUR + 1
