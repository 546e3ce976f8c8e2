"""A bot and the practice server of any exchange, for flows that hold at every one of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chatbot.ports.desk import Accepted, BadSeal, Refused
from tests.support.bot import Bot, link_of, open_bot
from tests.support.page import submit
from tests.support.practice import Running, practice


@asynccontextmanager
async def met(folder: Path, name: str, **changed: Any) -> AsyncIterator[tuple[Bot, Running]]:
    """Open a bot that reads the practice server of an exchange; `changed` replaces options."""
    async with practice(name) as running, open_bot(folder, {name: running.origin}, **changed) as bot:
        setattr(running.state, "clock", bot.clock.now)  # noqa: B010  every practice account has one
        yield bot, running


async def hand_in(
    bot: Bot, running: Running, keys: tuple[str, str] = ("", ""), *, url: str = ""
) -> Accepted | Refused | BadSeal | None:
    """Walk to the link unless there is one, and submit a key; the exchange's first where none is given."""
    address = url or await link_of(bot, running.name)
    key, secret = keys
    third = (running.state.passphrase,) if running.state.passphrase else ()
    return await submit(bot.desk, address, key or running.state.key, secret or running.state.secret, *third)
