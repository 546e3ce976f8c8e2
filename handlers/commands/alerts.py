"""/alerts: what is told, where, how loud and when, changed by buttons in one card; in a group only lowered.

An owner changes everything of their own accounts, in private. An admin of a group sees in it what comes there
and from whom, and may make it silent or switch it off, never louder.
"""

from datetime import timedelta
from zoneinfo import ZoneInfo

from chatbot.domain.credentials import AccountId
from chatbot.domain.messages import Message, Post, Reply
from chatbot.domain.notices import SCHEDULED, Kind, Loudness, check_loudness
from chatbot.domain.people import ConversationId
from chatbot.domain.schedule import next_slot, parse_rule
from chatbot.errors import BadArgument, BotError, mark
from chatbot.ports.context import ChatContext
from chatbot.registry import Command, Where, action, command
from handlers.notifications import places
from handlers.notifications.accounts import none_yet
from handlers.notifications.alerts import company, own
from handlers.notifications.alerts.words import CARD, Target, gathered, is_muted


@command("alerts", mark("What I tell, where and how loud"), where=Where.ANYWHERE, chief=True)
async def alerts(cmd: Command, ctx: ChatContext) -> Reply:
    """Show all settings, or set what is written."""
    if cmd.args:
        await _write(cmd, ctx)
    if not ctx.conversation.place.private:
        return _card(company.overview(await _here(ctx), ctx.clock.now(), ctx.t), fresh=True)
    mine, waiting = await _mine(ctx), await ctx.store.consents.of_person(ctx.person.id)
    if not mine and not waiting:
        raise none_yet()
    return _card(own.overview(mine, waiting, ctx.clock.now(), ctx.t), fresh=True)


@action("alerts.home")
async def home(cmd: Command, ctx: ChatContext) -> Reply:
    """Show all accounts."""
    return await _home(ctx)


@action("alerts.account")
async def account(cmd: Command, ctx: ChatContext) -> Reply:
    """Show the places of one account."""
    found = [target for target in await _mine(ctx) if target.account.id == cmd.args[0]]
    if not found:
        return await _gone(ctx)
    return _card(own.one_account(found, ctx.clock.now(), ctx.t))


@action("alerts.place")
async def place(cmd: Command, ctx: ChatContext) -> Reply:
    """Show what one account tells in one place."""
    target = await _target(cmd, ctx)
    return _card(own.one_place(target, ctx.clock.now(), ctx.t)) if target else await _gone(ctx)


@action("alerts.kind")
async def kind(cmd: Command, ctx: ChatContext) -> Reply:
    """Show one kind with its choices."""
    return await _kind(cmd, ctx)


@action("alerts.loud")
async def loud(cmd: Command, ctx: ChatContext) -> Reply:
    """Make one kind as loud as the button says."""
    target = await _target(cmd, ctx)
    name, level = Kind(cmd.args[2]), Loudness(cmd.args[3])
    if target is None or name not in target.kinds:
        return await _gone(ctx)
    check_loudness(name, level)
    if name not in target.subs and level is not Loudness.OFF and name not in SCHEDULED:
        await ctx.store.subscriptions.ensure(target.account.id, name, target.place.id)
        target = await _target(cmd, ctx) or target
    if name in target.subs and target.loudness(name) is not level:
        await ctx.store.subscriptions.set_loudness(ctx.person.id, [target.subs[name].id], level)
        await _note("loudness", target.account.id, f"{name} {level} {target.place.id}", ctx)
    return await _kind(cmd, ctx, ctx.t.say("Saved."))


@action("alerts.rule")
async def rule(cmd: Command, ctx: ChatContext) -> Reply:
    """Set when a scheduled post is due."""
    target = await _target(cmd, ctx)
    if target is None or Kind(cmd.args[2]) not in target.subs:
        return await _gone(ctx)
    await _schedule(target, Kind(cmd.args[2]), cmd.args[3], ctx)
    return await _kind(cmd, ctx, ctx.t.say("Saved."))


@action("alerts.mute")
async def mute(cmd: Command, ctx: ChatContext) -> Reply:
    """Mute one kind for some hours; none lifts the mute."""
    target = await _target(cmd, ctx)
    sub = target.subs.get(Kind(cmd.args[2])) if target else None
    if sub is None:
        return await _gone(ctx)
    now, hours = ctx.clock.now(), int(cmd.args[3])
    if is_muted(sub, now) is not bool(hours):
        await ctx.store.subscriptions.mute(ctx.person.id, [sub.id], now + timedelta(hours=hours), now)
        await _note("mute", sub.account, f"{sub.kind} {hours} h {sub.conversation}", ctx)
        ctx.queue.nudge("post_digests")
    return await _kind(cmd, ctx, ctx.t.say("Saved."))


@action("alerts.targets")
async def targets(cmd: Command, ctx: ChatContext) -> Reply:
    """Show the places of others."""
    return _card(own.places_of(await _mine(ctx), ctx.t))


@action("alerts.stop")
async def stop(cmd: Command, ctx: ChatContext) -> Reply:
    """End what goes to a place, for all accounts of the person."""
    there = ConversationId(cmd.args[0])
    if await ctx.store.subscriptions.remove(ctx.person.id, there):
        await _note("target_removed", there, "removed", ctx)
    toast = ctx.t.say("Stopped.")
    return Reply((Post(own.places_of(await _mine(ctx), ctx.t), card=CARD),), toast=toast)


@action("alerts.ask")
async def ask(cmd: Command, ctx: ChatContext) -> Reply:
    """Ask again what a place may hear."""
    for consent in await ctx.store.consents.of_person(ctx.person.id):
        if consent.conversation.id == cmd.args[0]:
            mine = await ctx.store.accounts.of_person(ctx.person.id)
            meant = [one for one in mine if one.id in consent.accounts]
            text = places.question(meant, consent.conversation, ctx.t)
            return Reply((Post(text, card=places.asking(consent.conversation), fresh=True),))
    return await _gone(ctx)


@action("alerts.group", chief=True)
async def group(cmd: Command, ctx: ChatContext) -> Reply:
    """Show in a group all that comes there."""
    return _card(company.overview(await _here(ctx), ctx.clock.now(), ctx.t))


@action("alerts.from", chief=True)
async def from_account(cmd: Command, ctx: ChatContext) -> Reply:
    """Show in a group what comes of one account."""
    return await _from(cmd, ctx)


@action("alerts.lower", chief=True)
async def lower(cmd: Command, ctx: ChatContext) -> Reply:
    """Make what comes to a group quieter, whoever owns it; never louder."""
    found = next((one for one in await _here(ctx) if one.account.id == cmd.args[0]), None)
    name, level = Kind(cmd.args[1]), Loudness(cmd.args[2])
    sub = found.subs.get(name) if found else None
    if sub is None or company.ORDER.index(level) <= company.ORDER.index(sub.loudness):
        return await _from(cmd, ctx, ctx.t.say("It is that quiet already; only its owner makes it louder."))
    check_loudness(name, level)
    await ctx.store.subscriptions.set_loudness(sub.reader.id, [sub.id], level)
    await _note("loudness", sub.account, f"{name} {level} {sub.conversation}", ctx)
    return await _from(cmd, ctx, ctx.t.say("Saved."))


async def _write(cmd: Command, ctx: ChatContext) -> None:
    """Set the times or the loudness of a kind of the person's own accounts, in this place."""
    known = {one.value: one for one in Kind}
    name, words = known.get(cmd.args[0].lower()), " ".join(cmd.args[1:]).lower()
    level = next((one for one in Loudness if one == words), None)
    if name is None or not words or (level is None and name not in SCHEDULED):
        raise BadArgument(
            mark(
                "I can't read “{words}”. Write it like this: /alerts balances daily 18:30, or /alerts fills "
                "silent"
            ),
            words=cmd.rest[:32],
        )
    if level is not None:
        check_loudness(name, level)
    else:
        parse_rule(words)
    mine = [one for one in await _mine(ctx) if one.place.id == ctx.conversation.id and name in one.subs]
    if not mine:
        raise BotError(mark("Nothing of this comes here of accounts of yours, so there is nothing to set."))
    for target in mine:
        if level is None:
            await _schedule(target, name, words, ctx)
        elif target.loudness(name) is not level:
            await ctx.store.subscriptions.set_loudness(ctx.person.id, [target.subs[name].id], level)
            await _note("loudness", target.account.id, f"{name} {level} {target.place.id}", ctx)


async def _schedule(target: Target, name: Kind, words: str, ctx: ChatContext) -> None:
    sub, chosen, now = target.subs[name], parse_rule(words), ctx.clock.now()
    if sub.rule != str(chosen):
        slot = next_slot(chosen, ZoneInfo(sub.clock), now)
        due = slot.due, slot.name
        await ctx.store.subscriptions.set_rule(ctx.person.id, sub.id, str(chosen), sub.zone, due)
        await _note("schedule", target.account.id, f"{name} {chosen} {target.place.id}", ctx)
    if sub.loudness is Loudness.OFF:
        await ctx.store.subscriptions.set_loudness(ctx.person.id, [sub.id], Loudness.LOUD)


async def _kind(cmd: Command, ctx: ChatContext, toast: str = "") -> Reply:
    target, name = await _target(cmd, ctx), Kind(cmd.args[2])
    if target is None or name not in target.kinds:
        return await _gone(ctx)
    return Reply((Post(own.one_kind(target, name, ctx.clock.now(), ctx.t), card=CARD),), toast=toast)


async def _from(cmd: Command, ctx: ChatContext, toast: str = "") -> Reply:
    found = next((one for one in await _here(ctx) if one.account.id == cmd.args[0]), None)
    now = ctx.clock.now()
    view = company.one_account(found, now, ctx.t) if found else company.overview(await _here(ctx), now, ctx.t)
    return Reply((Post(view, card=CARD),), toast=toast)


async def _mine(ctx: ChatContext) -> list[Target]:
    return gathered(await ctx.store.subscriptions.of_person(ctx.person.id))


async def _here(ctx: ChatContext) -> list[Target]:
    listed = await ctx.store.subscriptions.of_channel(ctx.conversation.place)
    return gathered([one for one in listed if one.conversation.id == ctx.conversation.id])


async def _target(cmd: Command, ctx: ChatContext) -> Target | None:
    wanted = AccountId(cmd.args[0]), ConversationId(cmd.args[1])
    return next((one for one in await _mine(ctx) if (one.account.id, one.place.id) == wanted), None)


async def _home(ctx: ChatContext, toast: str = "") -> Reply:
    waiting = await ctx.store.consents.of_person(ctx.person.id)
    view = own.overview(await _mine(ctx), waiting, ctx.clock.now(), ctx.t)
    return Reply((Post(view, card=CARD),), toast=toast)


async def _gone(ctx: ChatContext) -> Reply:
    """Answer a button of an older card whose thing is no longer there by how things stand now."""
    return await _home(ctx, ctx.t.say("That is no longer there."))


def _card(view: Message, *, fresh: bool = False) -> Reply:
    return Reply((Post(view, card=CARD, fresh=fresh),))


async def _note(what: str, subject: str, outcome: str, ctx: ChatContext) -> None:
    actor, now = str(ctx.person.identity), ctx.clock.now()
    await ctx.store.audit.note(ctx.person.team, actor, what, subject, outcome, now)
