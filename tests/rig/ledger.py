"""What people were told, held against what happened: lost, repeated, marked, stuck."""

import re
from collections import Counter
from dataclasses import dataclass

from tests.rig.process import until
from tests.rig.storm import OWNER, Storm

MARK = "may be a repeat"
STATUS = "I am running"
_FILL = re.compile(r"\b(1\.\d{5}1) XRP")
OPEN = "state IN ('pending', 'claimed', 'begun')"


@dataclass(frozen=True, slots=True)
class Ledger:
    """The outcome of a storm."""

    kills: int
    faults: int
    fills: int
    lost_fills: list[str]
    unmarked_repeats: list[str]
    marked: int
    commands: int
    lost_replies: int
    doubled_replies: list[int]


def lacking(storm: Storm) -> set[str]:
    """Return the fills nobody was told of yet."""
    return set(storm.quantities) - _told(storm).keys()


async def drained(storm: Storm, seconds: float) -> None:
    """Wait until nothing waits any more: no fill, no update, no message."""
    await until(lambda: not _waiting(storm), seconds, "everything is told")


def _waiting(storm: Storm) -> bool:
    here = storm.here
    if lacking(storm) or here.api.updates:
        return True
    open_updates = here.rows("SELECT 1 FROM inbox WHERE state IN ('pending', 'claimed')")
    return bool(open_updates or here.rows(f"SELECT 1 FROM outbox WHERE {OPEN}"))  # noqa: S608  our own words


def ledger(storm: Storm) -> Ledger:
    """Count."""
    told, api = _told(storm), storm.here.api
    replies = {chat: sum(STATUS in shown.text for shown in api.shown(chat)) for chat in storm.visitors}
    of_owner = sum(STATUS in shown.text for shown in api.shown(OWNER))
    doubled = [chat for chat, count in replies.items() if count > 1]
    if of_owner > storm.asked_by_owner:
        doubled.append(OWNER)
    commands = len(storm.visitors) + storm.asked_by_owner
    return Ledger(
        kills=storm.kills, faults=storm.faults, fills=len(storm.quantities), lost_fills=sorted(lacking(storm)),
        unmarked_repeats=[fill for fill, marks in told.items() if not all(marks[1:])],
        marked=sum(MARK in shown.text for shown in api.shown(OWNER)),
        commands=commands, lost_replies=commands - of_owner - sum(replies.values()), doubled_replies=doubled,
    )  # fmt: skip


def _told(storm: Storm) -> dict[str, list[bool]]:
    """Return for each fill, message by message, whether the mark was there."""
    told: dict[str, list[bool]] = {}
    for shown in storm.here.api.shown(OWNER):
        for fill, times in Counter(_FILL.findall(shown.text)).items():
            told.setdefault(fill, []).extend([MARK in shown.text] * times)
    return told
