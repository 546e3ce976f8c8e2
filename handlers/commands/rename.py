"""/rename <account> <new name>: give an account another name."""

from chatbot.domain.credentials import clean_label
from chatbot.domain.messages import Reply, reply
from chatbot.errors import BadArgument, mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, command
from handlers.notifications.accounts import none_yet


@command("rename", mark("Give an account another name"), usage="<last 4> <new name>", section=Section.KEYS)
async def rename(cmd: Command, ctx: ChatContext) -> Reply:
    """Rename; with a single account its last four characters may be left out."""
    mine = await ctx.store.accounts.of_person(ctx.person.id)
    if not mine:
        raise none_yet()
    named = [a for a in mine if cmd.args and cmd.args[0].lstrip("…") == a.last4]
    chosen, words = (named, cmd.args[1:]) if named else (list(mine), cmd.args)
    label = clean_label(" ".join(words))
    if len(chosen) != 1 or not label:
        raise BadArgument(
            mark(
                "Write the last four characters of the key and the new name, for example: /rename "
                "{last4} Savings"
            ),
            last4=mine[0].last4,
        )
    if any(a.label.casefold() == label.casefold() and a.id != chosen[0].id for a in mine):
        raise BadArgument(mark("Another account of yours is already called {label}."), label=label)
    await ctx.store.accounts.rename(chosen[0].id, label)
    await ctx.store.audit.note(
        ctx.person.team, str(ctx.person.identity), "rename", chosen[0].id, "renamed", ctx.clock.now()
    )
    text = ctx.t.say(
        "Renamed: {old} is now {new} …{last4}", old=chosen[0].name, new=label, last4=chosen[0].last4
    )
    return reply(text)
