"""Two platforms side by side, and somebody who links them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from chatbot.domain.people import Roster
from tests.support.bot import ADMIN, YOU, Bot, open_bot
from tests.support.chat import Chat, Shown
from tests.support.connected import connect
from tests.support.practice import Running

ANA = "ana"
CHIEF = "chief"
WORKSPACE = "T1"
LISTS = Roster(
    frozenset({f"web:{ADMIN}", f"slack:{WORKSPACE}/{CHIEF}"}),
    frozenset(
        {f"web:{YOU}", "web:other", f"slack:{WORKSPACE}/{ANA}", f"slack:{WORKSPACE}/eve", "telegram:7"}
    ),
)


@asynccontextmanager
async def open_two(
    folder: Path, bitso: Running, start: datetime | None = None, url: str = ""
) -> AsyncIterator[Bot]:
    """Open a bot on the web, in a workspace and on Telegram; *you*, *ana* and *7* are one human."""
    beside = (Chat("slack", workspace=WORKSPACE), Chat("telegram"))
    async with open_bot(folder, {"bitso": bitso.origin}, url, start, beside=beside, roster=LISTS) as bot:
        state: Any = bitso.state
        state.clock = bot.clock.now
        yield bot


def code_in(shown: Shown) -> str:
    """Return the code that a message shows."""
    found = re.search(r"/link ([2-9A-Z]{4}-[2-9A-Z]{4})", shown.text)
    assert found, shown.text
    return found[1]


async def show_code(bot: Bot, as_: str) -> str:
    """Ask for a code."""
    return code_in(await bot.type("/link", as_=as_))


async def join(shows: Bot, shower: str, types: Bot, typer: str) -> Shown:
    """Show a code on one side, type it on the other, say yes; return what the typer reads then."""
    code = await show_code(shows, shower)
    question = await types.type(f"/link {code}", as_=typer)
    return await types.press("Yes, do it", as_=typer, on=question)


async def unlink(bot: Bot, as_: str) -> Shown:
    """Ask to unlink, say yes, and return what is read then."""
    await bot.type("/link", as_=as_)
    question = await bot.press("Unlink", as_=as_)
    return await bot.press("Yes, do it", as_=as_, on=question)


async def new_account(bot: Bot, bitso: Running, as_: str) -> str:
    """Connect one more key and return its last four characters."""
    key, secret = bitso.state.new_key(("account", "balances", "fills"))
    await connect(bot, bitso, as_=as_, key=key, secret=secret)
    return key[-4:]
