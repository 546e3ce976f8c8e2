"""What people read about being one person on several platforms: the code, the question, the notice."""

from collections.abc import Sequence

from chatbot.domain.linkcodes import LIFE
from chatbot.domain.messages import Button, Line, Message, Piece, bold, code, line, message
from chatbot.domain.people import Person, Role
from chatbot.errors import NotAllowed, mark
from chatbot.ports.context import ChatContext
from chatbot.text import Translator

ASK, NEW_CODE = "link.ask", "link.code"


async def must_be_read(owner: Person, ctx: ChatContext) -> None:
    """Raise when what is kept under a main id would not be read; who acts may be a linked one."""
    if ctx.roster.role(owner.identity) is Role.STRANGER:
        raise NotAllowed(
            mark("Accounts can't be kept under {id}: it is not on this bot's list."), id=str(owner.identity)
        )
    if await ctx.store.installations.ended(owner.team):
        raise NotAllowed(
            mark("Accounts can't be kept under {id}: its workspace removed me."), id=str(owner.identity)
        )


def shown(concealed: str, t: Translator) -> Message:
    """Show a code, and where to type it; `concealed` is the whole command, sealed until it is sent."""
    return message(
        bold(t.say("Be the same person on two platforms")),
        line(t.say("On the other platform, write to me in private:"), " ", code(concealed)),
        t.say("If the slash is not taken there, leave it out."),
        t.say(
            "It works once, for {span}. Then both of you have the same accounts, and the settings of this "
            "side.",
            span=t.span(int(LIFE.total_seconds())),
        ),
        t.say("Never give this code to somebody else: they would see your accounts."),
    )


def state(group: Sequence[Person], acting: str, t: Translator) -> Message:
    """Show who is one person here; `group` begins with the main one, `acting` is the id that looks."""
    lines = [line(bold(t.say("You are linked")))]
    for person in group:
        here = f" · {t.say('you, here')}" if str(person.identity) == acting else ""
        lines.append(line("• ", *_named(person, t), here))
    rows = (*_unlink(group, t), (Button(t.say("Link another platform"), NEW_CODE),))
    return message(*lines, listed(group[0], t), buttons=rows)


def question(main: Person, count: int, t: Translator) -> Message:
    """Name whom the typed code joins and say what that means; `count` accounts come along."""
    return message(
        bold(t.say("Become the same person?")),
        line(*_named(main, t)),
        t.say(
            "Everything each of you connected is then seen on both sides, and can be disconnected or "
            "deleted from both."
        ),
        t.say(
            "Accounts of yours that come along: {count}. Language, time zone, currency and phrase are those "
            "of {name} from then on.",
            count=count,
            name=_who(main, t),
        ),
        t.say("A guide, link or unconfirmed key that is open here ends."),
        listed(main, t),
        bold(t.say("Did somebody send you this code? Then press Keep: they would see your accounts.")),
    )


def joined(main: Person, came: Person, accounts: Sequence[str], t: Translator) -> Message:
    """Tell every side that they are one person now, with the way back."""
    parts: list[Line | str] = [
        line(*_named(main, t)),
        line(*_named(came, t)),
        t.say(
            "Both have the same accounts now: {accounts}.",
            accounts=", ".join(accounts) or t.say("none yet"),
        ),
        t.say("Fills and balances go on coming where each account was connected."),
        t.say("Wasn't that you? Press Unlink: each side gets back what it came with."),
    ]
    mine = (Button(t.say("Unlink"), ASK, (came.id,)),)
    return message(bold(t.say("You are linked")), *parts, listed(main, t), buttons=(mine,))


def parting(
    leaves: Person, main: Person, along: Sequence[Person], accounts: Sequence[str], t: Translator
) -> Message:
    """Ask whether to unlink, saying what goes where."""
    return message(
        bold(t.say("Unlink {who}?", who=_who(leaves, t))),
        *_along(along, leaves, t),
        _with(accounts, leaves, t),
        t.say("All other accounts stay with {who}.", who=_who(main, t)),
        t.say("A guide, link or unconfirmed key that is open ends."),
    )


def parted(
    leaves: Person, main: Person, along: Sequence[Person], went: Sequence[str], stuck: Sequence[str],
    t: Translator,
) -> Message:  # fmt: skip
    """Tell both sides that they are no longer one person, and who has what."""
    parts = [*_along(along, leaves, t), _with(went, leaves, t)]
    parts.append(t.say("All other accounts stay with {who}.", who=_who(main, t)))
    if stuck:
        parts.append(
            t.say(
                "Had to stay too, for the key can't be opened now or is connected there already: {accounts}.",
                accounts=", ".join(stuck),
            )
        )
    return message(bold(t.say("{who} is unlinked", who=_who(leaves, t))), *parts)


def listed(main: Person, t: Translator) -> Line:
    """Say on whose place in the list reading hangs."""
    return line(
        t.say("I read these accounts as long as this id is on the bot's list:"),
        " ",
        code(str(main.identity)),
    )


def _along(along: Sequence[Person], leaves: Person, t: Translator) -> list[str]:
    if not along:
        return []
    names = ", ".join(_who(one, t) for one in along)
    return [t.say("Goes along, still linked to {who}: {names}.", who=_who(leaves, t), names=names)]


def _with(accounts: Sequence[str], leaves: Person, t: Translator) -> str:
    if not accounts:
        return t.say("{who} came with no account and takes none along.", who=_who(leaves, t))
    return t.say("Goes back to {who}: {accounts}.", who=_who(leaves, t), accounts=", ".join(accounts))


def _unlink(group: Sequence[Person], t: Translator) -> tuple[tuple[Button, ...], ...]:
    others = group[1:]
    if len(others) == 1:
        return ((Button(t.say("Unlink"), ASK, (others[0].id,)),),)
    return tuple((Button(f"{t.say('Unlink')} {_who(one, t)}", ASK, (one.id,)),) for one in others)


def _named(person: Person, t: Translator) -> tuple[Piece | str, ...]:
    return bold(_who(person, t)), " · ", code(str(person.identity))


def _who(person: Person, t: Translator) -> str:
    platform = person.identity.platform.capitalize()
    if not person.name:
        return platform
    return t.say("{name} on {platform}", name=person.name, platform=platform)
