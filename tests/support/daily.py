"""Days that pass for a bot, and what it had drawn."""

from datetime import timedelta

from sqlalchemy import text

from tests.support.bot import Bot, Sketches

DAILY = ("poll_accounts", "post_balances", "post_together", "deliver_messages")


def sketches(bot: Bot) -> Sketches:
    """Return what was drawn for the bot."""
    assert isinstance(bot.ctx.charts, Sketches)
    return bot.ctx.charts


async def days(bot: Bot, count: int, *, deliver: bool = True) -> None:
    """Let days pass, the last ending an hour after the daily post was due."""
    end = bot.clock.now().replace(hour=9, minute=0) + timedelta(days=count)
    while bot.clock.now() < end:
        last = bot.clock.now() + timedelta(hours=1) >= end
        await bot.turn(seconds=3600, jobs=DAILY[:-1] if last and not deliver else DAILY)


async def change(bot: Bot, statement: str) -> None:
    """Change rows by hand."""
    async with bot.database.transaction() as tx:
        await tx.run(text(statement))
