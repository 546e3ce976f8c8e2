"""A long walk through new fills that an exchange cuts off half-way goes on from there, and never begins anew."""

from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chatbot.domain.people import HOME_TEAM
from chatbot.errors import ExchangeError, Trouble
from chatbot.ports.exchanges import Page
from handlers.jobs.poll_accounts import reading
from handlers.jobs.poll_accounts.reading import Found
from tests.support.bot import Bot


@dataclass
class Walk:
    """A client with so many pages, that refuses once at one of them."""

    pages: int
    refuse_at: int
    trouble: Trouble = Trouble.RATE_LIMIT
    asked: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)

    async def fills_after(self, cursor: str) -> Page:
        self.asked.append(cursor)
        at = int(cursor or 0)
        if at == self.refuse_at:
            self.refuse_at = -1
            raise ExchangeError(self.trouble, "too many", wait=60)
        return Page((), str(at + 1), at + 1 < self.pages)

    async def fills_before(self, cursor: str) -> Page:
        self.back.append(cursor)
        return Page((), cursor, more=False)


async def read(bot: Bot, walk: Walk, cursor: str) -> Found:
    found = Found(cursor=cursor)
    work: Any = SimpleNamespace(
        deadline=bot.clock.now() + timedelta(minutes=5), account=SimpleNamespace(team=HOME_TEAM)
    )
    client: Any = walk
    await reading._new_fills(work, client, found, bot.ctx)
    return found


async def test_what_was_read_before_a_refusal_is_kept(bot: Bot) -> None:
    """The next poll waits as long as it was told, and asks for the page that was refused."""
    walk = Walk(pages=5, refuse_at=3)

    first = await read(bot, walk, "")
    second = await read(bot, walk, first.cursor or "")

    assert (first.cursor, first.more, first.wait) == ("3", True, 60)
    assert (second.cursor, second.more) == ("5", False)
    assert walk.asked == ["", "1", "2", "3", "3", "4"]


async def test_who_is_told_to_wait_asks_nothing_more(bot: Bot) -> None:
    """History waits as well when an exchange asks us to slow down: asking on would get us banned."""
    walk = Walk(pages=5, refuse_at=3)
    found = Found(cursor="")
    work: Any = SimpleNamespace(
        deadline=bot.clock.now() + timedelta(minutes=5),
        account=SimpleNamespace(history_done=False, team=HOME_TEAM),
        history="0",
        history_at=None,
    )
    client: Any = walk

    await reading._fills(work, client, found, bot.ctx.exchanges["bitso"], bot.ctx)

    assert (found.cursor, found.wait, found.history_at) == ("3", 60, None)
    assert walk.back == []


@pytest.mark.parametrize(("at", "trouble"), [(0, Trouble.RATE_LIMIT), (2, Trouble.NO_PERMISSION)])
async def test_a_refusal_of_the_first_page_or_for_good_is_a_failure(
    bot: Bot, at: int, trouble: Trouble
) -> None:
    """Nothing was gained, or waiting would not help: the poll says what is wrong."""
    with pytest.raises(ExchangeError):
        await read(bot, Walk(pages=5, refuse_at=at, trouble=trouble), "0" if at == 0 else "")
