"""Trouble of an account as one message in each place: told, edited while it lasts, closed when it is over.

Written in the transaction of the poll that met the trouble, as everything a poll tells. When it is told anew
is for `domain/repeats.py` to say.
"""

from datetime import datetime

from chatbot.domain.credentials import CredentialState
from chatbot.domain.messages import Message
from chatbot.domain.notices import Kind
from chatbot.domain.outbox import Promise
from chatbot.domain.repeats import Spell, Telling, rung, seen, step
from chatbot.errors import ExchangeError, Trouble
from chatbot.ports.accounts import Work
from chatbot.ports.context import Context
from chatbot.ports.stores import UnitOfWork
from chatbot.text import Translator
from handlers.notifications import trouble
from handlers.notifications.telling import Render, tell

OF_EXCHANGE = frozenset({Trouble.MAINTENANCE, Trouble.RATE_LIMIT, Trouble.REGION, Trouble.UNREACHABLE})


async def tell_trouble(
    store: UnitOfWork, work: Work, error: ExchangeError, ctx: Context, *, ripe: bool, final: bool
) -> bool:
    """Count one more failure and tell it if it is time; say whether anybody was told of it by now.

    `ripe` says whether a trouble that was not told yet may be told; `final` that the key is dead from now on.
    """
    now, account = ctx.clock.now(), work.account
    spells = await store.troubles.of_account(account.id)
    told = any(spell.told_at is not None for spell in spells)
    spell = seen(spells, error.trouble, now, passing=error.retry)
    if final:
        what, spell = Telling.RING, rung(spell, now)
    else:
        what, spell = step(spell, now, news=ripe and (not told or not error.retry))
    await store.troubles.save(account.id, account.team, spell)
    # Who asked for a test reads of trouble on that card.
    if what is Telling.EDIT or (what is Telling.RING and (final or work.asked_in is None)):
        shown = _shown(work, spell, error, ctx, final=final)
        promise = Promise.ALERT if final else Promise.CARD
        await _show(store, work, spell, shown, ctx, loud=what is Telling.RING, promise=promise)
    return told or spell.told_at is not None


async def tell_well(store: UnitOfWork, work: Work, ctx: Context) -> bool:
    """Close every message of trouble that was told, with how long it lasted; say whether there was one."""
    if not work.account.trouble and not work.trouble_told:
        return False
    now, name = ctx.clock.now(), _name(work, ctx)
    spells = await store.troubles.of_account(work.account.id)
    since = min((spell.since for spell in spells), default=now)
    told = [spell for spell in spells if spell.told_at is not None]
    # Whoever was told that a key is dead made up their mind: that it works after all has to be heard.
    loud = work.account.state is CredentialState.DEAD
    for spell in told:
        await _show(store, work, spell, _ended(name, spell, since, now), ctx, loud=loud)
    await store.troubles.end(work.account.id)
    return bool(told)


async def _show(
    store: UnitOfWork, work: Work, spell: Spell, render: Render, ctx: Context,
    *, loud: bool = False, promise: Promise = Promise.CARD,
) -> None:  # fmt: skip
    card = f"trouble:{work.account.id}:{spell.trouble}"
    # What has no message to edit any more comes as a new one, as quietly as an edit.
    await tell(
        store, ctx, work.account.id, work.owner, _kind(spell.trouble), render, f"{card}:{work.fence}",
        card=card, fresh=loud, silent=not loud, promise=promise,
    )  # fmt: skip


def _shown(work: Work, spell: Spell, error: ExchangeError, ctx: Context, *, final: bool) -> Render:
    name, exchange, egress = _name(work, ctx), ctx.exchange_of(work.account), ctx.options.egress

    def render(t: Translator) -> Message:
        sentence = trouble.explain(error, exchange, egress, t)
        return trouble.dead(name, sentence, t) if final else trouble.lasting(name, sentence, spell, t)

    return render


def _ended(name: str, spell: Spell, since: datetime, now: datetime) -> Render:
    return lambda t: trouble.ended(name, spell, now - since, t)


def _name(work: Work, ctx: Context) -> str:
    return work.account.titled(ctx.exchange_of(work.account).title)


def _kind(name: str) -> Kind:
    """Return the kind of a trouble: whether the exchange has it with everybody, or with this key."""
    return Kind.EXCHANGE if name in OF_EXCHANGE else Kind.KEYS
