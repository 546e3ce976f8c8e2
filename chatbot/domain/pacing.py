"""How fast messages may leave: a clock per conversation, a window per bot, holds after a refusal.

Pure but for its own memory; `now` is monotonic seconds. Limits are windows, so a burst at the right average
is still refused: slots are not caught up with after a stall, and `leave` counts what really left.
"""

from collections import defaultdict, deque
from dataclasses import dataclass
from math import ceil, inf

from chatbot.domain.people import ConversationId, Place

Seconds = float
# A second by any clock that goes a hundredth wrong.
WINDOW: Seconds = 1.01
# Messages that have to wait longer than this leave a few at a time: waking up costs as much as a message.
BEAT: Seconds = 0.11
LOOK_AGAIN: Seconds = 0.05
A_MOMENT: Seconds = 0.001


@dataclass(frozen=True, slots=True)
class Pace:
    """What a platform allows: messages a second, seconds between two in a chat, a minute in a group.

    `most` is the strict limit: never more in any second, however late each of them is; 0 for none.
    """

    per_second: float
    chat_seconds: Seconds
    group_per_minute: int
    most: int = 0

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
        self._windows: dict[str, dict[str, Seconds]] = defaultdict(dict)

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
        """Take the bot's next slot and return when it is; in a long queue together with its neighbours."""
        at = max(now, self._bots.get(bot, now), self._held.get(bot, now))
        self._bots[bot] = at + 1 / pace.per_second
        beat = int(BEAT * pace.per_second) / pace.per_second
        return max(at, ceil(at / beat) * beat) if beat and at - now > BEAT else at

    def leave(self, bot: str, pace: Pace, message: str, now: Seconds) -> Seconds:
        """Count a message among those of this second and return 0, or return how long it must wait.

        Nobody but the platform knows when it counts a message: some time between its leaving and its answer.
        So it is counted here from the one until a second after the other (`landed`).
        """
        window = {each: until for each, until in self._windows[bot].items() if until > now}
        self._windows[bot] = window
        if pace.most and len(window) >= pace.most:
            # A wait too short for the clock to move on would never end.
            return min(LOOK_AGAIN, max(A_MOMENT, min(window.values()) - now))
        window[message] = inf
        return 0

    def landed(self, bot: str, message: str, now: Seconds) -> None:
        """Note that a message was answered, or is not to be sent after all."""
        if self._windows[bot].get(message) == inf:
            self._windows[bot][message] = now + WINDOW

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
