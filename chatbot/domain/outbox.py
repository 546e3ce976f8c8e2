"""The outbox: what each kind of message promises, and what to do after each way of failing.

`pending -> claimed -> begun -> sent`; `begun` is written before the first byte leaves, so that a crash
tells apart "surely unsent" and "unknown". An unknown alert is repeated with a visible mark.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chatbot.domain.messages import Message
from chatbot.domain.people import ConversationId, Place
from chatbot.errors import Verdict

LEASE = timedelta(seconds=75)
_REF_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class Promise(StrEnum):
    """What is promised about a message when its outcome is unknown."""

    ALERT = "alert"
    CARD = "card"
    REPORT = "report"
    REPLY = "reply"


# What is never lost: sent again, or made again, until it has surely arrived.
SURE = (Promise.ALERT, Promise.CARD)


class OutboxState(StrEnum):
    """Where a message is on its way."""

    PENDING = "pending"
    CLAIMED = "claimed"
    BEGUN = "begun"
    SENT = "sent"
    UNKNOWN = "unknown"
    PARKED = "parked"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed outbox row: what to send where, and the fence that guards its result.

    `edit` is the id of the platform message to edit, empty to send a new one; `erase` the id of one
    to delete. `repeat` asks for the mark "may be a repeat" with `ref`. `whisper` is the user who alone shall
    see it in a group; `home` asks for the home page of the person in `place`.
    """

    id: str
    conversation: ConversationId
    place: Place
    message: Message
    promise: Promise
    fence: int
    attempts: int
    ref: str
    deadline: datetime
    locale: str = "en"
    card: str = ""
    edit: str = ""
    erase: str = ""
    repeat: bool = False
    silent: bool = False
    protect: bool = False
    whisper: str = ""
    home: bool = False


@dataclass(frozen=True, slots=True)
class Next:
    """What becomes of a row after an attempt; `delay` in seconds when it is pending again.

    `doubt` tells that a new message may have been taken: sent again, it has to carry the mark.
    """

    state: OutboxState
    delay: float = 0
    repeat: bool = False
    fresh: bool = False
    doubt: bool = False


def ref_for(key: str) -> str:
    """Return the four-character reference of a message, the same for every repeat."""
    digest = hashlib.sha256(key.encode()).digest()
    return "".join(_REF_ALPHABET[byte % len(_REF_ALPHABET)] for byte in digest[:4])


def backoff(attempts: int) -> float:
    """Return seconds to wait after so many attempts: 1, 2, 4 … at most five minutes."""
    seconds: int = 2 ** max(0, min(attempts, 10) - 1)
    return min(300, seconds)


def _short_wait(delivery: Delivery) -> float:
    # At once, but a platform that says the same again and again is not asked in a tight circle.
    return 0 if delivery.attempts <= 2 else backoff(delivery.attempts)


def after_unknown(delivery: Delivery) -> Next:
    """Say what follows when nobody knows whether the message was taken."""
    if delivery.edit or delivery.erase or delivery.home:
        return Next(OutboxState.PENDING, backoff(delivery.attempts))
    if delivery.promise in SURE:
        return Next(OutboxState.PENDING, backoff(delivery.attempts), repeat=True, doubt=True)
    return Next(OutboxState.UNKNOWN, doubt=True)


def after_failure(delivery: Delivery, verdict: Verdict, wait: float) -> Next:
    """Say what follows a refused or uncertain attempt."""
    if verdict is Verdict.UNCHANGED:
        return Next(OutboxState.SENT)
    if verdict is Verdict.EDIT_GONE:
        return (
            Next(OutboxState.GONE)
            if delivery.erase
            else Next(OutboxState.PENDING, _short_wait(delivery), fresh=True)
        )
    if verdict is Verdict.UNKNOWN:
        return after_unknown(delivery)
    if verdict is Verdict.GONE:
        return Next(OutboxState.GONE)
    if verdict is Verdict.LIMITED:
        return Next(OutboxState.PENDING, max(wait, 1), repeat=delivery.repeat)
    if verdict is Verdict.MOVED:
        return Next(OutboxState.PENDING, max(wait, _short_wait(delivery)), repeat=delivery.repeat)
    if verdict is Verdict.REFUSED:
        return Next(OutboxState.PARKED, repeat=delivery.repeat)
    return Next(OutboxState.PENDING, max(wait, backoff(delivery.attempts)), repeat=delivery.repeat)
