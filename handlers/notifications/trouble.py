"""What an exchange's refusal means for a person: what is wrong, and what to do next."""

from collections.abc import Mapping
from datetime import timedelta

from chatbot.domain.credentials import Account
from chatbot.domain.messages import Message, bold, message
from chatbot.domain.permissions import Permission
from chatbot.domain.repeats import Spell
from chatbot.errors import ExchangeError, Trouble, mark
from chatbot.ports.exchanges import Exchange
from chatbot.text import Translator

SENTENCES: Mapping[Trouble, str] = {
    Trouble.BAD_KEY: mark(
        "{exchange} does not know this key, or the secret does not belong to it. Copy both again, without "
        "spaces."),
    Trouble.BAD_SECRET: mark(
        "The secret does not match the key. Copy the secret again; if it is no longer shown, make a new "
        "key."),
    Trouble.KEY_INACTIVE: mark("{exchange} says this key is not active. Make a new key and delete this one."),
    Trouble.IP_BLOCKED: mark(
        "This key only works from addresses on its list at {exchange}. Add ours to the list: {addresses}."),
    Trouble.NO_PERMISSION: mark("This key may not do what I need. At {exchange}, tick “{tick}” for it."),
    Trouble.EXPIRED: mark("This key has expired. Make a new one at {exchange}."),
    Trouble.CLOCK_OR_NONCE: mark(
        "{exchange} refused the order of our requests. Another program may be using the same key: give each "
        "program a key of its own."),
    Trouble.RATE_LIMIT: mark("{exchange} asks us to slow down. I try again by myself in a minute or so."),
    Trouble.MAINTENANCE: mark(
        "{exchange} is not available now, usually for maintenance. I try again by myself."),
    Trouble.ACCOUNT_BLOCKED: mark(
        "{exchange} has restricted this account. Sign in there, or ask its support."),
    Trouble.USER_ACTION: mark(
        "{exchange} wants something from you first: sign in there and do what it asks."),
    Trouble.REGION: mark("{exchange} does not serve the region we call from."),
    Trouble.UNREACHABLE: mark(
        "{exchange} can't be reached now, or gives answers I can't read. I try again by myself."),
    Trouble.UNKNOWN: mark(
        "{exchange} refused with an answer I don't know. Please try again; if it stays, tell your admin."),
}  # fmt: skip


# What an exchange wants from a person, by the subject of its refusal.
WANTED: Mapping[str, str] = {
    "sign_in": mark(
        "{exchange} wants you to sign in on its web page and to look at its security notices. Then try again."
    ),
    "verification": mark(
        "{exchange} wants you to finish verifying your identity. Do that there, then try again."
    ),
    "terms": mark("{exchange} wants you to accept its terms. Sign in there and accept them, then try again."),
    "passphrase": mark(
        "The passphrase does not match the key. Type it as you chose it at {exchange}, capital letters and "
        "all; nobody can show it to you, so if it is lost, make a new key."
    ),
}
# The troubles that say more by their subject.
SAY_MORE = frozenset({Trouble.USER_ACTION, Trouble.BAD_SECRET})

STILL = mark("{account}: I still can't read this account")


def explain(error: ExchangeError, exchange: Exchange, egress: tuple[str, ...], t: Translator) -> str:
    """Return the sentence for an error, naming the tick or the addresses where that helps."""
    return describe(error.trouble, error.subject, exchange, egress, t)


def describe(
    trouble: Trouble, subject: str, exchange: Exchange, egress: tuple[str, ...], t: Translator
) -> str:
    """Return the sentence for a kind of trouble; `subject` is the permission that was missing, if any."""
    return t.say(
        WANTED.get(subject, SENTENCES[trouble]) if trouble in SAY_MORE else SENTENCES[trouble],
        exchange=exchange.title,
        addresses=", ".join(egress) or t.say("ask your admin for them"),
        tick=tick_name(subject, exchange, t),
    )


def of_account(account: Account, exchange: Exchange, egress: tuple[str, ...], t: Translator) -> str:
    """Return the sentence for what is wrong with an account now; empty when nothing is."""
    return describe(Trouble(account.trouble), "", exchange, egress, t) if account.trouble else ""


def tick_name(subject: str, exchange: Exchange, t: Translator) -> str:
    """Return the exchange's own label for a permission, or our name of it."""
    if subject not in set(Permission):
        return t.say("the view rights")
    permission = Permission(subject)
    return exchange.labels.get(permission) or t.permission(permission)


def lasting(account: str, sentence: str, spell: Spell, t: Translator) -> Message:
    """Say that an account can't be read, since when, and how often that was tried."""
    first = spell.rung_at == spell.told_at
    title = mark("{account}: I can't read this account now") if first else STILL
    tried = (_tried(spell, t),) if spell.tries > 1 else ()
    return message(bold(t.say(title, account=account)), sentence, *tried)


def dead(account: str, sentence: str, t: Translator) -> Message:
    """Say that the exchange refuses the key for good, and that we stopped."""
    return message(
        bold(t.say("{account}: this key no longer works", account=account)),
        sentence,
        t.say("I have stopped using it. Connect a new key when you are ready."),
    )


def ended(account: str, spell: Spell, lasted: timedelta, t: Translator) -> Message:
    """Say that all is well again, after how long."""
    title = t.say("{account}: back to normal after {time}", account=account, time=t.lasted(lasted))
    return message(bold(title), _tried(spell, t)) if spell.tries > 1 else message(bold(title))


def _tried(spell: Spell, t: Translator) -> str:
    return t.say(
        "Since {since}; tried {count} times, the last time {last}.",
        since=t.brief(spell.since), count=spell.tries, last=t.brief(spell.last_at),
    )  # fmt: skip


def sealed(t: Translator) -> str:
    """Say that the stored key can't be opened here; the person can't mend that."""
    return t.say("I can't open the stored key at the moment. It is kept and safe; please tell your admin.")


def fills_on(account: str, t: Translator) -> Message:
    """Say that fills can be read, after they could not."""
    return message(t.say("{account}: fills can be read now.", account=account))


def fills_off(account: str, exchange: Exchange, t: Translator) -> Message:
    """Say that balances can be read but fills can't, and which tick to look at."""
    ticks = ", ".join(f"“{exchange.labels[p]}”" for p in exchange.tick if p in exchange.labels)
    return message(
        bold(t.say("{account}: fills can't be read", account=account)),
        t.say(
            "Please check at {exchange} that these are ticked for the key: {ticks}.",
            exchange=exchange.title,
            ticks=ticks,
        ),
        t.say(
            "I go on with balances and try fills again every day. You don't need to allow orders for this."
        ),
    )
