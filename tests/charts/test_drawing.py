"""What a picture looks like: everything in it can be read, on a phone, in any language, at any size of number."""

import struct
import zlib
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb

from chatbot.charts.drawing import compose
from chatbot.charts.sheet import COLOURS, png
from chatbot.domain.pictures import Picture, Point, Shade
from chatbot.text import Translator
from handlers.notifications.pictures import picture
from tests.support.shown import NOW, holding, many, valued, walk, worth

LARGEST = 80_000
EN = Translator("en", ZoneInfo("America/New_York"))
ES = Translator("es", ZoneInfo("America/Mexico_City"))
PT = Translator("pt", ZoneInfo("America/Sao_Paulo"))
LONG = "Bybit · 主账户 a very long label that somebody typed in here, really, twice over …a1b2 (Unified)"
STILL = [Point(NOW - timedelta(hours=n), Decimal(0)) for n in range(72, -1, -1)]
WHALE = [holding("SHIB", "98765432109876.12"), holding("BTC", "12345678901234.5")]
NAMES = [holding("1000000MOGPERPETUALSWAP", "500"), holding("A" * 60, "30"), holding("🚀", "5")]

CASES: dict[str, tuple[str, Any, Any, Translator, Shade]] = {
    "one asset": ("Kraken …9f3c", worth(*many(1)), walk(Decimal(12003), 7, 1), EN, Shade.LIGHT),
    "one asset, no history": ("Kraken …9f3c", worth(*many(1)), [], EN, Shade.DARK),
    "twelve assets": ("Bitso …a1b2", worth(*many(12)), walk(Decimal(43000), 30), EN, Shade.LIGHT),
    "forty assets": ("All together", worth(*many(40)), walk(Decimal(43000), 365, 24), ES, Shade.DARK),
    "forty assets, no history": ("All together", worth(*many(40)), [], PT, Shade.LIGHT),
    "one day": ("Binance …aaaa", worth(*many(4)), walk(Decimal(31000), 1, 0.25), EN, Shade.LIGHT),
    "a year with gaps": (
        "OKX …77aa", worth(*many(6), currency="MXN"),
        walk(Decimal("1234567.89"), 365, 12, gaps=[(0.2, 0.35), (0.6, 0.62)]), ES, Shade.DARK,
    ),
    "ten years": ("Old …0005", worth(*many(7)), walk(Decimal(25000), 3650, 48), PT, Shade.LIGHT),
    "huge": ("Whale …ffff", worth(*WHALE, currency="MXN"), walk(Decimal("1.1e14"), 30), PT, Shade.LIGHT),
    "tiny": (
        "Dusty …0001", worth(holding("BTC", "0.00001234"), currency="BTC"), walk(Decimal("1.2e-5"), 30), EN,
        Shade.DARK,
    ),
    "long names": (LONG, worth(*NAMES, *many(8)), walk(Decimal(20000), 10), PT, Shade.LIGHT),
    "a debt": (
        "Margin …dead", worth(holding("BTC", "5000"), holding("USDT", "-5200")),
        [Point(p.at, p.value - 1000) for p in walk(Decimal(900), 30)], EN, Shade.DARK,
    ),
    "nothing but zero": ("Zero …0000", worth(), STILL, EN, Shade.LIGHT),
    "no price": ("Odd …0000", worth(unpriced=[holding("WONDER", None)]), walk(Decimal(90), 30), ES, Shade.DARK),
    "dollars, signs and marks": ("$x_1^2$ & <b> \\frac", worth(*many(2)), walk(Decimal(90), 3), EN, Shade.LIGHT),
}  # fmt: skip


def described(case: str) -> Picture:
    """Return the picture of a case."""
    title, whole, points, t, shade = CASES[case]
    found = picture(title, whole, points, shade, t)
    assert found is not None
    return found


@pytest.mark.parametrize("case", CASES)
def test_no_word_is_cut_or_covers_another(case: str) -> None:
    """Every text lies inside the picture, and no two overlap."""
    figure = compose(described(case))
    canvas = FigureCanvasAgg(figure)
    boxes = {text: text.get_window_extent(canvas.get_renderer()) for text in figure.texts}
    for text, box in boxes.items():
        assert text.get_text().strip()
        assert box.x0 >= 0, text.get_text()
        assert box.y0 >= 0, text.get_text()
        assert box.x1 <= figure.bbox.width, text.get_text()
        assert box.y1 <= figure.bbox.height, text.get_text()
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        apart = a.x1 <= b.x0 or b.x1 <= a.x0 or a.y1 <= b.y0 + 3 or b.y1 <= a.y0 + 3
        assert apart, (one.get_text(), other.get_text())


@pytest.mark.parametrize("case", CASES)
def test_words_are_large_enough_for_a_phone(case: str) -> None:
    """No text is set smaller than seventeen pixels."""
    figure = compose(described(case))
    assert min(float(text.get_fontsize()) * figure.dpi / 72 for text in figure.texts) >= 17


@pytest.mark.parametrize("case", CASES)
def test_a_picture_is_small_and_says_something(case: str) -> None:
    """A whole PNG of at most 80 kB in the size of its figure, with far more than an empty ground in it."""
    made = png(compose(described(case)))
    width, height, pixels = opened(made)
    assert len(made) <= LARGEST
    assert width == 900
    assert 200 < height <= 600
    ground = pixels[:3]
    inked = sum(pixels[i : i + 3] != ground for i in range(0, len(pixels), 3))
    assert inked > width * height // 100


def test_the_same_picture_has_the_same_bytes() -> None:
    """Nothing of the moment or the machine gets in."""
    assert png(compose(described("twelve assets"))) == png(compose(described("twelve assets")))


@pytest.mark.parametrize("case", ["huge", "a debt"])
def test_no_number_loses_a_digit(case: str) -> None:
    """A number that does not fit is left out for its share, never shortened."""
    shown = described(case)
    assert shown.allocation
    words = {text.get_text() for text in compose(shown).texts}
    whole = {*shown.changes, shown.total}
    for bar in shown.allocation.bars:
        whole |= {f"{bar.worth} · {bar.share}", bar.share}
    assert {word for word in words if "%" in word or "$" in word} <= {" ".join(w.split()) for w in whole}


@pytest.mark.parametrize("shade", Shade)
def test_words_and_bars_stand_out_from_the_ground(shade: Shade) -> None:
    """Text keeps a contrast of 4.5 to its ground, bars and curve of 3."""
    colours = COLOURS[shade]
    for colour in (colours.text, colours.faint, colours.up, colours.down):
        assert contrast(colour, colours.ground) >= 4.5
    assert contrast(colours.curve, colours.ground) >= 3


def test_what_is_owed_is_hatched() -> None:
    """It can be told from what is held without seeing colours."""
    hatched = [bool(p.get_hatch()) for p in compose(described("a debt")).findobj() if hasattr(p, "get_hatch")]
    assert any(hatched)
    assert not any(
        p.get_hatch() for p in compose(described("twelve assets")).findobj() if hasattr(p, "get_hatch")
    )


def test_a_picture_is_described_in_every_language() -> None:
    """No title is left empty, whatever the language."""
    for t in (EN, ES, PT):
        seen = valued("Bitso …a1b2", worth(*many(3)))
        shown = picture(seen.name, seen.worth, walk(Decimal(100), 30), Shade.LIGHT, t)
        assert shown
        assert shown.curve
        assert "{" not in shown.curve.heading
        assert len(shown.curve.times) > 2
        assert len(shown.curve.values) > 1


def opened(made: bytes) -> tuple[int, int, bytes]:
    """Return width, height and the pixels of a PNG without filters."""
    assert made.startswith(b"\x89PNG\r\n\x1a\n")
    spot, data = 8, b""
    size = (0, 0)
    while spot < len(made):
        (length,), kind = struct.unpack(">I", made[spot : spot + 4]), made[spot + 4 : spot + 8]
        body = made[spot + 8 : spot + 8 + length]
        assert struct.unpack(">I", made[spot + 8 + length : spot + 12 + length])[0] == zlib.crc32(kind + body)
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
        data += body if kind == b"IDAT" else b""
        spot += 12 + length
    raw, row = zlib.decompress(data), size[0] * 3 + 1
    return *size, b"".join(raw[i + 1 : i + row] for i in range(0, len(raw), row))


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours as the accessibility guidelines measure it."""

    def luminance(colour: str) -> float:
        parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
