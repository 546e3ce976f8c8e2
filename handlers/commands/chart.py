"""/chart [period] [account]: value over time and what it is made of, as a picture."""

import re
from collections.abc import Sequence

from chatbot.domain.credentials import Account, matching
from chatbot.domain.messages import Post, Reply, message
from chatbot.domain.pictures import Shade
from chatbot.errors import BadArgument, mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.ports.worth import WishKind
from chatbot.registry import Command, action, command
from handlers.notifications.accounts import pick

USUAL_DAYS = 30
MOST_DAYS = 3660
_DAYS = {"": 1, "d": 1, "w": 7, "m": 30, "y": 365}
_PERIOD = re.compile(r"([0-9]{1,4})([dwmy]?)")
_NUMBER = re.compile(r"[-+−–.,]?\d")


@command("chart", mark("A picture of your value over time"), usage="[30d] [account]", section=Section.READ)
async def chart(cmd: Command, ctx: ChatContext) -> Reply:
    """Have a picture drawn of all accounts, or of the one meant; it comes in a moment."""
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    days, words = _meant(cmd, mine)
    chosen = pick(mine, words, f"chart {days}d")
    read = [account for account in chosen if await ctx.store.balances.latest(account.id) is not None]
    if not read:
        names = ", ".join(account.name for account in chosen)
        wait = ctx.t.say("{account}: nothing read yet. It is on its way.", account=names)
        return Reply((Post(message(wait)),))
    await _ask(ctx, days, words, [account.id for account in read])
    return Reply()


@action("chart.shade")
async def darken(cmd: Command, ctx: ChatContext) -> Reply:
    """Set how dark pictures are from now on, and draw the same one anew."""
    shade, days, words, *accounts = cmd.args
    await ctx.store.people.change(ctx.person.id, shade=shade)
    await _ask(ctx, int(days), words, accounts)
    dark = Shade(shade) is Shade.DARK
    return Reply(toast=ctx.t.say("Pictures are dark now.") if dark else ctx.t.say("Pictures are light now."))


async def _ask(ctx: ChatContext, days: int, words: str, accounts: Sequence[str]) -> None:
    wanted = {"days": days, "words": words, "accounts": list(accounts)}
    await ctx.store.wishes.add(WishKind.CHART, ctx.person.id, ctx.conversation.id, wanted, ctx.clock.now())
    ctx.queue.nudge("draw_charts")


def _meant(cmd: Command, mine: Sequence[Account]) -> tuple[int, str]:
    """Return how many days are meant, and the words that are left for the account."""
    first, *rest = cmd.args or ("",)
    days = _days(first)
    if days:
        return days, " ".join(rest)
    # An account's name may begin with a number too.
    if not _NUMBER.match(first) or matching(mine, cmd.rest):
        return USUAL_DAYS, cmd.rest
    raise BadArgument(
        mark(
            "I can't draw “{words}”. Write a time from one day to ten years, like this: /chart 7d, /chart 3m "
            "or /chart 1y"
        ),
        choices=(("7d", "chart 7d"), ("30d", "chart 30d"), ("1y", "chart 1y")),
        words=cmd.rest[:32],
    )


def _days(words: str) -> int:
    found = _PERIOD.fullmatch(words.lower())
    days = int(found[1]) * _DAYS[found[2]] if found else 0
    return days if days <= MOST_DAYS else 0
