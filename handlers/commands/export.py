"""/export fills [year] [account], /export balances [account]: a CSV file, in private."""

import re
from zoneinfo import ZoneInfo

from chatbot.domain.credentials import matching
from chatbot.domain.messages import Reply, reply
from chatbot.errors import BadArgument, mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.ports.worth import WishKind
from chatbot.registry import Command, command
from handlers.notifications.accounts import pick

FIRST_YEAR = 2009
_NUMBER = re.compile(r"[0-9]{1,8}")


@command(
    "export",
    mark("Your fills or balances as a CSV file"),
    usage="fills [year] | balances",
    section=Section.READ,
)
async def export(cmd: Command, ctx: ChatContext) -> Reply:
    """Have a file made of the accounts meant; it comes in a moment."""
    what, *words = cmd.args or ("",)
    if what.lower() not in {"fills", "balances"}:
        raise _unclear(
            mark(
                "I can export fills of a year, or balances as they are now, like this: /export fills {year}"
            ),
            ctx,
        )
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    year = 0
    if words and _NUMBER.fullmatch(words[0]) and not matching(mine, " ".join(words)):
        year, words = _year(what, words[0], ctx), words[1:]
    chosen = pick(mine, " ".join(words), f"export {what}" + (f" {year}" if year else ""))
    wanted = {"what": what.lower(), "year": year, "accounts": [account.id for account in chosen]}
    await ctx.store.wishes.add(WishKind.EXPORT, ctx.person.id, ctx.conversation.id, wanted, ctx.clock.now())
    ctx.queue.nudge("make_exports")
    return reply(ctx.t.say("I am writing the file. It comes in a moment."))


def _year(what: str, word: str, ctx: ChatContext) -> int:
    if what.lower() == "balances":
        raise _unclear(mark("Balances are exported as they are now, without a year: /export balances"), ctx)
    year = int(word)
    if not FIRST_YEAR <= year <= _this_year(ctx):
        raise _unclear(
            mark(
                "I have no fills of “{word}”. Write a year from {first} to {year}, like this: "
                "/export fills {year}"
            ),
            ctx,
            word=word,
            first=FIRST_YEAR,
        )
    return year


def _this_year(ctx: ChatContext) -> int:
    return ctx.clock.now().astimezone(ZoneInfo(ctx.person.timezone)).year


def _unclear(msgid: str, ctx: ChatContext, **params: object) -> BadArgument:
    year = _this_year(ctx)
    choices = (
        (ctx.t.say("Fills {year}", year=year), f"export fills {year}"),
        (ctx.t.say("Balances"), "export balances"),
    )
    return BadArgument(msgid, choices=choices, year=year, **params)
