"""What is told and how loud: kinds of notifications, quiet hours, mutes, and what they hold back.

A subscription says how loud one kind of one account is in one place; the place has quiet hours and may be
muted. What comes meanwhile is held and told together afterwards, but for what is urgent.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from chatbot.domain.schedule import WEEKDAYS, instant, parse_time
from chatbot.errors import BadArgument, mark


class Kind(StrEnum):
    """What a notification is about; `keys` is trouble with a key."""

    BALANCES = "balances"
    FILLS = "fills"
    TRANSFERS = "transfers"
    OUTFLOW = "outflow"
    EXPIRY = "expiry"
    PERMISSIONS = "permissions"
    KEYS = "keys"
    EXCHANGE = "exchange"
    SECURITY = "security"
    DIGEST = "digest"


class Loudness(StrEnum):
    """How a subscription is told."""

    LOUD = "loud"
    SILENT = "silent"
    OFF = "off"


class Way(StrEnum):
    """What becomes of a notification at one moment."""

    LOUD = "loud"
    SILENT = "silent"
    HELD = "held"
    OFF = "off"


TITLES: Mapping[Kind, str] = {
    Kind.BALANCES: mark("Balances"),
    Kind.FILLS: mark("Fills"),
    Kind.TRANSFERS: mark("Deposits and withdrawals"),
    Kind.OUTFLOW: mark("Unexplained outflow"),
    Kind.EXPIRY: mark("Key expiry"),
    Kind.PERMISSIONS: mark("Permission changes"),
    Kind.KEYS: mark("Key trouble"),
    Kind.EXCHANGE: mark("Exchange trouble"),
    Kind.SECURITY: mark("Security"),
    Kind.DIGEST: mark("Digest"),
}
URGENT = frozenset({Kind.OUTFLOW, Kind.PERMISSIONS, Kind.SECURITY})
NEVER_OFF = URGENT
SCHEDULED = frozenset({Kind.BALANCES, Kind.DIGEST})
# How the keys of posts begin that show the accounts of several people as one.
TOGETHER = "together:"
# What a place starts with: the owner's own chat hears everything, a group what is fit for company.
OWN = (
    Kind.BALANCES, Kind.FILLS, Kind.TRANSFERS, Kind.OUTFLOW, Kind.EXPIRY, Kind.PERMISSIONS, Kind.KEYS,
    Kind.EXCHANGE, Kind.SECURITY,
)  # fmt: skip
SHARED = (Kind.BALANCES, Kind.FILLS, Kind.TRANSFERS)
LONGEST_MUTE = timedelta(days=7)
LONGEST_URGENT_MUTE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet hours by the local clock; `days` are the weekdays on which they begin, Monday is 0."""

    start: time
    end: time
    days: frozenset[int] = frozenset(range(7))

    def __str__(self) -> str:
        hours = f"{self.start:%H:%M}-{self.end:%H:%M}"
        return hours if len(self.days) == len(WEEKDAYS) else f"{hours} {_days_text(self.days)}"

    def until(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """Return when the quiet hours that hold at an instant are over, None when there are none.

        They last from the first time the clock shows their start to the last time it shows their end.
        """
        today = at.astimezone(zone).date()
        for back in (2, 1, 0):
            day = today - timedelta(days=back)
            if day.weekday() not in self.days:
                continue
            end_day = day if self.start < self.end else day + timedelta(days=1)
            over = instant(end_day, self.end, zone, again=True)
            if instant(day, self.start, zone) <= at < over:
                return over
        return None


@dataclass(frozen=True, slots=True)
class Hush:
    """When a place is quiet: its quiet hours (empty for none) in a zone (empty: the reader's), its mute."""

    quiet: str = ""
    zone: str = ""
    muted_until: datetime | None = None

    def until(self, now: datetime, home: str) -> datetime | None:
        """Return when it has to be looked at again, None when the place may be written to now."""
        ends = [_mute(self.muted_until, now, LONGEST_MUTE)]
        if self.quiet:
            ends.append(parse_quiet(self.quiet).until(now, ZoneInfo(self.zone or home)))
        return max((end for end in ends if end is not None), default=None)


NEVER_QUIET = Hush()


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a notification now, and until when it is held."""

    way: Way
    until: datetime | None = None


def decide(
    kind: Kind, loudness: Loudness, muted_until: datetime | None, hush: Hush, home: str, now: datetime,
    *, urgent: bool,
) -> Decision:  # fmt: skip
    """Say what becomes of a notification; `muted_until` is the subscription's, `home` the reader's zone.

    What is urgent breaks through the quiet of a place, but not through a mute of its own kind.
    """
    if loudness is Loudness.OFF and kind not in NEVER_OFF:
        return Decision(Way.OFF)
    ends = [_mute(muted_until, now, longest_mute(kind))]
    if not urgent:
        ends.append(hush.until(now, home))
    held = max((end for end in ends if end is not None), default=None)
    if held is not None:
        return Decision(Way.HELD, held)
    return Decision(Way.LOUD if loudness is Loudness.LOUD else Way.SILENT)


def longest_mute(kind: Kind) -> timedelta:
    """Return how long a kind may be muted at most: what can't be switched off is back after a day."""
    return LONGEST_URGENT_MUTE if kind in NEVER_OFF else LONGEST_MUTE


def mute_end(kind: Kind, until: datetime, now: datetime) -> datetime:
    """Return when a mute of a kind that is asked for until then really ends."""
    return min(until, now + longest_mute(kind))


def _mute(until: datetime | None, now: datetime, longest: timedelta) -> datetime | None:
    # A mute that ends later than any may last was set by a clock that has been set back since.
    return until if until is not None and now < until <= now + longest else None


def check_loudness(kind: Kind, loudness: Loudness) -> None:
    """Refuse to switch off what protects the account.

    Raises:
        BadArgument: with what can be done instead.
    """
    if loudness is Loudness.OFF and kind in NEVER_OFF:
        raise BadArgument(
            mark("This can't be switched off: it protects your account. Mute it for a while: /mute 2h")
        )


_QUIET = re.compile(r"(?P<start>\S+?)\s*[-–—]\s*(?P<end>\S+)(?:\s+(?P<days>.+))?", re.ASCII)
_SPAN = re.compile(r"(?P<number>\d{1,5})\s*(?P<unit>m|min|h|d)", re.ASCII)
_UNITS = {"m": timedelta(minutes=1), "min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(1)}


def parse_quiet(words: str) -> Quiet:
    """Read quiet hours, as `22:00-07:00` or `22:00-07:00 mon-fri`.

    Raises:
        BadArgument: with an example that works.
    """
    found = _QUIET.fullmatch(words.strip().lower())
    start, end = (parse_time(found[name]) for name in ("start", "end")) if found else (None, None)
    days = _days(found["days"]) if found else frozenset()
    if start is None or end is None or start == end or not days:
        raise BadArgument(
            mark("I can't read quiet hours in “{words}”. Write them like this: /quiet 22:00-07:00 mon-fri"),
            words=words[:32],
        )
    return Quiet(start, end, days)


def parse_span(words: str) -> timedelta:
    """Read how long a mute is to last, as `30m`, `2h` or `1d`.

    Raises:
        BadArgument: with an example that works.
    """
    found = _SPAN.fullmatch(words.strip().lower())
    span = int(found["number"]) * _UNITS[found["unit"]] if found else timedelta()
    if not timedelta() < span <= LONGEST_MUTE:
        raise BadArgument(
            mark("“{words}” is no time I can mute for: a minute to 7 days. Write it like this: /mute 2h"),
            words=words[:32],
        )
    return span


def _days(words: str | None) -> frozenset[int]:
    """Return the weekdays of `mon-fri` or `mon,wed,sat-sun`; none when they can't be read."""
    if words is None:
        return frozenset(range(7))
    found: set[int] = set()
    for part in re.split(r"[,\s]+", words.strip()):
        ends = [name[:3] for name in part.split("-")]
        if len(ends) > 2 or any(name not in WEEKDAYS for name in ends):
            return frozenset()
        first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
        found |= {(first + step) % 7 for step in range((last - first) % 7 + 1)}
    return frozenset(found)


def _days_text(days: frozenset[int]) -> str:
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join("-".join(dict.fromkeys((WEEKDAYS[run[0]], WEEKDAYS[run[-1]]))) for run in runs)
