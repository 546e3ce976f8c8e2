"""The ground on which a picture is drawn: matplotlib artists in pixels, words that are made to fit, and PNG.

Only `Figure` objects, no pyplot: nothing is kept between two pictures. Colours are those of Okabe and Ito.
"""

import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text

from chatbot.domain.pictures import Shade

WIDTH, DPI, MARGIN = 900, 100, 22
SMALLEST = 17
_FEWER = bytes(min(255, (value + 4) // 8 * 8) for value in range(256))
_FONTS = Path(mpl.get_data_path(), "fonts", "ttf")

Align = Literal["left", "center", "right"]
Style = Literal["-", ":"]


@dataclass(frozen=True, slots=True)
class Colours:
    """The colours of one shade."""

    ground: str
    text: str
    faint: str
    grid: str
    curve: str
    up: str
    down: str


COLOURS = {
    Shade.LIGHT: Colours("#ffffff", "#16191d", "#59616b", "#d5dae0", "#0072b2", "#00694c", "#b54a00"),
    Shade.DARK: Colours("#101820", "#f1f3f5", "#a9b2bd", "#343c47", "#56b4e9", "#2ec49a", "#f0954a"),
}


class Sheet:
    """One picture as it grows: words, lines, areas and boxes, placed in pixels from the upper left corner."""

    def __init__(self, colours: Colours, height: int) -> None:
        """Begin with an empty ground."""
        self.colours = colours
        self.height = height
        self.figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=colours.ground)
        canvas = FigureCanvasAgg(self.figure)
        self._renderer: RendererBase = canvas.get_renderer()  # type: ignore[no-untyped-call]

    @property
    def bottom(self) -> float:
        """Where everything has to end."""
        return self.height - MARGIN

    def text(  # noqa: PLR0913  a text has these properties
        self, x: float, y: float, words: str, size: float, colour: str, room: float, align: Align = "left",
        *, bold: bool = False,
    ) -> Text:  # fmt: skip
        """Write words on a baseline; what is wider than the room gets smaller, then loses its middle."""
        words = _readable(words, bold=bold)
        shown = self.figure.text(
            x / WIDTH, 1 - y / self.height, words, color=colour, ha=align, va="baseline", parse_math=False,
            fontproperties=_font(bold=bold), fontsize=size * 72 / DPI,
        )  # fmt: skip
        self._shrink(shown, size, room)
        for kept in range(len(words) - 1, 1, -1):
            if self.width(shown) <= room:
                break
            shown.set_text(f"{words[: -(-kept // 2)]}…{words[len(words) - kept // 2 :]}")
        return shown

    def number(
        self, x: float, y: float, forms: Sequence[str], size: float, colour: str, room: float,
        align: Align = "left",
    ) -> None:  # fmt: skip
        """Write the first form that fits as it is: a number that lost its middle would be another one."""
        for words in forms:
            shown = self.text(x, y, words, size, colour, WIDTH, align)
            self._shrink(shown, size, room)
            if self.width(shown) <= room:
                return
            shown.remove()

    def _shrink(self, shown: Text, size: float, room: float) -> None:
        while self.width(shown) > room and size > SMALLEST:
            size -= 1
            shown.set_fontsize(size * 72 / DPI)

    def width(self, text: Text) -> float:
        """Return how wide words are."""
        return float(text.get_window_extent(self._renderer).width)

    def line(
        self, spots: Sequence[tuple[float, float]], colour: str, width: float, style: Style = "-"
    ) -> None:
        """Draw a line from spot to spot."""
        xs, ys = [x / WIDTH for x, _ in spots], [1 - y / self.height for _, y in spots]
        self._add(Line2D(xs, ys, color=colour, linewidth=width, linestyle=style, solid_joinstyle="round"))

    def dot(self, x: float, y: float, colour: str) -> None:
        """Draw a dot."""
        self._add(
            Line2D(
                [x / WIDTH], [1 - y / self.height], color=colour, marker="o", markersize=7, linestyle="none"
            )
        )

    def area(self, spots: Sequence[tuple[float, float]], colour: str) -> None:
        """Fill what the spots enclose, so that what lies below shows through."""
        corners = [(x / WIDTH, 1 - y / self.height) for x, y in spots]
        self._add(Polygon(corners, closed=True, facecolor=colour, edgecolor="none", alpha=0.16))

    def box(self, x: float, y: float, width: float, height: float, colour: str, hatch: str = "") -> None:
        """Fill a box, or hatch it."""
        self._add(
            Rectangle(
                (x / WIDTH, 1 - (y + height) / self.height), width / WIDTH, height / self.height,
                facecolor=colour, edgecolor=self.colours.ground, linewidth=0, hatch=hatch or None,
            )
        )  # fmt: skip

    def _add(self, artist: Artist) -> None:
        artist.set_transform(self.figure.transFigure)
        self.figure.add_artist(artist)


def png(figure: Figure) -> bytes:
    """Return a figure as PNG, the same bytes for the same figure."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    rgba = bytes(canvas.buffer_rgba()).translate(_FEWER)  # type: ignore[no-untyped-call]
    # Without the fourth channel, and in fewer colours than anybody sees, it is half as large.
    rgb = bytearray(len(rgba) // 4 * 3)
    for channel in range(3):
        rgb[channel::3] = rgba[channel::4]
    width = WIDTH * 3
    rows = b"".join(b"\0" + rgb[start : start + width] for start in range(0, len(rgb), width))
    size = struct.pack(">IIBBBBB", WIDTH, len(rgb) // width, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", size), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


@cache
def _font(*, bold: bool) -> FontProperties:
    return FontProperties(fname=_file(bold=bold))


def _file(*, bold: bool) -> str:
    return str(_FONTS / ("DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"))


@cache
def _glyphs(*, bold: bool) -> frozenset[int]:
    return frozenset(get_font(_file(bold=bold)).get_charmap())


def _readable(words: str, *, bold: bool) -> str:
    """Leave out what the font has no picture for; the message beside it has every character."""
    known = _glyphs(bold=bold)
    kept = "".join(c if ord(c) in known else "" for c in re.sub(r"\s", " ", words).replace("\u202f", " "))
    return " ".join(kept.split()) or "–"
