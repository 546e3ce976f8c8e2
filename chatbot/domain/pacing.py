"""How fast messages may leave: a clock per conversation, a window per bot, holds after a refusal.

Pure but for its own memory; `now` is monotonic seconds. It never catches up after a stall: limits are
windows, so a burst at the right average is still refused.
"""

from collections import defaultdict, deque
from dataclasses import dataclass
from math import ceil

from chatbot.domain.people import ConversationId, Place

Seconds = float


@dataclass(frozen=True, slots=True)
class Pace:
    """What a platform allows: messages a second, seconds between two in a chat, a minute in a group."""

    per_second: float
    chat_seconds: Seconds
    group_per_minute: int

    @property
    def at_once(self) -> int:
        """How many messages of one bot under way are enough to keep this pace."""
        return max(10, ceil(self.per_second))


@dataclass(frozen=True, slots=True)
class Budget:
    """What an exchange allows one address: so many requests (or their weights) in so many seconds."""

    requests: int
    seconds: Seconds


class Meter:
    """Spreads calls over a budget: a quarter of it at once, then half its rate; pure but for its own memory.

    It never comes near the whole: another program on the same address may call as well.
    """

    def __init__(self, budget: Budget) -> None:
        """Start with nothing asked."""
        self._each = 2 * budget.seconds / budget.requests
        self._burst = budget.seconds / 2
        self._due: Seconds = -self._burst
        self._held: Seconds = 0

    def take(self, now: Seconds, weight: int = 1, most: Seconds = 0) -> Seconds:
        """Return how long a call has to wait, 0 mostly; its share is taken unless it is more than `most`."""
        due = max(self._due, now - self._burst) + self._each * weight
        wait = max(0.0, due - now, self._held - now)
        if wait <= most:
            self._due = due
        return wait

    def hold(self, seconds: Seconds, now: Seconds) -> None:
        """Let every call wait, as the exchange asked."""
        self._held = max(self._held, now + seconds)


class Pacer:
    """Says when a message may leave, and which conversations must wait."""

    def __init__(self) -> None:
        """Start with nothing sent."""
        self._next: dict[ConversationId, Seconds] = {}
        self._groups: dict[ConversationId, deque[Seconds]] = defaultdict(deque)
        self._bots: dict[str, Seconds] = {}
        self._held: dict[str, Seconds] = {}

    def busy(self, now: Seconds) -> list[ConversationId]:
        """Return the conversations that must wait; forgets those that need not."""
        self._next = {conversation: at for conversation, at in self._next.items() if at > now}
        return list(self._next)

    def held(self, bot: str, now: Seconds) -> Seconds:
        """Return how long a bot (`Place.bot`) still has to wait everywhere; takes no slot."""
        return max(0, self._held.get(bot, now) - now)

    def held_bots(self, now: Seconds) -> list[str]:
        """Return the bots that have to wait everywhere; forgets those that need not."""
        self._held = {bot: at for bot, at in self._held.items() if at > now}
        return list(self._held)

    def slot(self, bot: str, pace: Pace, now: Seconds) -> Seconds:
        """Take the bot's next slot and return when it is."""
        at = max(now, self._bots.get(bot, now), self._held.get(bot, now))
        self._bots[bot] = at + 1 / pace.per_second
        return at

    def sent(self, conversation: ConversationId, place: Place, pace: Pace, now: Seconds) -> None:
        """Note a message that left."""
        following = now + pace.chat_seconds
        if not place.private:
            window = self._groups[conversation]
            window.append(now)
            while window and window[0] <= now - 60:
                window.popleft()
            if len(window) >= pace.group_per_minute:
                following = max(following, window[0] + 60)
        self._next[conversation] = following

    def hold(self, conversation: ConversationId, seconds: Seconds, now: Seconds) -> None:
        """Let a conversation wait, as its platform asked."""
        self._next[conversation] = max(self._next.get(conversation, now), now + seconds)

    def hold_bot(self, bot: str, seconds: Seconds, now: Seconds) -> None:
        """Let a whole bot wait."""
        self._held[bot] = max(self._held.get(bot, now), now + seconds)
