"""What the dispatcher says itself: to strangers, to typing mistakes, and to what belongs in private.

Pure functions over the registry and one turn; a suggestion is a button that runs the command it shows.
"""

import difflib
import re
from dataclasses import dataclass, replace

from chatbot.domain.messages import Button, Post, Reply, message
from chatbot.domain.people import Identity, Role
from chatbot.domain.updates import Incoming, Pressed, Said
from chatbot.errors import BotError, NotAllowed, Unknown, mark
from chatbot.ports.context import ChatContext, Context
from chatbot.ports.mail import Press
from chatbot.registry import Command, Registry, Where

RUN = "run"
_START = "start"
_WITH_WORDS = "connect"
# Anybody can make a deep link for somebody else to tap: these only show or ask, `connect` too.
_BY_LINK = frozenset({
    "accounts", "alerts", "balances", "chart", "connect", "currency", "disconnect", "fills", "help", "keys",
    "language", "privacy", "revoke", "start", "status", "timezone",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text as command words; `is_command` is false for ordinary talk."""

    is_command: bool = False
    name: str = ""
    args: tuple[str, ...] = ()


def split(text: str) -> Spoken:
    """Read a command line; `/start connect_bitso`, as deep links make it, means `/connect bitso`.

    No other command gets words from a link, and one that would act at once is only a `/start`.
    """
    found = text.strip().split()
    if not found or not found[0].startswith("/") or len(found[0]) == 1:
        return Spoken(is_command=False)
    name, args = found[0][1:].lower(), tuple(found[1:])
    if name == _START and args and args[0] != _START:
        inner = [part for part in args[0].split("_") if part]
        word = inner[0].lower() if inner else _START
        linked = word if word in _BY_LINK else _START
        return _command(linked, tuple(inner[1:]) if linked == _WITH_WORDS else ())
    return _command(name, args)


def _command(name: str, args: tuple[str, ...]) -> Spoken:
    return Spoken(is_command=True, name=name, args=args)


def talk_among_others(incoming: Incoming) -> bool:
    """Tell whether people in a group speak to each other: that is not for us, and not to be remembered."""
    if not isinstance(incoming, Said) or incoming.who.private:
        return False
    return not incoming.pasted and not split(incoming.text).is_command


def stranger(turn: ChatContext) -> BotError:
    """Say to somebody who is on no list what to hand to an admin."""
    if not turn.conversation.place.private:
        return NotAllowed(
            mark("Only members of this bot may use it here. Write to me in private to learn how to join.")
        )
    return NotAllowed(
        mark("You are not on this bot's list yet. Please ask its admin to add this id: {id}"),
        id=str(turn.person.identity),
    )


def off_the_list(turn: ChatContext, main: Identity) -> BotError:
    """Say to somebody who was taken off the list what they can still do with what is theirs.

    The accounts of one who is linked hang from their main identity, which may be listed all the same.
    """
    choices = (("/privacy", "privacy"), ("/disconnect", "disconnect"))
    if turn.roster.role(main) > Role.STRANGER:
        return NotAllowed(
            mark(
                "This id is not on the bot's list any more: {id}. Your accounts go on under {main}. You can "
                "still see here what is stored and delete it, or ask an admin to add this id."
            ),
            choices=choices,
            id=str(turn.person.identity),
            main=str(main),
        )
    return NotAllowed(
        mark(
            "You are not on this bot's list any more, so I don't read your accounts. You can still see what "
            "is stored and delete it, or ask an admin to add this id: {id}"
        ),
        choices=choices,
        id=str(turn.person.identity),
    )


def for_owners(name: str, registry: Registry) -> bool:
    """Tell whether a command is also for people off the list who own something here."""
    entry = registry.commands.get(name)
    return entry is not None and entry.role is Role.STRANGER


def pressable(press: Press, registry: Registry) -> bool:
    """Tell whether a button of theirs may be pressed by somebody off the list."""
    if press.action == RUN:
        return for_owners(split("/" + press.args[0]).name, registry)
    entry = registry.actions.get(press.action)
    return entry is not None and entry.role is Role.STRANGER


async def for_chiefs(incoming: Incoming, registry: Registry, ctx: Context) -> bool:
    """Tell whether the platform has to say if who acts in a group is an admin of it."""
    if incoming.who.private or not isinstance(incoming, Said | Pressed):
        return False
    if isinstance(incoming, Said):
        return _of_chiefs(split(incoming.text).name, registry)
    async with ctx.uow() as store:
        press = await store.outbox.peek(incoming.button)
    if press is not None and press.action == RUN:
        return _of_chiefs(split("/" + press.args[0]).name, registry)
    entry = registry.actions.get(press.action) if press is not None else None
    return entry is not None and entry.chief


def _of_chiefs(name: str, registry: Registry) -> bool:
    entry = registry.commands.get(name)
    return entry is not None and entry.chief


def denied(incoming: Incoming, registry: Registry, role: Role) -> str:
    """Return the command that was typed by somebody whose role does not allow it; empty for all else."""
    name = split(incoming.text).name if isinstance(incoming, Said) else ""
    entry = registry.commands.get(name)
    return name if entry is not None and entry.role > role else ""


def not_a_command(text: str, registry: Registry, role: Role) -> BotError:
    """Answer ordinary talk with the commands that come near it."""
    word = re.sub(r"[^a-z]", "", (text.split() or [""])[0].lower())
    return Unknown(
        mark("I understand commands, such as /help. Did you mean one of these?"),
        choices=_near(word, registry, role),
    )


def unknown_command(name: str, registry: Registry, role: Role) -> BotError:
    """Answer an unknown command, or one the sender may not use, with the nearest names."""
    return Unknown(
        mark("I don't know /{name}. Did you mean one of these?"),
        choices=_near(name, registry, role),
        name=name[:32],
    )


def _near(name: str, registry: Registry, role: Role) -> tuple[tuple[str, str], ...]:
    usable = [c.name for c in registry.commands.values() if c.role <= role and c.where is not Where.GROUP]
    close = difflib.get_close_matches(name, usable, n=3, cutoff=0.5)
    picked = [*close, *(n for n in ("connect", "balances", "help") if n in usable and n not in close)][:3]
    return tuple((f"/{n}", n) for n in picked)


def choices(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[Button, ...], ...]:
    """Return one button a row, each running a command line."""
    return tuple((Button(text, RUN, (line,)),) for text, line in pairs)


def invitation(turn: ChatContext, payload: str) -> Post:
    """Return the message that leads from a group to the private chat, naming nothing personal."""
    url = turn.postbox.private_url(turn.conversation.place, payload)
    rows = ((Button(turn.t.say("Open private chat"), url=url),),) if url else ()
    return Post(
        message(turn.t.say("That is personal, so let's do it in private."), buttons=rows), whisper=True
    )


def pointer(turn: ChatContext) -> Post:
    """Return the message that says, where the question was asked, that its answer came in private."""
    url = turn.postbox.private_url(turn.conversation.place, "")
    rows = ((Button(turn.t.say("Open private chat"), url=url),),) if url else ()
    return Post(message(turn.t.say("I answered you in private."), buttons=rows), whisper=True)


def whispered(reply: Reply) -> Reply:
    """Return a reply that only who asked shall see; a card is for everybody, as it is edited later."""
    return replace(
        reply, posts=tuple(post if post.card else replace(post, whisper=True) for post in reply.posts)
    )


def to_private(cmd: Command, turn: ChatContext) -> Reply:
    """Answer a private command typed in a group with the button that goes on in private."""
    # Words that `split` would not take are not put into an address either: a code may be among them.
    taken = cmd.args[:1] if cmd.name == _WITH_WORDS else ()
    payload = "_".join((cmd.name, *taken))
    safe = payload if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", payload) else cmd.name
    return Reply((invitation(turn, safe),))
