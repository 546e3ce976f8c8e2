"""/help: the commands the sender may use, and nothing else."""

from itertools import groupby

from chatbot.domain.messages import Line, Reply, bold, line, reply
from chatbot.domain.people import Role
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, Where, command


@command("help", mark("What I can do"), where=Where.ANYWHERE)
async def help_(cmd: Command, ctx: ChatContext) -> Reply:
    """List commands by role; in a group only those that work there."""
    del cmd
    private = ctx.conversation.place.private
    usable = [c for c in ctx.commands if c.role <= ctx.role and (private or not c.private)]
    lines: list[Line] = []
    for _, section in groupby((c for c in usable if c.role < Role.ADMIN), key=lambda c: c.section):
        lines += [line(), *(_entry(c.name, ctx.t.say(c.about)) for c in section)]
    admin = [_entry(c.name, ctx.t.say(c.about)) for c in usable if c.role is Role.ADMIN]
    if admin:
        lines += [line(), line(bold(ctx.t.say("For admins"))), *admin]
    return reply(bold(ctx.t.say("What I can do")), *lines)


def _entry(name: str, about: str) -> Line:
    return line(f"/{name} — {about}")
