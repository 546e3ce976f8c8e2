"""What people were told, held against what happened: lost, repeated, marked, stuck.

A message that is edited counts by its last state. One that only names how many fills it holds is opened as a
person would: *Show all* or *Details*, and *Next* to the end.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.rig.process import until
from tests.rig.storm import OWNER, Storm
from tests.support.botapi.world import Shown

MARK = "may be a repeat"
STATUS = "I am running"
OPEN = "state IN ('pending', 'claimed', 'begun')"
PATIENCE = 30.0
_FILL = re.compile(r"\b(1\.\d{5}1) XRP")
_REF = re.compile(r"\bref ([2-9A-HJ-NP-Z]{4})$", re.MULTILINE)
_COUNT = re.compile(r"\b(\d+) fills\b")
_OPENERS = ("Show all", "Details")


@dataclass(frozen=True, slots=True)
class Ledger:
    """The outcome of a storm."""

    kills: int
    faults: int
    fills: int
    messages: int
    lost_fills: list[str]
    unmarked_repeats: list[str]
    marked: int
    commands: int
    lost_replies: int
    doubled_replies: list[int]


async def drained(storm: Storm, seconds: float) -> None:
    """Wait until nothing waits any more: no fill, no update, no message."""
    await until(lambda: not _waiting(storm), seconds, "everything is told")


def _waiting(storm: Storm) -> bool:
    here = storm.here
    counted = sum(max(map(_held, same)) for same in _told(storm).values())
    if counted < len(storm.quantities) or here.api.updates:
        return True
    open_updates = here.rows("SELECT 1 FROM inbox WHERE state IN ('pending', 'claimed')")
    return bool(open_updates or here.rows(f"SELECT 1 FROM outbox WHERE {OPEN}"))  # noqa: S608  our own words


async def ledger(storm: Storm) -> Ledger:
    """Count."""
    api = storm.here.api
    replies = {chat: sum(STATUS in shown.text for shown in api.shown(chat)) for chat in storm.visitors}
    of_owner = sum(STATUS in shown.text for shown in api.shown(OWNER))
    doubled = [chat for chat, count in replies.items() if count > 1]
    if of_owner > storm.asked_by_owner:
        doubled.append(OWNER)
    commands = len(storm.visitors) + storm.asked_by_owner
    marked = sum(MARK in shown.text for shown in api.shown(OWNER))
    messages = _told(storm)
    marks = await _marks(storm, messages)
    return Ledger(
        kills=storm.kills, faults=storm.faults, fills=len(storm.quantities), messages=len(messages),
        lost_fills=sorted(set(storm.quantities) - marks.keys()),
        unmarked_repeats=[fill for fill, seen in marks.items() if not all(seen[1:])], marked=marked,
        commands=commands, lost_replies=commands - of_owner - sum(replies.values()), doubled_replies=doubled,
    )  # fmt: skip


def _told(storm: Storm) -> dict[str, list[Shown]]:
    """Return the messages about fills by what they refer to: more than one for what was repeated."""
    told: dict[str, list[Shown]] = {}
    for shown in storm.here.api.shown(OWNER):
        ref = _REF.search(shown.text)
        if ref and set(_OPENERS) & set(shown.buttons):
            told.setdefault(ref[1], []).append(shown)
    return told


def _held(shown: Shown) -> int:
    count = _COUNT.search(shown.text)
    return int(count[1]) if count else 1


async def _marks(storm: Storm, messages: dict[str, list[Shown]]) -> dict[str, list[bool]]:
    """Return for each fill, message by message, whether the mark was there."""
    marks: dict[str, list[bool]] = {}
    for same in messages.values():
        fullest = max(same, key=_held)
        fills = await _opened(storm, fullest) if _held(fullest) > 1 else _FILL.findall(fullest.text)
        assert len(fills) == _held(fullest), f"it says {_held(fullest)} and holds {len(fills)}"
        for fill in fills:
            marks.setdefault(fill, []).extend(MARK in shown.text for shown in same)
    return marks


async def _opened(storm: Storm, shown: Shown) -> Sequence[str]:
    """Read all that a message holds, page by page; what it shows itself must be among it."""
    api = storm.here.api
    before = len(api.shown(OWNER))
    await api.press(shown, next(name for name in _OPENERS if name in shown.buttons))
    await api.until(lambda: len(api.shown(OWNER)) > before, PATIENCE)
    page = api.latest(OWNER)
    fills = dict.fromkeys(_FILL.findall(page.text))
    while "Next" in page.buttons:
        edits = page.edits
        await api.press(page, "Next")
        await api.until(lambda seen=edits: page.edits > seen, PATIENCE)  # type: ignore[misc]
        fills |= dict.fromkeys(_FILL.findall(page.text))
    assert set(_FILL.findall(shown.text)) <= fills.keys()
    return list(fills)
