"""/currency [code]: the currency in which values are shown."""

import re

from chatbot.domain.balances import CROSSES
from chatbot.domain.messages import Button, Reply, reply
from chatbot.errors import BadArgument, mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, command
from chatbot.text import known_currency

OFFERED = ("USD", "MXN", "EUR", "BRL", "USDT", "BTC")


@command("currency", mark("Choose the currency of values"), usage="[code]")
async def currency(cmd: Command, ctx: ChatContext) -> Reply:
    """Set the currency by its code; without one, offer some."""
    if not cmd.args:
        rows = tuple(tuple(Button(c, "run", (f"currency {c}",)) for c in OFFERED[i : i + 3]) for i in (0, 3))
        text = ctx.t.say(
            "Values are shown in {currency}. Choose another, or write it like this: /currency EUR",
            currency=ctx.person.currency,
        )
        return reply(text, buttons=rows)
    code = cmd.args[0].upper()
    if not re.fullmatch(r"[A-Z]{3,5}", code) or not (known_currency(code) or code in CROSSES):
        raise BadArgument(
            mark("I don't know the currency “{words}”. Write its code like this: /currency MXN"),
            words=cmd.rest[:32],
        )
    await ctx.store.people.change(ctx.person.id, currency=code)
    # Another currency may need a rate that only a reading brings.
    for account in await ctx.store.accounts.of_person(ctx.person.id):
        await ctx.store.accounts.hurry(account.id, ctx.clock.now())
    ctx.queue.nudge("poll_accounts")
    return reply(ctx.t.say("Values are shown in {currency} from now on.", currency=code))
