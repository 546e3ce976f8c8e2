"""Telegram's limits read as strictly as they can be: sliding windows without any forgiveness.

30 messages in any second overall, one a second in a chat, 20 in any minute in a group. Telegram says
"about", so whoever keeps these keeps the real ones too. Pure; the caller tells the time.
"""

from collections import defaultdict, deque
from collections.abc import Iterator

SECOND, MINUTE = 1.0, 60.0
OVERALL, IN_A_CHAT, IN_A_GROUP = 30, 1, 20


class Windows:
    """Counts what was taken; what is refused counts for nothing."""

    def __init__(self) -> None:
        self._all: deque[float] = deque()
        self._chats: dict[int, deque[float]] = defaultdict(deque)
        self.refused = 0

    def take(self, chat: int, now: float) -> float:
        """Count a message and return 0, or return how many seconds too early it came."""
        early = max(0.0, *self._early(chat, now))
        if early:
            self.refused += 1
            return early
        self._all.append(now)
        self._chats[chat].append(now)
        return 0.0

    def _early(self, chat: int, now: float) -> Iterator[float]:
        yield _early(self._all, OVERALL, SECOND, now)
        yield _early(self._chats[chat], IN_A_CHAT, SECOND, now)
        if chat < 0:
            yield _early(self._chats[chat], IN_A_GROUP, MINUTE, now)


def _early(taken: deque[float], most: int, seconds: float, now: float) -> float:
    """Return how long after `now` the window has room; `taken` is in order."""
    return taken[-most] + seconds - now if len(taken) >= most else 0.0
