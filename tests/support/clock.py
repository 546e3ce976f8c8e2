"""A clock that the tests turn by hand: sleeping passes the time at once."""

import asyncio
from datetime import UTC, datetime, timedelta


class VirtualClock:
    """Starts now, or when told, and moves only when told or slept on."""

    def __init__(self, start: datetime | None = None) -> None:
        """Take the first instant; practice exchanges stamp their fills with real time."""
        self._now = start or datetime.now(UTC)
        self._ticks = 0.0

    def now(self) -> datetime:
        """Return the current virtual time."""
        return self._now

    def monotonic(self) -> float:
        """Return virtual seconds since the start."""
        return self._ticks

    def advance(self, **span: float) -> None:
        """Move on by a time span."""
        delta = timedelta(**span)
        self._now += delta
        self._ticks += delta.total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Pass the time at once."""
        # The hands move by microseconds: who waits for less would wait for ever.
        self.advance(seconds=max(0.000001, seconds) if seconds > 0 else 0.0)
        await asyncio.sleep(0)
