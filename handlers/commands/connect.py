"""/connect [exchange]: the guide to a read-only key, the one-time link at its end, the code to confirm.

Its state is a row, so *Next* works after a restart and next week. The link is minted when the last step
is shown; a press on *Confirm* by the same person makes the key active.
"""

import secrets
from datetime import timedelta

from chatbot.domain.conversations import GuideState, Step
from chatbot.domain.credentials import Account, AccountId, CredentialState, clean_label
from chatbot.domain.links import MINTS_PER_HOUR, Link, LinkState, app_url, link_id, page_url
from chatbot.domain.messages import Button, Message, Post, Reply, reply
from chatbot.errors import BadArgument, Gone, mark
from chatbot.ports.accounts import Pending
from chatbot.ports.context import ChatContext
from chatbot.ports.exchanges import Exchange
from chatbot.ports.platforms import Section
from chatbot.registry import Command, action, command
from handlers.notifications import guide as guides
from handlers.notifications import linked, subscriptions
from handlers.notifications.links import conceal


@command("connect", mark("Connect an exchange account"), usage="[exchange]", section=Section.BEGIN)
async def connect(cmd: Command, ctx: ChatContext) -> Reply:
    """Start the guide of an exchange, or go on in it; with no name offer every exchange."""
    if not cmd.args:
        rows = tuple((Button(e.title, "run", (f"connect {e.name}",)),) for e in ctx.exchanges.values())
        return reply(ctx.t.say("Which exchange?"), *guides.others(ctx.exchanges, ctx.t), buttons=rows)
    exchange = ctx.exchange(cmd.args[0])
    await _must_be_read(ctx)
    label = clean_label(" ".join(cmd.args[1:]))
    state = await ctx.store.guides.current(ctx.person.id)
    if state is None or state.exchange != exchange.name:
        first = _steps(exchange, ctx)[0].key
        state = await ctx.store.guides.start(ctx.person.id, ctx.conversation.id, exchange.name, first)
    if label:
        await ctx.store.guides.note(state.id, label=label)
    return await _show(state, state.step, exchange, ctx, fresh=True)


@action("connect.go")
async def go(cmd: Command, ctx: ChatContext) -> Reply:
    """Show a step by its key, in the same message."""
    exchange = ctx.exchange(cmd.args[0])
    return await _show(await _state(exchange, ctx), cmd.args[1], exchange, ctx)


@action("connect.link")
async def new_link(cmd: Command, ctx: ChatContext) -> Reply:
    """Mint another link: the last step of the guide, as a new message."""
    exchange = ctx.exchange(cmd.args[0])
    return await _show(await _state(exchange, ctx), _steps(exchange, ctx)[-1].key, exchange, ctx, fresh=True)


@action("connect.stuck")
async def stuck(cmd: Command, ctx: ChatContext) -> Reply:
    """Open the troubles, at the cause that really happened when there was one."""
    exchange = ctx.exchange(cmd.args[0])
    state = await _state(exchange, ctx)
    cause = "" if cmd.args[1:] == ("all",) else state.trouble
    guide = ctx.guides(exchange.name, ctx.t.locale)
    known = guides.answers(guide, exchange, ctx.options, ctx.t)
    shown = guides.troubles(guide, known, cause, state.step, ctx.t)
    return Reply((Post(shown, card=state.card, protect=True),))


@action("connect.trouble")
async def trouble(cmd: Command, ctx: ChatContext) -> Reply:
    """Answer one trouble."""
    exchange = ctx.exchange(cmd.args[0])
    state = await _state(exchange, ctx)
    guide = ctx.guides(exchange.name, ctx.t.locale)
    known = guides.answers(guide, exchange, ctx.options, ctx.t)
    found = next((s for s in known if s.key == cmd.args[1]), known[0])
    return Reply((Post(guides.trouble(guide, found, state.step, ctx.t), card=state.card, protect=True),))


@action("connect.confirm")
async def confirm(cmd: Command, ctx: ChatContext) -> Reply:
    """Make the key active, post the first balances, end the guide."""
    done = await ctx.store.accounts.get(AccountId(cmd.args[0]), ctx.person.team)
    if done is not None and done.owner == ctx.person.id and done.state is CredentialState.ACTIVE:
        return _connected(done, ctx)
    account, now = (await _pending(cmd, ctx)).account, ctx.clock.now()
    await ctx.store.accounts.activate(account.id, now)
    for new in subscriptions.own(ctx.person, now):
        await ctx.store.subscriptions.ensure(
            account.id, new.kind, ctx.conversation.id, new.due, new.slot, new.rule
        )
    await ctx.store.guides.end(ctx.person.id)
    await ctx.store.audit.note(
        ctx.person.team, str(ctx.person.identity), "confirm", account.id, "active", now
    )
    ctx.queue.nudge("poll_accounts")
    ctx.queue.nudge("post_balances")
    return _connected(account, ctx)


@action("connect.refuse")
async def refuse(cmd: Command, ctx: ChatContext) -> Reply:
    """Destroy a key that somebody else handed in."""
    account = (await _pending(cmd, ctx)).account
    now = ctx.clock.now()
    await ctx.store.accounts.shred(account.id, now)
    await ctx.store.audit.note(
        ctx.person.team, str(ctx.person.identity), "not_me", account.id, "destroyed", now
    )
    text = ctx.t.say(
        "Destroyed: the key …{last4} is not kept. Somebody else had your link; ask for a new one and "
        "don't forward it.",
        last4=account.last4,
    )
    again = ((Button(ctx.t.say("New link"), "connect.link", (account.exchange,)),),)
    return reply(text, buttons=again, card=f"confirm:{account.id}")


def _connected(account: Account, ctx: ChatContext) -> Reply:
    text = ctx.t.say(
        "{account} is connected. Balances and fills come here from now on; the history is read in the "
        "background.",
        account=account.name,
    )
    return reply(text, card=f"confirm:{account.id}")


def _steps(exchange: Exchange, ctx: ChatContext) -> tuple[Step, ...]:
    guide = ctx.guides(exchange.name, ctx.t.locale)
    return guide.shown(egress=bool(ctx.options.egress), trade=ctx.options.policy.trade)


async def _state(exchange: Exchange, ctx: ChatContext) -> GuideState:
    state = await ctx.store.guides.current(ctx.person.id)
    if state is not None and state.exchange == exchange.name:
        return state
    first = _steps(exchange, ctx)[0].key
    return await ctx.store.guides.start(ctx.person.id, ctx.conversation.id, exchange.name, first)


async def _show(
    state: GuideState, key: str, exchange: Exchange, ctx: ChatContext, *, fresh: bool = False
) -> Reply:
    steps = _steps(exchange, ctx)
    at = next((i for i, step in enumerate(steps) if step.key == key), 0)
    await ctx.store.guides.go(state.id, steps[at].key)
    doors = await _mint(state, exchange, ctx) if steps[at].link else ()
    guide = ctx.guides(exchange.name, ctx.t.locale)
    shown: Message = guides.step(guide, steps, at, exchange, ctx.options, ctx.t, doors)
    # An edit can't protect a message later, so the whole guide is protected from the start. Only addresses
    # are there to be copied, which no protected message allows: after them the link comes in one of its own.
    plain = bool(ctx.options.egress)
    fresh = fresh or bool(doors and plain)
    return Reply((Post(shown, card=state.card, fresh=fresh, protect=bool(doors) or not plain),))


async def _mint(state: GuideState, exchange: Exchange, ctx: ChatContext) -> tuple[str, str]:
    """Return the addresses of the secure page: by a token, and inside a platform that says who opens it."""
    now = ctx.clock.now()
    await _must_be_read(ctx)
    if await ctx.store.links.minted_since(ctx.person.id, now - timedelta(hours=1)) >= MINTS_PER_HOUR:
        raise BadArgument(
            mark(
                "You opened {count} links in the last hour. Please wait a while; your place in the "
                "guide is kept."
            ),
            count=MINTS_PER_HOUR,
        )
    token = secrets.token_bytes(32)
    keys = ctx.vault.link_keys(link_id(token))
    link = Link(
        id=link_id(token), team=ctx.person.team, person=ctx.person.id, conversation=ctx.conversation.id,
        exchange=exchange.name, label=state.label or exchange.title, state=LinkState.OPEN,
        public_key=keys.public, sealed_private_key=keys.sealed_private,
        expires_at=now + timedelta(minutes=ctx.options.link_minutes), card=state.card,
    )  # fmt: skip
    await ctx.store.links.mint(link, now)
    await ctx.store.audit.note(
        ctx.person.team, str(ctx.person.identity), "mint_link", exchange.name, "open", now
    )
    ctx.metrics.link("minted")
    url, locale = ctx.options.public_url, ctx.t.locale
    address = page_url(url, token, keys.public, locale)
    return conceal(ctx.vault, address), app_url(url, keys.public, locale)


async def _must_be_read(ctx: ChatContext) -> None:
    await linked.must_be_read(await ctx.store.people.get(ctx.person.id), ctx)


async def _pending(cmd: Command, ctx: ChatContext) -> Pending:
    pending = await ctx.store.accounts.pending(AccountId(cmd.args[0]))
    if pending is None or pending.account.owner != ctx.person.id or pending.confirm_before <= ctx.clock.now():
        raise Gone(
            mark(
                "There is nothing to confirm any more. If the key is not among your accounts, start "
                "again with /connect."
            )
        )
    return pending
