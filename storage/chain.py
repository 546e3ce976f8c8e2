"""The audit's chain: each entry carries a hash over itself and the entry before it, counted per team.

Whoever changes, removes, adds or reorders an entry breaks the chain at that place, and `check` says where.
Pure: it sees values, not a database. The hash is no seal: who can write everything can write a new chain,
so its end is worth keeping elsewhere.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

CONTEXT = b"keyherald/audit/1"
START = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is hashed; `at` in microseconds since 1970, `number` from 1 without a gap per team.

    A number of 0 stands for an entry that never joined the chain.
    """

    team: str
    number: int
    at: int
    actor: str
    action: str
    subject: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a team's chain: the last number and its hash."""

    number: int = 0
    hash: bytes = START


def link(before: bytes, entry: Entry) -> bytes:
    """Return the hash of an entry that follows the one with the hash `before`."""
    parts = (
        before,
        entry.team.encode(),
        str(entry.number).encode(),
        str(entry.at).encode(),
        entry.actor.encode(),
        entry.action.encode(),
        entry.subject.encode(),
        entry.outcome.encode(),
    )
    # Lengths are hashed too, so that no text can move from one field into the next.
    framed = b"".join(len(part).to_bytes(4, "big") + part for part in (CONTEXT, *parts))
    return hashlib.sha256(framed).digest()


def check(entries: Iterable[tuple[Entry, bytes]], head: Head) -> str:
    """Return where a team's entries, in their order, break the chain; empty when they are whole."""
    last = Head()
    for entry, found in entries:
        if not entry.number:
            return "an entry was added behind the chain's back"
        if entry.number != last.number + 1:
            return f"entry {last.number + 1} is missing"
        expected = link(last.hash, entry)
        if found != expected:
            return f"entry {entry.number} was changed, or what stood before it"
        last = Head(entry.number, expected)
    if last.number < head.number:
        return f"entry {last.number + 1} is missing"
    if last != head:
        return f"entry {head.number + 1} was added behind the chain's back"
    return ""
