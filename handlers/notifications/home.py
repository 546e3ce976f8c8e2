"""The home page: a person's own accounts, the health of each key, what comes when and where, and settings.

For platforms that have such a page. It is published again when its words change, so nothing on it moves
with the clock alone; the line that says of when it is stands outside of what is compared.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from chatbot.domain.credentials import Account, CredentialState
from chatbot.domain.messages import Button, Line, Message, Post, bold, line, message, to_json
from chatbot.domain.people import Conversation, ConversationId, Identity, Person, Place, Role
from chatbot.domain.permissions import Outcome, decide
from chatbot.ports.context import Context
from chatbot.ports.stores import UnitOfWork
from chatbot.text import LANGUAGE_NAMES, Translator
from handlers.notifications import guide as guides
from handlers.notifications.accounts import state_line
from handlers.notifications.keys import ends
from handlers.notifications.trouble import of_account

CARD = "home"
FRESH = timedelta(minutes=5)
MOST_ACCOUNTS = 25
MOST_SCHEDULES = 10

Rows = tuple[tuple[Button, ...], ...]


async def page(reader: Person, home: Conversation, store: UnitOfWork, ctx: Context) -> Message:
    """Return the page of a private conversation, whose channel is the user who looks."""
    t, place = ctx.translator(reader), home.place
    who = Identity(place.platform, place.channel, place.workspace)
    if ctx.roster.role(who) is Role.STRANGER:
        return _off_the_list(who, t) if await store.people.owns(reader.id) else _stranger(who, t)
    mine = await store.accounts.of_person(reader.id)
    if not mine:
        return _welcome(reader, ctx, t)
    lines = [line(bold(t.say("Your accounts")))]
    for account in mine[:MOST_ACCOUNTS]:
        lines += [line(), *_account(account, ctx, t)]
    if len(mine) > MOST_ACCOUNTS:
        lines += [line(), line(t.say("And {count} more: see /accounts.", count=len(mine) - MOST_ACCOUNTS))]
    lines += await _schedules(reader, mine, place, store, t)
    lines += _settings(reader, t)
    return message(*lines, buttons=(*_reading(t), _choosing(t)))


def post(shown: Message, t: Translator, now: datetime) -> Post:
    """Return a page on its way, with the time it is of."""
    of_when = line(t.say("As of {time}. I renew this page when something changes.", time=t.moment(now)))
    return Post(Message((*shown.body, line(), of_when), shown.buttons), card=CARD, home=True)


def digest(shown: Message) -> str:
    """Return what two pages have in common when they say the same."""
    return hashlib.sha256(json.dumps(to_json(shown)).encode()).hexdigest()


def emptied(t: Translator) -> Post:
    """Return what stays on the page of somebody who had everything deleted."""
    return Post(message(t.say("Nothing of yours is stored here.")), card=CARD, home=True)


def _stranger(who: Identity, t: Translator) -> Message:
    return message(
        bold(t.say("Hello! I am Keyherald.")),
        _purpose(t),
        t.say("You are not on this bot's list yet. Please ask its admin to add this id: {id}", id=str(who)),
    )


def _off_the_list(who: Identity, t: Translator) -> Message:
    text = t.say(
        "You are not on this bot's list any more, so I don't read your accounts. You can still see what "
        "is stored and delete it, or ask an admin to add this id: {id}",
        id=str(who),
    )
    rows = tuple((_run(f"/{name}", name),) for name in ("privacy", "disconnect"))
    return message(text, buttons=rows)


def _welcome(reader: Person, ctx: Context, t: Translator) -> Message:
    connect = tuple(
        (_run(t.say("Connect {exchange}", exchange=e.title), f"connect {e.name}"),)
        for e in ctx.exchanges.values()
    )
    return message(
        bold(t.say("Hello! I am Keyherald.")),
        _purpose(t),
        t.say("No account is connected yet."),
        *guides.others(ctx.exchanges, t),
        *_settings(reader, t),
        buttons=(*connect, _choosing(t)),
    )


def _purpose(t: Translator) -> str:
    return t.say(
        "I help you make a read-only key at your exchange, and then tell you your balances and fills."
    )


def _account(account: Account, ctx: Context, t: Translator) -> tuple[Line, Line]:
    """Show an account by its name, and the health of its key in one line."""
    exchange = ctx.exchange_of(account)
    wrong = of_account(account, exchange, ctx.options.egress, t)
    known = []
    if account.state is CredentialState.ACTIVE:
        known.append(ends(account, exchange, ctx.options, t))
        if decide(account.report, ctx.options.policy).outcome is not Outcome.ACCEPT:
            known.append(t.say("see Keys for what to change"))
    health = " · ".join(_state(account, wrong, known, ctx.clock.now(), t))
    return line(bold(account.titled(exchange.title))), line(health)


def _state(account: Account, wrong: str, known: list[str], now: datetime, t: Translator) -> list[str]:
    """Say whether a key works before what is known of it, and what is wrong, whole sentences, after it."""
    read_at = account.polled_at
    if wrong or account.state is not CredentialState.ACTIVE or read_at is None:
        said = Message((state_line(account, wrong, t),)).plain()
        return [_last_read(read_at, t), *known, said] if read_at is not None else [*known, said]
    if now - read_at >= FRESH:
        return [_last_read(read_at, t), *known]
    span = t.span(int(FRESH.total_seconds()))
    return [t.say("works, read within the last {span}", span=span), *known]


def _last_read(at: datetime, t: Translator) -> str:
    return t.say("last read {time}", time=t.moment(at))


async def _schedules(
    reader: Person, mine: Sequence[Account], here: Place, store: UnitOfWork, t: Translator
) -> list[Line]:
    """Say when the next balances post comes and where to; accounts that go together stand together."""
    names = {account.id: account.name for account in mine if account.state is CredentialState.ACTIVE}
    together: dict[tuple[datetime, ConversationId], list[str]] = {}
    for sub in await store.subscriptions.scheduled_of(reader.id):
        if sub.due_at is not None and sub.account in names:
            together.setdefault((sub.due_at, sub.conversation), []).append(names[sub.account])
    if not together:
        return []
    lines = [line(), line(bold(t.say("Next balances")))]
    for due, conversation in sorted(together)[:MOST_SCHEDULES]:
        where = _where((await store.conversations.get(conversation)).place, here, t)
        accounts = ", ".join(together[due, conversation])
        lines.append(line(f"{t.moment(due)} · {where} · {accounts}"))
    return lines


def _where(place: Place, here: Place, t: Translator) -> str:
    if not place.private:
        return t.say("in the group or channel {id}", id=place.channel)
    if place.bot == here.bot:
        return t.say("in our private chat")
    return t.say("in private on {platform}", platform=place.platform.capitalize())


def _settings(reader: Person, t: Translator) -> list[Line]:
    return [
        line(),
        line(bold(t.say("Settings"))),
        line(t.say("Language: {language}", language=LANGUAGE_NAMES[reader.locale])),
        line(t.say("Time zone: {zone}", zone=reader.timezone)),
        line(t.say("Currency: {currency}", currency=reader.currency)),
        line(),
        line(t.say("What a button answers comes into our private chat.")),
    ]


def _reading(t: Translator) -> Rows:
    return (
        (_run(t.say("Balances"), "balances"), _run(t.say("Fills"), "fills"), _run(t.say("Keys"), "keys")),
        (_run(t.say("Test a key"), "test"), _run(t.say("Connect an exchange"), "connect")),
    )


def _choosing(t: Translator) -> tuple[Button, ...]:
    return (
        _run(t.say("Language"), "language"),
        _run(t.say("Time zone"), "timezone"),
        _run(t.say("Currency"), "currency"),
        _run(t.say("What is stored"), "privacy"),
    )


def _run(text: str, command: str) -> Button:
    return Button(text, "run", (command,))
