"""Orders that fill in parts, and what a chat says of them."""

from typing import Any

from tests.support.bot import YOU, Bot
from tests.support.chat import Shown


def part(bitso: Any, order: str, side: str = "sell", amount: str = "0.001", **more: Any) -> dict[str, Any]:
    """Fill a part of an order."""
    trade: dict[str, Any] = bitso.state.trade(side, "btc_mxn", amount, **more)
    trade["oid"] = order
    return trade


def share_clock(bitso: Any, bot: Bot) -> None:
    """Let the exchange live in the bot's time."""
    bitso.state.clock = bot.clock.now


def told(bot: Bot, *words: str, chat: str = YOU) -> list[Shown]:
    """Return the messages of a chat with all these words, oldest first."""
    shown = [one for one in bot.chat.messages if one.chat == chat]
    return [one for one in shown if all(word in one.text for word in words)]
