"""/link [code]: be the same person on two platforms, with the same accounts on both.

The code is shown on one side and typed on the other, where it asks first. The side that showed it is the
main one from then on: `joining.py` moves accounts there, and back when the two part again.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime

from chatbot.domain import linkcodes
from chatbot.domain.messages import Post, Reply, reply
from chatbot.domain.people import Person, PersonId, Role
from chatbot.errors import BadArgument, BotError, Gone, mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, action, command
from handlers.commands.link import joining
from handlers.notifications import linked
from handlers.notifications.accounts import yes_or_keep
from handlers.notifications.links import conceal

WRONG, CODE = "wrong", "link_code"
OVER = mark(
    "This code is over: it works once, for ten minutes. Nothing was changed; /link on the other side shows a "
    "new one."
)
NOT_LINKED = mark("You are not linked any more. Nothing was changed.")


@command("link", mark("Have the same accounts on two platforms"), usage="[code]")
async def link(cmd: Command, ctx: ChatContext) -> Reply:
    """Take a typed code, or show a new one; who is linked already sees with whom."""
    if cmd.args:
        return await _typed(cmd.rest, ctx)
    group = await ctx.store.linked.identities(ctx.person.id)
    if len(group) > 1:
        return Reply((Post(linked.state(group, str(ctx.person.identity), ctx.t)),))
    return await _show(ctx)


@action("link.code")
async def another(cmd: Command, ctx: ChatContext) -> Reply:
    """Show a code for one more platform."""
    del cmd
    return await _show(ctx)


@action("link.join")
async def join(cmd: Command, ctx: ChatContext) -> Reply:
    """Join who pressed to the side that showed the code, if it is still good."""
    code = bytes.fromhex(cmd.args[0])
    main = await ctx.store.linked.shown_by(code, ctx.clock.now())
    if main is None:
        raise Gone(OVER)
    await _refuse(main, ctx)
    if not await joining.join(main, code, ctx):
        raise Gone(OVER)
    # Told by the joining itself: who pressed is somebody else from now on.
    return Reply()


@action("link.ask", role=Role.STRANGER)
async def ask(cmd: Command, ctx: ChatContext) -> Reply:
    """Ask before the two part."""
    main, leaves = await _pair(cmd, ctx)
    brought = await ctx.store.linked.brought(leaves.id, main.id)
    mine = await ctx.store.accounts.of_person(main.id)
    names = [account.name for account in mine if account.id in brought]
    along = await ctx.store.linked.company(leaves.id, main.id)
    text = linked.parting(leaves, main, along, names, ctx.t)
    return Reply((Post(yes_or_keep(text, "link.part", (leaves.id,), ctx.t)),))


@action("link.part", role=Role.STRANGER)
async def part(cmd: Command, ctx: ChatContext) -> Reply:
    """Part them; told to both sides by the parting itself."""
    main, leaves = await _pair(cmd, ctx)
    if not await joining.part(main, leaves, ctx):
        raise Gone(NOT_LINKED)
    return Reply()


async def _show(ctx: ChatContext) -> Reply:
    now = ctx.clock.now()
    await linked.must_be_read(await ctx.store.people.get(ctx.person.id), ctx)
    code = linkcodes.spell(secrets.randbelow(linkcodes.COUNT))
    await ctx.store.linked.show(ctx.person.id, linkcodes.digest(code), now + linkcodes.LIFE, now)
    await _note("shown", now, ctx)
    return Reply((Post(linked.shown(conceal(ctx.vault, f"/link {code}"), ctx.t)),))


async def _typed(words: str, ctx: ChatContext) -> Reply:
    now = ctx.clock.now()
    code = linkcodes.read(words)
    if code is None:
        raise BadArgument(
            mark("A code has eight letters and digits. Write it as the other side shows it: /link ABCD-2345")
        )
    if await _wrong_codes(now, ctx) >= linkcodes.WRONG_CODES:
        raise BadArgument(
            mark("{count} codes were wrong within an hour. Please wait an hour, then try again."),
            count=linkcodes.WRONG_CODES,
        )
    main = await ctx.store.linked.shown_by(linkcodes.digest(code), now)
    if main is None:
        # An answer, not a refusal: a refusal would undo the note that counts it.
        await _note(WRONG, now, ctx)
        left = linkcodes.WRONG_CODES - await _wrong_codes(now, ctx)
        return reply(
            ctx.t.say(
                "This code is wrong or over: it works once, for ten minutes. Tries left this hour: {left}. "
                "/link on the other side shows a new one.",
                left=left,
            )
        )
    await _refuse(main, ctx)
    count = len(await ctx.store.accounts.of_person(ctx.person.id))
    text = linked.question(main, count, ctx.t)
    return Reply((Post(yes_or_keep(text, "link.join", (linkcodes.digest(code).hex(),), ctx.t)),))


async def _refuse(main: Person, ctx: ChatContext) -> None:
    """Raise when a right code can't join these two."""
    if main.id == ctx.person.id:
        raise BotError(mark("This code is your own: type it on the other platform."))
    await linked.must_be_read(main, ctx)
    theirs = await ctx.store.linked.identities(main.id)
    mine = await ctx.store.linked.identities(ctx.person.id)
    # Two ids in one place are two people; and the place has to tell whose it is.
    if _places(theirs) & _places(mine):
        raise BotError(
            mark(
                "You both already have an id on the same platform. A link joins one person on different "
                "platforms; it can't share accounts between two people."
            )
        )


def _places(group: Sequence[Person]) -> set[tuple[str, str]]:
    return {(person.identity.platform, person.identity.workspace) for person in group}


async def _pair(cmd: Command, ctx: ChatContext) -> tuple[Person, Person]:
    """Return the main person and the one who leaves."""
    main, *others = await ctx.store.linked.identities(ctx.person.id)
    leaves = next((one for one in others if one.id == PersonId(cmd.args[0])), None)
    if leaves is None:
        raise Gone(NOT_LINKED)
    return main, leaves


async def _wrong_codes(now: datetime, ctx: ChatContext) -> int:
    actor, since = str(ctx.person.identity), now - linkcodes.WRONG_WITHIN
    return await ctx.store.audit.count(ctx.conversation.team, actor, CODE, WRONG, since)


async def _note(outcome: str, now: datetime, ctx: ChatContext) -> None:
    await ctx.store.audit.note(ctx.conversation.team, str(ctx.person.identity), CODE, "", outcome, now)
