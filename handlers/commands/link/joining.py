"""The join of two people and their parting, each in the one transaction of the press.

What can't be done is found out before anything is written. A credential is bound to its team: it is opened
and sealed anew on the way to another one, in memory, and the exchange is not asked.
"""

from collections.abc import Collection, Mapping, Sequence

from chatbot.domain.credentials import AccountId, CredentialState
from chatbot.domain.messages import Message, Post
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Conversation, Person
from chatbot.errors import BotError, VaultError, mark
from chatbot.ports.context import ChatContext
from chatbot.ports.linked import Held, Resealed
from handlers.notifications import linked, subscriptions

OVER = frozenset({CredentialState.PENDING, CredentialState.REVOKED})

Fresh = Mapping[AccountId, Resealed | None]


async def join(main: Person, code: bytes, ctx: ChatContext) -> bool:
    """Make who acts, and who is linked to them, the same person as `main`; false when the code is over."""
    store = ctx.store
    if not await store.linked.lock(ctx.person.id, main.id):
        return False
    came = await store.people.get(ctx.person.id)
    # Before the look at what is held: a key that comes in over a link right now is waited for, and ends too.
    await store.links.revoke_of(came.id)
    held = await store.linked.held(came.id)
    fresh = {one.account.id: await _resealed(one, main, ctx) for one in held if _lives(one)}
    if not await store.linked.take(code, ctx.clock.now()):
        return False
    await _end_what_is_open(came, held, ctx)
    await _carry(held, fresh, came, main, ctx)
    await store.linked.join(came.id, main.id, [one.account.id for one in held], ctx.clock.now())
    await _note("link", came, main, "joined", ctx)
    names = [account.name for account in await store.accounts.of_person(main.id)]
    await _tell(main, linked.joined(main, came, names, ctx.translator(main)), f"linked:{code.hex()}", ctx)
    return True


async def part(main: Person, leaves: Person, ctx: ChatContext) -> bool:
    """Make a linked identity a person of its own, with what it came with; false when it is not linked."""
    store = ctx.store
    if not await store.linked.lock(main.id):
        return False
    along = await store.linked.company(leaves.id, main.id)
    brought = await store.linked.brought(leaves.id, main.id)
    await store.links.revoke_of(main.id)
    held = await store.linked.held(main.id)
    fresh, stuck = await _going(held, brought, leaves, ctx)
    went = [one for one in held if one.account.id in fresh]
    await _end_what_is_open(main, held, ctx)
    await _carry(went, fresh, main, leaves, ctx)
    if not await store.linked.part(leaves, main):
        return False
    await _note("unlink", leaves, main, "parted", ctx)
    for owner in (main, leaves):
        shown = linked.parted(leaves, main, along, _names(went), _names(stuck), ctx.translator(owner))
        await _tell(owner, shown, f"unlinked:{leaves.id}:{ctx.clock.now()}", ctx)
    return True


async def _going(
    held: Sequence[Held], brought: Collection[AccountId], leaves: Person, ctx: ChatContext
) -> tuple[Fresh, list[Held]]:
    """Return what can go back, and what has to stay: a key must not hold anybody in a link."""
    fresh: dict[AccountId, Resealed | None] = {}
    stuck: list[Held] = []
    for one in held:
        if one.account.id not in brought:
            continue
        try:
            fresh[one.account.id] = await _resealed(one, leaves, ctx) if _lives(one) else None
        except BotError:
            stuck.append(one)
    return fresh, stuck


async def _resealed(one: Held, to: Person, ctx: ChatContext) -> Resealed | None:
    """Return a credential sealed for another team; None where the team stays. Raises when it can't be."""
    account, vault = one.account, ctx.vault
    if one.sealed is None or account.team == to.team:
        return None
    try:
        credentials = vault.unseal(account.id, account.team, account.exchange, one.sealed)
    except VaultError:
        ctx.log.warning("link_sealed", account=account.id)
        raise BotError(
            mark(
                "The key of {account} can't be opened now, so it can't come along. Nothing was changed; "
                "please try again later, or tell an admin."
            ),
            account=account.name,
        ) from None
    try:
        fresh = vault.seal(account.id, to.team, account.exchange, credentials)
        found = vault.fingerprint(to.team, account.exchange, credentials)
    finally:
        credentials.wipe()
    # Two accounts of one key would be read twice, and neither may be destroyed unasked.
    if await ctx.store.accounts.taken(to.team, found) is not None:
        raise BotError(
            mark(
                "The key of {account} is connected on the other side already. Nothing was changed: take it "
                "off here with /disconnect, then type the code again."
            ),
            account=account.name,
        )
    return Resealed(fresh, found)


async def _end_what_is_open(person: Person, held: Sequence[Held], ctx: ChatContext) -> None:
    """End guide and unconfirmed keys: they hang from a team and a place that may be another's now."""
    store, now = ctx.store, ctx.clock.now()
    await store.guides.end(person.id)
    for one in held:
        if one.account.state is CredentialState.PENDING:
            await store.accounts.shred(one.account.id, now)
            actor = str(ctx.person.identity)
            await store.audit.note(one.account.team, actor, "link", one.account.id, "destroyed", now)


async def _carry(accounts: Sequence[Held], fresh: Fresh, old: Person, new: Person, ctx: ChatContext) -> None:
    """Hand accounts over, with their daily posts by the new owner's clock."""
    store, now = ctx.store, ctx.clock.now()
    theirs = {one.account.id for one in accounts}
    posts = [sub for sub in await store.subscriptions.scheduled_of(old.id) if sub.account in theirs]
    for one in accounts:
        await store.linked.hand_over(one.account.id, new, fresh.get(one.account.id))
        if _lives(one) and old.currency != new.currency:
            # Another currency may need a rate that only a reading brings.
            await store.accounts.hurry(one.account.id, now)
    if old.timezone != new.timezone:
        slots = {sub.id: subscriptions.carried(sub, old, new, now) for sub in posts}
        due = {sub: (slot.due, slot.name) for sub, slot in slots.items() if slot is not None}
        await store.subscriptions.reschedule(new.id, due)


async def _note(what: str, came: Person, main: Person, outcome: str, ctx: ChatContext) -> None:
    """Note it once in each team, for the admins of both."""
    actor, subject = str(ctx.person.identity), f"{came.identity} {main.identity}"
    for team in sorted({came.team, main.team, ctx.conversation.team}):
        await ctx.store.audit.note(team, actor, what, subject, outcome, ctx.clock.now())


async def _tell(owner: Person, shown: Message, key: str, ctx: ChatContext) -> None:
    """Tell a person wherever they talk to us; where the button was pressed, just there."""
    places: list[Conversation] = [
        ctx.conversation if place.place.bot == ctx.conversation.place.bot else place
        for place in await ctx.store.conversations.privates_of(owner.id)
    ]
    for place in places:
        await ctx.store.outbox.put(
            place.id, Post(shown), Promise.ALERT, ctx.clock.now(), key=f"{key}:{place.id}",
            reader=owner.id, locale=owner.locale,
        )  # fmt: skip


def _lives(one: Held) -> bool:
    return one.account.state not in OVER


def _names(accounts: Sequence[Held]) -> list[str]:
    return [one.account.name for one in accounts if _lives(one)]
