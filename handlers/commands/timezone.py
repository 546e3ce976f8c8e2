"""/timezone [zone]: the zone of all times, and of the daily post."""

from dataclasses import replace
from zoneinfo import ZoneInfo, available_timezones

from chatbot.domain.messages import Button, Reply, code, line, reply
from chatbot.errors import BadArgument, mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, command
from chatbot.text import Translator
from handlers.notifications import subscriptions

OFFERED = (
    "America/Mexico_City",
    "America/Sao_Paulo",
    "America/Bogota",
    "America/New_York",
    "Europe/Madrid",
    "UTC",
)


@command("timezone", mark("Choose your time zone"), usage="[zone]")
async def timezone(cmd: Command, ctx: ChatContext) -> Reply:
    """Set the zone by its IANA name or its city; without one, offer some."""
    if not cmd.args:
        rows = tuple((Button(zone, "run", (f"timezone {zone}",)),) for zone in OFFERED)
        shown = line(ctx.t.say("Your time zone is"), " ", code(ctx.person.timezone))
        return reply(
            shown, ctx.t.say("Choose one, or write it like this: /timezone America/Lima"), buttons=rows
        )
    zone = _find(cmd.rest)
    now = ctx.clock.now()
    subs = await ctx.store.subscriptions.scheduled_of(ctx.person.id)
    moved = replace(ctx.person, timezone=zone)
    slots = {sub.id: subscriptions.moved(sub, ctx.person, moved, now) for sub in subs}
    await ctx.store.people.change(ctx.person.id, timezone=zone)
    due = {sub: (slot.due, slot.name) for sub, slot in slots.items() if slot is not None}
    await ctx.store.subscriptions.reschedule(ctx.person.id, due)
    # Quiet hours may end by another clock now.
    await ctx.store.held.look_again(ctx.person.id)
    t = Translator(ctx.t.locale, ZoneInfo(zone))
    return reply(t.say("Your time zone is {zone}; it is {time} there now.", zone=zone, time=t.time(now)))


def _find(words: str) -> str:
    wanted = words.strip().replace(" ", "_").casefold()
    zones = available_timezones()
    exact = [z for z in zones if z.casefold() == wanted]
    cities = [z for z in zones if z.casefold().rpartition("/")[2] == wanted and "/" in z]
    found = exact or sorted(cities, key=lambda z: (z.count("/"), z))
    if not found:
        near = sorted(z for z in zones if wanted.split("_")[0] in z.casefold())[:4]
        raise BadArgument(
            mark("I don't know the time zone “{words}”. Write it like this: /timezone America/Mexico_City"),
            choices=tuple((z, f"timezone {z}") for z in near), words=words[:32],
        )  # fmt: skip
    return found[0]
