"""/status: is everything running: each account's last reading and history, and what was sent."""

from chatbot.domain.credentials import Account
from chatbot.domain.messages import Line, Reply, bold, line, reply
from chatbot.domain.people import Role
from chatbot.domain.permissions import Permission, Switch
from chatbot.errors import mark
from chatbot.ports.context import ChatContext
from chatbot.ports.platforms import Section
from chatbot.registry import Command, action, command
from handlers.notifications.accounts import entry
from handlers.notifications.trouble import of_account


@command("status", mark("Is everything running"), section=Section.READ)
async def status(cmd: Command, ctx: ChatContext) -> Reply:
    """Show the sender's accounts with progress; admins also see the outbox."""
    del cmd
    lines: list[Line] = [
        line(bold(ctx.t.say("Status"))),
        line(ctx.t.say("I am running, version {version}.", version=ctx.options.version)),
    ]
    for account in await ctx.store.accounts.of_person(ctx.person.id):
        exchange = ctx.exchange_of(account)
        wrong = of_account(account, exchange, ctx.options.egress, ctx.t)
        lines += [line(), *entry(account, exchange.title, wrong, ctx.t), _history(account, ctx)]
    if ctx.role is Role.ADMIN:
        lines += [line(), *await _outbox(ctx)]
    return reply(*lines)


@action("status.again")
async def again(cmd: Command, ctx: ChatContext) -> Reply:
    """Show a report again that may not have arrived, once, where it was meant to be."""
    post = cmd.args[0] if cmd.args else ""
    now = ctx.clock.now()
    done = await ctx.store.outbox.show_again(post, ctx.conversation.id, ctx.person.id, now)
    if done is None:
        return Reply(toast=ctx.t.say("That post is no longer kept: /balances shows how things are now."))
    return Reply(toast="" if done else ctx.t.say("It was shown again already."))


def _history(account: Account, ctx: ChatContext) -> Line:
    if account.report.get(Permission.FILLS).switch is Switch.OFF:
        return line(ctx.t.say("fills can't be read with this key; see /keys"))
    if account.history_done:
        return line(ctx.t.say("history complete: {count} earlier fills stored", count=account.history_count))
    return line(ctx.t.say("reading history: {count} earlier fills so far", count=account.history_count))


async def _outbox(ctx: ChatContext) -> list[Line]:
    counts = await ctx.store.outbox.counts()
    told = ctx.t.say(
        "Messages: {sent} sent, {waiting} waiting, {unknown} with unknown outcome, {marked} marked "
        "repeats, {parked} given up",
        sent=counts.get("sent", 0),
        waiting=counts.get("pending", 0) + counts.get("claimed", 0) + counts.get("begun", 0),
        unknown=counts.get("unknown", 0), marked=counts.get("marked", 0), parked=counts.get("parked", 0),
    )  # fmt: skip
    kept = ctx.t.say(
        "Promises: {lost} alerts lost, {unmarked} repeats without a mark", lost=counts.get("lost", 0),
        unmarked=counts.get("unmarked", 0),
    )  # fmt: skip
    return [line(bold(ctx.t.say("Messages of this installation"))), line(told), line(kept)]
