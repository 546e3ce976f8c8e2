"""/phrase [words]: words of one's own that the secure page shows, so that a forged page gives itself away."""

from chatbot.domain.credentials import clean_label
from chatbot.domain.messages import Button, Reply, bold, line, reply
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, command

OFF = "off"


@command("phrase", mark("Choose words that only our page shows you"), usage="[words]", section=Section.KEYS)
async def phrase(cmd: Command, ctx: ChatContext) -> Reply:
    """Keep the words, show them, or drop them with `off`."""
    words = clean_label(cmd.rest)
    if not words:
        return _shown(ctx)
    if words.casefold() == OFF:
        await ctx.store.people.keep_phrase(ctx.person.id, "")
        return reply(ctx.t.say("The secure page shows no phrase any more."))
    await ctx.store.people.keep_phrase(ctx.person.id, words)
    return reply(
        line(ctx.t.say("Your phrase is now:"), " ", bold(words)),
        ctx.t.say(
            "Every secure page of ours shows it. If a page asks for a key without showing it, close the page."
        ),
    )


def _shown(ctx: ChatContext) -> Reply:
    how = ctx.t.say("Write it like this: /phrase three odd words")
    if not ctx.person.phrase:
        return reply(ctx.t.say("You have no phrase: words that only our secure page shows you."), how)
    rows = ((Button(ctx.t.say("Drop the phrase"), "run", (f"phrase {OFF}",)),),)
    return reply(line(ctx.t.say("Your phrase is:"), " ", bold(ctx.person.phrase)), how, buttons=rows)
