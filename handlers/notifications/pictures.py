"""What a picture of some accounts shows, and the words for those who can't see it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from chatbot.domain.balances import Holding, Valuation
from chatbot.domain.credentials import AccountId
from chatbot.domain.messages import Image
from chatbot.domain.pictures import (
    Allocation,
    Bar,
    Curve,
    Picture,
    Point,
    Shade,
    joined,
    marks,
    pieces,
    span,
    thinned,
)
from chatbot.ports.context import Context
from chatbot.ports.worth import Valuations
from chatbot.text import Translator

USUAL = timedelta(days=30)
BARS = 12
POINTS = 320
STEPS = 600
LEAST = timedelta(minutes=30)
MARKS = 6
A_YEAR = 12
_DAYS = (1, 2, 3, 5, 7, 10, 14)
_MONTHS = (1, 2, 3, 6, 12, 24)


async def history(
    valuations: Valuations, accounts: Sequence[AccountId], currency: str, since: datetime, now: datetime
) -> tuple[Point, ...]:
    """Return what some accounts were worth together over time."""
    step = max((now - since) / STEPS, timedelta(minutes=1))
    return joined(list((await valuations.series(accounts, currency, since, step)).values()))


def long_enough(points: Sequence[Point]) -> bool:
    """Tell whether there is enough history for a curve."""
    return len(points) > 1 and points[-1].at - points[0].at >= LEAST


def picture(
    title: str, worth: Valuation, points: Sequence[Point], shade: Shade, t: Translator
) -> Picture | None:
    """Describe the picture of a value now and over time; None when there is nothing to see."""
    allocation = _allocation(worth, t)
    curve = _curve(points, worth.currency, t)
    if allocation is None and curve is None:
        return None
    total = t.money(worth.total, worth.currency) if worth.priced else t.say("no price")
    change = points[-1].value - points[0].value if curve else Decimal(0)
    return Picture(
        title, total, _changes(points, worth.currency, t) if curve else (), int(change.compare(0)), curve,
        allocation, shade,
    )  # fmt: skip


async def draw(
    shown: Picture | None, points: Sequence[Point], currency: str, t: Translator, ctx: Context
) -> Image | None:
    """Have a picture drawn; None when there is none, or it can't be drawn now."""
    png = await ctx.charts.draw(shown) if shown is not None else None
    return None if png is None or shown is None else Image(png, words(shown, points, currency, t))


def words(shown: Picture, points: Sequence[Point], currency: str, t: Translator) -> str:
    """Say in words what a picture shows."""
    said = [f"{shown.title}: {shown.total}."]
    if shown.curve is not None:
        low, high = min(points, key=_value), max(points, key=_value)
        said.append(
            t.say(
                "From {start} on {since} to {end} on {until}; lowest {low} on {low_day}, highest {high} on "
                "{high_day}.",
                start=t.money(points[0].value, currency), since=t.day(points[0].at),
                end=t.money(points[-1].value, currency), until=t.day(points[-1].at),
                low=t.money(low.value, currency), low_day=t.day(low.at),
                high=t.money(high.value, currency), high_day=t.day(high.at),
            )
        )  # fmt: skip
    if shown.allocation is not None:
        parts = ", ".join(f"{bar.name} {bar.share or bar.worth}" for bar in shown.allocation.bars)
        said.append(t.say("Made of: {parts}.", parts=parts))
    return " ".join(said)


def _changes(points: Sequence[Point], currency: str, t: Translator) -> tuple[str, ...]:
    first, change = points[0].value, points[-1].value - points[0].value
    arrow = "▲ " if change > 0 else "▼ " if change < 0 else ""
    money = f"{arrow}{t.signed(change, currency)}"
    if first <= 0:
        return (money,)
    ratio = t.percent(change / first)
    return f"{money} ({ratio})", f"{arrow}{ratio}"


def _allocation(worth: Valuation, t: Translator) -> Allocation | None:
    priced = sorted((*worth.shown, *worth.dust), key=lambda h: (-abs(h.value or Decimal(0)), h.balance.asset))
    held = [h for h in priced if h.value]
    if not held:
        return None
    shown = held if len(held) <= BARS else held[: BARS - 1]
    bars = [_bar(h.balance.asset, h.value or Decimal(0), worth, t) for h in shown]
    rest = held[len(shown) :]
    if rest:
        name = t.say("{count} others", count=len(rest))
        bars.append(_bar(name, _together(rest), worth, t))
    return Allocation(t.say("What it is made of"), tuple(bars))


def _bar(name: str, value: Decimal, worth: Valuation, t: Translator) -> Bar:
    share = worth.share(value)
    money = t.money(value, worth.currency)
    return Bar(name, value, money, t.share(share) if share is not None else t.say("owed"))


def _together(holdings: Sequence[Holding]) -> Decimal:
    return sum((h.value for h in holdings if h.value is not None), Decimal(0))


def _curve(points: Sequence[Point], currency: str, t: Translator) -> Curve | None:
    if not long_enough(points):
        return None
    since, until = points[0].at, points[-1].at
    low, high = span(points)
    places = marks(low, high)
    parts = tuple(thinned(piece, max(2, POINTS * len(piece) // len(points))) for piece in pieces(points))
    heading = t.say(
        "Value in {currency}, {since} – {until}",
        currency=currency,
        since=_end(since, until, t),
        until=_end(until, since, t),
    )
    return Curve(
        heading, parts, since, until, low, high, tuple(_times(since, until, t)),
        tuple(zip(places, t.scale(places), strict=True)),
    )  # fmt: skip


def _end(moment: datetime, other: datetime, t: Translator) -> str:
    """Name one end of the time shown, no more closely than is needed."""
    if abs(moment - other) < timedelta(days=2):
        return t.brief(moment)
    return t.short_day(moment) if abs(moment - other) < timedelta(days=300) else t.day(moment)


def _times(since: datetime, until: datetime, t: Translator) -> Iterator[tuple[datetime, str]]:
    """Mark hours, days or months, so that few enough fit; each at its beginning by the reader's clock."""
    whole = until - since
    first = since.astimezone(t.zone).replace(minute=0, second=0, microsecond=0)
    if whole < timedelta(days=2):
        hours = next(h for h in (1, 2, 3, 6, 12) if whole <= timedelta(hours=h) * MARKS or h == 12)
        moments = (first + timedelta(hours=n) for n in range(49))
        yield from ((at, t.time(at)) for at in moments if at.hour % hours == 0 and since <= at <= until)
        return
    midnight = first.replace(hour=0)
    if whole < timedelta(days=_DAYS[-1] * MARKS):
        days = next(d for d in _DAYS if whole <= timedelta(days=d) * MARKS)
        moments = (midnight + timedelta(days=days * n) for n in range(MARKS + 2))
        yield from ((at, t.short_day(at)) for at in moments if since <= at <= until)
        return
    months = max(1, whole.days // 30)
    step = next((m for m in _MONTHS if months <= m * MARKS), _MONTHS[-1])
    start = midnight.year * 12
    for number in range(start, start + months + 25):
        at = midnight.replace(year=number // 12, month=number % 12 + 1, day=1)
        if number % step == 0 and since <= at <= until:
            yield at, str(at.year) if step >= A_YEAR else t.month(at, year=months > A_YEAR or at.month == 1)


def _value(point: Point) -> Decimal:
    return point.value
