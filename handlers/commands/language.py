"""/language [name]: the language of all messages."""

import unicodedata

from chatbot.domain.messages import Button, Reply, reply
from chatbot.errors import BadArgument, mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, action, command
from chatbot.text import LANGUAGE_NAMES, Translator, nearest_locale


@command("language", mark("Choose your language"), usage="[en, es or pt]")
async def language(cmd: Command, ctx: ChatContext) -> Reply:
    """Set the language by its code or name; without one, offer all."""
    if cmd.args:
        return await _set(cmd.rest, ctx)
    rows = tuple((Button(name, "language.set", (code,)),) for code, name in LANGUAGE_NAMES.items())
    return reply(ctx.t.say("Which language?"), buttons=rows)


@action("language.set")
async def chosen(cmd: Command, ctx: ChatContext) -> Reply:
    """Set the language of the button."""
    return await _set(cmd.args[0], ctx)


async def _set(words: str, ctx: ChatContext) -> Reply:
    by_name = {_plain(name): code for code, name in LANGUAGE_NAMES.items()}
    code = by_name.get(_plain(words)) or nearest_locale(words)
    if code is None:
        raise BadArgument(
            mark(
                "I don't speak “{words}” yet. I speak English, Español and Português; for example: "
                "/language es"
            ),
            words=words[:32],
        )
    await ctx.store.people.change(ctx.person.id, locale=code)
    return reply(Translator(code, ctx.t.zone).say("From now on I speak English."))


def _plain(name: str) -> str:
    # Not every keyboard has an ñ.
    letters = unicodedata.normalize("NFD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
