"""What a picture looks like: 900 × 600 pixels at most, to be read on a phone.

Runs in the worker process. No colour says anything that length, sign or words don't say as well.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from matplotlib.figure import Figure

from chatbot.charts.sheet import COLOURS, MARGIN, WIDTH, Sheet
from chatbot.domain.pictures import Allocation, Bar, Curve, Picture, Point

HEIGHT = 600
LEFT, RIGHT, TOP = 28, 872, 122.0
HEADING, ROOMY = 40, 46
SMALL, USUAL, LARGE, HUGE = 21, 24, 28, 40
COLUMN_GAP = 36
A_COLUMN = 6


def compose(picture: Picture) -> Figure:
    """Return the figure: head, curve and allocation, each in as much room as the others leave."""
    sheet = Sheet(COLOURS[picture.shade], _height(picture))
    _head(sheet, picture)
    below = TOP
    if picture.curve is not None:
        foot = sheet.bottom - (_wanted(picture.allocation) if picture.allocation else 0)
        _curve(sheet, picture.curve, below, foot)
        below = foot + 10
    if picture.allocation is not None:
        _allocation(sheet, picture.allocation, below, roomy=picture.curve is None)
    return sheet.figure


def _height(picture: Picture) -> int:
    if picture.curve is not None or picture.allocation is None:
        return HEIGHT
    return min(HEIGHT, int(TOP) + HEADING + ROOMY * len(picture.allocation.bars) + MARGIN)


def _head(sheet: Sheet, picture: Picture) -> None:
    colours = sheet.colours
    sheet.text(LEFT, 46, picture.title, LARGE, colours.faint, RIGHT - LEFT, bold=True)
    change_room = 180 if picture.changes else 0
    total = sheet.text(LEFT, 96, picture.total, HUGE, colours.text, RIGHT - LEFT - change_room, bold=True)
    if picture.changes:
        colour = {1: colours.up, -1: colours.down}.get(picture.rising, colours.faint)
        x = LEFT + sheet.width(total) + 20
        sheet.number(x, 96, picture.changes, USUAL, colour, RIGHT - x)


def _curve(sheet: Sheet, curve: Curve, top: float, bottom: float) -> None:
    colours = sheet.colours
    sheet.text(LEFT, top + 20, curve.heading, SMALL, colours.faint, RIGHT - LEFT)
    top, bottom = top + 46, bottom - 34
    labels = [sheet.text(LEFT, 0, label, SMALL, colours.faint, 240) for _, label in curve.values]
    left = LEFT + max((sheet.width(label) for label in labels), default=0) + 12

    def height(value: Decimal) -> float:
        return bottom - float((value - curve.low) / (curve.high - curve.low)) * (bottom - top)

    for (value, _), label in zip(curve.values, labels, strict=True):
        y = height(value)
        sheet.line([(left, y), (RIGHT, y)], colours.grid, 1)
        label.set_position(((left - 12) / WIDTH, 1 - (y + 7) / sheet.height))
        label.set_horizontalalignment("right")
    whole = (curve.until - curve.since).total_seconds()

    def spot(point: Point) -> tuple[float, float]:
        ago = (point.at - curve.since).total_seconds() / whole
        return left + ago * (RIGHT - 8 - left), height(point.value)

    _times(sheet, curve, [spot(Point(at, curve.low))[0] for at, _ in curve.times], left, bottom)
    _line(sheet, [[spot(point) for point in piece] for piece in curve.pieces], bottom)


def _times(sheet: Sheet, curve: Curve, places: Sequence[float], left: float, bottom: float) -> None:
    """Write the marks of the axis of time, leaving out what would touch another or the edge."""
    free = 0.0
    for (_, words), x in zip(curve.times, places, strict=True):
        label = sheet.text(x, bottom + 28, words, SMALL, sheet.colours.faint, 200, "center")
        half = sheet.width(label) / 2
        middle = min(max(x, LEFT + half), RIGHT - half)
        if x < left or middle - half < free:
            label.remove()
            continue
        label.set_x(middle / WIDTH)
        sheet.line([(x, bottom), (x, bottom + 6)], sheet.colours.faint, 1)
        free = middle + half + 18


def _line(sheet: Sheet, parts: Sequence[Sequence[tuple[float, float]]], bottom: float) -> None:
    colour = sheet.colours.curve
    for former, later in pairwise(parts):
        sheet.line([former[-1], later[0]], sheet.colours.faint, 1.2, ":")
    for part in parts:
        if len(part) == 1:
            sheet.dot(*part[0], colour)
            continue
        sheet.area([(part[0][0], bottom), *part, (part[-1][0], bottom)], colour)
        sheet.line(part, colour, 2.4)
    sheet.dot(*parts[-1][-1], colour)


def _grid(allocation: Allocation, *, roomy: bool) -> tuple[int, int]:
    """Return in how many columns and rows the bars stand."""
    columns = 1 if roomy or len(allocation.bars) <= A_COLUMN else 2
    return columns, -(-len(allocation.bars) // columns)


def _wanted(allocation: Allocation) -> float:
    rows = _grid(allocation, roomy=False)[1]
    return HEADING + rows * (30 if rows == A_COLUMN else 36)


def _allocation(sheet: Sheet, allocation: Allocation, top: float, *, roomy: bool) -> None:
    bars = allocation.bars
    sheet.text(LEFT, top + 20, allocation.heading, SMALL, sheet.colours.faint, RIGHT - LEFT)
    top += 30
    columns, rows = _grid(allocation, roomy=roomy)
    height = min(ROOMY, (sheet.bottom - top) / rows)
    width = (RIGHT - LEFT - COLUMN_GAP * (columns - 1)) / columns
    most = max(abs(bar.value) for bar in bars)
    for number, bar in enumerate(bars):
        x = LEFT + (number // rows) * (width + COLUMN_GAP)
        part = float(abs(bar.value) / most) if most else 0.0
        _bar(sheet, bar, (x, top + (number % rows) * height, width, height), part, short=columns > 1)


def _bar(
    sheet: Sheet, bar: Bar, place: tuple[float, float, float, float], part: float, *, short: bool
) -> None:
    x, y, width, height = place
    colours = sheet.colours
    name, words = (132, 92) if short else (190, 320)
    base = y + height / 2 + 8
    sheet.text(x, base, bar.name, USUAL - 1, colours.text, name - 10)
    said = (bar.share,) if short else (f"{bar.worth} · {bar.share}", bar.share)
    sheet.number(x + width, base, said, USUAL - 1, colours.text, words - 10, "right")
    owed = bar.value < 0
    long = max(3.0, (width - name - words) * part)
    sheet.box(
        x + name, y + height / 2 - 8, long, 16, colours.down if owed else colours.curve, "//" if owed else ""
    )
