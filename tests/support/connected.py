"""What most flows start from: a person whose key was taken in over the link and confirmed."""

from chatbot.ports.desk import Accepted
from tests.support.bot import TEAM, YOU, Bot, link_of
from tests.support.page import submit
from tests.support.practice import Running


async def connect(bot: Bot, bitso: Running, *, as_: str = YOU, key: str = "", secret: str = "") -> None:
    """Guide, link, key, code, Confirm; then every job has run once."""
    url = await link_of(bot, bitso.name, as_=as_)
    answer = await submit(bot.desk, url, key or bitso.state.key, secret or bitso.state.secret)
    assert isinstance(answer, Accepted), answer
    await bot.turn()
    assert answer.code in bot.last(as_).text
    await bot.press("Confirm", as_=as_)
    await bot.turn(seconds=1)
    await bot.turn(seconds=1)


async def share(bot: Bot, chat: str = TEAM, *, as_: str = YOU, words: str = "/here") -> None:
    """/here in a group, and the owner's yes in private."""
    await bot.type(words, chat=chat, as_=as_)
    await bot.press("Yes, send them there", as_=as_)
