"""What a picture of an account shows: its value over time and what it is made of.

Everything is said in words and `Decimal` before it gets here, so that whoever draws it (`chatbot/charts`) has
no language, no zone and no rule of its own. The functions thin, join and divide what there is too much of.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum
from itertools import pairwise

_NICE = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
# A value that hardly moves is drawn as one: its curve spans at least this part of it.
_FLATTEST = Decimal("0.02")
_SHORTEST_GAP = timedelta(hours=6)
_USUAL_STEPS = 5


class Shade(StrEnum):
    """Whether the ground of a picture is light or dark."""

    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Point:
    """A value at one moment."""

    at: datetime
    value: Decimal


@dataclass(frozen=True, slots=True)
class Curve:
    """A value over time in pieces, between which nothing is known; the marks are places on its two axes."""

    heading: str
    pieces: tuple[tuple[Point, ...], ...]
    since: datetime
    until: datetime
    low: Decimal
    high: Decimal
    times: tuple[tuple[datetime, str], ...]
    values: tuple[tuple[Decimal, str], ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One asset: its name, its value, and how both its value and its share are written."""

    name: str
    value: Decimal
    worth: str
    share: str


@dataclass(frozen=True, slots=True)
class Allocation:
    """What the whole is made of, the largest first."""

    heading: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn; `changes` is one change in forms of falling length, `rising` its sign."""

    title: str
    total: str
    changes: tuple[str, ...]
    rising: int
    curve: Curve | None
    allocation: Allocation | None
    shade: Shade = Shade.LIGHT


def joined(series: Sequence[Sequence[Point]]) -> tuple[Point, ...]:
    """Return the sum of several values over time: what is not known at a moment is as it was last.

    It begins when all of them are known, or a new account would look like a gain.
    """
    begun = [points for points in series if points]
    if not begun:
        return ()
    start = max(points[0].at for points in begun)
    moments = sorted({point.at for points in begun for point in points if point.at >= start})
    walks = [iter(points) for points in begun]
    ahead = [next(walk) for walk in walks]
    last = [Decimal(0)] * len(begun)
    found = []
    for moment in moments:
        for number, walk in enumerate(walks):
            while ahead[number].at <= moment:
                last[number] = ahead[number].value
                following = next(walk, None)
                if following is None:
                    ahead[number] = Point(moments[-1] + _SHORTEST_GAP, last[number])
                    break
                ahead[number] = following
        found.append(Point(moment, sum(last, Decimal(0))))
    return tuple(found)


def thinned(points: Sequence[Point], most: int) -> tuple[Point, ...]:
    """Return about so many points at most: of each stretch of time its lowest and highest, and both ends."""
    if len(points) <= most:
        return tuple(points)
    size = -(-2 * len(points) // most)
    kept = {points[0], points[-1]}
    for start in range(0, len(points), size):
        part = points[start : start + size]
        kept |= {min(part, key=_value), max(part, key=_value)}
    return tuple(sorted(kept, key=lambda point: point.at))


def pieces(points: Sequence[Point]) -> tuple[tuple[Point, ...], ...]:
    """Cut a value over time wherever nothing was read for far longer than usual."""
    if len(points) < 2:
        return (tuple(points),) if points else ()
    pauses = sorted(later.at - former.at for former, later in pairwise(points))
    longest = max(_SHORTEST_GAP, pauses[len(pauses) // 2] * _USUAL_STEPS)
    return tuple(_cut(points, longest))


def span(points: Sequence[Point]) -> tuple[Decimal, Decimal]:
    """Return the lowest and highest value that a curve's ground shows, with some room about the curve."""
    low, high = min(map(_value, points)), max(map(_value, points))
    least = max(abs(low), abs(high)) * _FLATTEST or Decimal(1)
    room = max((high - low) / 10, (least - (high - low)) / 2)
    # Nobody owes anything only because the ground needs room.
    return (low - room if low < 0 else max(low - room, Decimal(0))), high + room


def marks(low: Decimal, high: Decimal, most: int = 4) -> tuple[Decimal, ...]:
    """Return round numbers between two values, at most so many and evenly apart."""
    raw = (high - low) / most
    unit = Decimal(1).scaleb(raw.adjusted())
    step = next(nice * unit for nice in _NICE if nice * unit >= raw)
    first = (low / step).to_integral_value(ROUND_CEILING)
    last = (high / step).to_integral_value(ROUND_FLOOR)
    return tuple((first + number) * step for number in range(int(last - first) + 1))


def _cut(points: Sequence[Point], longest: timedelta) -> Iterator[tuple[Point, ...]]:
    piece = [points[0]]
    for former, later in pairwise(points):
        if later.at - former.at > longest:
            yield tuple(piece)
            piece = []
        piece.append(later)
    yield tuple(piece)


def _value(point: Point) -> Decimal:
    return point.value
