"""/verify: how to see that the secure page is really ours: its address, its script's hash, one's phrase."""

from urllib.parse import urlsplit

from chatbot.domain.messages import Line, Reply, bold, code, line, reply
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, command


@command("verify", mark("See that the secure page is ours"), section=Section.KEYS)
async def verify(cmd: Command, ctx: ChatContext) -> Reply:
    """Show the page's domain and the hash of its only script."""
    del cmd
    t = ctx.t
    lines: list[Line] = [
        line(bold(t.say("How to know our secure page"))),
        line(t.say("Its address begins with:"), " ", code(f"{ctx.options.public_url}/key")),
        line(t.say("The domain is exactly:"), " ", code(urlsplit(ctx.options.public_url).hostname or "")),
        line(t.say("Its only script has this hash:"), " ", code(ctx.options.page_hash)),
    ]
    if ctx.person.phrase:
        lines.append(line(t.say("It shows your phrase:"), " ", bold(ctx.person.phrase)))
    else:
        lines.append(line(t.say("With /phrase you can choose words that it shows to you alone.")))
    lines.append(line(t.say("We never ask for a key or a secret in a chat.")))
    return reply(*lines)
