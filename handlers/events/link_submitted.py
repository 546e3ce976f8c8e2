"""Somebody pressed *send* on a link page: claim, unseal, prove at the exchange, decide, store.

The claim is one conditional update; the exchange is asked outside any transaction; the result is
written only while the claim's fence is still ours. Of many posts at once, at most one gets through.
"""

import asyncio
import secrets
from datetime import datetime

from chatbot.domain.balances import Snapshot
from chatbot.domain.credentials import Account, AccountId, Credentials, CredentialState
from chatbot.domain.links import (
    CONFIRM_WITHIN,
    LEASE,
    Link,
    MalformedSecret,
    code_for,
    info,
    read_fields,
)  # fmt: skip
from chatbot.domain.messages import Post
from chatbot.domain.outbox import Promise
from chatbot.domain.people import Person, Role
from chatbot.domain.permissions import TOO_MUCH, Decision, Outcome, decide
from chatbot.errors import RETRIED, ExchangeError, Fenced, Trouble, VaultError
from chatbot.ports.accounts import Pending
from chatbot.ports.context import Context
from chatbot.ports.desk import Accepted, BadSeal, Refused
from chatbot.ports.exchanges import Exchange, ExchangeClient, Proof
from chatbot.ports.stores import UnitOfWork
from chatbot.ports.vault import SealedCredential
from chatbot.registry import event
from chatbot.text import Translator
from handlers.notifications import keys, links, trouble

Answer = Accepted | Refused | BadSeal | None

PROVE_SECONDS = 20
# Trouble on the way gives the try back; a key that another program uses too won't get better by waiting.
GIVEN_BACK = RETRIED - {Trouble.CLOCK_OR_NONCE}


class _TakenError(Exception):
    """The same API key came in over another link while this one was proven."""


@event("link_submitted")
async def link_submitted(link_id: bytes, sealed: bytes, locale: str, ctx: Context) -> Answer:
    """Take one try at a link and return what the page shows."""
    link = await _claim(link_id, ctx)
    if link is None:
        return None
    try:
        credentials = _unseal(link, sealed, ctx)
    except (VaultError, MalformedSecret, KeyError):
        return None if await _give_back(link, ctx, "bad_seal", count=True) is None else BadSeal()
    try:
        return await _prove(link, credentials, Translator(locale), ctx)
    except Fenced:
        ctx.log.warning("link_taken_over", exchange=link.exchange)
        return None
    finally:
        credentials.wipe()


async def _claim(link_id: bytes, ctx: Context) -> Link | None:
    now = ctx.clock.now()
    async with ctx.uow() as store:
        link = await store.links.claim(link_id, now, now + LEASE)
        if link is None:
            return None
        owner = await store.people.get(link.person)
        if ctx.roster.role(owner.identity) > Role.STRANGER:
            return link
        # Taken off the list since the link was minted: it ends here.
        await store.links.revoke_of(link.person)
        await store.audit.note(link.team, str(owner.identity), "submit", link.exchange, "not_a_member", now)
    return None


def _unseal(link: Link, sealed: bytes, ctx: Context) -> Credentials:
    exchange = ctx.exchanges[link.exchange]
    context = info(link, ctx.options.public_url)
    plaintext = ctx.vault.open_submission(link.id, link.sealed_private_key or b"", sealed, context)
    long = [field.name for field in exchange.fields if field.multiline]
    try:
        return Credentials(**read_fields(plaintext, [field.name for field in exchange.fields], long))
    finally:
        plaintext[:] = bytes(len(plaintext))


async def _prove(link: Link, credentials: Credentials, t: Translator, ctx: Context) -> Answer:
    exchange = ctx.exchange(link.exchange)
    client = exchange.client(credentials, 0)
    try:
        proof = await _proof(client)
    except ExchangeError as refused:
        ctx.log.info("key_refused", exchange=link.exchange, trouble=refused.trouble)
        return await _refused(
            link, refused.trouble, trouble.explain(refused, exchange, ctx.options.egress, t), t, ctx
        )
    decision = decide(proof.report, ctx.options.policy)
    if decision.outcome is Outcome.REFUSE:
        return await _not_kept(link, decision, exchange, t, ctx)
    return await _accept(link, credentials, proof, decision, client.last_nonce, t, ctx)


async def _proof(client: ExchangeClient) -> Proof:
    # Well within the claim's lease: a second try must not begin while this one still asks.
    try:
        async with asyncio.timeout(PROVE_SECONDS):
            return await client.prove()
    except TimeoutError:
        raise ExchangeError(Trouble.UNREACHABLE, "no proof in time") from None


async def _accept(
    link: Link,
    credentials: Credentials,
    proof: Proof,
    decision: Decision,
    nonce: int,
    t: Translator,
    ctx: Context,
) -> Answer:
    exchange, now = ctx.exchange(link.exchange), ctx.clock.now()
    fingerprint = ctx.vault.fingerprint(link.team, link.exchange, credentials)
    async with ctx.uow() as store:
        taken = await store.accounts.taken(link.team, fingerprint)
    if taken is not None:
        return await _taken(link, taken, t, ctx)
    account = Account(
        id=AccountId(secrets.token_hex(8)), team=link.team, owner=link.person, exchange=link.exchange,
        label=link.label, last4=credentials.api_key.last4(), state=CredentialState.PENDING,
        report=proof.report, created_at=now, checked_at=now,
    )  # fmt: skip
    head = (proof.head.after, proof.head.before) if proof.head else None
    pending = Pending(
        account, code_for(secrets.randbelow(10_000)), link.conversation, now + CONFIRM_WITHIN, head, nonce
    )
    sealed = ctx.vault.seal(account.id, link.team, link.exchange, credentials)
    try:
        async with ctx.uow() as store:
            await _add(store, link, pending, sealed, fingerprint, now)
            await store.balances.add(account.id, Snapshot(now, proof.balances))
            await store.guides.note_of(link.person, trouble="")
            owner = await _ask_to_confirm(store, link, pending, exchange, ctx)
            await store.audit.note(
                link.team, str(owner.identity), "submit", account.id, decision.outcome, now
            )
    except _TakenError:
        return await _taken(link, None, t, ctx)
    ctx.metrics.link("used")
    return Accepted(pending.code)


async def _add(
    store: UnitOfWork, link: Link, pending: Pending, sealed: SealedCredential, mark: bytes, now: datetime
) -> None:
    await store.links.use(link)
    if not await store.accounts.add(pending, sealed, mark, now):
        raise _TakenError


async def _taken(link: Link, account: Account | None, t: Translator, ctx: Context) -> Answer:
    if account is not None and account.owner == link.person:
        sentence = t.say("This key is already connected as {account}.", account=account.name)
    else:
        # What somebody else calls their account is theirs.
        sentence = t.say("This key is already connected here.")
    return await _refused(link, Trouble.UNKNOWN, sentence, t, ctx)


async def _ask_to_confirm(
    store: UnitOfWork, link: Link, pending: Pending, exchange: Exchange, ctx: Context
) -> Person:
    owner = await store.people.get(link.person)
    t, now = ctx.translator(owner), ctx.clock.now()
    used = Post(links.received(exchange, t), card=link.card)
    question = Post(
        keys.confirm(pending.account, pending.code, exchange, ctx.options, t, now),
        card=f"confirm:{pending.account.id}",
    )
    for post, key in ((used, "used"), (question, "confirm")):
        await store.outbox.put(
            link.conversation,
            post,
            Promise.CARD,
            now,
            key=f"{key}:{pending.account.id}",
            reader=owner.id,
            locale=t.locale,
        )
    return owner


async def _not_kept(
    link: Link, decision: Decision, exchange: Exchange, t: Translator, ctx: Context
) -> Answer:
    """Refuse a key that works for what it may do, and say so in the chat as well."""
    why = TOO_MUCH if decision.untick or decision.strange else Trouble.NO_PERMISSION
    answer = await _refused(link, why, links.refusal(decision, exchange, t), t, ctx)
    if answer is None:
        return None
    async with ctx.uow() as store:
        owner = await store.people.get(link.person)
        spoken = ctx.translator(owner)
        card = f"not_kept:{link.id.hex()}"
        await store.outbox.put(
            link.conversation, Post(links.not_kept(decision, exchange, spoken), card=card),
            Promise.CARD, ctx.clock.now(), key=f"{card}:{link.fence}",
            reader=owner.id, locale=spoken.locale,
        )  # fmt: skip
    return answer


async def _refused(link: Link, why: str, sentence: str, t: Translator, ctx: Context) -> Answer:
    """Give the link back; trouble on the way to the exchange gives the try back as well."""
    ctx.metrics.link("refused")
    left = await _give_back(link, ctx, why, count=why not in GIVEN_BACK)
    if left is None:
        return None
    shown = (
        sentence if left else f"{sentence} {t.say('This was the last try: ask for a new link in the chat.')}"
    )
    return Refused(shown, left)


async def _say_it_is_over(store: UnitOfWork, link: Link, owner: Person, ctx: Context) -> None:
    t, exchange = ctx.translator(owner), ctx.exchange(link.exchange)
    text = t.say("The link is over: its tries are used up and no key was accepted.")
    await store.outbox.put(
        link.conversation, Post(links.over(exchange, text, t), card=link.card), Promise.CARD, ctx.clock.now(),
        key=f"over:{link.id.hex()}", reader=owner.id, locale=t.locale,
    )  # fmt: skip


async def _give_back(link: Link, ctx: Context, why: str, *, count: bool) -> int | None:
    """Return the tries left, after the last one having said so in chat; None when the link was taken over."""
    left = link.left(count=count)
    try:
        async with ctx.uow() as store:
            await store.links.give_back(link, count=count)
            owner = await store.people.get(link.person)
            await store.audit.note(
                link.team, str(owner.identity), "submit", link.exchange, why, ctx.clock.now()
            )
            if why in {*Trouble, TOO_MUCH}:
                await store.guides.note_of(link.person, trouble=why)
            if not left:
                await _say_it_is_over(store, link, owner, ctx)
    except Fenced:
        return None
    return left
