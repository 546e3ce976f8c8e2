"""What was held back during quiet hours or a mute, as one message."""

from collections import Counter
from collections.abc import Sequence

from chatbot.domain.messages import Line, Message, Table, bold, line
from chatbot.domain.notices import TITLES, Kind
from chatbot.ports.held import HeldPost
from chatbot.text import Translator

# More single fills than these help nobody in the morning; all of them are stored.
FILLS_SHOWN = 100


def _newest(posts: Sequence[HeldPost]) -> list[HeldPost]:
    """Leave out balances that a later post of the same accounts replaced."""
    last = {_whose(post): post.seq for post in posts}
    return [post for post in posts if post.kind != Kind.BALANCES or last[_whose(post)] == post.seq]


def _whose(post: HeldPost) -> str:
    return ":".join(post.key.split(":", 2)[:2])


def digest(posts: Sequence[HeldPost], t: Translator) -> Message:
    """Show what was held, in order, below how many there are of what."""
    counts = Counter(Kind(post.kind) for post in posts)
    parts: list[Line | Table] = [
        line(bold(t.say("What came while it was quiet"))),
        line(" · ".join(f"{t.say(TITLES[kind])}: {counts[kind]}" for kind in Kind if kind in counts)),
    ]
    shown = _newest(posts)
    older, left_out = len(posts) - len(shown), max(0, counts[Kind.FILLS] - FILLS_SHOWN)
    fills = 0
    for post in shown:
        fills += post.kind == Kind.FILLS
        if post.kind != Kind.FILLS or fills > left_out:
            parts += [line(), line(t.brief(post.at)), *post.message.body]
    if left_out:
        sentence = t.say("{count} earlier fills are left out here: /fills shows the latest.", count=left_out)
        parts[2:2] = [line(sentence)]
    if older:
        sentence = t.say("{count} earlier posts of balances are left out here.", count=older)
        parts[2:2] = [line(sentence)]
    # Buttons of several would not say whose they are; of pictures the newest is worth seeing.
    buttons = posts[0].message.buttons if len(posts) == 1 else ()
    pictures = [post.message.image for post in posts if post.message.image is not None]
    return Message(tuple(parts), buttons, pictures[-1] if pictures else None)
